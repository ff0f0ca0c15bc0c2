package cli

import (
	"bytes"
	"encoding/binary"
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

// A time may lie in a generation before the log's last rewrite: their bases say when they
// were saved.
func TestHistoryAtATimeBeforeARewrite(t *testing.T) {
	dir := t.TempDir()
	const began = 1700000000
	file := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	base := func(seq int, saved uint32, value string) {
		b := binary.LittleEndian.AppendUint32([]byte("REDIS0011\xfa\x05ctime\xc2"), saved)
		b = fmt.Appendf(b, "\xfe\x00\x00\x01k%c%s\xff\x00\x00\x00\x00\x00\x00\x00\x00", len(value), value)
		file(fmt.Sprintf("a.%d.base.rdb", seq), string(b))
	}
	set := func(at int, value string) string {
		return fmt.Sprintf("#TS:%d\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n%s\r\n", at, len(value), value)
	}
	base(1, began, "in the first base")
	file("a.1.incr.aof", set(began+10, "one")+set(began+20, "two"))
	base(2, began+100, "in the second base")
	file("a.2.incr.aof", set(began+110, "three"))
	base(3, began+200, "in the last base")
	file("a.3.incr.aof", set(began+210, "four"))
	file("a.manifest", "file a.3.base.rdb seq 3 type b\nfile a.2.incr.aof seq 2 type h\nfile a.2.base.rdb seq 2 type h\nfile a.3.incr.aof seq 3 type i\n")
	for _, c := range []struct {
		at         int64
		want, said string
	}{
		{-5, "in the first base", "valkeyfs: what there was at that time is not known: the log begins with a base that was saved at 2023-11-14T22:13:20Z, and what that holds is written\n"},
		{5, "in the first base", "note: that is before the log was rewritten: it was " + dir + "/a.1.base.rdb then\n"},
		{15, "one", "a.1.base.rdb"},
		{99, "two", "a.1.base.rdb"},
		{100, "in the second base", "a.2.base.rdb"},
		{199, "three", "a.2.base.rdb"},
		{200, "in the last base", ""},
		{300, "four", ""},
	} {
		var out, errs bytes.Buffer
		at := time.Unix(began+c.at, 0).UTC().Format(time.RFC3339)
		code := Main([]string{"history", dir, "--at", at}, nil, &out, &errs)
		status := exitOK
		if c.at < 0 {
			status = exitIncomplete
		}
		if code != status || !strings.Contains(out.String(), `"value":"`+c.want+`"`) || !strings.Contains(errs.String(), c.said) || c.said == "" && strings.Contains(errs.String(), "note") {
			t.Errorf("%d: status %d, %s%s, want %q and %q", c.at, code, &out, &errs, c.want, c.said)
		}
	}
	// Without #TS lines no time tells which commands count.
	file("a.2.incr.aof", "*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n")
	var out, errs bytes.Buffer
	if code := Main([]string{"history", dir, "--at", "2023-11-14T22:15:00Z"}, nil, &out, &errs); code != exitOK || !strings.Contains(errs.String(), "note: no #TS line says when commands were: all of them are counted\n") {
		t.Errorf("status %d, %s%s", code, &out, &errs)
	}
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
