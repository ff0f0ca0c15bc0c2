package aof

import (
	"bytes"
	"context"
	"io"

	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// sniffSize is how much of a file rdb.Sniff wants to see.
const sniffSize = 16

// preamble yields the events of the RDB file that an AOF may begin with (config
// aof-use-rdb-preamble) and reports whether to go on behind it.
func (r *Reader) preamble(ctx context.Context) bool {
	w := &r.w
	all := w.buf
	w.buf = all[:sniffSize]
	w.fill()
	w.buf = all
	head := w.buf[:w.end]
	if !rdb.Sniff(head) {
		return true
	}
	r.gaps()
	rd := rdb.NewReader(io.MultiReader(bytes.NewReader(bytes.Clone(head)), tail{w.src, w.err}), rdb.Options{
		Source: r.o.Source, Offset: r.o.Offset, AsOf: r.o.AsOf, Limits: r.o.Limits, Resync: r.o.Resync, Preamble: true,
	})
	size := int64(0)
	for e, err := range rd.Events(ctx) {
		if err != nil {
			r.fail(err)
			return false
		}
		if e.Kind == keyspace.End {
			size = e.Length
		}
		if !r.yield(e, nil) {
			r.stopped = true
			return false
		}
	}
	rest := rd.Rest()
	r.closer = rest
	*w = newWindow(contextReader{ctx, rest}, r.o.Offset+size, len(all))
	return true
}

// tail is a reader of which some may have been read already, up to err.
type tail struct {
	r   io.Reader
	err error
}

func (t tail) Read(p []byte) (int, error) {
	if t.err != nil {
		return 0, t.err
	}
	return t.r.Read(p)
}
