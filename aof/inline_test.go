package aof

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// TestWrongCommands holds that commands that no server wrote are damage, one
// event each, and that their arguments are there to be scanned.
func TestWrongCommands(t *testing.T) {
	set := string(resp(words("SET k v")))
	for _, test := range []struct{ name, data, want string }{
		{"too few arguments", set + string(resp(words("HSET h secret"))) + set,
			"key k in 0, v; damage at 27 of 33; key in 0, h, secret; key k in 0, v"},
		{"too many arguments", string(resp(words("INCR k secret"))), "damage at 0 of 33; key in 0, k, secret"},
		{"select of a word", set + string(resp(words("SELECT x"), words("SET l w"))) + string(resp(words("SELECT 3"), words("SET m x"))),
			"key k in 0, v; damage at 27 of 23; key l in -1, w; key m in 3, x"},
		{"flush of an unknown database", string(resp(words("SELECT x"), words("FLUSHDB"), words("FLUSHALL"))), "damage at 0 of 23; flush -1"},
		{"inline", "set k v 'a b'\r\n" + set, "damage at 0 of 15; key k in 0 recovered, v, a b; key k in 0, v"},
		{"inline with escapes", set + `HSET h "f g" "\x41\nB"` + "\n" + set, "key k in 0, v; damage at 27 of 23; key h in 0 recovered, f g, A\nB; key k in 0, v"},
		{"inline to the end", set + "HSET h f secret", "key k in 0, v; damage at 27 of 15; key h in 0 recovered, f, secret"},
		{"inline of too few arguments", "SET k\r\n", "damage at 0 of 7; key in 0 recovered, k"},
		{"no inline command", "nothing like that\r\n" + set, "damage at 0 of 19; key k in 0, v"},
		{"quotes that do not end", "SET k \"v\r\n" + set, "damage at 0 of 10; key k in 0, v"},
		{"a line too long", "SET k " + strings.Repeat("x", maxInline) + "\r\n" + set, "damage at 0 of 65544; key k in 0, v"},
	} {
		for _, size := range []int{minWindow, 4 * maxInline} {
			events, err := read(t, newReader(strings.NewReader(test.data), Options{Resync: true}, size))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range events {
				switch e.Kind {
				case keyspace.Damage:
					got = append(got, fmt.Sprintf("damage at %d of %d", e.Pos.Offset, e.Length))
				case keyspace.Flush:
					got = append(got, fmt.Sprintf("flush %d", e.DB))
				case keyspace.Key:
					s := "key"
					if e.Key != nil {
						s += " " + string(e.Key)
					}
					if s += fmt.Sprintf(" in %d", e.DB); e.State == keyspace.Recovered {
						s += " recovered"
					}
					got = append(got, s)
				case keyspace.Element:
					got[len(got)-1] += ", " + string(e.Value)
					if !bytes.ContainsAny(e.Value, "A\n") && !strings.HasPrefix(test.data[e.Pos.Offset:], string(e.Value)) {
						t.Errorf("%s: %q does not stand at %d", test.name, e.Value, e.Pos.Offset)
					}
				}
			}
			if s := strings.Join(got, "; "); s != test.want {
				t.Errorf("%s\n got %s\nwant %s", test.name, s, test.want)
			}
		}
	}
}
