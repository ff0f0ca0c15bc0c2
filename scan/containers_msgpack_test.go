package scan

import (
	"encoding/base64"
	hexadecimal "encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/klauspost/compress/snappy"
)

// What msgpackr and Node's v8.serialize wrote.
const (
	// [{id: 1, db_password: …, n: {a: 1, api_key: "x"}}, {id: 90, db_password: …, …}] as records
	msgpackrRecords = "92d4724093a26964ab64625f70617373776f7264a16e01ae567137706c756d74726565233239d4724192a161a76170695f6b657901a17840cc5ab24b7833686172626f72236d6561646f7737314102a179"
	// {when: Date, s: Set, m: Map, db_password: …} as a record
	msgpackrTypes = "d4724094a47768656ea173a16dab64625f70617373776f7264d6ff00000000d4730091a16181a16ba176ae567137706c756d74726565233239"
)

func unhexed(t *testing.T, digits string) string {
	b, err := hexadecimal.DecodeString(digits)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// foundIn returns the secrets of findings with their chains.
func foundIn(fs []*Finding) string {
	var out []string
	for _, f := range fs {
		out = append(out, f.Secret+" "+strings.Join(f.Chain, ">"))
	}
	return strings.Join(out, ", ")
}

// Records name their members once, and sequences hold one value after the other.
func TestMsgpackForms(t *testing.T) {
	s := newTestScanner(t)
	for name, c := range map[string]struct{ value, want string }{
		"records":  {unhexed(t, msgpackrRecords), "Vq7plumtree#29 msgpack:$[0].db_password, Kx3harbor#meadow71 msgpack:$[1].db_password"},
		"types":    {unhexed(t, msgpackrTypes), "Vq7plumtree#29 msgpack:$.db_password"},
		"sequence": {"\xa2v1\x81\xabdb_password\xaeVq7plumtree#29", "Vq7plumtree#29 msgpack:$.db_password"},
	} {
		for how, v := range map[string]string{"": c.value, "base64>": base64.StdEncoding.EncodeToString([]byte(c.value)), "gzip>": gzipped(c.value)} {
			found, stats := scanAll(t, s, stringKey("k", v))
			if got := strings.ReplaceAll(foundIn(found), how, ""); got != c.want || len(stats.Failures) > 0 {
				t.Errorf("%s in %q: found %s, failures %v", name, how, brief(found), stats.Failures)
			}
		}
	}
	for name, v := range map[string]string{
		"text":            "\xa9password\xa2\xa3Vq7\xa0",
		"a record of two": "\xd4r\x40\x92\xa2id\xabdb_passwor",
		"no record":       "\xd4r\x20\x91\xa2id\x01",
	} {
		if _, stats := scanAll(t, s, stringKey("k", v)); stats.Decoded > 0 {
			t.Errorf("%s: taken for MessagePack", name)
		}
	}
}

// The letters of a compressed text are small integers to MessagePack, and among
// them something may look like a map with names.
func TestCompressedTextIsNoSequence(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		var b strings.Builder
		for range 1 + r.IntN(8) {
			text := base64.RawURLEncoding.EncodeToString(fmt.Append(nil, r.Uint64(), r.Uint64()))
			fmt.Fprintf(&b, `{"%s":"%s","%s":%d},`, text[:3+r.IntN(12)], text[:8+r.IntN(40)], text[5:9], r.IntN(1e6))
		}
		block := snappy.Encode(nil, []byte(b.String()))
		if startsMsgpack(block[0]) && fitsMsgpack(block) {
			t.Fatalf("taken for MessagePack: %q", block)
		}
	}
}

// wrapMsgpackLZ4 writes Lz4Block or, in several blocks, Lz4BlockArray.
func wrapMsgpackLZ4(value string, blocks int) string {
	pack := wrapLZ4(func(int) string { return "" })
	number := func(n int) string { return "\xd2" + be32(n) }
	extension := func(kind byte, body string) string { return "\xc9" + be32(len(body)) + string([]byte{kind}) + body }
	if blocks == 0 {
		return extension(mpBlock, number(len(value))+pack("", value))
	}
	var sizes, packed string
	for i := range blocks {
		part := value[i*len(value)/blocks : (i+1)*len(value)/blocks]
		block := pack("", part)
		sizes += number(len(part))
		packed += "\xc6" + be32(len(block)) + block
	}
	return string([]byte{0x91 + byte(blocks)}) + extension(mpBlocks, sizes) + packed
}

func TestMsgpackLZ4(t *testing.T) {
	s := newTestScanner(t)
	value := wrapMsgpack("note", "postgres://u:"+"Vq7plumtree@db.internal/a "+strings.Repeat("and text that repeats, ", 8))
	for blocks := range 3 {
		whole := wrapMsgpackLZ4(value, blocks)
		found, stats := scanAll(t, s, stringKey("k", whole))
		if len(found) != 1 || strings.Join(found[0].Chain, ">") != "msgpack-lz4>msgpack:$.outer.note" || len(stats.Failures) > 0 {
			t.Errorf("%d blocks: found %s, failures %v", blocks, brief(found), stats.Failures)
		}
		for n := minContainer; n < len(whole); n += 7 {
			if fitsMsgpackLZ4([]byte(whole[:n])) {
				t.Errorf("%d blocks: %d bytes of %d fit", blocks, n, len(whole))
			}
		}
	}
}
