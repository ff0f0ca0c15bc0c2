package salvage

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// TestCleanFileSelectsNoEmptyDatabase: bytes that select a database in which nothing is kept
// are not in a clean file. A server that has not so many databases would refuse it.
func TestCleanFileSelectsNoEmptyDatabase(t *testing.T) {
	databases := func(between ...byte) []byte {
		p := []byte("REDIS0011")
		for db := range byte(2) {
			p = append(p, 0xfe, 3*db, 0xfb, 40, 0)
			for i := range 40 {
				key := fmt.Sprintf("db%d:%d", 3*db, i)
				p = append(append(append(p, 0, byte(len(key))), key...), 5)
				p = append(p, "value"...)
			}
			if db == 0 {
				p = append(p, between...)
			}
		}
		return append(p, 0xff, 1, 2, 3, 4, 5, 6, 7, 8)
	}
	for name, stray := range map[string][]byte{
		"nothing":                  {},
		"a selection with a size":  {0xfe, 27, 0xfb, 9, 0},
		"with a size of four byte": {0xfe, 27, 0xfb, 0x80, 0, 0, 1, 0, 0x40, 9},
		"two of them":              {0xfe, 27, 0xfb, 9, 0, 0xfe, 28, 0xfb, 9, 0},
		"without a size":           {0xfe, 27},
	} {
		var out bytes.Buffer
		if _, _, err := Run(t.Context(), memory{p: databases(stray...)}, Options{Clean: &out, Tmp: t.TempDir()}); err != nil {
			t.Fatal(err)
		}
		keys, sizes := map[int32]int{}, map[int32]int64{}
		for e, err := range rdb.NewReader(bytes.NewReader(out.Bytes()), rdb.Options{}).Events(t.Context()) {
			switch {
			case err != nil:
				t.Fatal(name, err)
			case e.Kind == keyspace.Key:
				keys[e.DB]++
			case e.Kind == keyspace.DB && e.Index < 0:
				sizes[e.DB] = 0
			case e.Kind == keyspace.DB:
				sizes[e.DB] = e.Index
			}
		}
		if want := map[int32]int{0: 40, 3: 40}; !maps.Equal(keys, want) {
			t.Errorf("%s: keys %v", name, keys)
		}
		if all := slices.Sorted(maps.Keys(sizes)); !slices.Equal(all, []int32{0, 3}) || sizes[0] != 40 || sizes[3] != 40 {
			t.Errorf("%s: sizes %v", name, sizes)
		}
	}
}

func TestSizeOfDatabase(t *testing.T) {
	for want, p := range map[int][]byte{
		3:  {0xfb, 9, 0, 1},
		5:  {0xfb, 0x40, 1, 0x40, 0},
		19: append([]byte{0xfb, 0x81, 0, 0, 0, 0, 0, 0, 0, 1, 0x81}, make([]byte, 8)...),
	} {
		if got := sizeOfDatabase(p); got != want {
			t.Errorf("%x: %d, not %d", p, got, want)
		}
		for n := range want {
			if got := sizeOfDatabase(p[:n]); got != 0 {
				t.Errorf("%x: %d", p[:n], got)
			}
		}
	}
	if got := sizeOfDatabase([]byte{0xfb, 0xc0, 0, 0}) + sizeOfDatabase([]byte{0, 9, 0}); got != 0 {
		t.Error(got)
	}
}
