package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// A server that keeps what its rewrites replace: of each value of all generations is told
// how it went, and what stood before the flush, whether or not the manifest still names
// the files.
func TestHistoryOfGenerations(t *testing.T) {
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		if s.Major() < 7 {
			return // one file, which a rewrite replaces
		}
		i := s.Start(t, "", "--appendonly", "yes", "--aof-disable-auto-gc", "yes")
		var want []string
		held := map[string]string{}
		goes := func(key, what string) {
			if v, ok := held[key]; ok {
				want = append(want, key+" "+what+" "+v)
				delete(held, key)
			}
		}
		set := func(key, value string) {
			i.Must(t, "SET", key, value)
			goes(key, "overwritten")
			held[key] = value
		}
		for g := range 4 {
			name := func(k string, g int) string { return fmt.Sprintf("%s:%d", k, g) }
			set("always", name("value", g))
			set(name("kept", g), name("value", g))
			set(name("deleted", g), name("value", g))
			i.Must(t, "DEL", name("deleted", g))
			goes(name("deleted", g), "deleted")
			i.Must(t, "HSET", name("hash", g), "f", name("value", g))
			i.Must(t, "HDEL", name("hash", g), "f")
			want = append(want, name("hash", g)+" removed "+name("value", g))
			if g == 1 {
				i.Must(t, "FLUSHALL")
				for key := range maps.Clone(held) {
					goes(key, "flushed")
				}
			}
			if g == 3 {
				i.Must(t, "DEL", name("kept", 2)) // of the generation before
				goes(name("kept", 2), "deleted")
				break
			}
			rewrite(t, i)
		}
		slices.Sort(want)
		i.Must(t, "SAVE")
		i.Stop(t)

		dir := i.Dir
		check := func(t *testing.T) {
			t.Helper()
			if got := tombstones(t, dir); !slices.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			got := runs(t, exitOK, "history", dir, "--before-flush")
			for _, key := range []string{"kept:0", "kept:1", "always"} {
				if !strings.Contains(got, `"key":"`+key+`"`) {
					t.Errorf("%s was there before the flush: %s", key, got)
				}
			}
			if strings.Count(got, "\n") != 3 {
				t.Error(got)
			}
		}
		check(t)
		// The same files, named by no manifest, as where a server ended before it deleted them.
		manifest := filepath.Join(dir, "appendonlydir", "appendonly.aof.manifest")
		b, err := os.ReadFile(manifest)
		if err != nil || bytes.Count(b, []byte("type h")) != 6 {
			t.Fatalf("%v\n%s", err, b)
		}
		var kept []string
		for line := range strings.Lines(string(b)) {
			if !strings.Contains(line, "type h") {
				kept = append(kept, line)
			}
		}
		if err := os.WriteFile(manifest, []byte(strings.Join(kept, "")), 0o600); err != nil {
			t.Fatal(err)
		}
		check(t)
		// The first rewrites' bases are gone: what follows each is no less a part of the log.
		for _, base := range []string{"2", "3"} {
			if err := os.Remove(filepath.Join(dir, "appendonlydir", "appendonly.aof."+base+".base.rdb")); err != nil {
				t.Fatal(err)
			}
		}
		check(t)
	})
}

// rewrite has a server rewrite its log.
func rewrite(t *testing.T, i *servertest.Instance) {
	t.Helper()
	i.Must(t, "BGREWRITEAOF")
	for range 1000 {
		info := fmt.Sprint(i.Must(t, "INFO", "persistence"))
		if strings.Contains(info, "aof_rewrite_in_progress:0") && strings.Contains(info, "aof_rewrite_scheduled:0") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the rewrite did not end")
}

// tombstones are key, what and value of all that history says is gone, sorted.
func tombstones(t *testing.T, dir string) (got []string) {
	t.Helper()
	for line := range strings.Lines(runs(t, exitOK, "history", dir, "--tombstones", "--reveal", "--format", "jsonl")) {
		var c struct{ Key, What, Before string }
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		got = append(got, c.Key+" "+c.What+" "+c.Before)
	}
	slices.Sort(got)
	return got
}
