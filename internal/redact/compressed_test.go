package redact

import (
	"bytes"
	"testing"
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
