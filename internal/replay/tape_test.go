package replay

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/spill"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// What a tape yields is what was written, in memory and spilled.
func TestTape(t *testing.T) {
	long := bytes.Repeat([]byte("k"), maxSticky+1)
	var want []*keyspace.Event
	for i := range 3000 {
		e := &keyspace.Event{Kind: keyspace.Element, Op: keyspace.OpPut, DB: int32(i % 3), Record: int64(i * 7), Time: int64(i / 100), Expire: -1, Type: keyspace.Type(i % 5)}
		e.Pos.Source, e.Pos.Offset = []string{"a", "b"}[i/2000], int64(1000-i)
		e.Key = [][]byte{nil, {}, []byte("x"), []byte("x"), long, long, {}, []byte("y")}[i%8]
		switch i % 6 {
		case 0:
			e.Value, e.Part, e.Index = []byte("value"), keyspace.Part(1), -5
		case 1:
			e.Field, e.Score, e.State = []byte{}, -0.5, keyspace.Deleted
		case 2:
			e.ID, e.Count, e.Presumed = keyspace.StreamID{MS: 1 << 63, Seq: 1}, 3, true
		case 3:
			e.Args = [][]byte{[]byte("SET"), {}, []byte("v")}
		case 4:
			e.Expire, e.Encoding = 1<<40, keyspace.RESP
		case 5:
			if i%100 == 5 {
				e.Value = bytes.Repeat([]byte{byte(i)}, 3*spill.BlockSize+i)
			}
		}
		want = append(want, e)
	}
	for _, budget := range []int64{0, 1 << 30} {
		store := spill.New(t.TempDir(), budget)
		defer store.Close()
		x := newTape(store, &survey{paths: []string{"a", "b"}, order: map[string]uint64{"a": 0, "b": 1}})
		for _, e := range want {
			if err := x.write(e); err != nil {
				t.Fatal(err)
			}
		}
		i := 0
		for e, err := range x.play {
			if err != nil {
				t.Fatal(err)
			}
			got := *e
			if len(got.Args) == 0 {
				got.Args = nil
			}
			if !reflect.DeepEqual(&got, want[i]) {
				t.Fatalf("event %d is\n%+v\nwant\n%+v", i, got, *want[i])
			}
			i++
		}
		if i != len(want) {
			t.Errorf("%d events, want %d", i, len(want))
		}
	}
}
