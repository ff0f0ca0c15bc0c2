package inspect

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/valkeyfs/valkeyfs/rdb"
)

// BenchmarkSmallKeys counts a snapshot of many short strings, where each event
// costs what the record around it does.
func BenchmarkSmallKeys(b *testing.B) {
	const keys = 500_000
	p := []byte("REDIS0010\xfe\x00")
	for i := range keys {
		key, value := fmt.Sprintf("user:%d:name", i*7919%keys*17), fmt.Sprintf("market %d", i%9973)
		p = append(append(p, 0, byte(len(key))), key...)
		p = append(append(p, byte(len(value))), value...)
	}
	p = append(p, 0xff, 0, 0, 0, 0, 0, 0, 0, 0)
	b.SetBytes(int64(len(p)))
	b.ReportAllocs()
	for b.Loop() {
		c := NewCounter()
		if err := c.Count(rdb.NewReader(bytes.NewReader(p), rdb.Options{Resync: true}).Events(b.Context())); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/keys, "ns/key")
}
