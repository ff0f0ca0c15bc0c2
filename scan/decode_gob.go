package scan

// gob, in which Go programs keep structures and sessions (encoding/gob): messages
// behind their length, of which those with a negative number describe a type and
// the others are a value of one. Structures name their fields only in the
// description. It has no magic: what counts is that the first message describes a
// type whose number it says twice.
var gobDecoder = decoder{kind: "gob", binary: true, fits: fitsGob, open: openGob,
	starts: func(b byte) bool { return b > 4 && b < 0x80 || b == 0xff || b == 0xfe }}

// Numbers of types that are built in, and of the kinds that a description may be of.
const (
	gobBool      = 1
	gobInt       = 2
	gobUint      = 3
	gobFloat     = 4
	gobBytes     = 5
	gobString    = 6
	gobComplex   = 7
	gobInterface = 8

	gobArray  = 1
	gobSlice  = 2
	gobStruct = 3
	gobMap    = 4
	gobOpaque = 5 // 5 to 7: what the type itself wrote
	gobKinds  = 7
)

// The bounds of what descriptions may say.
const (
	maxGobTypes  = 256
	maxGobFields = 4096
)

// A gobType is a type that was described.
type gobType struct {
	id        int64
	kind      byte
	key, elem int64
	fields    []gobField
}

type gobField struct {
	name span
	id   int64
}

func fitsGob(data []byte) bool {
	if data[1] != 0x7f && data[1] != 0xff && data[2] != 0xff && data[3] != 0xff { // of a negative number
		return false
	}
	g := gobWalker{binaryWalker: binaryWalker{data: data}}
	described, err := g.message()
	return err == nil && described
}

func openGob(w *worker, f *fragment, hits []hit, base uint32) bool {
	return w.document("gob", f, hits, base, func(data []byte, doc *document, sink docSink) error {
		g := gobWalker{binaryWalker: binaryWalker{document: doc, data: data, sink: sink}}
		for g.at < len(data) {
			if _, err := g.message(); err != nil {
				return err
			}
		}
		return nil
	})
}

type gobWalker struct {
	binaryWalker
	types  []gobType
	fields int
	split  bool // the value at hand has descriptions in it, each of which ends a message
}

// message reads one and reports whether it describes a type.
func (g *gobWalker) message() (described bool, err error) {
	n, err := g.unsigned()
	if err != nil {
		return false, err
	}
	from, end, err := g.take(n)
	if err != nil {
		return false, err
	}
	g.at, g.split = from, false
	id, err := g.signed()
	if err == nil && id < 0 {
		described, err = true, g.describe(-id)
	} else if err == nil {
		err = g.top(id, 0)
	}
	if err == nil && g.at != end && !g.split {
		err = errDocument
	}
	return described, err
}

// unsigned reads a number: a byte below 128, or how many bytes there are, negated,
// and those.
func (g *gobWalker) unsigned() (uint64, error) {
	b, err := g.byte()
	if err != nil || b < 0x80 {
		return uint64(b), err
	}
	n := -int(int8(b))
	if n > 8 || n > len(g.data)-g.at {
		return 0, errDocument
	}
	v := uint64(0)
	for _, b := range g.data[g.at : g.at+n] {
		v = v<<8 | uint64(b)
	}
	g.at += n
	return v, nil
}

// signed reads a number whose lowest bit says that the others are inverted.
func (g *gobWalker) signed() (int64, error) {
	v, err := g.unsigned()
	if v&1 != 0 {
		return ^int64(v >> 1), err
	}
	return int64(v >> 1), err
}

// counted reads a length and what has it.
func (g *gobWalker) counted() (from, to int, err error) {
	n, err := g.unsigned()
	if err != nil {
		return 0, 0, err
	}
	return g.take(n)
}

// structure reads the fields of a structure, each behind how far its number lies
// behind that before.
func (g *gobWalker) structure(field func(n uint64) error) error {
	for n := uint64(0); ; {
		delta, err := g.unsigned()
		if err != nil || delta == 0 {
			return err
		}
		if n += delta; delta > maxGobFields || n > maxGobFields {
			return errDocument
		}
		if err := field(n); err != nil {
			return err
		}
	}
}

// describe reads what a type is.
func (g *gobWalker) describe(id int64) error {
	if len(g.types) == maxGobTypes || id <= gobInterface {
		return errDocument
	}
	t := gobType{id: id}
	err := g.structure(func(kind uint64) error {
		if kind > gobKinds || t.kind != 0 {
			return errDocument
		}
		t.kind = byte(kind)
		return g.structure(func(n uint64) error { return g.part(&t, n) })
	})
	if err == nil && t.kind == 0 {
		err = errDocument
	}
	g.types = append(g.types, t)
	return err
}

// part reads the n-th part of a description.
func (g *gobWalker) part(t *gobType, n uint64) (err error) {
	switch {
	case n == 1: // what all have: the name, and the number once more
		return g.structure(func(n uint64) error {
			if n == 1 {
				_, _, err := g.counted()
				return err
			}
			if id, err := g.signed(); err != nil || n != 2 || id != t.id {
				return errDocument
			}
			return nil
		})
	case t.kind == gobStruct && n == 2:
		return g.describeFields(t)
	case t.kind == gobMap && n == 2:
		t.key, err = g.signed()
	case t.kind == gobMap && n == 3, t.kind <= gobSlice && n == 2:
		t.elem, err = g.signed()
	case t.kind == gobArray && n == 3:
		_, err = g.signed()
	default:
		return errDocument
	}
	return err
}

func (g *gobWalker) describeFields(t *gobType) error {
	count, err := g.unsigned()
	if err != nil {
		return err
	}
	for range count {
		if g.fields++; g.fields > maxGobFields {
			return errDocumentElements
		}
		var f gobField
		err := g.structure(func(n uint64) (err error) {
			switch n {
			case 1:
				var from, to int
				from, to, err = g.counted()
				f.name = span{uint32(from), uint32(to)}
			case 2:
				f.id, err = g.signed()
			default:
				err = errDocument
			}
			return err
		})
		if err != nil {
			return err
		}
		t.fields = append(t.fields, f)
	}
	return nil
}

func (g *gobWalker) described(id int64) *gobType {
	for i := range g.types {
		if g.types[i].id == id {
			return &g.types[i]
		}
	}
	return nil
}

// top reads a value that stands by itself: a zero comes before all but structures.
func (g *gobWalker) top(id int64, depth int) error {
	if t := g.described(id); t == nil || t.kind != gobStruct {
		if b, err := g.byte(); err != nil || b != 0 {
			return errDocument
		}
	}
	return g.value(id, depth)
}

func (g *gobWalker) value(id int64, depth int) error {
	if err := g.step(depth); err != nil {
		return err
	}
	from := g.at
	switch id {
	case gobBool, gobFloat:
		_, err := g.unsigned()
		return err
	case gobInt:
		v, err := g.signed()
		if err == nil && v > 0 {
			g.integer(from, v)
		}
		return err
	case gobUint:
		v, err := g.unsigned()
		if err == nil && v < 1<<63 {
			g.integer(from, int64(v))
		}
		return err
	case gobBytes, gobString:
		from, to, err := g.counted()
		if err == nil {
			g.text(from, to)
		}
		return err
	case gobComplex:
		if _, err := g.unsigned(); err != nil {
			return err
		}
		_, err := g.unsigned()
		return err
	case gobInterface:
		return g.dynamic(depth)
	}
	t := g.described(id)
	if t == nil {
		return errDocument
	}
	switch t.kind {
	case gobArray, gobSlice:
		return g.elements(t.elem, depth)
	case gobStruct:
		return g.members(t.fields, depth)
	case gobMap:
		return g.pairs(t.key, t.elem, depth)
	}
	from, to, err := g.counted()
	if err == nil && isText(g.data[from:to]) {
		g.text(from, to)
	}
	return err
}

// head reads what stands before the value of an interface: the name of its type,
// descriptions that are new, its number, and how long it is. id is 0 for nil.
func (g *gobWalker) head() (id int64, err error) {
	from, to, err := g.counted()
	if err != nil || from == to {
		return 0, err
	}
	for {
		if id, err = g.signed(); err != nil {
			return 0, err
		}
		if id < 0 {
			g.split = true
			err = g.describe(-id)
		}
		if err != nil {
			return 0, err
		}
		if _, err = g.unsigned(); err != nil || id >= 0 {
			return id, err
		}
	}
}

func (g *gobWalker) dynamic(depth int) error {
	id, err := g.head()
	if err != nil || id == 0 {
		return err
	}
	return g.top(id, depth+1)
}

func (g *gobWalker) elements(elem int64, depth int) error {
	n, err := g.unsigned()
	if err != nil {
		return err
	}
	t, err := g.enter(true)
	if err != nil {
		return err
	}
	for i := range n {
		t.index = int(i)
		if err := g.value(elem, depth+1); err != nil {
			return err
		}
	}
	g.leave()
	return nil
}

func (g *gobWalker) members(fields []gobField, depth int) error {
	t, err := g.enter(false)
	if err != nil {
		return err
	}
	err = g.structure(func(n uint64) error {
		if n > uint64(len(fields)) {
			return errDocument
		}
		f := fields[n-1]
		g.member(t, int(f.name.from), int(f.name.to))
		if err := g.value(f.id, depth+1); err != nil {
			return err
		}
		g.endMember()
		return nil
	})
	if err == nil {
		g.leave()
	}
	return err
}

func (g *gobWalker) pairs(key, elem int64, depth int) error {
	n, err := g.unsigned()
	if err != nil {
		return err
	}
	t, err := g.enter(false)
	if err != nil {
		return err
	}
	for range n {
		from, to, err := g.name(key, depth)
		if err != nil {
			return err
		}
		g.member(t, from, to)
		if err := g.value(elem, depth+1); err != nil {
			return err
		}
		g.endMember()
	}
	g.leave()
	return nil
}

// name reads the key of a map and returns where it stands, if it is a string; one
// that is none says nothing.
func (g *gobWalker) name(id int64, depth int) (from, to int, err error) {
	top := false
	if id == gobInterface {
		if id, err = g.head(); err != nil || id == 0 {
			return g.at, g.at, err
		}
		top = true
	}
	if id == gobString {
		if top {
			if b, err := g.byte(); err != nil || b != 0 {
				return 0, 0, errDocument
			}
		}
		return g.counted()
	}
	sink := g.sink
	g.sink = nil
	if top {
		err = g.top(id, depth+1)
	} else {
		err = g.value(id, depth+1)
	}
	g.sink = sink
	return g.at, g.at, err
}
