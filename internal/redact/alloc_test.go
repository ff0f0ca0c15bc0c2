package redact

import (
	"bytes"
	"testing"

	"github.com/valkeyfs/valkeyfs/scan"
)

// TestAllocs: what holds nothing costs no memory, even where it looks as if it were
// encoded.
func TestAllocs(t *testing.T) {
	r, err := New(Options{Key: []byte("k"), Scan: scan.Config{NoDefaultRules: true}})
	if err != nil {
		t.Fatal(err)
	}
	r.secrets.add("Tr0ub4dor&3")
	ts := texts{r: r, o: &orders{}}
	for _, text := range []string{"player:26621148", `{"id": 77544629, "name": "content social event notifications"}`} {
		p := []byte(text)
		if n := testing.AllocsPerRun(100, func() {
			r.clean = clean{}
			if !bytes.Equal(ts.name(p, false), p) {
				t.Error("it became another")
			}
		}); n > 0 {
			t.Errorf("%q: %v allocations", text, n)
		}
	}
}
