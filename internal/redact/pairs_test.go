package redact

import (
	"bytes"
	"compress/bzip2"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/ascii85"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// A wrapper is a container that a secret may stand in.
type wrapper struct {
	wrap   func(string) string
	unwrap func(string) (string, error) // by other code than that of this package
}

func packer(w func(io.Writer) io.WriteCloser) func(string) string {
	return func(s string) string {
		var b strings.Builder
		z := w(&b)
		_, _ = io.WriteString(z, s)
		_ = z.Close()
		return b.String()
	}
}

func unpacker(r func(io.Reader) (io.Reader, error)) func(string) (string, error) {
	return func(s string) (string, error) {
		z, err := r(strings.NewReader(s))
		if err != nil {
			return "", err
		}
		p, err := io.ReadAll(z)
		return string(p), err
	}
}

// framed is a wrapper that puts the text between others.
func framed(before, after string) wrapper {
	return wrapper{func(s string) string { return before + s + after }, func(s string) (string, error) {
		s, ok := strings.CutPrefix(s, before)
		s, end := strings.CutSuffix(s, after)
		if !ok || !end {
			return s, errors.New("the frame is another")
		}
		return s, nil
	}}
}

// characters has a character of Unicode for each byte.
func characters(s string) string {
	r := make([]rune, len(s))
	for i := range len(s) {
		r[i] = rune(s[i])
	}
	return string(r)
}

func bytesOfCharacters(s string) (string, error) {
	var out []byte
	for _, r := range s {
		if r > 0xff {
			return string(out), errors.New("no byte")
		}
		out = append(out, byte(r))
	}
	return string(out), nil
}

const pythons85 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"

func ascii85Of(s string) string {
	var b strings.Builder
	w := ascii85.NewEncoder(&b)
	_, _ = io.WriteString(w, s)
	_ = w.Close()
	return b.String()
}

// swapped has each character of one alphabet replaced by that of the other.
func swapped(s, from, to string) string {
	return strings.Map(func(r rune) rune {
		if i := strings.IndexRune(from, r); i >= 0 {
			return rune(to[i])
		}
		return r
	}, s)
}

func unascii85(s string) (string, error) {
	return unpacker(func(r io.Reader) (io.Reader, error) { return ascii85.NewDecoder(r), nil })(s)
}

func wrappers() map[string]wrapper {
	adobes := asciiFrom('!', 85)
	js := func(ascii bool) func(string) string {
		return func(s string) string {
			p, _ := json.Marshal(map[string]string{"v": characters(s)})
			if !ascii {
				return string(p)
			}
			var b strings.Builder
			for _, r := range string(p) {
				if r < 0x80 {
					b.WriteRune(r)
				} else {
					fmt.Fprintf(&b, `\u%04x`, r)
				}
			}
			return b.String()
		}
	}
	unjs := func(s string) (string, error) {
		var o struct{ V string }
		if err := json.Unmarshal([]byte(s), &o); err != nil {
			return "", err
		}
		return bytesOfCharacters(o.V)
	}
	wide := func(order binary.AppendByteOrder) func(string) string {
		return func(s string) string {
			var out []byte
			for _, u := range utf16.Encode([]rune(characters(s))) {
				out = order.AppendUint16(out, u)
			}
			return string(out)
		}
	}
	narrow := func(order binary.ByteOrder) func(string) (string, error) {
		return func(s string) (string, error) {
			var units []uint16
			for p := []byte(s); len(p) > 1; p = p[2:] {
				units = append(units, order.Uint16(p))
			}
			return bytesOfCharacters(string(utf16.Decode(units)))
		}
	}
	all := map[string]wrapper{
		"base64":    {func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }, func(s string) (string, error) { p, err := base64.StdEncoding.DecodeString(s); return string(p), err }},
		"base64url": {func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }, func(s string) (string, error) { p, err := base64.RawURLEncoding.DecodeString(s); return string(p), err }},
		"base32":    {func(s string) string { return base32.StdEncoding.EncodeToString([]byte(s)) }, func(s string) (string, error) { p, err := base32.StdEncoding.DecodeString(s); return string(p), err }},
		"hex":       {func(s string) string { return hex.EncodeToString([]byte(s)) }, func(s string) (string, error) { p, err := hex.DecodeString(s); return string(p), err }},
		"ascii85":   {ascii85Of, unascii85},
		"base85": {func(s string) string {
			return swapped(strings.ReplaceAll(ascii85Of(s), "z", "!!!!!"), adobes, pythons85)
		}, func(s string) (string, error) { return unascii85(swapped(s, pythons85, adobes)) }},
		"percent":    {url.QueryEscape, url.QueryUnescape},
		"json":       {js(true), unjs},
		"json, utf8": {js(false), unjs},
		"entities": {func(s string) string {
			var b strings.Builder
			for i := range len(s) {
				fmt.Fprintf(&b, "&#%d;", s[i])
			}
			return b.String()
		}, func(s string) (string, error) {
			out := []byte{}
			for _, e := range strings.Split(strings.TrimSuffix(s, ";"), ";") {
				n, err := strconv.ParseUint(strings.TrimPrefix(e, "&#"), 10, 8)
				if err != nil {
					return "", err
				}
				out = append(out, byte(n))
			}
			return string(out), nil
		}},
		"quoted-printable": {func(s string) string {
			var b strings.Builder
			for i := range len(s) {
				if c := s[i]; c < ' ' || c == '=' || c >= 0x7f {
					fmt.Fprintf(&b, "=%02X", c)
				} else {
					b.WriteByte(c)
				}
			}
			return b.String()
		}, func(s string) (string, error) {
			return url.PathUnescape(strings.ReplaceAll(strings.ReplaceAll(s, "%", "%25"), "=", "%"))
		}},
		"utf16":        {wide(binary.LittleEndian), narrow(binary.LittleEndian)},
		"utf16be":      {wide(binary.BigEndian), narrow(binary.BigEndian)},
		"latin1":       {characters, bytesOfCharacters},
		"gzip":         {packer(func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }), unpacker(func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) })},
		"zlib":         {packer(func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }), unpacker(func(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) })},
		"deflate":      {packer(func(w io.Writer) io.WriteCloser { z, _ := flate.NewWriter(w, 6); return z }), unpacker(func(r io.Reader) (io.Reader, error) { return flate.NewReader(r), nil })},
		"brotli":       {packer(func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) }), unpacker(func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil })},
		"zstd":         {packer(func(w io.Writer) io.WriteCloser { z, _ := zstd.NewWriter(w); return z }), unpacker(func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r) })},
		"lz4":          {packer(func(w io.Writer) io.WriteCloser { return lz4.NewWriter(w) }), unpacker(func(r io.Reader) (io.Reader, error) { return lz4.NewReader(r), nil })},
		"snappy":       {packer(func(w io.Writer) io.WriteCloser { return snappy.NewBufferedWriter(w) }), unpacker(func(r io.Reader) (io.Reader, error) { return snappy.NewReader(r), nil })},
		"snappy block": {func(s string) string { return string(snappy.Encode(nil, []byte(s))) }, func(s string) (string, error) { p, err := snappy.Decode(nil, []byte(s)); return string(p), err }},
		"form":         framed("a=1&v=", ""),
		"php": {func(s string) string { return fmt.Sprintf("a:1:{s:1:\"v\";s:%d:\"%s\";}", len(s), s) }, func(s string) (string, error) {
			_, s, _ = strings.Cut(s, `"v";s:`)
			_, s, ok := strings.Cut(s, `:"`)
			s, end := strings.CutSuffix(s, `";}`)
			if !ok || !end {
				return "", errors.New("not PHP's")
			}
			return s, nil
		}},
		"pickle": {func(s string) string {
			return "\x80\x03}q\x00X\x01\x00\x00\x00vq\x01B" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s + "q\x02s."
		}, func(s string) (string, error) {
			const head = 14
			if len(s) < head+4 || int(binary.LittleEndian.Uint32([]byte(s[head:]))) > len(s)-head-4 {
				return "", errors.New("no pickle")
			}
			return s[head+4:][:binary.LittleEndian.Uint32([]byte(s[head:]))], nil
		}},
		"msgpack": {func(s string) string {
			return "\x81\xa1v\xc5" + string(binary.BigEndian.AppendUint16(nil, uint16(len(s)))) + s
		}, func(s string) (string, error) {
			s, ok := strings.CutPrefix(s, "\x81\xa1v\xc5")
			if !ok || len(s) < 2 {
				return "", errors.New("no MessagePack")
			}
			return s[2:], nil
		}},
	}
	if path, err := exec.LookPath("bzip2"); err == nil {
		all["bzip2"] = wrapper{func(s string) string {
			c := exec.Command(path)
			c.Stdin = strings.NewReader(s)
			p, _ := c.Output()
			return string(p)
		}, unpacker(func(r io.Reader) (io.Reader, error) { return bzip2.NewReader(r), nil })}
	}
	return all
}

// randomSecret is one that nothing else is like.
func randomSecret(n int) string {
	const from = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789#!-_~"
	p := make([]byte, n)
	for i := range p {
		p[i] = from[rand.IntN(len(from))]
	}
	return string(p)
}

// TestPairs: a secret does not stay in any container inside of any other. What cannot be
// opened any more afterwards was replaced as a whole; what can does not hold it, nor the
// inner container as it was.
func TestPairs(t *testing.T) {
	all := wrappers()
	if _, ok := all["bzip2"]; !ok {
		t.Log("without bzip2: the command that makes it is not there")
	}
	all["nothing"] = framed("", "")
	r, err := New(Options{Key: []byte("k")})
	if err != nil {
		t.Fatal(err)
	}
	for outer, a := range all {
		for inner, b := range all {
			secret := randomSecret(24)
			r.secrets.add(secret)
			packed := b.wrap("the old one was " + secret + " until May")
			value := []byte(a.wrap(packed))
			if back, err := a.unwrap(string(value)); err != nil || back != packed {
				t.Fatalf("%s: %v", outer, err)
			}
			x := texts{r: r, o: &orders{}}
			out := x.value(bytes.Clone(value), false)
			if bytes.Equal(out, value) {
				t.Errorf("%s in %s: stays", inner, outer)
				continue
			}
			opened, _ := a.unwrap(string(out))
			text, _ := b.unwrap(opened)
			for _, s := range []string{string(out), opened, text} {
				if strings.Contains(s, secret) || len(packed) > 40 && strings.Contains(s, packed) {
					t.Errorf("%s in %s: stays", inner, outer)
					break
				}
			}
		}
	}
}
