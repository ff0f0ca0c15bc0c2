package replay

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"

	"github.com/valkeyfs/valkeyfs/internal/spill"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// tape is a sequence of events that is written once, in memory or spilled. Of each
// event is written what differs from the one before.
type tape struct {
	stream *spill.Stream
	paths  []string // the files of the log, which numbers stand for
	order  map[string]uint64
	last   keyspace.Event // its Key is key
	key    []byte
	long   bool // the last key was too long to keep
	buf    []byte
}

func newTape(s *spill.Store, l *survey) *tape {
	return &tape{stream: s.Stream(), paths: l.paths, order: l.order, last: keyspace.Event{Pos: keyspace.Pos{Source: noSource}}}
}

// noSource is the path of no file.
const noSource = "\x00"

// What is said of an event: the former fields are as in the event before where
// they are not said, the latter are nothing.
const (
	saidKey = 1 << iota
	saidType
	saidEncoding
	saidDB
	saidRecord
	saidOffset
	saidTime
	saidSource
	saidExpire

	saidValue
	saidField
	saidIndex
	saidScore
	saidCount
	saidID
	saidPart
	saidState
	saidArgs
	saidPresumed // no more than that
)

// maxSticky is how long a key may be that the next event need not repeat.
const maxSticky = 4 << 10

// headRoom is for the length in front of an event.
const headRoom = binary.MaxVarintLen64

// write appends an event: what a machine and its observers read of one.
func (t *tape) write(e *keyspace.Event) error {
	said := t.differs(e) | holds(e)
	b := append(t.buf[:0], make([]byte, headRoom)...)
	b = append(b, byte(e.Kind), byte(e.Op))
	b = binary.AppendUvarint(b, uint64(said))
	p := &t.last
	if said&saidKey != 0 {
		b = appendBytes(b, e.Key)
	}
	if said&saidType != 0 {
		b = append(b, byte(e.Type))
	}
	if said&saidEncoding != 0 {
		b = append(b, byte(e.Encoding))
	}
	if said&saidDB != 0 {
		b = binary.AppendVarint(b, int64(e.DB))
	}
	if said&saidRecord != 0 {
		b = binary.AppendVarint(b, e.Record-p.Record)
	}
	if said&saidOffset != 0 {
		b = binary.AppendVarint(b, e.Pos.Offset-p.Pos.Offset)
	}
	if said&saidTime != 0 {
		b = binary.AppendVarint(b, e.Time-p.Time)
	}
	if said&saidSource != 0 {
		b = binary.AppendUvarint(b, t.order[e.Pos.Source])
	}
	if said&saidExpire != 0 {
		b = binary.AppendVarint(b, e.Expire)
	}
	b = appendHeld(b, e, said)
	t.buf = b
	t.remember(e)
	return t.append(b)
}

// differs says what is not as in the event before.
func (t *tape) differs(e *keyspace.Event) (said uint32) {
	p := &t.last
	said |= said1(t.long || len(e.Key) > maxSticky || (e.Key == nil) != (p.Key == nil) || !bytes.Equal(e.Key, p.Key), saidKey)
	said |= said1(e.Type != p.Type, saidType)
	said |= said1(e.Encoding != p.Encoding, saidEncoding)
	said |= said1(e.DB != p.DB, saidDB)
	said |= said1(e.Record != p.Record, saidRecord)
	said |= said1(e.Pos.Offset != p.Pos.Offset, saidOffset)
	said |= said1(e.Time != p.Time, saidTime)
	said |= said1(e.Pos.Source != p.Pos.Source, saidSource)
	return said | said1(e.Expire != p.Expire, saidExpire)
}

// holds says what is not nothing.
func holds(e *keyspace.Event) (said uint32) {
	said |= said1(e.Value != nil, saidValue)
	said |= said1(e.Field != nil, saidField)
	said |= said1(e.Index != 0, saidIndex)
	said |= said1(math.Float64bits(e.Score) != 0, saidScore)
	said |= said1(e.Count != 0, saidCount)
	said |= said1(e.ID != keyspace.StreamID{}, saidID)
	said |= said1(e.Part != 0, saidPart)
	said |= said1(e.State != 0, saidState)
	said |= said1(e.Presumed, saidPresumed)
	return said | said1(len(e.Args) > 0, saidArgs)
}

func said1(yes bool, bit uint32) uint32 {
	if yes {
		return bit
	}
	return 0
}

// appendHeld appends what holds says that there is.
func appendHeld(b []byte, e *keyspace.Event, said uint32) []byte {
	if said&saidValue != 0 {
		b = appendBytes(b, e.Value)
	}
	if said&saidField != 0 {
		b = appendBytes(b, e.Field)
	}
	if said&saidIndex != 0 {
		b = binary.AppendVarint(b, e.Index)
	}
	if said&saidScore != 0 {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(e.Score))
	}
	if said&saidCount != 0 {
		b = binary.AppendVarint(b, e.Count)
	}
	if said&saidID != 0 {
		b = binary.AppendUvarint(b, e.ID.MS)
		b = binary.AppendUvarint(b, e.ID.Seq)
	}
	if said&saidPart != 0 {
		b = append(b, byte(e.Part))
	}
	if said&saidState != 0 {
		b = append(b, byte(e.State))
	}
	if said&saidArgs != 0 {
		b = binary.AppendUvarint(b, uint64(len(e.Args)))
		for _, a := range e.Args {
			b = appendBytes(b, a)
		}
	}
	return b
}

// remember keeps of an event what the next need not repeat.
func (t *tape) remember(e *keyspace.Event) {
	p := &t.last
	p.Type, p.Encoding, p.DB, p.Record, p.Time, p.Expire = e.Type, e.Encoding, e.DB, e.Record, e.Time, e.Expire
	p.Pos.Offset, p.Pos.Source = e.Pos.Offset, e.Pos.Source
	if t.long = len(e.Key) > maxSticky; t.long {
		return
	}
	if p.Key = nil; e.Key != nil {
		t.key = append(t.key[:0], e.Key...)
		p.Key = t.key[:len(e.Key):len(e.Key)]
	}
}

// append appends what is behind headRoom, with its length in front. It splits what
// is longer than a record of the stream.
func (t *tape) append(b []byte) error {
	var size [headRoom]byte
	n := binary.PutUvarint(size[:], uint64(len(b)-headRoom))
	b = b[headRoom-n:]
	copy(b, size[:n])
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

// play yields the events of the tape. Each is valid until the next. Nothing may be
// written any more.
func (t *tape) play(yield func(*keyspace.Event, error) bool) {
	r := &records{r: t.stream.Reader()}
	x := &tapeReader{t: t, key: []byte{}}
	x.ev.Pos.Source = noSource
	for {
		b, err := r.next()
		if err == io.EOF {
			return
		}
		if err == nil {
			err = x.decode(b)
		}
		if !yield(&x.ev, err) || err != nil {
			return
		}
	}
}

var errTape = errors.New("replay: what was spilled cannot be read back")

// tapeReader holds the event that was read last.
type tapeReader struct {
	t   *tape
	ev  keyspace.Event
	key []byte
}

// decode reads the next event, whose strings but the key lie in b.
func (r *tapeReader) decode(b []byte) error {
	if len(b) < 3 {
		return errTape
	}
	e, args := &r.ev, r.ev.Args[:0]
	*e = keyspace.Event{Kind: keyspace.Kind(b[0]), Op: keyspace.Op(b[1]), Key: e.Key, Type: e.Type, Encoding: e.Encoding, DB: e.DB, Record: e.Record,
		Time: e.Time, Expire: e.Expire, Pos: keyspace.Pos{Source: e.Pos.Source, Offset: e.Pos.Offset}}
	d := decoder{b: b[2:]}
	said := uint32(d.uvarint())
	if said&saidKey != 0 {
		if k := d.bytes(); k == nil || len(k) > maxSticky {
			e.Key = k
		} else {
			r.key = append(r.key[:0], k...)
			e.Key = r.key
		}
	}
	if said&saidType != 0 {
		e.Type = keyspace.Type(d.byte())
	}
	if said&saidEncoding != 0 {
		e.Encoding = keyspace.Encoding(d.byte())
	}
	if said&saidDB != 0 {
		e.DB = int32(d.varint())
	}
	if said&saidRecord != 0 {
		e.Record += d.varint()
	}
	if said&saidOffset != 0 {
		e.Pos.Offset += d.varint()
	}
	if said&saidTime != 0 {
		e.Time += d.varint()
	}
	if said&saidSource != 0 {
		if n := d.uvarint(); n < uint64(len(r.t.paths)) {
			e.Pos.Source = r.t.paths[n]
		}
	}
	if said&saidExpire != 0 {
		e.Expire = d.varint()
	}
	e.Args = d.held(e, said, args)
	if d.bad {
		return errTape
	}
	return nil
}

// held reads what appendHeld wrote.
func (d *decoder) held(e *keyspace.Event, said uint32, args [][]byte) [][]byte {
	if said&saidValue != 0 {
		e.Value = d.bytes()
	}
	if said&saidField != 0 {
		e.Field = d.bytes()
	}
	if said&saidIndex != 0 {
		e.Index = d.varint()
	}
	if said&saidScore != 0 {
		if b := d.take(8); b != nil {
			e.Score = math.Float64frombits(binary.LittleEndian.Uint64(b))
		}
	}
	if said&saidCount != 0 {
		e.Count = d.varint()
	}
	if said&saidID != 0 {
		e.ID.MS, e.ID.Seq = d.uvarint(), d.uvarint()
	}
	if said&saidPart != 0 {
		e.Part = keyspace.Part(d.byte())
	}
	if said&saidState != 0 {
		e.State = keyspace.State(d.byte())
	}
	e.Presumed = said&saidPresumed != 0
	if said&saidArgs != 0 {
		for n := d.uvarint(); n > 0 && !d.bad; n-- {
			args = append(args, d.bytes())
		}
	}
	return args
}

// decoder reads numbers and strings off a slice.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) uvarint() uint64 {
	if len(d.b) > 0 && d.b[0] < 0x80 { // most are short
		v := d.b[0]
		d.b = d.b[1:]
		return uint64(v)
	}
	v, n := binary.Uvarint(d.b)
	d.take(n)
	return v
}

func (d *decoder) varint() int64 {
	u := d.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

func (d *decoder) byte() byte {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
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

// records takes a stream apart into what was appended with its length.
type records struct {
	r   *spill.Reader
	cur []byte // of the block
	buf []byte
}

// next returns the next record, valid until the one behind it, and io.EOF behind
// the last. One that fits in a block lies in one, and a length never lies in two.
func (r *records) next() ([]byte, error) {
	if err := r.fill(); err != nil {
		return nil, err
	}
	size, n := binary.Uvarint(r.cur)
	if n <= 0 {
		return nil, errTape
	}
	r.cur = r.cur[n:]
	if size <= uint64(len(r.cur)) {
		b := r.cur[:size:size]
		r.cur = r.cur[size:]
		return b, nil
	}
	r.buf = r.buf[:0]
	for uint64(len(r.buf)) < size {
		if err := r.fill(); err != nil {
			return nil, errTape
		}
		n := min(uint64(len(r.cur)), size-uint64(len(r.buf)))
		r.buf = append(r.buf, r.cur[:n]...)
		r.cur = r.cur[n:]
	}
	return r.buf, nil
}

func (r *records) fill() error {
	for len(r.cur) == 0 {
		b, err := r.r.Next()
		if err != nil {
			return err
		}
		r.cur = b
	}
	return nil
}
