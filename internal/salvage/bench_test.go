package salvage

import (
	"fmt"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

const benchKeys = 500_000

// BenchmarkSmallKeys makes the map of a snapshot of many short strings, as of the benchmark
// of that name in package inspect, where each event costs what the record around it does.
func BenchmarkSmallKeys(b *testing.B) {
	p := []byte("REDIS0010\xfe\x00")
	for i := range benchKeys {
		key, value := fmt.Sprintf("user:%d:name", i*7919%benchKeys*17), fmt.Sprintf("market %d", i%9973)
		p = append(append(p, 0, byte(len(key))), key...)
		p = append(append(p, byte(len(value))), value...)
	}
	f := memory{p: append(p, 0xff, 0, 0, 0, 0, 0, 0, 0, 0)}
	b.SetBytes(int64(len(f.p)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Run(b.Context(), f, Options{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchKeys, "ns/key")
}

// BenchmarkSurvey is the same without the reader.
func BenchmarkSurvey(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		s := &survey{m: &Map{}}
		if err := s.run(b.Context(), synthetic{events: plainKeys(benchKeys)}); err != nil || s.m.Keys.Intact != benchKeys {
			b.Fatal(err, s.m.Keys)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchKeys, "ns/key")
}

// plainKeys are the events of a snapshot of short strings whose checksum holds.
func plainKeys(keys int64) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		const size = 32
		e := keyspace.Event{Expire: keyspace.NoExpire, Pos: keyspace.Pos{Inner: -1}, Value: []byte("REDIS"), Index: 10}
		step := func(k keyspace.Kind, length int64) bool {
			e.Kind, e.Length = k, length
			return yield(&e, nil)
		}
		if !step(keyspace.Header, headerSize) {
			return
		}
		e.Type, e.Encoding, e.Key, e.Value = keyspace.String, keyspace.Raw, []byte("user:123456:name"), []byte("market 4711")
		for e.Record = headerSize; e.Record < headerSize+size*keys; e.Record += size {
			if !step(keyspace.Key, 16) || !step(keyspace.Element, 11) || !step(keyspace.KeyEnd, size) {
				return
			}
		}
		e.Pos.Offset, e.Index, e.Value = e.Record+1, int64(keyspace.ChecksumOK), nil
		step(keyspace.End, e.Record+9)
	}
}
