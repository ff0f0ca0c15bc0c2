package redact

import (
	"bytes"
	"compress/zlib"
	"encoding/json"
	"testing"
	"unicode/utf8"
)

// TestBeginnings: what is made of beginnings of compressed data, each of which can be read
// to the end of all, costs no more than is allowed, and does not stay.
func TestBeginnings(t *testing.T) {
	r, err := New(Options{Key: []byte("k")})
	if err != nil {
		t.Fatal(err)
	}
	r.secrets.add("Mv!7hafen" + "#Deich")
	p := bytes.Repeat([]byte("\xff\x06\x00\x00sNaPpY"), 30_000)
	x := texts{r: r, o: &orders{}}
	q := x.inner(p, 0)
	if most := maxTried + len(p) + perTry; x.tried > most {
		t.Errorf("%d bytes were read, want at most %d", x.tried, most)
	}
	if bytes.Equal(p, q) || len(p) != len(q) {
		t.Error("what was not looked through stays")
	}
}

// TestBinaryInJSON: what is compressed stands in JSON a character each byte, and is
// replaced by as many.
func TestBinaryInJSON(t *testing.T) {
	r, err := New(Options{Key: []byte("k")})
	if err != nil {
		t.Fatal(err)
	}
	secret := "Mv!7hafen" + "#Deich"
	r.secrets.add(secret)
	value := func(text string) string {
		var b bytes.Buffer
		z := zlib.NewWriter(&b)
		_, _ = z.Write([]byte("the old one was " + text + " until May"))
		_ = z.Close()
		chars := make([]rune, b.Len())
		for i, c := range b.Bytes() {
			chars[i] = rune(c)
		}
		return string(chars)
	}
	for text, changes := range map[string]bool{secret: true, "a gift of the aunt": false} {
		was := value(text)
		p, err := json.Marshal(map[string]any{"n": 1, "v": was})
		if err != nil {
			t.Fatal(err)
		}
		x := texts{r: r, o: &orders{}}
		var is struct {
			N int
			V string
		}
		if err := json.Unmarshal(x.inner(p, 0), &is); err != nil {
			t.Fatal(err)
		}
		if (is.V != was) != changes || is.N != 1 || utf8.RuneCountInString(is.V) != utf8.RuneCountInString(was) {
			t.Errorf("changed: %v, want %v; %d characters of %d", is.V != was, changes, utf8.RuneCountInString(is.V), utf8.RuneCountInString(was))
		}
	}
}
