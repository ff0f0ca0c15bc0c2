package export_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/aof"
	"github.com/valkeyfs/valkeyfs/internal/export"
	"github.com/valkeyfs/valkeyfs/internal/fixtures"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// TestReplay: what a snapshot is exported as gives an empty server of the same
// version what it has after it loaded the snapshot itself.
func TestReplay(t *testing.T) {
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		writer := s.Start(t, "")
		fixtures.Fill(t, writer, true)
		writer.Must(t, "SAVE")
		writer.Stop(t)
		file := filepath.Join(writer.Dir, "dump.rdb")
		loaded := s.Start(t, writer.Dir)

		o := export.Options{Format: export.RESP}
		t.Run("json", func(t *testing.T) { testValues(t, loaded, file) })
		t.Run("restored", func(t *testing.T) {
			same(t, loaded, replay(t, s, file, o, o.KeepValue), nil)
		})
		// Streams by commands cannot have everything.
		t.Run("commands", func(t *testing.T) {
			noStreams := func(e *keyspace.Event) int64 {
				if e.Type == keyspace.Stream {
					return 0
				}
				return o.KeepValue(e)
			}
			same(t, loaded, replay(t, s, file, o, noStreams), lostByCommands)
		})
	})
}

// replay exports file and gives the commands to a new server.
func replay(t *testing.T, s servertest.Server, file string, o export.Options, keep func(*keyspace.Event) int64) *servertest.Instance {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var commands bytes.Buffer
	if err := export.Run(context.Background(), rdb.NewReader(f, rdb.Options{KeepValue: keep}).Events(context.Background()), &commands, o); err != nil {
		t.Fatal(err)
	}
	i := s.Start(t, "")
	failed, err := i.Replay(&commands)
	if err != nil || len(failed) > 0 {
		t.Fatalf("replay: %q, %v", failed, err)
	}
	return i
}

// lostByCommands drops from a stream's description what no command can set.
func lostByCommands(key, description string) string {
	if key == "stream:deleted" {
		return ""
	}
	lines := slices.DeleteFunc(strings.Split(description, "\n"), func(l string) bool {
		return strings.Contains(l, "-time=") || strings.Contains(l, "radix-tree-")
	})
	return strings.Join(lines, "\n")
}

// same compares two servers' data sets beyond DEBUG DIGEST, which is blind to
// expiries' times, to consumer groups and to functions.
func same(t *testing.T, want, got *servertest.Instance, less func(key, description string) string) {
	t.Helper()
	if w, g := want.Digest(t), got.Digest(t); w != g {
		t.Errorf("digest %s, want %s", g, w)
	}
	if want.Server.Major() >= 7 {
		w, g := want.Must(t, "FUNCTION", "LIST", "WITHCODE"), got.Must(t, "FUNCTION", "LIST", "WITHCODE")
		if sorted(w) != sorted(g) || len(w.([]any)) == 0 {
			t.Errorf("functions %v, want %v", g, w)
		}
		if w, g := libraries(t, want), libraries(t, got); !slices.Equal(w, g) {
			t.Errorf("dumped functions %q, want %q", g, w)
		}
	}
	n := 0
	for db := range 16 {
		want.Must(t, "SELECT", fmt.Sprint(db))
		got.Must(t, "SELECT", fmt.Sprint(db))
		for _, key := range want.Must(t, "KEYS", "*").([]any) {
			n++
			w, g := describe(t, want, key.(string)), describe(t, got, key.(string))
			if less != nil {
				w, g = less(key.(string), w), less(key.(string), g)
			}
			if w != g {
				t.Errorf("database %d, key %q:\n%s\nwant\n%s", db, key, g, w)
			}
		}
	}
	if n < 30 {
		t.Errorf("%d keys were compared", n)
	}
}

// libraries is what FUNCTION DUMP writes, cut where a library may begin: their order
// is that of a hash table.
func libraries(t *testing.T, i *servertest.Instance) []string {
	t.Helper()
	const footer = 10 // the version, and a checksum over libraries in their order
	dump := i.Must(t, "FUNCTION", "DUMP").(string)
	all := strings.Split(dump[:len(dump)-footer], "\xf5") // RDB_OPCODE_FUNCTION2 of rdb.h
	slices.Sort(all)
	return all
}

func sorted(list any) string {
	var s []string
	for _, x := range list.([]any) {
		s = append(s, fmt.Sprintf("%q", x))
	}
	slices.Sort(s)
	return strings.Join(s, "\n")
}

// describe returns what a digest does not see of a key.
func describe(t *testing.T, i *servertest.Instance, key string) string {
	t.Helper()
	typ := i.Must(t, "TYPE", key).(string)
	d := typ
	if i.Server.Major() >= 7 {
		d += fmt.Sprint(" expires ", i.Must(t, "PEXPIRETIME", key))
	} else {
		d += fmt.Sprint(" expires ", i.Must(t, "PTTL", key).(int64) > 0)
	}
	switch typ {
	case "stream":
		d += flatten("", i.Must(t, "XINFO", "STREAM", key, "FULL", "COUNT", "0"))
	case "hash":
		if !i.Server.HasFieldExpiry() {
			break
		}
		fields := i.Must(t, "HKEYS", key).([]any)
		slices.SortFunc(fields, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
		for some := range slices.Chunk(fields, 1000) {
			args := []string{"HPEXPIRETIME", key, "FIELDS", fmt.Sprint(len(some))}
			for _, f := range some {
				args = append(args, f.(string))
			}
			d += fmt.Sprintf("\n%q %v", some, i.Must(t, args...))
		}
	case "vectorset":
		d += fmt.Sprintf("\n%q", i.Must(t, "VINFO", key))
		for n := range 12 {
			element := fmt.Sprint("item:", n)
			d += fmt.Sprintf("\n%q %q", i.Must(t, "VEMB", key, element), i.Must(t, "VGETATTR", key, element))
		}
		d += fmt.Sprintf("\n%q", i.Must(t, "DUMP", key))
	}
	return d
}

// flatten writes a reply of names and values as lines of path=value.
func flatten(path string, v any) string {
	list, ok := v.([]any)
	if !ok {
		return fmt.Sprintf("\n%s=%q", path, fmt.Sprint(v))
	}
	var s string
	for i := 0; i < len(list); i++ {
		if name, ok := list[i].(string); ok && i+1 < len(list) && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz-") == "" && len(list)%2 == 0 {
			s += flatten(path+"."+name, list[i+1])
			i++
			continue
		}
		s += flatten(fmt.Sprint(path, "[", i, "]"), list[i])
	}
	return s
}

// TestReplayLog: the commands of an append-only log give an empty server what
// the log gives it, a command too long to come whole among them.
func TestReplayLog(t *testing.T) {
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		config := []string{"--appendonly", "yes", "--auto-aof-rewrite-percentage", "0"}
		if s.Major() >= 7 {
			config = append(config, "--aof-timestamp-enabled", "yes")
		}
		writer := s.Start(t, "", config...)
		writer.Must(t, "SET", "overwritten", "in the base file")
		fixtures.Rewrite(t, writer)
		fixtures.Mutate(t, writer)
		long := strings.Repeat("long ", 200_000)
		writer.Must(t, "SET", "long:string", long)
		writer.Must(t, "APPEND", "long:string", long)
		writer.Must(t, "RPUSH", "long:list", "a", long, "b")
		writer.Must(t, "LPUSH", "long:list", "c", long)
		writer.Must(t, "HSET", "long:hash", "f", long, "g", long)
		writer.Must(t, "ZADD", "long:zset", "1.5", long, "2", "x")
		writer.Must(t, "SREM", "long:set", long)
		writer.Must(t, "MULTI")
		writer.Must(t, "SADD", "long:set", "x", long)
		writer.Must(t, "SREM", "long:set", "x", long+"y")
		writer.Must(t, "EXEC")
		writer.Stop(t)
		loaded := s.Start(t, writer.Dir, config...)

		files := []string{"appendonly.aof"}
		if s.Major() >= 7 {
			files = []string{"appendonlydir/appendonly.aof.2.base.rdb", "appendonlydir/appendonly.aof.2.incr.aof"}
		}
		o := export.Options{Format: export.RESP}
		var events []keyspace.Seq
		for _, name := range files {
			f, err := os.Open(filepath.Join(writer.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if strings.HasSuffix(name, ".rdb") {
				events = append(events, rdb.NewReader(f, rdb.Options{KeepValue: o.KeepValue}).Events(context.Background()))
			} else {
				events = append(events, aof.NewReader(f, aof.Options{}).Events(context.Background()))
			}
		}
		var commands bytes.Buffer
		if err := export.Run(context.Background(), chain(events), &commands, o); err != nil {
			t.Fatal(err)
		}
		i := s.Start(t, "")
		failed, err := i.Replay(&commands)
		if err != nil || len(failed) > 0 {
			t.Fatalf("replay: %q, %v", failed, err)
		}
		same(t, loaded, i, lostByCommands)
	})
}

// chain yields one sequence after the other.
func chain(all []keyspace.Seq) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		for _, seq := range all {
			for e, err := range seq {
				if !yield(e, err) {
					return
				}
			}
		}
	}
}
