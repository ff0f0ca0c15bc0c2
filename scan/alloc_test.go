//go:build !race

package scan

import (
	"fmt"
	"testing"
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
