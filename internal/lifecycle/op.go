package lifecycle

import (
	"encoding/binary"
	"io"
	"math"

	"github.com/valkeyfs/valkeyfs/internal/spill"
)

// An op is what one event does to one object, in a form that is cheap to store,
// to move between partitions and to replay: names are hashes, values are absent.
type op struct {
	kind kind
	echo bool   // a copy for another part of a split object; its fate is not asked for
	db   uint32 // physical database of the object
	seq  uint64 // position in the log
	id   uint64 // the object
	name uint64 // of the element: field, member, entry ID, a list element's value; or a second object
	a, b int64  // operands
}

// kind says what an op does.
type kind uint8

// The kinds of ops. Those marked * bear a fate: the state of the value, or of the
// record, that they write.
const (
	// The object as a whole. Of a split object every part gets a copy.
	opCreate       kind = iota + 1 // * a new collection, with expiry a, takes the place of what the key holds
	opCreateValue                  // * the same for a string, which the op itself writes
	opTouch                        // * a record that adds to what the key holds
	opReplace                      // * a string takes the place of what the key holds, and keeps its expiry
	opCompute                      //   the result of a computation, which the file does not hold, takes its place
	opForget                       //   nothing is known about what it holds any more
	opDelete                       //   a = floor or bySomeone
	opGone                         //   another key was put in its place
	opExpire                       //   a = expiry
	opMoveDB                       //   now in database a
	opDoubt                        //   some elements, nobody says which, were removed; a = 1: perhaps all, and so the key
	opShared                       //   another key may hold what it holds, too
	opRemoveScores                 //   zset: members whose score is from a to b, as bits
	opRemoveRanks                  //   zset: members at ranks a to b
	opKeepRanks                    //   zset: all others
	opTrimID                       //   stream: entries below a-b are removed
	opDeleteGroup                  //   stream: consumer group a and its consumers are removed

	// One named element. Of a split object only the part that holds the name.
	opPut         // * a = the field's expiry, or keepExpiry
	opEntry       // * stream: entry a-b
	opScore       // * zset: a = the score, as bits; b = what of it
	opGroup       // * stream: a consumer group or consumer; a = the group
	opAppend      // * a value beside the others that nothing can name
	opDeleteName  //   a = floor or bySomeone
	opExpireField //   a = expiry, b = the Op of the event

	// What needs the whole object, or two, in one place.
	opPushTail     // *
	opPushHead     // *
	opSetIndex     // * a = index
	opInsertBefore // * a = hash of the pivot
	opInsertAfter  // * a = hash of the pivot
	opPopHead      //   a = how many
	opPopTail      //   a = how many
	opTrim         //   keeps a to b
	opRemove       //   a = how many, from the tail if negative, 0 all
	opTrimLength   //   stream: keeps the newest a
	opCopy         //   name = the new object, a = its database
	opMoveName     //   a = the other object, b = its database
	opMoveEnd      //   name = the other object, a = its database, b = ends
	opGather       //   name = a source of a set that is computed, a = how, b = of what kind
	opStore        //   name = the object whose place the computed set takes

	opFlush // a = database or everyDB; in a stream of its own
	kinds
)

// Operand a of opDelete and opDeleteName is the clock's floor (Unix ms) where the
// command has the form in which servers delete what has expired, otherwise bySomeone.
const bySomeone = -1

// Operand a of opPut where the field keeps the expiry it has.
const keepExpiry = math.MinInt64

const everyDB = -1

// Operand b of opMoveEnd, as Event.Index of OpMoveEnd.
const (
	fromTail = 1 << iota
	toTail
)

const (
	hasName = 1 << iota
	hasA
	hasB
	isValue // writes one: bears a fate
	isFate  // bears a fate otherwise
	ofName  // concerns one named element
	isWhole // needs the whole object in one place
)

var traits = [kinds]uint8{
	opCreate:       hasA | isFate,
	opCreateValue:  hasA | isFate,
	opTouch:        isFate,
	opReplace:      isValue,
	opDelete:       hasA,
	opExpire:       hasA,
	opMoveDB:       hasA,
	opDoubt:        hasA,
	opRemoveScores: hasA | hasB,
	opRemoveRanks:  hasA | hasB,
	opKeepRanks:    hasA | hasB,
	opTrimID:       hasA | hasB,
	opDeleteGroup:  hasA,
	opPut:          hasName | hasA | isValue | ofName,
	opEntry:        hasName | hasA | hasB | isValue | ofName,
	opScore:        hasName | hasA | hasB | isValue | ofName,
	opGroup:        hasName | hasA | isValue | ofName,
	opAppend:       hasName | isValue | ofName,
	opDeleteName:   hasName | hasA | ofName,
	opExpireField:  hasName | hasA | hasB | ofName,
	opPushTail:     hasName | isValue | isWhole,
	opPushHead:     hasName | isValue | isWhole,
	opSetIndex:     hasName | hasA | isValue | isWhole,
	opInsertBefore: hasName | hasA | isValue | isWhole,
	opInsertAfter:  hasName | hasA | isValue | isWhole,
	opPopHead:      hasA | isWhole,
	opPopTail:      hasA | isWhole,
	opTrim:         hasA | hasB | isWhole,
	opRemove:       hasName | hasA | isWhole,
	opTrimLength:   hasA | isWhole,
	opCopy:         hasName | hasA | isWhole,
	opMoveName:     hasName | hasA | hasB | isWhole,
	opMoveEnd:      hasName | hasA | hasB | isWhole,
	opGather:       hasName | hasA | hasB | isWhole,
	opStore:        hasName | isWhole,
	opFlush:        hasA,
}

func (k kind) has(t uint8) bool { return traits[k]&t != 0 }

// fate reports whether a state is to be found for what the op writes.
func (o *op) fate() bool { return o.kind.has(isValue|isFate) && !o.echo }

// An opWriter appends ops to a stream: a byte for kind and flags, how far seq
// moved, the object unless it is the previous one's, and the operands that the
// kind has.
type opWriter struct {
	stream *spill.Stream
	ops    int64 // written so far
	fates  int64 // of them, those that bear a fate
	seq    uint64
	id     uint64
	db     uint32
	buf    [maxOp]byte
}

const (
	kindMask = 0x3f
	sameFlag = 0x40 // the object is the previous op's
	echoFlag = 0x80
	maxOp    = 1 + 10 + 8 + 5 + 8 + 10 + 10
)

func (w *opWriter) write(o *op) error {
	t := traits[o.kind]
	b := append(w.buf[:0], byte(o.kind))
	if o.echo {
		b[0] |= echoFlag
	} else if t&(isValue|isFate) != 0 {
		w.fates++
	}
	same := w.ops > 0 && o.id == w.id && o.db == w.db
	if same {
		b[0] |= sameFlag
	}
	b = binary.AppendUvarint(b, o.seq-w.seq)
	if !same {
		b = binary.LittleEndian.AppendUint64(b, o.id)
		b = binary.AppendUvarint(b, uint64(o.db))
	}
	if t&hasName != 0 {
		b = binary.LittleEndian.AppendUint64(b, o.name)
	}
	if t&hasA != 0 {
		b = binary.AppendVarint(b, o.a)
	}
	if t&hasB != 0 {
		b = binary.AppendVarint(b, o.b)
	}
	w.ops++
	w.seq, w.id, w.db = o.seq, o.id, o.db
	return w.stream.Append(b)
}

// An opReader reads them back.
type opReader struct {
	blocks *spill.Reader
	block  []byte
	op     op
}

func newOpReader(s *spill.Stream) opReader { return opReader{blocks: s.Reader()} }

// next returns the next op, valid until the next call, and io.EOF behind the last.
func (r *opReader) next() (*op, error) {
	if len(r.block) == 0 {
		b, err := r.blocks.Next()
		if err != nil {
			return nil, err
		}
		r.block = b
	}
	o, b := &r.op, r.block
	o.kind, o.echo = kind(b[0]&kindMask), b[0]&echoFlag != 0
	same := b[0]&sameFlag != 0
	n, i := binary.Uvarint(b[1:])
	o.seq += n
	b = b[1+i:]
	if !same {
		o.id = binary.LittleEndian.Uint64(b)
		n, i = binary.Uvarint(b[8:])
		o.db = uint32(n)
		b = b[8+i:]
	}
	t := traits[o.kind]
	if t&hasName != 0 {
		o.name = binary.LittleEndian.Uint64(b)
		b = b[8:]
	}
	if t&hasA != 0 {
		o.a, i = binary.Varint(b)
		b = b[i:]
	}
	if t&hasB != 0 {
		o.b, i = binary.Varint(b)
		b = b[i:]
	}
	r.block = b
	return o, nil
}

// each calls do with every op of the stream, in order.
func each(s *spill.Stream, do func(*op) error) error {
	r := newOpReader(s)
	for {
		o, err := r.next()
		if err == nil {
			err = do(o)
		}
		if err != nil {
			if err == io.EOF {
				err = nil
			}
			return err
		}
	}
}
