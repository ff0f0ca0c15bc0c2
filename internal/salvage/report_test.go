package salvage

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/report"
)

// named is a file of some name.
type named struct {
	memory
	name string
}

func (n named) Name() string { return n.name }

// TestJSON: what a terminal obeys in the name of a file or of a damaged key reaches it in
// no format.
func TestJSON(t *testing.T) {
	const evil, key = "k\x1b[31m\u009b31m\u202e", "key:\u202e"
	record := func(typ byte, key string) string {
		return string([]byte{typ, byte(len(key))}) + key + "\x04text"
	}
	// A type that is not known, of which the name is told.
	p := []byte("REDIS0011" + record(0, "first") + record(60, key))
	for i := range 40 {
		p = append(p, record(0, "name:"+string(rune('a'+i%26))+string(rune('a'+i/26)))...)
	}
	p = append(p, "\xff\x00\x00\x00\x00\x00\x00\x00\x00"...)
	var lines bytes.Buffer
	m, c, err := Run(t.Context(), named{memory{p: p}, evil}, Options{JSONL: &lines, Clean: &bytes.Buffer{}, Tmp: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	var whole bytes.Buffer
	if err := WriteJSON(&whole, m, c); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"jsonl": lines.String(), "json": whole.String()} {
		if strings.ContainsAny(text, "\x1b\u009b\u202e") {
			t.Errorf("%s: not escaped: %+q", name, text)
		}
		var damage []*report.Damage
		for d := json.NewDecoder(strings.NewReader(text)); d.More(); {
			var o struct {
				Type, Source, What, Reason, Key string
				Damage                          []*report.Damage
			}
			if err := d.Decode(&o); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if damage = append(damage, o.Damage...); o.Type == "damage" {
				damage = append(damage, &report.Damage{Key: o.Key})
			}
			if o.Type == "salvage" && o.Source != evil {
				t.Errorf("%s: the name of the file is %q", name, o.Source)
			}
		}
		if len(damage) != 1 || damage[0].Key != key {
			t.Errorf("%s: %+v", name, damage)
		}
	}
}
