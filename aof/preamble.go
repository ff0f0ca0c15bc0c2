package aof

import (
	"bytes"
	"io"

	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// sniffSize is how much of a file rdb.Sniff wants to see.
const sniffSize = 16

// preamble yields the events of the RDB file that an AOF may begin with (config
// aof-use-rdb-preamble) and reports whether to go on behind it.
func (r *Reader) preamble() bool {
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
	if bytes.HasPrefix(head, []byte("VCS")) || bytes.HasPrefix(head, []byte("VK")) {
		r.o.Reopen = nil // offsets behind an envelope are those of what it holds
	}
	rd := rdb.NewReader(io.MultiReader(bytes.NewReader(bytes.Clone(head)), tail{w.src, w.err}), rdb.Options{
		Source: r.o.Source, Offset: r.o.Offset, AsOf: r.o.AsOf, Limits: r.o.Limits, Resync: r.o.Resync, Preamble: true,
		Size: r.o.Size, Reopen: r.o.Reopen, Skim: r.o.Skim, Want: r.o.Want, Pass: r.o.Pass, KeepValue: r.o.KeepValue,
	})
	var lost *keyspace.Event // damage of which it is not known yet whether it reaches to the end
	for e, err := range rd.Events(r.ctx) {
		if lost != nil {
			if err == nil && e.Kind == keyspace.End && e.Pos.Offset == lost.Pos.Offset+lost.Length {
				return r.lostEnd(lost, e.Clone())
			}
			if !r.yield(lost, nil) {
				r.stopped = true
				return false
			}
			lost = nil
		}
		switch {
		case err != nil:
			r.fail(err)
			return false
		case e.Kind == keyspace.Damage:
			lost = e.Clone()
		case !r.yield(e, nil):
			r.stopped = true
			return false
		}
	}
	rest := rd.Rest()
	r.closer = rest
	w.restart(contextReader{r.ctx, rest}, rd.RestOffset())
	return true
}

// lostEnd goes on where the end marker of the snapshot was not found: the
// commands behind it may be among what was taken for a damaged snapshot.
func (r *Reader) lostEnd(damage, end *keyspace.Event) bool {
	w := &r.w
	if at := damage.Pos.Offset; r.o.Reopen != nil && r.reopen(at) {
		if r.search(at, behindSnapshot) {
			damage.Length = w.offset() - at
			end.Pos.Offset, end.Length = w.offset(), w.offset()-r.o.Offset
			r.presume()
		}
	} else {
		w.restart(bytes.NewReader(nil), end.Pos.Offset)
	}
	r.stopped = r.stopped || !r.yield(damage, nil) || !r.yield(end, nil)
	return !r.stopped
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
