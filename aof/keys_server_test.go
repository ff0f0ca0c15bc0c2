package aof

import (
	"bytes"
	"slices"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// idle are commands that change no key, whatever their flags say: SORT and GETEX
// without options, PFDEBUG, and MIGRATE, which servers log as DEL.
var idle = map[string]bool{"SORT k": true, "GETEX k": true, "PFDEBUG ENCODING k": true, "MIGRATE host 1 k 0 5 AUTH pw": true}

// TestKeysOfServers has servers say what the keys of the commands of
// TestEffects are, and holds that events name the same.
func TestKeysOfServers(t *testing.T) {
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		i := s.Start(t, "")
		asked := 0
		for _, test := range effectTests {
			args := words(test.command)
			spec, ok := LookupCommand([]byte(args[0]))
			if ok && spec.Subcommands != nil && len(args) > 1 {
				spec, ok = spec.Subcommand([]byte(args[1]))
			}
			if !ok || spec.Flags&Write == 0 || idle[test.command] {
				continue
			}
			reply, err := i.Do(append([]string{"COMMAND", "GETKEYS"}, args...)...)
			if err != nil {
				continue // the server has no such command, or it has no keys
			}
			asked++
			var want []string
			for _, k := range reply.([]any) {
				want = append(want, k.(string))
			}
			events, err := read(t, NewReader(bytes.NewReader(resp(args)), Options{}))
			if err != nil {
				t.Fatal(err)
			}
			got := keysOf(events)
			slices.Sort(want)
			if want = slices.Compact(want); !slices.Equal(got, want) {
				t.Errorf("%s: keys %q, want %q", test.command, got, want)
			}
		}
		if t.Logf("%d commands", asked); asked < 100 {
			t.Errorf("%d commands", asked)
		}
	})
}

// keysOf returns the keys that events name.
func keysOf(events []*keyspace.Event) (keys []string) {
	add := func(k []byte) {
		if k != nil {
			keys = append(keys, string(k))
		}
	}
	for _, e := range events {
		switch e.Kind {
		case keyspace.Rename:
			add(e.Key)
			add(e.Value)
		case keyspace.Delete:
			if add(e.Key); e.Op == keyspace.OpMoveEnd {
				add(e.Value)
			}
		case keyspace.Key, keyspace.Expire:
			add(e.Key)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
