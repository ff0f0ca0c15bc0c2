package lifecycle

import (
	"context"
	"encoding/binary"
	"runtime"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// sets returns n SETs of different keys.
func sets(n int) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		key := []byte("session:________")
		value := []byte("value")
		args := [][]byte{[]byte("SET"), key, value}
		var ev keyspace.Event
		for i := range n {
			binary.LittleEndian.PutUint64(key[8:], uint64(i))
			ev = keyspace.Event{Kind: keyspace.Command, Args: args, Index: 3, Expire: keyspace.NoExpire}
			if !yield(&ev, nil) {
				return
			}
			ev = keyspace.Event{Kind: keyspace.Key, Op: keyspace.OpCreate, Type: keyspace.String, Key: key, Expire: keyspace.NoExpire}
			if !yield(&ev, nil) {
				return
			}
			ev.Kind, ev.Op, ev.Value = keyspace.Element, keyspace.OpPut, value
			if !yield(&ev, nil) {
				return
			}
			ev.Kind = keyspace.KeyEnd
			if !yield(&ev, nil) {
				return
			}
		}
	}
}

// fields returns n HSETs of one field each to so many hashes.
func fields(n, hashes int) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		key, field := make([]byte, 8), make([]byte, 8)
		var ev keyspace.Event
		for i := range n {
			binary.LittleEndian.PutUint64(key, uint64(i%hashes))
			binary.LittleEndian.PutUint64(field, uint64(i))
			ev = keyspace.Event{Kind: keyspace.Key, Op: keyspace.OpUpdate, Type: keyspace.Hash, Key: key, Expire: keyspace.NoExpire}
			if !yield(&ev, nil) {
				return
			}
			ev.Kind, ev.Op, ev.Field, ev.Value = keyspace.Element, keyspace.OpPut, field, field
			if !yield(&ev, nil) {
				return
			}
		}
	}
}

func run(t testing.TB, o Options, events func() keyspace.Seq) (live, other int64, res Result) {
	o.Tmp = t.TempDir()
	o.Done = func(r Result) { res = r }
	for ev, err := range Resolve(context.Background(), events, o) {
		switch {
		case err != nil:
			t.Fatal(err)
		case ev.Kind != keyspace.Element:
		case ev.State == keyspace.Live:
			live++
		default:
			other++
		}
	}
	return live, other, res
}

func BenchmarkSets(b *testing.B) {
	b.ReportAllocs()
	live, _, res := run(b, Options{}, func() keyspace.Seq { return sets(b.N) })
	if live != int64(b.N) {
		b.Fatal(live, res)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.Sys)/(1<<20), "MiB-sys")
	b.ReportMetric(float64(res.Spilled)/float64(b.N), "spilled-B/op")
}

func BenchmarkFields(b *testing.B) {
	b.ReportAllocs()
	live, _, res := run(b, Options{}, func() keyspace.Seq { return fields(b.N, 1) })
	if live != int64(b.N) {
		b.Fatal(live, res)
	}
	b.ReportMetric(float64(res.Spilled)/float64(b.N), "spilled-B/op")
}
