package carve

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"

	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// Image is what is searched. It is used by several goroutines at once.
type Image interface {
	io.ReaderAt
	Name() string
	Size() int64
	// Data returns the next range, from an offset on, that is no hole.
	Data(off int64) (from, to int64)
}

// Kind says what a piece is.
type Kind string

// The kinds of pieces.
const (
	Snapshot Kind = "snapshot"          // from its header to its end marker
	Head     Kind = "snapshot-head"     // from its header to where it breaks off
	Fragment Kind = "snapshot-fragment" // records without a header
	Commands Kind = "commands"          // a run of RESP commands, as in an append-only file
	Listpack Kind = "listpack"          // one that stands alone
	String   Kind = "string"            // one that stands alone in a server's memory
	Packed   Kind = "packed"            // a compressed file that holds one of these
)

// Confidence says how far a piece can be believed.
type Confidence string

// The confidences.
const (
	Intact     Confidence = "intact"     // a checksum vouches for every byte
	Unverified Confidence = "unverified" // it contradicts nothing
	Partial    Confidence = "partial"    // it has no beginning or no end
)

// Piece is something that was found.
type Piece struct {
	Type       string     `json:"type"` // "piece"
	Offset     int64      `json:"offset"`
	Length     int64      `json:"length"`
	Kind       Kind       `json:"kind"`
	Confidence Confidence `json:"confidence"`
	Format     string     `json:"format,omitempty"`    // REDIS 11; gzip
	Records    uint64     `json:"records"`             // keys, commands or entries
	Inside     string     `json:"inside,omitempty"`    // of a packed file, what it holds
	Partition  string     `json:"partition,omitempty"` // that it lies in
	Stream     string     `json:"stream,omitempty"`    // that it was sent in
	SHA256     string     `json:"sha256"`
	Same       *int64     `json:"same,omitempty"` // offset of a piece before with the same bytes
	File       string     `json:"file,omitempty"` // that it was written to

	magic string // of the snapshot that a fragment may be of
	body  int64  // length of a fragment without end marker and checksum, or of a string's text
}

// Summary is what a search came to.
type Summary struct {
	Type   string          `json:"type"` // "summary"
	Source string          `json:"source"`
	Size   int64           `json:"size"`
	Read   int64           `json:"read"` // bytes; the rest is holes
	Pieces uint64          `json:"pieces"`
	Bytes  int64           `json:"bytes"` // in pieces
	Kinds  map[Kind]uint64 `json:"kinds"`
	Unread int64           `json:"unread,omitempty"` // bytes that the medium did not deliver
}

// Options say how an image is searched.
type Options struct {
	Workers int // goroutines that search ahead; at least 1
	// Found is called for each piece, in order.
	Found func(*Piece) error
	// Read is told how many bytes were searched; nil: nobody is.
	Read func(n int64)
}

// maxKnown is how many pieces are remembered to know the same bytes again.
const maxKnown = 1 << 20

// Run searches an image.
func Run(ctx context.Context, img Image, o Options) (*Summary, error) {
	c := &carver{ctx: ctx, img: img, o: o, known: map[[sha256.Size]byte]int64{}, parts: partitions(img), find: newFinder(),
		sum: &Summary{Type: "summary", Source: img.Name(), Size: img.Size(), Kinds: map[Kind]uint64{}}}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for w := range search(ctx, img, max(o.Workers, 1)) {
		if w.err != nil {
			return nil, w.err
		}
		c.sum.Read += w.own()
		if o.Read != nil {
			o.Read(w.own())
		}
		if err := c.window(w); err != nil {
			return nil, err
		}
		w.release()
	}
	return c.sum, c.ctx.Err()
}

// carver takes windows in order.
type carver struct {
	ctx   context.Context
	img   Image
	o     Options
	find  *finder
	at    int64 // all before was searched
	known map[[sha256.Size]byte]int64
	parts []partition
	sum   *Summary
}

// window takes what begins in a window.
func (c *carver) window(w *window) error {
	c.at = max(c.at, w.from)
	if c.at >= w.to {
		return nil
	}
	h, ok := w.first, w.found
	if ok && w.from+int64(h.at) < c.at || !ok && w.searched < int(c.at-w.from) {
		h, ok = c.find.next(w.buf, int(c.at-w.from), w.ends())
	}
	for ok {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		at := w.from + int64(h.at)
		p, err := c.piece(h.what, at)
		if err != nil {
			return err
		}
		next := at + 1
		if p != nil {
			if err := c.take(p); err != nil {
				return err
			}
			next = max(next, p.Offset+p.Length)
		}
		if c.at = next; c.at >= w.to {
			break
		}
		h, ok = c.find.next(w.buf, int(c.at-w.from), w.ends())
	}
	c.at = max(c.at, w.to)
	return nil
}

// piece reads what begins at an offset; nil: nothing does.
func (c *carver) piece(what hit, at int64) (*Piece, error) {
	switch what {
	case hitSnapshot:
		return snapshot(c.ctx, c.img, at)
	case hitFragment, hitForked:
		magic := "REDIS"
		if what == hitForked {
			magic = "VALKEY"
		}
		from, err := c.back(at)
		if err != nil {
			return nil, err
		}
		return fragment(c.ctx, c.img, c.find.probe, from, magic)
	case hitCommands:
		return commands(c.img, at), nil
	case hitListpack:
		return listpack(c.img, at), nil
	case hitString:
		return sds(c.img, at), nil
	case hitGzip, hitZstd:
		return packed(c.img, at, what), nil
	}
	return nil, nil
}

// back goes back from the start of a fragment over records that end there, which by
// themselves prove too little to begin one.
func (c *carver) back(at int64) (int64, error) {
	from := max(c.at, at-backSize)
	b := make([]byte, min(at+page, c.img.Size())-from)
	n, err := c.img.ReadAt(b, from)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	end := int(at - from)
	for range maxBack {
		i := c.find.probe.Before(b[:n], 0, end)
		if i < 0 {
			break
		}
		end = i
	}
	return from + int64(end), nil
}

const (
	backSize = 2 * page
	maxBack  = 8
)

// take reports a piece.
func (c *carver) take(p *Piece) error {
	p.Type = "piece"
	p.Partition = partitionOf(c.parts, p.Offset)
	if streams, ok := c.img.(interface{ Stream(off int64) string }); ok {
		p.Stream = streams.Stream(p.Offset)
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(c.img, p.Offset, p.Length)); err != nil {
		return err
	}
	key := [sha256.Size]byte(sum.Sum(nil))
	p.SHA256 = hex.EncodeToString(key[:])
	if first, ok := c.known[key]; ok {
		p.Same = &first
	} else if len(c.known) < maxKnown {
		c.known[key] = p.Offset
	}
	c.sum.Pieces++
	c.sum.Bytes += p.Length
	c.sum.Kinds[p.Kind]++
	return c.o.Found(p)
}

// broken reports whether err says that a piece ends, rather than the work.
func broken(err error) bool {
	return errors.As(err, new(*keyspace.FormatError)) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

// ahead is how much more than a window is read, to believe what begins at its end.
const ahead = rdb.ProbeAhead
