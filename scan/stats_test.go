package scan

import (
	"context"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// What compresses well is read to its end; what a limit stops is counted, and
// told with its place, its names masked.
func TestScanTellsLimits(t *testing.T) {
	token, name := githubToken("ghp", "behind"), githubToken("gho", "name")
	inside := func(size int) string { return compressed("gzip")("", strings.Repeat("a ", size/2)+token) }
	s, err := New(Config{Workers: 2, IDKey: []byte("test")})
	if err != nil {
		t.Fatal(err)
	}
	scan := func(events ...keyspace.Event) (n int, stats Stats) {
		t.Helper()
		stats, err := s.Scan(context.Background(), sequence(events...), func(f *Finding) error {
			if len(f.Chain) > 0 {
				n++
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return n, stats
	}
	if n, stats := scan(stringKey("k", inside(3<<20))...); n != 1 || stats.Stopped != 0 || len(stats.Stops) != 0 {
		t.Errorf("below the limit: %d findings, %d stopped", n, stats.Stopped)
	}
	over := inside(maxOutput + 1<<20)
	n, stats := scan(append(stringKey("first", "x"), hashKey("deploy:"+name, "blob", over)...)...)
	if n != 0 || stats.Stopped != 1 || len(stats.Stops) != 1 {
		t.Fatalf("above the limit: %d findings, %d stopped, %d listed", n, stats.Stopped, len(stats.Stops))
	}
	if e := stats.Stops[0]; e.Reason != "gzip" || e.Source != "test" || e.Offset != 200 || e.KeyType != "hash" || e.Field != "blob" || strings.Contains(e.Key, name[8:30]) || !strings.HasPrefix(e.Key, "deploy:") {
		t.Errorf("stopped by %s in %s at %s %d, field %s", e.Reason, e.KeyType, e.Source, e.Offset, e.Field)
	}
}

// The list of what was stopped is bounded, the count is not.
func TestStopsAreBounded(t *testing.T) {
	var sum Stats
	for range 3 {
		var s Stats
		for range MaxStops - 1 {
			s.stop(&Exclusion{})
		}
		sum.add(&s)
	}
	if sum.Stopped != 3*(MaxStops-1) || len(sum.Stops) != MaxStops {
		t.Errorf("%d stopped, %d listed", sum.Stopped, len(sum.Stops))
	}
}
