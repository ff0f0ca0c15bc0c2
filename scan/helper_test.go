package scan

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// sequence makes a stream of events.
func sequence(events ...keyspace.Event) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		for i := range events {
			if !yield(&events[i], nil) {
				return
			}
		}
	}
}

// stringKey are the events of a string.
func stringKey(key, value string) []keyspace.Event {
	return elements(keyspace.String, key, keyspace.Event{Value: []byte(value)})
}

// hashKey are the events of a hash; pairs are field, value, field, value …
func hashKey(key string, pairs ...string) []keyspace.Event {
	var es []keyspace.Event
	for i := 0; i+1 < len(pairs); i += 2 {
		es = append(es, keyspace.Event{Field: []byte(pairs[i]), Value: []byte(pairs[i+1])})
	}
	return elements(keyspace.Hash, key, es...)
}

func elements(t keyspace.Type, key string, es ...keyspace.Event) []keyspace.Event {
	base := keyspace.Event{Kind: keyspace.Key, Op: keyspace.OpCreate, Type: t, Key: []byte(key), Expire: keyspace.NoExpire, Pos: keyspace.Pos{Source: "test", Offset: 100, Inner: -1}, Record: 90}
	out := []keyspace.Event{base}
	for i, e := range es {
		x := base
		x.Kind, x.Op, x.Field, x.Value, x.Index = keyspace.Element, keyspace.OpPut, e.Field, e.Value, int64(i)
		x.Pos.Offset = int64(200 + i)
		x.Part, x.Encoding = e.Part, e.Encoding
		out = append(out, x)
	}
	end := base
	end.Kind = keyspace.KeyEnd
	return append(out, end)
}

// newTestScanner returns a scanner that reveals; tests of masks make their own.
func newTestScanner(t testing.TB) *Scanner {
	t.Helper()
	s, err := testScanner()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var testScanner = sync.OnceValues(func() (*Scanner, error) {
	return New(Config{Workers: 1, Reveal: true, IDKey: []byte("test")})
})

func scanAll(t testing.TB, s *Scanner, events []keyspace.Event) ([]*Finding, Stats) {
	t.Helper()
	var out []*Finding
	stats, err := s.Scan(context.Background(), sequence(events...), func(f *Finding) error {
		out = append(out, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out, stats
}

// findingsIn scans one value under one key.
func findingsIn(t testing.TB, key, value string) []*Finding {
	t.Helper()
	fs, _ := scanAll(t, newTestScanner(t), stringKey(key, value))
	return fs
}

// brief describes findings without their secrets.
func brief(fs []*Finding) string {
	var b strings.Builder
	for _, f := range fs {
		fmt.Fprintf(&b, "%s(%s,%d bytes,%s) ", f.Rule, f.Where, len(f.Secret), strings.Join(f.Chain, ">"))
	}
	return b.String()
}

var errStop = errors.New("stop")
