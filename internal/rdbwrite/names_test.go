package rdbwrite_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/rdbwrite"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// TestRepeated: a collection with the same member or field twice is not written, however
// far they are apart, and what comes behind it is.
func TestRepeated(t *testing.T) {
	for _, typ := range []keyspace.Type{keyspace.Set, keyspace.SortedSet, keyspace.Hash, keyspace.List} {
		for _, n := range []int{3, 300, 40_000} {
			for _, twice := range []bool{false, true} {
				var out bytes.Buffer
				w, err := rdbwrite.New(&out, rdbwrite.Version{Magic: "REDIS", Number: 11}, rdbwrite.Options{MaxMem: 64 << 10, Tmp: t.TempDir()})
				if err != nil {
					t.Fatal(err)
				}
				write := func(key string, twice bool) error {
					e := keyspace.Event{Kind: keyspace.Key, Type: typ, Encoding: keyspace.Hashtable, Key: []byte(key), Expire: keyspace.NoExpire, Idle: -1, Freq: -1}
					err := w.Event(&e)
					e.Kind = keyspace.Element
					for i := range n {
						name := fmt.Sprintf("name:%08d", i)
						if twice && i == n-1 {
							name = fmt.Sprintf("name:%08d", n/2)
						}
						e.Field, e.Value = nil, []byte(name)
						if typ == keyspace.Hash {
							e.Field, e.Value = []byte(name), []byte("same")
						}
						err = errors.Join(err, w.Event(&e))
					}
					e.Kind = keyspace.KeyEnd
					return errors.Join(err, w.Event(&e))
				}
				refused := twice && typ != keyspace.List
				if err := write("first", twice); errors.Is(err, keyspace.ErrUnsupported) != refused || !refused && err != nil {
					t.Errorf("%s of %d, twice: %v: %v", typ, n, twice, err)
				}
				if err := errors.Join(write("second", false), w.Close()); err != nil {
					t.Errorf("%s of %d behind it: %v", typ, n, err)
				}
				if bytes.Contains(out.Bytes(), []byte("first")) == refused || !bytes.Contains(out.Bytes(), []byte("second")) {
					t.Errorf("%s of %d, twice: %v: %d bytes", typ, n, twice, out.Len())
				}
			}
		}
	}
}
