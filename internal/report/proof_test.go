package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/scan"
)

// Every format tells what the bytes of a secret prove.
func TestProofIsInEveryFormat(t *testing.T) {
	var b bytes.Buffer
	for name := range writers(&b) {
		b.Reset()
		w := writers(&b)[name]
		f := finding(1, func(f *scan.Finding) {
			f.Proof = map[string]string{"fingerprint": "SHA256:of-the-public-half", "bits": "3072"}
		})
		var tally Tally
		tally.Add(f)
		s := &Summary{Complete: true}
		s.Take(&tally)
		if err := w.Run(&Run{}); err != nil {
			t.Fatal(err)
		}
		if err := w.Finding(f); err != nil {
			t.Fatal(err)
		}
		if err := w.Summary(s); err != nil {
			t.Fatal(err)
		}
		said := b.String()
		if strings.HasPrefix(name, "text") {
			said = strings.Join(strings.Fields(said), " ")
		}
		if !strings.Contains(said, "SHA256:of-the-public-half") || !strings.Contains(said, "3072") {
			t.Errorf("%s does not tell the proof", name)
		}
	}
}

// What JUnit cuts it says.
func TestJUnitSaysWhatItCuts(t *testing.T) {
	var b bytes.Buffer
	w := NewJUnit(&b, JUnitOptions{All: true})
	var tally Tally
	for i := range maxListed + 1 {
		f := finding(i, nil)
		tally.Add(f)
		if err := w.Finding(f); err != nil {
			t.Fatal(err)
		}
	}
	s := &Summary{Complete: true}
	s.Take(&tally)
	if err := w.Summary(s); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "of 25,001 findings the gravest 25,000 are listed") {
		t.Error("25,001 findings are cut in silence")
	}
}
