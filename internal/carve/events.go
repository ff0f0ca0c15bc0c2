package carve

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"

	"github.com/valkeyfs/valkeyfs/aof"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// Events yields what a piece holds, at its offsets in the image. What was live
// there is Recovered. Where the piece breaks off, the sequence ends.
func (p *Piece) Events(ctx context.Context, img Image, limits keyspace.Limits) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		for e, err := range p.seq(ctx, img, limits) {
			if err != nil {
				if !broken(err) {
					yield(nil, err)
				}
				return
			}
			if e.State == keyspace.Live || e.State == keyspace.Unknown {
				e.State = keyspace.Recovered
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (p *Piece) seq(ctx context.Context, img Image, limits keyspace.Limits) keyspace.Seq {
	section := io.NewSectionReader(img, p.Offset, p.Length)
	o := rdb.Options{Source: img.Name(), Offset: p.Offset, Limits: limits}
	switch p.Kind {
	case Snapshot, Head:
		return rdb.NewReader(section, o).Events(ctx)
	case Fragment:
		o.Headless = p.magic
		return rdb.NewReader(io.LimitReader(section, p.body), o).Events(ctx)
	case Commands:
		return aof.NewReader(section, aof.Options{Source: img.Name(), Offset: p.Offset, Limits: limits, Tail: true}).Events(ctx)
	case String:
		head, text := stringHead(p.body), p.Offset+p.Length-p.body
		o.Headless, o.Offset = "REDIS", text-int64(len(head))
		return rdb.NewReader(io.MultiReader(bytes.NewReader(head), io.NewSectionReader(img, text, p.body)), o).Events(ctx)
	case Listpack:
		head := listHead(p.Length)
		o.Headless, o.Offset = "REDIS", p.Offset-int64(len(head))
		return rdb.NewReader(io.MultiReader(bytes.NewReader(head), section), o).Events(ctx)
	}
	return func(func(*keyspace.Event, error) bool) {}
}

// listHead is what stands before a listpack in the record of a list without a name
// whose only node it is: the type, the key, the number of nodes, the kind of the
// node, its length.
func listHead(n int64) []byte {
	return binary.BigEndian.AppendUint32([]byte{18, 0, 1, 2, 0x80}, uint32(n))
}
