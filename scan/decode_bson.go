package scan

import (
	"bytes"
	"encoding/binary"
)

// BSON (bsonspec.org, version 1.1). A document begins with its length and ends
// with a zero: taken for one only if that is the length of the value and all
// of it can be read.
var bsonDecoder = decoder{kind: "bson", binary: true, starts: func(byte) bool { return true }, fits: fitsBSON, open: openBSON}

func fitsBSON(data []byte) bool {
	if uint64(binary.LittleEndian.Uint32(data)) != uint64(len(data)) || data[len(data)-1] != 0 {
		return false
	}
	b := bsonWalker{binaryWalker{data: data}}
	err := b.members(false, 0)
	return (err == nil && b.at == len(data) || isCut(err)) && b.texts > 0
}

func openBSON(w *worker, f *fragment, hits []hit, base uint32) bool {
	return w.document("bson", f, hits, base, func(data []byte, doc *document, sink docSink) error {
		b := bsonWalker{binaryWalker{document: doc, data: data, sink: sink}}
		return b.members(false, 0)
	})
}

type bsonWalker struct{ binaryWalker }

// members reads a document or an array, which is a document whose names are
// numbers.
func (b *bsonWalker) members(array bool, depth int) error {
	if err := b.step(depth); err != nil {
		return err
	}
	from := b.at
	size, err := b.uint(4, binary.LittleEndian)
	if err != nil || size < 5 || size > uint64(len(b.data)-from) {
		return errDocument
	}
	end := from + int(size)
	t, err := b.enter(array)
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		kind, err := b.byte()
		if err != nil || b.at > end {
			return errDocument
		}
		if kind == 0 {
			break
		}
		from, to, err := b.cstring()
		if err != nil || b.sink == nil && !isText(b.data[from:to]) {
			return errDocument
		}
		if array {
			t.index = i
		} else {
			b.member(t, from, to)
		}
		if err := b.value(kind, depth); err != nil {
			return err
		}
		if !array {
			b.endMember()
		}
	}
	if b.at != end {
		return errDocument
	}
	b.leave()
	return nil
}

// value reads what follows the name of an element, by the element's kind.
func (b *bsonWalker) value(kind byte, depth int) error {
	if err := b.step(depth); err != nil {
		return err
	}
	skip := uint64(0)
	switch kind {
	case 0x02, 0x0d, 0x0e: // string, code, symbol
		return b.str()
	case 0x03, 0x04: // document, array
		return b.members(kind == 0x04, depth+1)
	case 0x05: // binary: length, subtype, bytes
		n, err := b.uint(4, binary.LittleEndian)
		if err != nil {
			return err
		}
		if _, err := b.byte(); err != nil {
			return err
		}
		from, to, err := b.take(n)
		if err == nil {
			b.text(from, to)
		}
		return err
	case 0x08:
		skip = 1
	case 0x07: // ObjectId
		skip = 12
	case 0x01, 0x09, 0x11: // double, date, timestamp
		skip = 8
	case 0x10, 0x12: // int32, int64
		from, size := b.at, 4
		if kind == 0x12 {
			size = 8
		}
		v, err := b.uint(size, binary.LittleEndian)
		if size == 4 {
			v = uint64(int64(int32(v)))
		}
		if err == nil {
			b.integer(from, int64(v))
		}
		return err
	case 0x13: // decimal128
		skip = 16
	case 0x0b: // pattern and options
		if _, _, err := b.cstring(); err != nil {
			return err
		}
		_, _, err := b.cstring()
		return err
	case 0x0c: // pointer: a string and an ObjectId
		if err := b.str(); err != nil {
			return err
		}
		skip = 12
	case 0x0f: // code with scope
		if _, err := b.uint(4, binary.LittleEndian); err != nil {
			return err
		}
		if err := b.str(); err != nil {
			return err
		}
		return b.members(false, depth+1)
	case 0x06, 0x0a, 0xff, 0x7f: // undefined, null, least and greatest key
	default:
		return errDocument
	}
	_, _, err := b.take(skip)
	return err
}

// str reads a string: its length with the zero behind it, and both.
func (b *bsonWalker) str() error {
	n, err := b.uint(4, binary.LittleEndian)
	if err != nil || n == 0 {
		return errDocument
	}
	from, to, err := b.take(n)
	if err != nil || b.data[to-1] != 0 {
		return errDocument
	}
	b.text(from, to-1)
	return nil
}

func (b *bsonWalker) cstring() (from, to int, err error) {
	k := bytes.IndexByte(b.data[b.at:], 0)
	if k < 0 {
		return 0, 0, errDocument
	}
	from, to = b.at, b.at+k
	b.at = to + 1
	return from, to, nil
}
