package scan

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/snappy"
	"github.com/pierrec/lz4/v4"
)

// lz4Block returns text as a block without a head.
func lz4Block(text string) string {
	out := make([]byte, lz4.CompressBlockBound(len(text)))
	n, err := lz4.CompressBlock([]byte(text), out, nil)
	if err != nil {
		panic(err)
	}
	return string(out[:n])
}

// withSum appends a CRC-32, as the headers of xz have it.
func withSum(s string) string { return s + le32(int(crc32.ChecksumIEEE([]byte(s)))) }

// What a limit cuts of a value is said, by the container or the rule that has more,
// and what stands before it is found.
func TestLimitsAreSaid(t *testing.T) {
	token := "sk_" + "live_" + random("limits", 24, alnumAlphabet)
	escaped := strings.Repeat("y", leastOutput-2000) + `\n` // takes as much of what may come out
	text := "a token: " + token + "\n" + strings.Repeat("some more text\n", leastOutput/8)
	base64Text := base64.StdEncoding.EncodeToString([]byte(text))
	part := "Content-Transfer-Encoding: base64\n\n" + base64.StdEncoding.EncodeToString([]byte("a part of a mail")) + "\n--b\n"
	deep := base64.StdEncoding.EncodeToString([]byte(text[:200]))
	for i := range 10 {
		if deep = base64.StdEncoding.EncodeToString([]byte(deep)); i == 0 {
			deep = base64.StdEncoding.EncodeToString(deflated(t, text[:200], flate.BestCompression))
		}
	}
	large := strings.Repeat("0", maxOutput+1)
	var symbols, strings8 strings.Builder
	for i := range maxIgbinaryStrings + 1 {
		name := fmt.Sprintf("n%05d", i)
		if i <= maxMarshalSymbols {
			symbols.WriteString(":\x0b" + name)
		}
		strings8.WriteString("\x06" + string([]byte{byte(i)}) + "\x11\x06" + name)
	}
	protobuf := func(s string) string { return "\x0a" + string(binary.AppendUvarint(nil, uint64(len(s)))) + s }
	for _, c := range []struct {
		name, value string
		drained     bool // little is left of what may come out
		limited     string
		found       bool
	}{
		{"part of a mail", "Content-Transfer-Encoding: base64\n\n" + base64Text, true, "mime:1", true},
		{"quoted part", "Content-Transfer-Encoding: quoted-printable\n\n" + text, true, "mime:1", true},
		{"base64", base64Text, true, "base64:1", true},
		{"hex", hex.EncodeToString([]byte(text)), true, "hex:1", true},
		{"UTF-16", strings.Join(strings.Split(text, ""), "\x00") + "\x00", true, "utf-16:1", true},
		{"references", strings.ReplaceAll(text, token, "&#115;"+token[1:]), true, "entities:1", true},
		{"escapes", strings.ReplaceAll(strings.ReplaceAll(text, " ", "%20"), token, "%73"+token[1:]), true, "urlencoded:1", true},
		{"stream behind what was cut", "\x92\xdb" + be32(2*len(text)) + hex.EncodeToString([]byte(text)) + "\xc6" + be32(len(gzipped(text))) + gzipped(text), true, "gzip:1 hex:1", true},
		{"parts of a mail", strings.Repeat(part, maxParts+1), false, "mime:1", false},
		{"web token", `["` + escaped + `","eyJhbGciOiJub25lIn0.` + base64.RawURLEncoding.EncodeToString([]byte(`{"a":"`+text[:4000]+`"}`)) + `."]`, true, "base64:1 jwt:1", false},
		{"payload", `["` + escaped + `","echo ` + base64Text[:4000] + ` | base64 -d | bash"]`, true, "base64:2", false},
		{"form", "a=" + token + "&" + strings.Repeat("a=%26&", maxElements), false, "base85:1 keywords:1 urlencoded:1", true},
		{"LZ4 of Java", "LZ4Block\x26" + le32(len(lz4Block(text))) + le32(len(text)) + "\x00\x00\x00\x00" + lz4Block(text), true, "lz4-block:1", true},
		{"LZ4 block", le32(len(large)) + lz4Block(large), false, "lz4-block:1", false},
		{"LZ4 in MessagePack", "\xc9" + be32(5+len(lz4Block(large))) + "\x63\xd2" + be32(len(large)) + lz4Block(large), false, "msgpack-lz4:1", false},
		{"snappy block", string(snappy.Encode(nil, []byte(large))), false, "snappy:1", false},
		{"window of zstd", "\x28\xb5\x2f\xfd\x00\x70" + "\x29\x00\x00hello", false, "zstd:1", false},
		{"dictionary of xz", "\xfd7zXZ\x00" + withSum("\x00\x01") + withSum("\x02\x00\x21\x01\x1e\x00\x00\x00") + "\x01\x00\x04hello\x00", false, "xz:1", false},
		{"deflate far in", deep, false, "deflate:1", false},
		{"symbols", "\x04\x08[\x08[\x02" + string([]byte{0x01, 0x40}) + symbols.String() + "\"\x02" + le32(len(token))[:2] + token + ";\x02\x00\x40", false, "ruby-marshal:1", true},
		{"strings of PHP", "\x00\x00\x00\x02\x16" + be32(maxIgbinaryStrings+2) + strings8.String() + "\x06\x00\x0f\x80\x00", false, "igbinary:1", false},
		{"memo", "\x80\x04]" + strings.Repeat("\x8c\x01a\x94a", maxPickleMemo+1) + "}j" + le32(maxPickleMemo) + "\x8c" + string([]byte{byte(len(token))}) + token + "s.", false, "pickle:1", true},
		{"nested message", protobuf(protobuf(text[:100]) + protobuf(gzipped(text)) + strings.Repeat(protobuf("text"), 100)), true, "gzip:1 protobuf:1", true},
		{"depth of CBOR", "\xa2\x64note\x78" + string([]byte{byte(len(token))}) + token + "\x61x" + strings.Repeat("\x81", maxBinaryDepth+1) + "\x01", false, "cbor:1", true},
		{"counted strings", "\x00" + strings.Repeat("\x00\x00\x05token\x01", 2*maxCounted), false, kindCounted + ":1", false},
		{"keys of signify", strings.Repeat("RWRCS"+"w "+"x\n", maxProofs+1), false, "signing-secret-key:1", false},
		{"keys of a set", `{"keys":[` + strings.Repeat(`{"kty":"EC"},`, maxJWKsSeen+1) + "1]}", false, jwkRule + ":1", false},
	} {
		s := *newTestScanner(t)
		s.frameworks = slices.Clone(s.frameworks)
		for i := range s.frameworks {
			s.frameworks[i].judge = func(p *probe) *session {
				if c.drained {
					p.w.budget.batch = 0
				}
				return nil
			}
		}
		w, b := newWorker(&s), batchOf(slices.Concat(stringKey(sessionKey, `{"user_id": 4}`), stringKey("k", c.value)))
		w.batch(b)
		said := strings.TrimSuffix(strings.TrimPrefix(fmt.Sprint(b.stats.Limited), "map["), "]")
		if said != c.limited || b.stats.Stopped != 1 {
			t.Errorf("%s: %q are said to be cut, of %d values, want %q", c.name, said, b.stats.Stopped, c.limited)
		}
		if found := slices.ContainsFunc(b.findings, func(f *Finding) bool { return f.Secret == token }); found != c.found {
			t.Errorf("%s: found %s", c.name, brief(b.findings))
		}
	}
}

// What a document says once and refers to again and again costs as what comes out of a
// container; members that take no bytes are counted.
func TestReferencesAreBounded(t *testing.T) {
	const n = 2000
	php := func(text string) string {
		return "\x00\x00\x00\x02\x16" + be32(n+1) + "\x06\x00\x13" + be32(len(text)) + text + strings.Repeat("\x06\x01\x0e\x00", n)
	}
	class := "\x00\x01\x00\x00\x00\xff\xff\xff\xff\x01\x00\x00\x00\x00\x00\x00\x00\x04" + le32(1) + "\x01A" + le32(60000) + strings.Repeat("\x00", 2*60000) + strings.Repeat("\x11", 60000)
	one := "\x01" + le32(2) + le32(1)
	for _, c := range []struct{ name, value, limited string }{
		{"long text", php(strings.Repeat("a token and more ", 4000)), "igbinary"},
		{"short text", php("a token and more"), ""},
		{"members", class + strings.Repeat(one, maxElements/60000) + "\x0b", "binaryformatter"},
		{"fewer members", class + strings.Repeat(one, maxElements/60000-1) + "\x0b", ""},
	} {
		_, stats := scanAll(t, newTestScanner(t), stringKey("k", c.value))
		if c.limited == "" && stats.Stopped != 0 || c.limited != "" && stats.Limited[c.limited] != 1 {
			t.Errorf("%s: cut: %v", c.name, stats.Limited)
		}
	}
}

// What is no document, and what holds more short strings than are looked at, is not
// said to be cut where nothing was lost.
func TestNothingIsCut(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	bitmap := make([]byte, 400_000)
	for range len(bitmap) / 2 {
		bitmap[random.IntN(len(bitmap))] |= 1 << random.IntN(8)
	}
	for name, value := range map[string]string{
		"pixels": strings.Repeat("\x92\x91\xa2\x91\x93", 2000),
		"bitmap": string(bitmap),
		"stops":  strings.Repeat("\x00@", 100_000),
	} {
		if _, stats := scanAll(t, newTestScanner(t), stringKey("k", value)); stats.Stopped != 0 {
			t.Errorf("%s: cut: %v", name, stats.Limited)
		}
	}
}

// Private keys in JSON are found however many there are; some are proven.
func TestManyKeysInJSON(t *testing.T) {
	key, _, _ := testKey(t)
	b64 := base64.RawURLEncoding.EncodeToString
	one := jsonText(object{"kty": "OKP", "crv": "Ed25519", "x": b64(key[32:]), "d": b64(key.Seed())})
	proven, likely := 0, 0
	for _, f := range findingsIn(t, "k", "["+strings.Repeat(one+",", maxProofs+3)+one+"]") {
		switch {
		case f.Rule == jwkRule && f.Confidence == Confirmed:
			proven++
		case f.Rule == jwkRule && f.Confidence == Likely:
			likely++
		}
	}
	if proven != maxProofs || likely != 4 {
		t.Errorf("%d proven, %d likely", proven, likely)
	}
}

// deflated returns text as a stream without a header.
func deflated(t testing.TB, text string, level int) []byte {
	var out bytes.Buffer
	z, err := flate.NewWriter(&out, level)
	if err != nil {
		t.Fatal(err)
	}
	z.Write([]byte(text))
	z.Close()
	return out.Bytes()
}

// However long a value is, what stands at its end is found as long as little comes
// out of it.
func TestLongValuesAreRead(t *testing.T) {
	s := newTestScanner(t)
	const n = maxElements
	password := "Vq7" + random("long", 40, lowerAlphabet) + "#29"
	short := func(tag byte, text string) string { return string([]byte{tag, byte(len(text))}) + text }
	message := func(text string) string { return short('\n', text) }
	bson := func(members string) string { return le32(len(members)+5) + members + "\x00" }
	text := strings.Repeat("nothing to be seen in here, and no more\n", 10<<20/40) + "db_password: " + password + "\n"
	stream := string(deflated(t, text, flate.HuffmanOnly))
	for kind, value := range map[string]string{
		"msgpack:$[":     "\xdd" + be32(n+2) + "\x81" + short('\xd9', "note") + short('\xd9', "a text") + strings.Repeat("\x01", n) + "\x81" + short('\xd9', "db_password") + short('\xd9', password),
		"cbor:$[":        "\x9a" + be32(n+2) + "\xa1" + short('\x78', "note") + short('\x78', "a text") + strings.Repeat("\x01", n) + "\xa1" + short('\x78', "db_password") + short('\x78', password),
		"bson:$.":        bson("\x02note\x00" + le32(7) + "a text\x00" + strings.Repeat("\x08a\x00\x01", n) + "\x02db_password\x00" + le32(len(password)+1) + password + "\x00"),
		"xml:$.":         "<a>" + strings.Repeat("<b></b>", n) + `<property name="db_password">` + password + "</property></a>",
		"strings":        "\x00" + strings.Repeat("\x00\x05apple\x00\x04plum\x00", maxCounted) + short(0, "db_password") + short(0, password) + "\x00",
		"deflate":        stream,
		"base64,deflate": base64.StdEncoding.EncodeToString([]byte(stream)),
	} {
		found, stats := scanAll(t, s, stringKey("k", value))
		if len(found) != 1 || found[0].Secret != password || !strings.HasPrefix(strings.Join(found[0].Chain, ","), kind) || stats.Stopped != 0 {
			t.Errorf("%s: found %s, cut %v", kind, brief(found), stats.Limited)
		}
	}
	value := message("a text") + strings.Repeat("\x10\x01", n) + message(`{"db_password":"`+password+`"}`)
	if found, stats := scanAll(t, s, stringKey("k", value)); len(found) != 1 || found[0].Chain[0] != "protobuf:$.1" || stats.Stopped != 0 {
		t.Errorf("protobuf: found %s, cut %v", brief(found), stats.Limited)
	}
}
