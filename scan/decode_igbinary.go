package scan

import "encoding/binary"

// igbinary, the compact serializer of PHP (github.com/igbinary/igbinary,
// enum igbinary_type in src/php7/igbinary.c): a header of four bytes, version 1
// or 2, then a value. A string that was written before is named by its number.
var igbinaryDecoder = decoder{kind: "igbinary", starts: startsWith("\x00"), fits: func(data []byte) bool {
	return data[0] == 0 && data[1] == 0 && data[2] == 0 && (data[3] == 1 || data[3] == 2) && data[4] <= igRef
}, open: openIgbinary}

// Types of igbinary. Those that come in three sizes follow one another.
const (
	igNull        = 0x00
	igRef8        = 0x01 // to a value before
	igFalse       = 0x04
	igTrue        = 0x05
	igLong8       = 0x06 // positive and negative, by turns
	igLong32n     = 0x0b
	igDouble      = 0x0c
	igEmpty       = 0x0d
	igStringID8   = 0x0e
	igString8     = 0x11
	igArray8      = 0x14
	igObject8     = 0x17
	igObjectID8   = 0x1a
	igObjectData8 = 0x1d // what the class itself wrote
	igLong64p     = 0x20
	igLong64n     = 0x21
	igObjectRef8  = 0x22
	igRef         = 0x25
)

func openIgbinary(w *worker, f *fragment, hits []hit, base uint32) bool {
	return w.document("igbinary", f, hits, base, func(data []byte, doc *document, sink docSink) error {
		g := igbinaryWalker{binaryWalker: binaryWalker{document: doc, data: data, at: 4, sink: sink}}
		if err := g.value(0); err != nil {
			return err
		}
		if g.at != len(data) {
			return errDocument
		}
		return nil
	})
}

type igbinaryWalker struct {
	binaryWalker
	strings []span
}

// maxIgbinaryStrings bounds the strings that can be named by number.
const maxIgbinaryStrings = 1 << 15

// sized reads a number of 1, 2 or 4 bytes, by how far kind lies behind the
// first of its three.
func (g *igbinaryWalker) sized(kind, first byte) (uint64, error) {
	return g.uint(1<<(kind-first), binary.BigEndian)
}

// str reads a string of any type and returns where it stands.
func (g *igbinaryWalker) str(kind byte) (s span, err error) {
	switch {
	case kind == igEmpty:
		return span{}, nil
	case kind >= igStringID8 && kind < igString8:
		n, err := g.sized(kind, igStringID8)
		if err != nil {
			return s, err
		}
		if n >= uint64(len(g.strings)) {
			return s, notKept(len(g.strings), maxIgbinaryStrings)
		}
		return g.strings[n], nil
	case kind >= igString8 && kind < igArray8:
		return g.newString(kind, igString8)
	}
	return s, errDocument
}

func (g *igbinaryWalker) newString(kind, first byte) (s span, err error) {
	n, err := g.sized(kind, first)
	if err != nil {
		return s, err
	}
	from, to, err := g.take(n)
	if err != nil {
		return s, err
	}
	s = span{uint32(from), uint32(to)}
	if len(g.strings) < maxIgbinaryStrings {
		g.strings = append(g.strings, s)
	}
	return s, nil
}

func (g *igbinaryWalker) value(depth int) error {
	if err := g.step(depth); err != nil {
		return err
	}
	kind, err := g.byte()
	if err != nil {
		return err
	}
	switch {
	case kind == igNull, kind == igFalse, kind == igTrue:
		return nil
	case kind >= igRef8 && kind < igFalse:
		_, err = g.sized(kind, igRef8)
		return err
	case kind >= igLong8 && kind <= igLong32n, kind == igLong64p, kind == igLong64n:
		return g.long(kind)
	case kind == igDouble:
		_, _, err = g.take(8)
		return err
	case kind >= igEmpty && kind < igArray8:
		s, err := g.str(kind)
		if err == nil {
			g.text(int(s.from), int(s.to))
		}
		return err
	case kind >= igArray8 && kind < igObject8:
		n, err := g.sized(kind, igArray8)
		if err != nil {
			return err
		}
		return g.members(n, depth)
	case kind >= igObject8 && kind < igObjectID8:
		if _, err := g.newString(kind, igObject8); err != nil {
			return err
		}
		return g.object(depth)
	case kind >= igObjectID8 && kind < igObjectData8:
		n, err := g.sized(kind, igObjectID8)
		if err != nil {
			return err
		}
		if n >= uint64(len(g.strings)) {
			return notKept(len(g.strings), maxIgbinaryStrings)
		}
		return g.object(depth)
	case kind >= igObjectRef8 && kind < igRef:
		_, err = g.sized(kind, igObjectRef8)
		return err
	case kind == igRef:
		return g.value(depth + 1)
	}
	return errDocument
}

// object reads what follows the name of a class: properties, or what the class
// wrote.
func (g *igbinaryWalker) object(depth int) error {
	kind, err := g.byte()
	if err != nil {
		return err
	}
	switch {
	case kind >= igArray8 && kind < igObject8:
		n, err := g.sized(kind, igArray8)
		if err != nil {
			return err
		}
		return g.members(n, depth)
	case kind >= igObjectData8 && kind < igLong64p:
		n, err := g.sized(kind, igObjectData8)
		if err != nil {
			return err
		}
		from, to, err := g.take(n)
		if err == nil {
			g.text(from, to)
		}
		return err
	}
	return errDocument
}

func (g *igbinaryWalker) long(kind byte) error {
	from, size := g.at, 8
	if kind <= igLong32n {
		size = 1 << ((kind - igLong8) / 2)
	}
	v, err := g.uint(size, binary.BigEndian)
	if err == nil && kind%2 == 0 && v < 1<<63 {
		g.integer(from, int64(v))
	}
	return err
}

func (g *igbinaryWalker) members(n uint64, depth int) error {
	t, err := g.enter(false)
	if err != nil {
		return err
	}
	for range n {
		kind, err := g.byte()
		if err != nil {
			return err
		}
		if kind >= igLong8 && kind <= igLong32n || kind == igLong64p || kind == igLong64n {
			size := 8
			if kind <= igLong32n {
				size = 1 << ((kind - igLong8) / 2)
			}
			v, err := g.uint(size, binary.BigEndian)
			if err != nil {
				return err
			}
			t.array, t.index = true, int(v)
			if err := g.value(depth + 1); err != nil {
				return err
			}
			continue
		}
		s, err := g.str(kind)
		if err != nil {
			return err
		}
		from, to := int(s.from), int(s.to)
		for i := to - 1; i >= from; i-- { // behind the class of a private property
			if g.data[i] == 0 {
				from = i + 1
				break
			}
		}
		t.array = false
		g.member(t, from, to)
		if err := g.value(depth + 1); err != nil {
			return err
		}
		g.endMember()
	}
	g.leave()
	return nil
}
