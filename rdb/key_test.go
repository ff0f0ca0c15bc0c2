package rdb

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// The events that open and close a key say nothing of what was read before.
func TestEventsOfKeys(t *testing.T) {
	paths, err := filepath.Glob("../testdata/dumps/*.rdb")
	if err != nil || len(paths) == 0 {
		t.Fatal("no fixtures", err)
	}
	keep := func(*keyspace.Event) int64 { return 1 << 20 }
	files := map[string][]byte{"two": file("REDIS0011", func(b *build) {
		b.op(opSelectDB).len(0).op(opResizeDB).len(9).len(3)
		for range 2 {
			b.op(0).str("bare").str("value")
			b.op(opExpireMS).le64(1).op(opIdle).len(7).op(0).str("idle").str("value")
			b.op(16).str("hash").str(listpackOf("field", "value"))
			b.op(17).str("zset").str(listpackOf("member", 7))
			b.op(0).str("bare again").str("value")
		}
	})}
	for _, path := range paths {
		if files[path], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	for path, b := range files {
		for _, o := range []Options{{}, {Resync: true}, {KeepValue: keep}, {Want: func(e *keyspace.Event) bool { return e.Type == keyspace.String }}} {
			var key keyspace.Event
			for e, err := range NewReader(bytes.NewReader(b), o).Events(t.Context()) {
				if err != nil {
					break
				}
				if e.Kind != keyspace.Key && e.Kind != keyspace.KeyEnd {
					continue
				}
				if e.Part != keyspace.Whole || e.Count != 0 || e.Score != 0 || e.ID != (keyspace.StreamID{}) || e.Time != 0 || e.Args != nil || e.Err != nil {
					t.Errorf("%s: %s of %q: %+v", path, e.Kind, e.Key, e)
				}
				if e.Kind == keyspace.Key {
					key = *e
					if e.Value != nil || e.Field != nil && e.Type != keyspace.Module && e.Type != keyspace.VectorSet {
						t.Errorf("%s: key %q: field %q, value %q", path, e.Key, e.Field, e.Value)
					}
					continue
				}
				if e.Type != key.Type || e.Encoding != key.Encoding || e.Expire != key.Expire || e.State != key.State || e.Field != nil || e.Idle != -1 || e.Freq != -1 || e.Value != nil && o.KeepValue == nil {
					t.Errorf("%s: end of key %q: %+v after %+v", path, e.Key, e, key)
				}
			}
		}
	}
}
