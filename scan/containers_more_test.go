package scan

import (
	"bytes"
	"encoding/ascii85"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/gob"
	hexadecimal "encoding/hex"
	"fmt"
	"html"
	"io"
	"mime/quotedprintable"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/snappy"
	"github.com/pierrec/lz4/v4"
)

func be16(n int) string { return string(binary.BigEndian.AppendUint16(nil, uint16(n))) }
func be32(n int) string { return string(binary.BigEndian.AppendUint32(nil, uint32(n))) }

func wrapCBOR(name, value string) string {
	text := func(s string) string {
		if len(s) < 24 {
			return string([]byte{0x60 | byte(len(s))}) + s
		}
		return "\x79" + be16(len(s)) + s
	}
	return "\xa2" + text("id") + "\x18\x2a" + text("outer") + "\xbf" + text(name) + text(value) + "\xff"
}

func wrapBSON(name, value string) string {
	doc := func(body string) string { return le32(len(body)+5) + body + "\x00" }
	inner := doc("\x02" + name + "\x00" + le32(len(value)+1) + value + "\x00")
	return doc("\x10id\x00" + le32(7) + "\x03outer\x00" + inner + "\x08ok\x00\x01")
}

func wrapIgbinary(name, value string) string {
	text := func(s string) string {
		if len(s) < 256 {
			return "\x11" + string([]byte{byte(len(s))}) + s
		}
		return "\x12" + be16(len(s)) + s
	}
	return "\x00\x00\x00\x02\x14\x02" + text("id") + "\x06\x07" + text("outer") + "\x17\x03App\x14\x01" + text(name) + text(value)
}

func wrapDotnet(name, value string) string {
	return "\x02\x00\x00\x01" + random("guid", 16, alnumAlphabet) + be16(len(name)) + name + be32(len(value)) + value
}

func wrapProtobuf(_, value string) string {
	field := func(n int, s string) string {
		return string(binary.AppendUvarint([]byte{byte(n<<3 | 2)}, uint64(len(s)))) + s
	}
	return "\x08\x96\x01" + field(2, field(1, "inner")+field(3, value))
}

func wrapXML(name, value string) string {
	return `<?xml version="1.0"?><outer id="1"><!-- x --><` + name + ">" + html.EscapeString(value) + "</" + name + "><empty/></outer>"
}

func wrapLZ4(head func(n int) string) func(_, value string) string {
	return func(_, value string) string {
		out := make([]byte, lz4.CompressBlockBound(len(value)))
		n, err := lz4.CompressBlock([]byte(value), out, nil)
		if err != nil || n == 0 {
			panic("incompressible")
		}
		return head(len(value)) + string(out[:n])
	}
}

func wrapLZ4Java(_, value string) string {
	block := func(method byte, packed string, n int) string {
		return "LZ4Block" + string([]byte{method | 6}) + le32(len(packed)) + le32(n) + "\x01\x02\x03\x04" + packed
	}
	return block(0x20, wrapLZ4(func(int) string { return "" })("", value), len(value)) + block(0x10, "", 0)
}

func written(open func(io.Writer) io.WriteCloser) func(_, value string) string {
	return func(_, value string) string {
		var out bytes.Buffer
		z := open(&out)
		if _, err := io.WriteString(z, value); err != nil {
			panic(err)
		}
		if err := z.Close(); err != nil {
			panic(err)
		}
		return out.String()
	}
}

func wrapMIME(encoding string) func(_, value string) string {
	return func(_, value string) string {
		var body string
		if encoding == "base64" {
			body = base64.StdEncoding.EncodeToString([]byte(value))
			for i := 76; i < len(body); i += 78 {
				body = body[:i] + "\r\n" + body[i:]
			}
		} else {
			body = written(func(w io.Writer) io.WriteCloser { return quotedprintable.NewWriter(w) })("", value)
		}
		return "From: a\r\nContent-Type: multipart/mixed; boundary=b1\r\n\r\n--b1\r\nContent-Transfer-Encoding: " + encoding + "\r\n\r\n" + body + "\r\n--b1--\r\n"
	}
}

func asLatin1(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		b.WriteRune(rune(c))
	}
	return b.String()
}

// base85 writes bytes in the characters of RFC 1924, as Python's b85encode does.
func base85(_, s string) string {
	var b strings.Builder
	for ; len(s) > 0; s = s[min(4, len(s)):] {
		group := [4]byte{}
		n := copy(group[:], s)
		v, digits := binary.BigEndian.Uint32(group[:]), [5]byte{}
		for i := 4; i >= 0; i-- {
			digits[i] = base85Alphabet[v%85]
			v /= 85
		}
		b.Write(digits[:n+1])
	}
	return b.String()
}

// TestGobStructures: the name of a field stands only in the description of the type.
func TestGobStructures(t *testing.T) {
	type account struct {
		User     string
		Password string
		Tokens   []string
	}
	password, token := "Vq7"+random("gob", 9, lowerAlphabet)+"#29", githubToken("ghp", "gob")
	gob.Register(account{})
	gob.Register(time.Time{})
	for name, value := range map[string]string{
		"a structure":    gobbed(account{"kim", password, []string{token}}),
		"in a map":       gobbed(map[string]*account{"a": {"kim", password, []string{token}}}),
		"behind any":     gobbed(map[any]any{7: "x", "a": account{"kim", password, []string{token}}}),
		"in a list":      gobbed([]any{time.Unix(1, 0), 2.5, []byte("x"), true, account{"kim", password, []string{token}}}),
		"two in a row":   gobbed("x") + gobbed(account{"kim", password, []string{token}}),
		"behind base64":  base64.StdEncoding.EncodeToString([]byte(gobbed(account{"kim", password, []string{token}}))),
		"an array of it": gobbed([1]account{{"kim", password, []string{token}}}),
	} {
		found, stats := scanAll(t, newTestScanner(t), stringKey("k", value))
		secrets := map[string]bool{}
		for _, f := range found {
			secrets[f.Secret] = true
		}
		if !secrets[token] || name != "two in a row" && (!secrets[password] || len(found) != 2 || len(stats.Failures) > 0) {
			t.Errorf("%s: found %s; failures %v", name, brief(found), stats.Failures)
		}
	}
}

// TestNotEncoded: what has the characters of an encoding and is none.
func TestNotEncoded(t *testing.T) {
	token := githubToken("ghp", "not")
	for _, value := range []string{
		"b'" + token + "'", "b=" + token + "=3D\nx=1", "x\x01" + token + "\u0100", "a&b|c~d%" + token + "!", "(#" + token + "#)--{}--$$--!!", "\x1f\u008b\b" + token + "\u00ff\u0100",
	} {
		found, _ := scanAll(t, newTestScanner(t), stringKey("k", value))
		if len(found) != 1 || found[0].Secret != token || len(found[0].Chain) != 0 {
			t.Errorf("%q: found %s", value[:4], brief(found))
		}
	}
}

var moreWrappers = []wrapper{
	{"cbor", "$.outer.%s", wrapCBOR},
	{"bson", "$.outer.%s", wrapBSON},
	{"igbinary", "$.outer.%s", wrapIgbinary},
	{"aspnet-session", "$.%s", wrapDotnet},
	{"gob", "$.outer.%s", func(name, value string) string { return gobbed(map[string]map[string]string{"outer": {name: value}}) }},
	{"xml", "$.outer.%s", wrapXML},
	{"protobuf", "", wrapProtobuf},
	{"entities", "", func(_, value string) string { return html.EscapeString(`{"a":"<b>","v":"` + value + `"}`) }},
	{"mime", "", wrapMIME("base64")},
	{"mime", "", wrapMIME("quoted-printable")},
	{"uuencode", "", wrapUU("begin 644 data.bin\n", '`')},
	{"uuencode", "", wrapUU("Subject: report\n\nbegin 0600 a name\n", ' ')},
	{"uuencode", "", func(_, value string) string {
		return strings.ReplaceAll(wrapUU("begin 755 a\n", '`')("", compressed("gzip")("", value)), "\n", "\r\n")
	}},
	{"snappy", "", func(_, value string) string { return string(snappy.Encode(nil, []byte(value))) }},
	{"snappy", "", written(func(w io.Writer) io.WriteCloser { return snappy.NewBufferedWriter(w) })},
	{"lz4-block", "", wrapLZ4(le32)},
	{"lz4-block", "", wrapLZ4(be32)},
	{"lz4-block", "", wrapLZ4(func(n int) string { return "\x5a" + le32(n) })},
	{"lz4-block", "", wrapLZ4Java},
	{"brotli", "", written(func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) })},
	{"deflate", "", written(func(w io.Writer) io.WriteCloser {
		z, _ := flate.NewWriter(w, 6)
		return z
	})},
	{"latin-1", "", func(_, v string) string { return asLatin1(compressed("zlib")("", v)) }},
	{"latin-1", "", func(_, v string) string { return asLatin1(compressed("gzip")("", v)) }},
	{"latin-1", "", func(_, v string) string {
		return asLatin1("\x80\x04\x95" + strings.Repeat("\x00", 8) + "X" + le32(len(v)) + v + ".")
	}},
	{"bytes-literal", "", func(_, v string) string {
		var b strings.Builder
		for _, c := range []byte(compressed("zlib")("", v)) {
			fmt.Fprintf(&b, `\x%02x`, c)
		}
		return "b'" + b.String() + "'"
	}},
	{"base85", "", base85},
	{"base85", "", func(_, v string) string { return base85("", compressed("zlib")("", v)) }},
	{"ascii85", "", func(_, v string) string {
		out := make([]byte, ascii85.MaxEncodedLen(len(v)))
		return "<~" + string(out[:ascii85.Encode(out, []byte(v))]) + "~>"
	}},
	{"quoted-printable", "", func(_, v string) string {
		return written(func(w io.Writer) io.WriteCloser { return quotedprintable.NewWriter(w) })("", "<p style=\"x\">"+v+"</p>")
	}},
	{"signed", "", func(_, v string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(v)) + ":1tle2m:" + random("django", 43, alnumAlphabet)
	}},
	{"signed", "", func(_, v string) string {
		return "." + base64.RawURLEncoding.EncodeToString([]byte(compressed("zlib")("", v))) + ".Z7xk2w." + random("flask", 27, alnumAlphabet)
	}},
	{"signed", "", func(_, v string) string {
		return base64.StdEncoding.EncodeToString([]byte(v)) + "--" + random("rails", 40, hexAlphabet)
	}},
	{"signed", "", func(_, v string) string {
		return base64.StdEncoding.EncodeToString([]byte(random("digest", 40, hexAlphabet) + ":" + wrapPickle2("a", v)))
	}},
	{"base32", "", func(_, v string) string { return base32.StdEncoding.EncodeToString([]byte(v)) }},
	{"base64", "", func(_, v string) string { return "base64:" + base64.StdEncoding.EncodeToString([]byte(v)) }},
	{"hex", "", func(_, v string) string { return "0x" + hexadecimal.EncodeToString([]byte(v)) }},
	{"hex", "", func(_, v string) string { return `\x` + hexadecimal.EncodeToString([]byte(v)) }},
	{"erlang-zlib", "", func(_, v string) string {
		term := "m" + be32(len(v)) + v
		return "\x83P" + be32(len(term)) + compressed("zlib")("", term)
	}},
	{"utf-16", "", func(_, v string) string { return "\xff\xfe" + strings.Join(strings.Split(v, ""), "\x00") + "\x00" }},
	{"jwt", "", func(_, v string) string {
		enc := base64.RawURLEncoding.EncodeToString
		return enc([]byte(`{"alg":"ES256"}`)) + "." + enc([]byte("["+v+"]")) + "." + random("jws", 86, alnumAlphabet)
	}},
}

// What only looks signed or encoded is none of these.
func TestNotSigned(t *testing.T) {
	s := newTestScanner(t)
	for name, value := range map[string]string{
		"times":       "2025-01-02T10:00:00:123456:" + random("a", 43, alnumAlphabet),
		"a word":      random("w", 70, alnumAlphabet) + "Pw:1tle2m:" + random("a", 43, alnumAlphabet),
		"names":       "service.production.api.v1." + random("b", 30, lowerAlphabet),
		"identifiers": random("c", 40, hexAlphabet) + ":" + random("d", 40, hexAlphabet),
		"a slug":      "harbor-willow-quartz--" + random("e", 40, hexAlphabet),
		"a seed":      base32Of("seed", 64),
		"an address":  "0x" + random("f", 40, hexAlphabet),
	} {
		if found, stats := scanAll(t, s, stringKey("k", value)); len(found) > 0 || len(stats.Failures) > 0 {
			t.Errorf("%s: found %s, failures %v", name, brief(found), stats.Failures)
		}
	}
}

// A token is found in each, alone and inside compressed data and base64, and a
// password by the name that it bears there.
func TestMoreContainers(t *testing.T) {
	s := newTestScanner(t)
	token, password := githubToken("ghp", "more"), "Vq7"+random("p", 9, lowerAlphabet)+"#29"
	for i, c := range moreWrappers {
		t.Run(fmt.Sprintf("%s %d", c.kind, i), func(t *testing.T) {
			value := c.wrap("data", token+" "+strings.Repeat("and text that repeats, ", 8))
			if c.kind == "aspnet-session" || c.path != "" {
				value = c.wrap("data", token)
			}
			outer := map[string]string{"alone": value}
			if c.kind != "brotli" && c.kind != "deflate" { // which are sought in the value itself, or by a name
				outer["in gzip"] = compressed("gzip")("", value)
				outer["in base64"] = base64.StdEncoding.EncodeToString([]byte(value))
				outer["in a pickle"] = wrapPickle2("a", value)
			}
			for name, v := range outer {
				found, stats := scanAll(t, s, stringKey("k", v))
				if len(found) != 1 || found[0].Secret != token || !strings.Contains(strings.Join(found[0].Chain, ">"), c.kind) && c.kind != "entities" {
					t.Errorf("%s: found %s; failures %v", name, brief(found), stats.Failures)
				}
				if len(stats.Failures) > 0 {
					t.Errorf("%s: failures %v", name, stats.Failures)
				}
			}
			if c.path == "" {
				return
			}
			found, _ := scanAll(t, s, stringKey("k", c.wrap("db_password", password)))
			if len(found) != 1 || found[0].Secret != password || found[0].Chain[0] != c.kind+":"+fmt.Sprintf(c.path, "db_password") {
				t.Errorf("password: found %s", brief(found))
			}
		})
	}
}

// No bytes make a walker panic, read past the data or leave something open.
func FuzzWalkers(f *testing.F) {
	for _, c := range append(append([]wrapper{}, wrappers...), moreWrappers...) {
		f.Add([]byte(c.wrap("db_password", strings.Repeat("Vq7xk#29abcd ", 4))))
	}
	s := newTestScanner(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < minContainer || len(data) > 1<<16 {
			return
		}
		b := newBatch()
		c := &collector{cur: b, next: func(b *batch) *batch { return b }}
		events := hashKey("k", "zip", string(data), "password", string(data))
		for i := range events {
			c.add(&events[i])
		}
		w := newWorker(s)
		w.batch(b)
		if w.docsUsed != 0 || len(w.scopes) > 1 {
			t.Errorf("%d documents and %d names left", w.docsUsed, len(w.scopes))
		}
		for i := range s.decoders {
			s.decoders[i].fits(data)
		}
		doc := new(document)
		for _, walk := range []walker{
			func(d []byte, doc *document, sink docSink) error {
				return (&cborWalker{binaryWalker{document: doc, data: d, sink: sink}}).value(0)
			},
			func(d []byte, doc *document, sink docSink) error {
				return (&bsonWalker{binaryWalker{document: doc, data: d, sink: sink}}).members(false, 0)
			},
			func(d []byte, doc *document, sink docSink) error {
				return (&igbinaryWalker{binaryWalker: binaryWalker{document: doc, data: d, sink: sink}}).value(0)
			},
			func(d []byte, doc *document, sink docSink) error {
				return (&protobufWalker{binaryWalker{document: doc, data: d, sink: sink}}).message(len(d), 0)
			},
			func(d []byte, doc *document, sink docSink) error {
				return (&xmlWalker{binaryWalker: binaryWalker{document: doc, data: d, sink: sink}}).walk()
			},
			func(d []byte, doc *document, sink docSink) error {
				return (&dotnetWalker{binaryWalker{document: doc, data: d, sink: sink}}).entries()
			},
			func(d []byte, doc *document, sink docSink) error {
				g := gobWalker{binaryWalker: binaryWalker{document: doc, data: d, sink: sink}}
				_, err := g.message()
				return err
			},
		} {
			doc.depth = 0
			if walk(data, doc, discard{}) == nil && doc.depth != 0 {
				t.Errorf("%d arrays or objects left open", doc.depth)
			}
		}
	})
}

// A value may be a string that a serialiser has wrapped and nothing else: its
// name is the field's.
func TestSerialisedStringUnderAName(t *testing.T) {
	password := "Vq7xk#29ab"
	for kind, value := range map[string]string{
		"json":          `"` + password + `"`,
		"java":          "\xac\xed\x00\x05t\x00\x0a" + password,
		"pickle":        "\x80\x04\x95\x0e\x00\x00\x00\x00\x00\x00\x00\x8c\x0a" + password + "\x94.",
		"php-serialize": `s:10:"` + password + `";`,
		"ruby-marshal":  "\x04\x08I\"\x0f" + password + "\x06:\x06ET",
		"igbinary":      "\x00\x00\x00\x02\x11\x0a" + password,
	} {
		fs, _ := scanAll(t, newTestScanner(t), hashKey("svc:1", "db_password", value))
		if len(fs) != 1 || fs[0].Secret != password {
			t.Errorf("%s: found %s", kind, brief(fs))
		}
	}
}

// Tokens end where a form, a list or a format goes on.
func TestTokenEnds(t *testing.T) {
	token := "sk-" + "ant-api03-" + random("ends", 93, alnumAlphabet) + "AA"
	for _, behind := range []string{"&x=1", ",next", "|x", ")", "]", "}", "<br>", "\x00\x01", "#1", ";", "\\", "\n", ""} {
		if fs := findingsIn(t, "app:1", "k="+token+behind); len(fs) != 1 || fs[0].Secret != token {
			t.Errorf("before %q: found %s", behind, brief(fs))
		}
	}
}

// Four letters of a placeholder stand in long tokens by chance.
func TestWordsInTokens(t *testing.T) {
	for word, found := range map[string]bool{"TODO": true, "xXxX": true, "fake": true, "changeme": false, "EXAMPLE": false} {
		token := "sk-" + "ant-api03-" + random("words", 80-len(word), alnumAlphabet) + word + random("behind", 13, alnumAlphabet) + "AA"
		if fs := findingsIn(t, "app:1", token); (len(fs) > 0) != found {
			t.Errorf("%s: found %s", word, brief(fs))
		}
	}
}

// A snappy block whose first bytes are printable is one all the same; text that
// adds up to a block is text.
func TestSnappyThatBeginsLikeText(t *testing.T) {
	block := "^t{\"name\": \"Harbor Basil\", \"slug\x01\x18\\indigo-juniper-anchor-53\x01$,userPassword\x01,<vfpCFK848GIyzT\"}"
	if fs := findingsIn(t, "app:1", block); len(fs) != 1 || fs[0].Secret != "vfpCFK848GIyzT" {
		t.Errorf("block: found %s", brief(fs))
	}
	text := " |" + random("literal", 32, alnumAlphabet) // a literal of 32 bytes
	fs, _ := scanAll(t, newTestScanner(t), hashKey("app:1", "db_password", text))
	if len(fs) != 1 || fs[0].Secret != text[1:] {
		t.Errorf("text: found %s", brief(fs))
	}
}

// A length of content that takes all of a value is not that of a block.
func TestNothingButALength(t *testing.T) {
	for n := minContainer; n <= 10; n++ {
		value := strings.Repeat("\xf0", n-1) + "0"
		if fs, stats := scanAll(t, newTestScanner(t), stringKey("k", value)); len(fs) > 0 || stats.Decoded > 0 || len(stats.Failures) > 0 {
			t.Errorf("%q: found %s; %d opened, failures %v", value, brief(fs), stats.Decoded, stats.Failures)
		}
	}
}

// TestLongDecoders: what is not asked of short texts would say no.
func TestLongDecoders(t *testing.T) {
	asked := 0
	for _, d := range decoders() {
		if !d.long {
			continue
		}
		for n := minContainer; n < minLong; n++ {
			for i, alphabet := range []string{alnumAlphabet, urlAlphabet, base85Alphabet, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", hexAlphabet + ":.-", "!\"#$%&'()*+,-./"} {
				asked++
				if text := random(fmt.Sprint(d.kind, n, i), n, alphabet); d.fits([]byte(text)) {
					t.Errorf("%s may be %q", d.kind, text)
				}
			}
		}
	}
	if asked == 0 {
		t.Error("no decoder is long")
	}
}
