package aof_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/aof"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// resp writes commands, one a line, as an AOF holds them; lines that begin with
// '#' stay as they are.
func resp(lines ...string) string {
	var b strings.Builder
	for _, line := range lines {
		if line[0] == '#' {
			fmt.Fprintf(&b, "%s\r\n", line)
			continue
		}
		words := strings.Fields(line)
		fmt.Fprintf(&b, "*%d\r\n", len(words))
		for _, w := range words {
			fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(w), w)
		}
	}
	return b.String()
}

// log returns parts that hold these texts.
func log(texts ...string) (parts []aof.Part) {
	for i, text := range texts {
		parts = append(parts, aof.Part{Source: fmt.Sprintf("%d.aof", i+1), Last: i == len(texts)-1,
			Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }})
	}
	return parts
}

// states lists the values of a log and their states.
func states(t *testing.T, parts []aof.Part, o aof.ResolveOptions) (list []string, last error) {
	t.Helper()
	o.Tmp = t.TempDir()
	for ev, err := range aof.Resolve(t.Context(), parts, o) {
		if err != nil {
			return list, err
		}
		switch ev.Kind {
		case keyspace.Element:
			list = append(list, fmt.Sprintf("%s %s", ev.Value, ev.State))
		case keyspace.Damage, keyspace.Torn:
			list = append(list, fmt.Sprintf("%s in %s", ev.Kind, ev.Pos.Source))
		}
	}
	return list, nil
}

func TestResolve(t *testing.T) {
	for _, tt := range []struct {
		name  string
		parts []aof.Part
		want  string
	}{
		{"one file", log(resp("SET k a", "DEL k", "SET l b")), "a deleted, b live"},
		{"over two files", log(resp("SET k a", "HSET h f b"), resp("SELECT 0", "HDEL h f", "SET k c")), "a overwritten, b deleted, c live"},
		{"databases are the file's", log(resp("SELECT 1", "SET k a"), resp("SET k b")), "a live, b live"},
		{"compared", log(resp("SET k a", "DELIFEQ k a")), "a deleted, a deleted"},
		{"expired", log(resp("#TS:1", "SET k a PXAT 5000", "SET l b PXAT 50000", "#TS:9", "DEL k", "DEL l")), "a expired, b deleted"},
		{"rolled back", log(resp("SET k a", "MULTI", "DEL k", "SET l b")), "a live, b recovered, torn in 1.aof"},
		{"cut", log(resp("SET k a", "DEL k") + "*3\r\n$4\r\nHSET\r\n$1\r\nk\r\n"), "a deleted, k recovered, torn in 1.aof"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list, err := states(t, tt.parts, aof.ResolveOptions{})
			if got := strings.Join(list, ", "); got != tt.want || err != nil {
				t.Errorf("got %s, %v; want %s", got, err, tt.want)
			}
		})
	}
}

func TestResolveUnreadable(t *testing.T) {
	parts := log(resp("SET k a"), "", resp("DEL k"))
	parts[1].Open = func() (io.ReadCloser, error) { return nil, fs.ErrPermission }
	list, err := states(t, parts, aof.ResolveOptions{Resync: true})
	if got := strings.Join(list, ", "); got != "a deleted, damage in 2.aof" || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
	if list, err = states(t, parts, aof.ResolveOptions{}); !errors.Is(err, fs.ErrPermission) || len(list) != 1 {
		t.Errorf("got %v, %v", list, err)
	}
}

func TestResolveChanged(t *testing.T) {
	opened := 0
	parts := log("")
	parts[0].Open = func() (io.ReadCloser, error) {
		opened++
		return io.NopCloser(strings.NewReader(resp("SET k a", "SET k b", "SET k c")[:27*(1+opened)])), nil
	}
	if _, err := states(t, parts, aof.ResolveOptions{}); !errors.Is(err, aof.ErrChanged) {
		t.Errorf("error %v", err)
	}
}

func TestResolution(t *testing.T) {
	var r aof.Resolution
	_, err := states(t, log(resp("#TS:7", "SET k a")), aof.ResolveOptions{Done: func(d aof.Resolution) { r = d }})
	if err != nil || r != (aof.Resolution{AsOf: 7000, Basis: aof.Timestamp}) {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestEventsInOrder holds that one pass over a log yields its files in order, and
// stops when it is told to.
func TestEventsInOrder(t *testing.T) {
	var sources []string
	for ev, err := range aof.Events(t.Context(), log(resp("SET k a"), resp("SET l b"), resp("SET m c")), aof.Options{}) {
		if err != nil {
			t.Fatal(err)
		}
		if ev.Kind == keyspace.Element {
			sources = append(sources, ev.Pos.Source+" "+string(ev.Value)+" "+ev.State.String())
			if len(sources) == 2 {
				break
			}
		}
	}
	if got := strings.Join(sources, ", "); got != "1.aof a unknown, 2.aof b unknown" {
		t.Error(got)
	}
}

// What PFADD counts is not in the data set, though its key is.
func TestResolveCounted(t *testing.T) {
	log := "*4\r\n$5\r\nPFADD\r\n$1\r\nk\r\n$1\r\na\r\n$1\r\nb\r\n"
	part := aof.Part{Source: "a", Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(log)), nil }, Last: true}
	states := map[string]keyspace.State{}
	for e, err := range aof.Resolve(context.Background(), []aof.Part{part}, aof.ResolveOptions{}) {
		switch {
		case err != nil:
			t.Fatal(err)
		case e.Kind == keyspace.Key:
			states[string(e.Key)] = e.State
		case e.Kind == keyspace.Element:
			states[string(e.Value)] = e.State
		}
	}
	want := map[string]keyspace.State{"k": keyspace.Live, "a": keyspace.Recovered, "b": keyspace.Recovered}
	if !maps.Equal(states, want) {
		t.Errorf("%v, want %v", states, want)
	}
}
