package scan

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Many small bombs come out to no more than a few large ones; the rest is said to
// be left out, and what follows them is scanned.
func TestManyBombsAreBounded(t *testing.T) {
	bomb := gzipped(strings.Repeat("key ", baseOutput/4))
	token := githubToken("ghp", "after the bombs")
	events := func(yield func(*keyspace.Event, error) bool) {
		for i := range 100 {
			for _, e := range stringKey(fmt.Sprintf("b:%d", i), bomb) {
				if !yield(&e, nil) {
					return
				}
			}
		}
		for _, e := range stringKey("t", gzipped(`{"note":"`+token+`"}`)) {
			if !yield(&e, nil) {
				return
			}
		}
	}
	found := 0
	stats, err := newTestScanner(t).Scan(context.Background(), events, func(f *Finding) error {
		if f.Secret == token {
			found++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found != 1 {
		t.Errorf("what follows the bombs was found %d times", found)
	}
	batches := 1 + 100*len(bomb)/batchText
	if most := int64(batches*(batchOutput+batchRatio*(batchText+len(bomb))) + 101*leastOutput); stats.DecodedBytes > most {
		t.Errorf("%d bytes came out, more than %d", stats.DecodedBytes, most)
	}
	if stats.Limited["gzip"] < 50 {
		t.Errorf("%d bombs were said to be cut", stats.Limited["gzip"])
	}
}
