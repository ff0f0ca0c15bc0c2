package scan

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// A wrapper puts a value under a name into a container; those without names
// only wrap.
type wrapper struct {
	kind string
	path string // what the chain says behind the kind, with %s for the name
	wrap func(name, value string) string
}

func compressed(kind string) func(name, value string) string {
	return func(_, value string) string {
		var out bytes.Buffer
		var z io.WriteCloser
		switch kind {
		case "gzip":
			z = gzip.NewWriter(&out)
		case "zlib":
			z = zlib.NewWriter(&out)
		case "zstd":
			z, _ = zstd.NewWriter(&out)
		case "lz4":
			z = lz4.NewWriter(&out)
		}
		if _, err := io.WriteString(z, value); err != nil {
			panic(err)
		}
		if err := z.Close(); err != nil {
			panic(err)
		}
		return out.String()
	}
}

func wrapJSON(name, value string) string {
	b, _ := json.Marshal(map[string]any{"v": 1, "outer": map[string]any{name: value}, "z": []int{1, 2}})
	return string(b)
}

func wrapPHP(name, value string) string {
	return fmt.Sprintf(`a:2:{i:0;s:1:"x";s:5:"outer";O:8:"stdClass":1:{s:%d:"%s";s:%d:"%s";}}`, len(name), name, len(value), value)
}

func wrapPHPSession(name, value string) string {
	return fmt.Sprintf(`user|i:5;outer|a:1:{s:%d:"%s";s:%d:"%s";}last|N;`, len(name), name, len(value), value)
}

func le32(n int) string { return string(binary.LittleEndian.AppendUint32(nil, uint32(n))) }

// wrapPickle2 writes protocol 2, {"id": 7, "outer": {name: value}}.
func wrapPickle2(name, value string) string {
	text := func(s string) string { return "X" + le32(len(s)) + s }
	return "\x80\x02}q\x00(" + text("id") + "q\x01K\x07" + text("outer") + "q\x02}q\x03" + text(name) + "q\x04" + text(value) + "q\x05s" + "u."
}

// wrapPickle4 writes protocol 4 with a frame, a list and the memo.
func wrapPickle4(name, value string) string {
	text := func(s string) string {
		if len(s) < 256 {
			return "\x8c" + string([]byte{byte(len(s))}) + s + "\x94"
		}
		return "X" + le32(len(s)) + s + "\x94"
	}
	body := "}\x94(" + text("list") + "]\x94(K\x01K\x02e" + text("outer") + "}\x94(" + text("a") + "N" + text(name) + text(value) + "uu."
	return "\x80\x04\x95" + string(binary.LittleEndian.AppendUint64(nil, uint64(len(body)))) + body
}

// wrapPickle0 writes the oldest protocol, in lines.
func wrapPickle0(name, value string) string {
	return "(dp0\nV" + name + "\np1\nV" + value + "\np2\ns."
}

func marshalLong(n int) string {
	switch {
	case n == 0:
		return "\x00"
	case n < 123:
		return string([]byte{byte(n + 5)})
	case n < 256:
		return string([]byte{1, byte(n)})
	}
	return string([]byte{2, byte(n), byte(n >> 8)})
}

func wrapMarshal(name, value string) string {
	text := func(s string) string { return `I"` + marshalLong(len(s)) + s + "\x06:\x06ET" }
	link := func(s string) string { return `I"` + marshalLong(len(s)) + s + "\x06;\x00T" }
	return "\x04\x08{\x07" + text("id") + "i\x0c" + link("outer") + "{\x06" + link(name) + link(value)
}

func javaUTF(s string) string { return string(binary.BigEndian.AppendUint16(nil, uint16(len(s)))) + s }

// wrapJava writes a java.util.HashMap.
func wrapJava(name, value string) string {
	return "\xac\xed\x00\x05sr" + javaUTF("java.util.HashMap") + "\x05\x07\xda\xc1\xc3\x16\x60\xd1\x03\x00\x02F" + javaUTF("loadFactor") + "I" + javaUTF("threshold") +
		"xp?@\x00\x00\x00\x00\x00\x0cw\x08\x00\x00\x00\x10\x00\x00\x00\x02t" + javaUTF("id") + "t" + javaUTF("7") + "t" + javaUTF(name) + "t" + javaUTF(value) + "x"
}

// wrapJavaBean writes an object of a class with one field.
func wrapJavaBean(name, value string) string {
	return "\xac\xed\x00\x05sr" + javaUTF("com.acme.Bean") + "\x00\x00\x00\x00\x00\x00\x00\x01\x02\x00\x02I" + javaUTF("id") + "L" + javaUTF(name) + "t" + javaUTF("Ljava/lang/String;") +
		"xp\x00\x00\x00\x07t" + javaUTF(value)
}

func wrapMsgpack(name, value string) string {
	text := func(s string) string {
		if len(s) < 32 {
			return string([]byte{0xa0 | byte(len(s))}) + s
		}
		return "\xda" + string(binary.BigEndian.AppendUint16(nil, uint16(len(s)))) + s
	}
	return "\x82" + text("id") + "\x07" + text("outer") + "\x81" + text(name) + text(value)
}

var wrappers = []wrapper{
	{"json", "$.outer.%s", wrapJSON},
	{"php-serialize", "$.outer.%s", wrapPHP},
	{"php-session", "$.outer.%s", wrapPHPSession},
	{"pickle", "$.outer.%s", wrapPickle2},
	{"pickle", "$.outer.%s", wrapPickle4},
	{"pickle", "$.%s", wrapPickle0},
	{"ruby-marshal", "$.outer.%s", wrapMarshal},
	{"java-serialize", "", wrapJava},
	{"java-serialize", "", wrapJavaBean},
	{"msgpack", "$.outer.%s", wrapMsgpack},
	{"urlencoded", "$.%s", func(name, value string) string { return "a=1&" + name + "=" + url.QueryEscape(value) + "&b=%20" }},
	{"base64", "", func(_, value string) string { return base64.StdEncoding.EncodeToString([]byte(value)) }},
	{"base64", "", func(_, value string) string { return base64.RawURLEncoding.EncodeToString([]byte(value)) }},
	{"hex", "", func(_, value string) string { return hex.EncodeToString([]byte(value)) }},
	{"gzip", "", compressed("gzip")},
	{"zlib", "", compressed("zlib")},
	{"zstd", "", compressed("zstd")},
	{"lz4", "", compressed("lz4")},
}

// A password is found by its name in every container that has names, and where
// it stands is said.
func TestContainersWithNames(t *testing.T) {
	password := "Vq7" + random("p", 9, lowerAlphabet) + "#29"
	for i, c := range wrappers {
		if c.path == "" && c.kind != "java-serialize" {
			continue
		}
		t.Run(fmt.Sprintf("%s %d", c.kind, i), func(t *testing.T) {
			found, stats := scanAll(t, newTestScanner(t), stringKey("k", c.wrap("db_password", password)))
			if len(found) != 1 || found[0].Secret != password || found[0].Rule != "generic-password" {
				t.Fatalf("found %s; failures %v", brief(found), stats.Failures)
			}
			chain := strings.Join(found[0].Chain, ">")
			if want := c.kind + ":" + fmt.Sprintf(c.path, "db_password"); c.path != "" && chain != want {
				t.Errorf("chain %s, want %s", chain, want)
			}
			if len(stats.Failures) > 0 {
				t.Errorf("failures %v", stats.Failures)
			}
		})
	}
}

// Every container inside every other.
func TestContainersNested(t *testing.T) {
	token := githubToken("ghp", "nested")
	s := newTestScanner(t)
	for i, outer := range wrappers {
		for k, inner := range wrappers {
			value := outer.wrap("data", inner.wrap("data", token))
			if (outer.kind == "json" || outer.kind == "pickle" && i == 5) && !isText([]byte(inner.wrap("data", token))) {
				continue // these hold text only
			}
			found, _ := scanAll(t, s, stringKey("k", value))
			if len(found) != 1 || found[0].Secret != token {
				t.Errorf("%s (%d) in %s (%d): found %s", inner.kind, k, outer.kind, i, brief(found))
			}
		}
	}
}

// Six containers deep and more.
func TestContainersDeep(t *testing.T) {
	token := githubToken("ghp", "deep")
	value, want := token, []string(nil)
	for i, k := range []int{0, 13, 14, 11, 0, 15, 1, 17} {
		value = wrappers[k].wrap("data", value)
		want = append([]string{wrappers[k].kind}, want...)
		found := findingsIn(t, "k", value)
		if len(found) != 1 || found[0].Secret != token {
			t.Fatalf("depth %d: found %s", i+1, brief(found))
		}
		var got []string
		for _, c := range found[0].Chain {
			kind, _, _ := strings.Cut(c, ":")
			got = append(got, kind)
		}
		if strings.Join(got, ">") != strings.Join(want, ">") {
			t.Errorf("chain %v, want %v", got, want)
		}
	}
}

// Containers cut short give what can still be read, are counted as failures,
// and their bytes are scanned as they are.
func TestContainersCutShort(t *testing.T) {
	token := githubToken("ghp", "cut")
	s := newTestScanner(t)
	for i, c := range wrappers {
		whole := c.wrap("data", token+" "+strings.Repeat("and more text, ", 40))
		for _, share := range []int{90, 60} {
			cut := whole[:len(whole)*share/100]
			found, stats := scanAll(t, s, stringKey("k", cut))
			switch c.kind {
			case "gzip", "zlib", "zstd", "lz4":
				if share < 90 && stats.Failures[c.kind] == 0 {
					t.Errorf("%s (%d) at %d %%: no failure counted", c.kind, i, share)
				}
			case "hex", "base64": // may end anywhere
			default:
				if len(found) != 1 || found[0].Secret != token {
					t.Errorf("%s (%d) at %d %%: found %s", c.kind, i, share, brief(found))
				}
			}
		}
	}
}

// bombs are values that try to cost more than they weigh.
func bombs() map[string]string {
	zeros := strings.Repeat("0", 8<<20)
	return map[string]string{
		"gzip":           compressed("gzip")("", zeros),
		"zstd":           compressed("zstd")("", zeros),
		"nested gzip":    compressed("gzip")("", compressed("gzip")("", zeros)),
		"arrays":         strings.Repeat("[", 64<<10),
		"closed arrays":  strings.Repeat("[", 32<<10) + strings.Repeat("]", 32<<10),
		"strings":        "[" + strings.Repeat(`"\u0041pass",`, 8<<10) + `""]`,
		"php":            strings.Repeat("a:1:{i:0;", 8<<10),
		"marshal":        "\x04\x08" + strings.Repeat("[\x06", 32<<10),
		"msgpack":        strings.Repeat("\x91", 64<<10),
		"pickle marks":   "\x80\x02" + strings.Repeat("(", 64<<10),
		"pickle setitem": "\x80\x02}" + strings.Repeat("X\x01\x00\x00\x00aX\x01\x00\x00\x00bs", 4<<10) + ".",
		"java":           "\xac\xed\x00\x05" + strings.Repeat("ur\x00\x02[B", 8<<10),
		"keywords":       strings.Repeat("password=", 8<<10),
		"begins":         strings.Repeat("-----BEGIN PRIVATE KEY-----", 2<<10),
		"at signs":       strings.Repeat("a@b.c", 12<<10),
		"urls":           strings.Repeat("://a:b@", 9<<10),
		"tokens":         strings.Repeat("xo"+"xb-1111111111-", 4<<10),
		"percent":        strings.Repeat("%41=", 16<<10),
		"jwt":            strings.Repeat("eyJ", 21<<10),
		"noun names":     strings.Repeat(`{"password":`, 5<<10),
		"members":        "{" + strings.Repeat(`"token":"aZ4kq9PzLmX0",`, 2<<10) + `"a":1}`,
		"hashes":         strings.Repeat("$2"+"b$12$", 9<<10),
		"ibans":          strings.Repeat("DE12", 16<<10),
		"digits":         strings.Repeat("4", 64<<10),
		"basic":          strings.Repeat("basic QUJD", 6<<10),
		"names":          strings.Repeat("datadog=", 8<<10),
		"vendors":        strings.Repeat("adobe twitter datadog linkedin algolia asana bitbucket bittrex ", 1<<10),
		"curl":           strings.Repeat("curl -u a ", 6<<10),
		"base64":         "[" + strings.Repeat(`"SGVsbG8gV29ybGQhIQ",`, 3<<10) + `""]`,
		"base64 layers":  layers(64 << 10),
		"mime":           strings.Repeat("Content-Transfer-Encoding: quoted-printable\n\npassword=41=", 1<<10),
		"tokens signed":  strings.Repeat("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.AAAA ", 1<<10),
		"protobuf":       strings.Repeat("\x0a\x02\x08\x01\x12\x04abcd\x1a\x03\xff\xfe\x01", 4<<10),
		"gzip members":   strings.Repeat(compressed("gzip")("", "x"), 2<<10),
	}
}

// layers wraps a text in base64 until it has about n bytes.
func layers(n int) string {
	s := strings.Repeat("password ", n/40)
	for len(s) < n*3/4 {
		s = base64.StdEncoding.EncodeToString([]byte(s))
	}
	return s
}

// Bombs stay inside the budget.
func TestContainersBounded(t *testing.T) {
	s := newTestScanner(t)
	for name, bomb := range bombs() {
		t.Run(name, func(t *testing.T) {
			_, stats := scanAll(t, s, stringKey("k", bomb))
			if limit := int64(min(maxOutput, baseOutput+outputRatio*len(bomb))); stats.DecodedBytes > limit+int64(2*len(bomb)) {
				t.Errorf("%d bytes came out of %d, the limit is %d", stats.DecodedBytes, len(bomb), limit)
			}
		})
	}
}

// What stands in a later member of a gzip file is found, and bombs of many members
// are cut, and said to be.
func TestGzipMembers(t *testing.T) {
	s := newTestScanner(t)
	token := githubToken("ghp", "in the second member")
	found, _ := scanAll(t, s, stringKey("k", gzipped("hello")+gzipped(`{"note":"`+token+`"}`)))
	if len(found) != 1 || found[0].Secret != token {
		t.Errorf("found %s", brief(found))
	}
	bomb := gzipped(strings.Repeat("key ", maxOutput/8))
	_, stats := scanAll(t, s, stringKey("k", strings.Repeat(bomb, 8)))
	if stats.Limited["gzip"] != 1 || stats.DecodedBytes > maxOutput+1 {
		t.Errorf("%d bytes came out, %d cut", stats.DecodedBytes, stats.Limited["gzip"])
	}
}

func TestWalkJSONRefuses(t *testing.T) {
	for _, text := range []string{`{`, `{"a"}`, `{"a":}`, `{"a":1,}`, `[1,]`, `[1 2]`, `{"a":1}x`, `"`, `tru`, `[}`, `{]`, `[-]`, `{a:1}`} {
		if err := walkJSON([]byte(text), new(document), discard{}); err == nil {
			t.Errorf("%s was accepted", text)
		}
	}
	for _, text := range []string{`{}`, `[]`, ` [ ] `, `{"a":[{},[],"x",1.5e-3,true,false,null]}`, "{\"a\":1}\n{\"b\":2}\n", `"x"`, `-1`} {
		if err := walkJSON([]byte(text), new(document), discard{}); err != nil {
			t.Errorf("%s was refused", text)
		}
	}
}

type discard struct{}

func (discard) key(int, int)            {}
func (discard) end()                    {}
func (discard) text(int, int, bool)     {}
func (discard) octets(int, int)         {}
func (discard) number(int, int)         {}
func (discard) integer(int, int, int64) {}
func (discard) more() error             { return nil }

// Text is told from other bytes wherever among its characters they stand.
func TestIsText(t *testing.T) {
	for n := range 20 {
		for at := range n {
			for b := range 256 {
				data := []byte(strings.Repeat("a", n))
				data[at] = byte(b)
				ascii := b < 0x80
				if text := ascii && b != 0x7f && (b >= ' ' || b >= '\t' && b <= '\r'); isText(data) != text || isASCII(data) != ascii {
					t.Errorf("byte %#x at %d of %d: %v, %v", b, at, n, isText(data), isASCII(data))
				}
			}
		}
	}
	for text, want := range map[string]bool{"": true, "größer als zuvor": true, "0123456\xc3": false, "0123456é89": true, "0123456é\x01": false,
		"01234567\xe2\x82": false, "012345€7": true, "0123456\xe2": false, "\x820123456": false, "01234567\x85": false} {
		if isText([]byte(text)) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}
