package export

import (
	"context"
	"io"
	"os"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// BenchmarkRun exports the snapshot that VALKEYFS_BENCH_RDB names.
func BenchmarkRun(b *testing.B) {
	path := os.Getenv("VALKEYFS_BENCH_RDB")
	if path == "" {
		b.Skip("VALKEYFS_BENCH_RDB names no snapshot")
	}
	b.Run("parse", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			f, _ := os.Open(path)
			st, _ := f.Stat()
			b.SetBytes(st.Size())
			n := 0
			for e, err := range rdb.NewReader(f, rdb.Options{}).Events(context.Background()) {
				if err != nil {
					b.Fatal(err)
				}
				if e.Kind == keyspace.Element {
					n++
				}
			}
			b.ReportMetric(float64(n), "elements")
			f.Close()
		}
	})
	for f := range formats {
		b.Run(f.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				in, _ := os.Open(path)
				st, _ := in.Stat()
				b.SetBytes(st.Size())
				o := Options{Format: f}
				w := &counter{}
				if err := Run(context.Background(), rdb.NewReader(in, rdb.Options{KeepValue: o.KeepValue}).Events(context.Background()), w, o); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(w.n), "bytesout")
				in.Close()
			}
		})
	}
}

type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) { c.n += int64(len(p)); return len(p), nil }

var _ io.Writer = (*counter)(nil)
