//go:build !race

package scan

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Scanning leaves in which nothing stands allocates nothing. (The race detector
// does.)
func TestNoAllocationWithoutHits(t *testing.T) {
	s := newTestScanner(t)
	w := newWorker(s)
	b := newBatch()
	c := &collector{cur: b, next: func(b *batch) *batch { return b }}
	for i := range 200 {
		for _, e := range hashKey(fmt.Sprintf("page:%d", i), "views", "4711", "title", "Item cobalt", "etag", random(fmt.Sprint(i), 32, hexAlphabet), "doc", `{"id": 7, "tags": ["a", "b"], "n": {"x": "y"}}`) {
			c.add(&e)
		}
	}
	w.batch(b)
	if len(b.findings) > 0 {
		t.Fatalf("found %s", brief(b.findings))
	}
	if n := testing.AllocsPerRun(10, func() { w.batch(b) }); n > 0 {
		t.Errorf("%v allocations a batch", n)
	}
}

// A scan of one name takes memory for one name: those who mask names do many.
func TestScanOfLittleTakesLittle(t *testing.T) {
	s := newTestScanner(t)
	key := func(yield func(*keyspace.Event, error) bool) {
		yield(&keyspace.Event{Kind: keyspace.Key, Key: []byte("session:1234"), Expire: keyspace.NoExpire}, nil)
	}
	const scans, most = 100, 64 << 10
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range scans {
		if _, err := s.Scan(t.Context(), key, func(*Finding) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if n := (after.TotalAlloc - before.TotalAlloc) / scans; n > most {
		t.Errorf("%d bytes a scan, at most %d are wanted", n, most)
	}
}

// A key that is named like a session and is none takes two strings, which mask
// its name.
func TestLittleAllocationForNoSession(t *testing.T) {
	const keys = 50
	w := newWorker(newTestScanner(t))
	var events []keyspace.Event
	for i := range keys {
		events = append(events, stringKey(sessionKey[:len(sessionKey)-2]+fmt.Sprint(10+i), `{"theme": "dark", "lang": "en", "n": 17, "user_id": "Anonymous", "seen": {"page": "a b c"}}`)...)
	}
	b := batchOf(events)
	w.batch(b)
	if len(b.findings) > 0 {
		t.Fatalf("found %s", brief(b.findings))
	}
	if n := testing.AllocsPerRun(10, func() { w.batch(b) }); n > 2*keys {
		t.Errorf("%v allocations for %d keys", n, keys)
	}
}
