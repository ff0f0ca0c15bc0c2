package rdb

import (
	"bytes"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// What could be read of a damaged value comes before its Damage event.
func TestPartialValues(t *testing.T) {
	text := strings.Repeat("what could be read ", 20)
	long := strings.Repeat("0123456789abcdef", 20_000)
	// A reference to before the start, behind 32 bytes that are sound.
	broken := func(sound string) string { return "\x1f" + sound[:32] + "\xff\xff\xff\x1f" + sound[:32] }
	cases := []struct {
		name  string
		build func(b *build)
		want  string // values of the record, those without an end marked
	}{
		{"cut string", func(b *build) { b.op(0).str("k").len(1000); b.WriteString(text) }, text + "…"},
		{"cut long string", func(b *build) { b.op(0).str("k").len(1 << 20); b.WriteString(long) }, long + "…"},
		{"cut element", func(b *build) { b.op(1).str("k").len(9).str("one").str("two").len(40); b.WriteString("thr") }, "one two thr…"},
		{"LZF", func(b *build) { b.op(0).str("k").op(0xc3).len(37).len(500); b.WriteString(broken(text)) }, text[:32] + "…"},
		{"listpack in LZF", func(b *build) {
			lp := listpackOf("name", "Ada Lovelace", "born", "1815-12-10")
			b.op(16).str("k").op(0xc3).len(37).len(uint64(len(lp)))
			b.WriteString(broken(lp))
		}, "Ada Lovelace"},
		{"cut listpack", func(b *build) {
			lp := listpackOf("one", "two", "three", "four")
			b.op(18).str("k").len(1).len(nodePacked).len(uint64(len(lp)))
			b.WriteString(lp[:len(lp)-5])
		}, "one two three f…"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := file("REDIS0011", func(b *build) { b.op(0).str("before").str("v"); c.build(b) })
			p = p[:len(p)-9] // the end marker and its checksum
			var got []string
			damaged := false
			var value bytes.Buffer
			for e, err := range NewReader(bytes.NewReader(p), again(p)).Events(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				switch {
				case e.Kind == keyspace.Element && string(e.Key) == "k":
					value.Write(e.Value)
					if e.Part.Ends() {
						got = append(got, value.String())
						value.Reset()
					}
				case e.Kind == keyspace.KeyEnd && string(e.Key) == "k":
					t.Error("the record came to its end")
				case e.Kind == keyspace.Damage:
					damaged = true
				}
			}
			if value.Len() > 0 {
				got = append(got, value.String()+"…")
			}
			if joined := strings.Join(got, " "); joined != c.want || !damaged {
				t.Errorf("got %.99q, want %.99q; damaged %t", joined, c.want, damaged)
			}
		})
	}
}
