package replay

import (
	"encoding/binary"
	"errors"
	"io"
	"math"

	"github.com/valkeyfs/valkeyfs/internal/spill"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// tape is a sequence of events that is written once, in memory or spilled.
type tape struct {
	stream  *spill.Stream
	sources map[string]uint64 // the numbers that stand for paths
	paths   []string
	buf     []byte
}

func newTape(s *spill.Store) *tape { return &tape{stream: s.Stream(), sources: map[string]uint64{}} }

// write appends an event: what a machine and its observers read of one.
func (t *tape) write(e *keyspace.Event) error {
	n, ok := t.sources[e.Pos.Source]
	if !ok {
		n = uint64(len(t.paths))
		t.sources[e.Pos.Source] = n
		t.paths = append(t.paths, e.Pos.Source)
	}
	b := append(t.buf[:0], byte(e.Kind), byte(e.Op), byte(e.Type), byte(e.Encoding), byte(e.Part), byte(e.State))
	b = binary.AppendUvarint(b, n)
	for _, v := range []int64{int64(e.DB), e.Pos.Offset, e.Record, e.Index, e.Count, e.Expire, e.Time} {
		b = binary.AppendVarint(b, v)
	}
	b = binary.AppendUvarint(b, e.ID.MS)
	b = binary.AppendUvarint(b, e.ID.Seq)
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(e.Score))
	b = appendBytes(b, e.Key)
	b = appendBytes(b, e.Field)
	b = appendBytes(b, e.Value)
	b = binary.AppendUvarint(b, uint64(len(e.Args)))
	for _, a := range e.Args {
		b = appendBytes(b, a)
	}
	t.buf = b
	var size [binary.MaxVarintLen64]byte
	if err := t.append(size[:binary.PutUvarint(size[:], uint64(len(b)))]); err != nil {
		return err
	}
	return t.append(b)
}

// append splits what is longer than a record of the stream.
func (t *tape) append(b []byte) error {
	for len(b) > 0 {
		n := min(len(b), spill.BlockSize)
		if err := t.stream.Append(b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// appendBytes appends a string; nil is told from empty.
func appendBytes(b, s []byte) []byte {
	if s == nil {
		return append(b, 0)
	}
	b = binary.AppendUvarint(b, uint64(len(s))+1)
	return append(b, s...)
}

// play yields the events of the tape. Each is valid until the next.
func (t *tape) play(yield func(*keyspace.Event, error) bool) {
	r := &blocks{r: t.stream.Reader()}
	var buf []byte
	ev := &keyspace.Event{}
	for {
		size, err := binary.ReadUvarint(r)
		if err == io.EOF {
			return
		}
		if err == nil {
			if uint64(cap(buf)) < size {
				buf = make([]byte, size)
			}
			buf = buf[:size]
			_, err = io.ReadFull(r, buf)
		}
		if err == nil {
			err = t.decode(buf, ev)
		}
		if !yield(ev, err) || err != nil {
			return
		}
	}
}

var errTape = errors.New("replay: what was spilled cannot be read back")

// decode reads an event, whose strings lie in b, into e, and takes the place of
// what e held.
func (t *tape) decode(b []byte, e *keyspace.Event) error {
	if len(b) < 6 {
		return errTape
	}
	args := e.Args[:0]
	*e = keyspace.Event{Kind: keyspace.Kind(b[0]), Op: keyspace.Op(b[1]), Type: keyspace.Type(b[2]), Encoding: keyspace.Encoding(b[3]), Part: keyspace.Part(b[4]), State: keyspace.State(b[5])}
	d := decoder{b: b[6:]}
	if n := d.uvarint(); n < uint64(len(t.paths)) {
		e.Pos.Source = t.paths[n]
	}
	e.DB = int32(d.varint())
	for _, v := range []*int64{&e.Pos.Offset, &e.Record, &e.Index, &e.Count, &e.Expire, &e.Time} {
		*v = d.varint()
	}
	e.ID.MS, e.ID.Seq = d.uvarint(), d.uvarint()
	if len(d.b) < 8 {
		return errTape
	}
	e.Score = math.Float64frombits(binary.LittleEndian.Uint64(d.b))
	d.b = d.b[8:]
	e.Key, e.Field, e.Value = d.bytes(), d.bytes(), d.bytes()
	for n := d.uvarint(); n > 0 && !d.bad; n-- {
		args = append(args, d.bytes())
	}
	if e.Args = args; d.bad {
		return errTape
	}
	return nil
}

// decoder reads numbers and strings off a slice.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	d.take(n)
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b)
	d.take(n)
	return v
}

func (d *decoder) take(n int) []byte {
	if n <= 0 || n > len(d.b) {
		d.bad, d.b = true, nil
		return nil
	}
	b := d.b[:n:n]
	d.b = d.b[n:]
	return b
}

func (d *decoder) bytes() []byte {
	switch n := d.uvarint(); {
	case n == 0:
		return nil
	case n == 1:
		return []byte{}
	case n-1 > uint64(len(d.b)):
		d.bad = true
		return nil
	default:
		return d.take(int(n - 1))
	}
}

// blocks is a spilled stream as a reader of bytes.
type blocks struct {
	r   *spill.Reader
	cur []byte
}

func (r *blocks) fill() error {
	for len(r.cur) == 0 {
		b, err := r.r.Next()
		if err != nil {
			return err
		}
		r.cur = b
	}
	return nil
}

func (r *blocks) ReadByte() (byte, error) {
	if err := r.fill(); err != nil {
		return 0, err
	}
	c := r.cur[0]
	r.cur = r.cur[1:]
	return c, nil
}

func (r *blocks) Read(p []byte) (int, error) {
	if err := r.fill(); err != nil {
		return 0, err
	}
	n := copy(p, r.cur)
	r.cur = r.cur[n:]
	return n, nil
}
