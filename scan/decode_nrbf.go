package scan

import (
	"encoding/binary"
	"unicode/utf8"
)

// The output of .NET's BinaryFormatter ([MS-NRBF]: a header, then records with a
// type in front). Classes are described where they occur first, values stand
// inline or are named by number; the walker does not follow the numbers, since
// what they name is a record of its own.
var nrbfDecoder = decoder{kind: "binaryformatter", binary: true, starts: startsWith("\x00"), fits: fitsNRBF, open: openNRBF}

// fitsNRBF: a SerializationHeaderRecord of version 1.0 (2.6.1).
func fitsNRBF(data []byte) bool {
	return len(data) > nrbfHead && data[0] == nrbfHeader && binary.LittleEndian.Uint32(data[9:]) == 1 && binary.LittleEndian.Uint32(data[13:]) == 0
}

const nrbfHead = 17

// Types of records (2.1.2.1).
const (
	nrbfHeader = iota
	nrbfClassWithID
	nrbfSystemClass
	nrbfClass
	nrbfSystemClassTyped
	nrbfClassTyped
	nrbfString
	nrbfArray
	nrbfPrimitive
	nrbfReference
	nrbfNull
	nrbfEnd
	nrbfLibrary
	nrbfNulls256
	nrbfNulls
	nrbfArrayPrimitive
	nrbfArrayObject
	nrbfArrayString
)

// Types of members and elements (2.1.2.2), those that say more.
const (
	nrbfTypePrimitive      = 0
	nrbfTypeRecord         = 2 // an object: any record
	nrbfTypeSystemClass    = 3
	nrbfTypeClass          = 4
	nrbfTypePrimitiveArray = 7
)

// Types of primitives (2.1.2.3), those that are no fixed number of bytes.
const (
	nrbfByte         = 2
	nrbfChar         = 3
	nrbfDecimal      = 5
	nrbfInt16        = 7
	nrbfInt32        = 8
	nrbfInt64        = 9
	nrbfPrimitiveNil = 17
	nrbfText         = 18
)

// nrbfSizes are the bytes of the others.
var nrbfSizes = [...]int{1: 1, 2: 1, 6: 8, 7: 2, 8: 4, 9: 8, 10: 1, 11: 4, 12: 8, 13: 8, 14: 2, 15: 4, 16: 8, 17: 0}

func openNRBF(w *worker, f *fragment, hits []hit, base uint32) bool {
	return w.document("binaryformatter", f, hits, base, func(data []byte, doc *document, sink docSink) error {
		n := nrbfWalker{binaryWalker: binaryWalker{document: doc, data: data, sink: sink}}
		if err := n.message(); err != nil {
			return err
		}
		if n.at != len(data) {
			return errDocument
		}
		return nil
	})
}

type nrbfWalker struct {
	binaryWalker
	classes map[uint32]*nrbfClassInfo
	members int // of all classes
	empty   int // members that take no bytes
	keys    []span
}

// A nrbfClassInfo is what a class looks like.
type nrbfClassInfo struct {
	names      []span
	types      []byte // nil: each member is a record
	primitives []byte // of the members whose type is primitive
}

// Bounds of what is remembered.
const (
	maxNRBFMembers = 1 << 16
	maxNRBFKeys    = 1 << 12
)

// message reads the records up to the one that ends them.
func (n *nrbfWalker) message() error {
	n.at = nrbfHead
	n.classes, n.members, n.keys = map[uint32]*nrbfClassInfo{}, 0, n.keys[:0]
	for {
		if n.at < len(n.data) && n.data[n.at] == nrbfEnd {
			n.at++
			return nil
		}
		if _, err := n.record(0); err != nil {
			return err
		}
	}
}

// record reads one record and returns how many elements of an array it stands
// for.
func (n *nrbfWalker) record(depth int) (elements int, err error) {
	if err := n.step(depth); err != nil {
		return 0, err
	}
	kind, err := n.byte()
	if err != nil {
		return 0, err
	}
	switch kind {
	case nrbfLibrary: // in front of a class
		if err := n.skip(4); err != nil {
			return 0, err
		}
		if _, _, err := n.prefixed(); err != nil {
			return 0, err
		}
		if depth == 0 {
			return 1, nil
		}
		return n.record(depth + 1)
	case nrbfNull:
		return 1, nil
	case nrbfNulls256:
		c, err := n.byte()
		return int(c), err
	case nrbfNulls:
		c, err := n.uint(4, binary.LittleEndian)
		return int(c), err
	case nrbfReference:
		return 1, n.skip(4)
	case nrbfString:
		if err := n.skip(4); err != nil {
			return 0, err
		}
		from, to, err := n.prefixed()
		if err != nil {
			return 0, err
		}
		n.text(from, to)
		return 1, nil
	case nrbfPrimitive:
		t, err := n.byte()
		if err != nil {
			return 0, err
		}
		return 1, n.primitive(t)
	case nrbfClassWithID, nrbfSystemClass, nrbfClass, nrbfSystemClassTyped, nrbfClassTyped:
		class, err := n.class(kind)
		if err != nil {
			return 0, err
		}
		return 1, n.object(class, depth)
	case nrbfArray, nrbfArrayPrimitive, nrbfArrayObject, nrbfArrayString:
		return 1, n.array(kind, depth)
	}
	return 0, errDocument
}

func (n *nrbfWalker) skip(size uint64) error {
	_, _, err := n.take(size)
	return err
}

// prefixed reads a string behind its length.
func (n *nrbfWalker) prefixed() (from, to int, err error) {
	size, err := n.varint()
	if err != nil {
		return 0, 0, err
	}
	return n.take(size)
}

// class reads the description of a class, or the number of one that was described.
func (n *nrbfWalker) class(kind byte) (*nrbfClassInfo, error) {
	id, err := n.uint(4, binary.LittleEndian)
	if err != nil {
		return nil, err
	}
	if kind == nrbfClassWithID {
		id, err := n.uint(4, binary.LittleEndian)
		if err != nil {
			return nil, err
		}
		if class := n.classes[uint32(id)]; class != nil {
			return class, nil
		}
		return nil, errDocument
	}
	if _, _, err := n.prefixed(); err != nil {
		return nil, err
	}
	count, err := n.uint(4, binary.LittleEndian)
	if err != nil {
		return nil, err
	}
	if count > uint64(len(n.data)-n.at) {
		return nil, errDocument
	}
	if n.members += 1 + int(count); n.members > maxNRBFMembers {
		return nil, errDocumentElements
	}
	class := new(nrbfClassInfo)
	for range count {
		from, to, err := n.prefixed()
		if err != nil {
			return nil, err
		}
		class.names = append(class.names, propertyName(n.data, from, to))
	}
	if kind == nrbfSystemClassTyped || kind == nrbfClassTyped {
		if err := n.types(class, count); err != nil {
			return nil, err
		}
	}
	if kind == nrbfClass || kind == nrbfClassTyped { // the library
		if err := n.skip(4); err != nil {
			return nil, err
		}
	}
	n.classes[uint32(id)] = class
	return class, nil
}

// propertyName returns the name of the property of which a compiler made a field
// <Name>k__BackingField.
func propertyName(data []byte, from, to int) span {
	const tail = ">k__BackingField"
	if name := data[from:to]; len(name) > len(tail)+1 && name[0] == '<' && string(name[len(name)-len(tail):]) == tail {
		return span{uint32(from + 1), uint32(to - len(tail))}
	}
	return span{uint32(from), uint32(to)}
}

// types reads the types of a class's members.
func (n *nrbfWalker) types(class *nrbfClassInfo, count uint64) error {
	from, to, err := n.take(count)
	if err != nil {
		return err
	}
	class.types = n.data[from:to]
	class.primitives = make([]byte, len(class.types))
	for i, t := range class.types {
		if class.primitives[i], err = n.more(t); err != nil {
			return err
		}
	}
	return nil
}

// more reads what a type has besides its number, and returns it for primitives.
func (n *nrbfWalker) more(t byte) (primitive byte, err error) {
	switch t {
	case nrbfTypePrimitive, nrbfTypePrimitiveArray:
		return n.byte()
	case nrbfTypeSystemClass, nrbfTypeClass:
		if _, _, err := n.prefixed(); err != nil {
			return 0, err
		}
		if t == nrbfTypeClass {
			return 0, n.skip(4)
		}
	}
	return 0, nil
}

func (n *nrbfWalker) object(class *nrbfClassInfo, depth int) error {
	t, err := n.enter(false)
	if err != nil {
		return err
	}
	for i, name := range class.names {
		n.member(t, int(name.from), int(name.to))
		if class.types != nil && class.types[i] == nrbfTypePrimitive {
			err = n.primitive(class.primitives[i])
		} else {
			_, err = n.record(depth + 1)
		}
		if err != nil {
			return err
		}
		n.endMember()
	}
	n.leave()
	return nil
}

// array reads an array of any kind. Strings of one are remembered: where another
// of the same length follows, as in a Hashtable, they name its elements.
func (n *nrbfWalker) array(kind byte, depth int) error {
	if err := n.skip(4); err != nil {
		return err
	}
	length, element, primitive, err := n.arrayHead(kind)
	if err != nil {
		return err
	}
	if element == nrbfTypePrimitive {
		return n.primitives(length, primitive)
	}
	keys := n.keys
	n.keys = nil
	if uint64(len(keys)) != length {
		keys = nil
	}
	t, err := n.enter(keys == nil)
	if err != nil {
		return err
	}
	var names []span
	for i := uint64(0); i < length; {
		if keys != nil {
			n.member(t, int(keys[i].from), int(keys[i].to))
		}
		if s, ok := n.stringAhead(); ok && len(names) < maxNRBFKeys {
			names = append(names, s)
		}
		count, err := n.record(depth + 1)
		if err != nil || count == 0 {
			return cmpError(err)
		}
		if keys != nil {
			n.endMember()
		}
		i += uint64(count)
		t.index += count
	}
	n.leave()
	if keys == nil && uint64(len(names)) == length {
		n.keys = names
	}
	return nil
}

// cmpError is err, or that a record stood for nothing.
func cmpError(err error) error {
	if err == nil {
		return errDocument
	}
	return err
}

// stringAhead returns the string of the record that comes next, if it is one.
func (n *nrbfWalker) stringAhead() (span, bool) {
	ahead := *n
	if n.at >= len(n.data) || n.data[n.at] != nrbfString {
		return span{}, false
	}
	ahead.at += 5
	if ahead.at > len(n.data) {
		return span{}, false
	}
	from, to, err := ahead.prefixed()
	return span{uint32(from), uint32(to)}, err == nil && from < to
}

// arrayHead reads the length of an array and the type of its elements.
func (n *nrbfWalker) arrayHead(kind byte) (length uint64, element, primitive byte, err error) {
	if kind != nrbfArray {
		if length, err = n.uint(4, binary.LittleEndian); err != nil {
			return 0, 0, 0, err
		}
		if kind != nrbfArrayPrimitive {
			return length, nrbfTypeRecord, 0, nil
		}
		primitive, err = n.byte()
		return length, nrbfTypePrimitive, primitive, err
	}
	shape, err := n.byte()
	if err != nil {
		return 0, 0, 0, err
	}
	rank, err := n.uint(4, binary.LittleEndian)
	if err != nil || rank == 0 || rank > 32 {
		return 0, 0, 0, errDocument
	}
	length = 1
	for range rank {
		size, err := n.uint(4, binary.LittleEndian)
		if err != nil || size > 1<<31 || length*size > 1<<31 {
			return 0, 0, 0, errDocument
		}
		length *= size
	}
	if shape >= 3 { // lower bounds
		if err := n.skip(4 * rank); err != nil {
			return 0, 0, 0, err
		}
	}
	if element, err = n.byte(); err != nil {
		return 0, 0, 0, err
	}
	primitive, err = n.more(element)
	return length, element, primitive, err
}

// primitives reads the elements of an array of primitives. Bytes and characters
// are one text.
func (n *nrbfWalker) primitives(length uint64, t byte) error {
	from := n.at
	switch {
	case t == nrbfChar:
		for range length {
			if err := n.rune(); err != nil {
				return err
			}
		}
	case t == nrbfDecimal || t == nrbfText:
		for range length {
			if err := n.step(0); err != nil {
				return err
			}
			if err := n.primitive(t); err != nil {
				return err
			}
		}
		return nil
	case int(t) < len(nrbfSizes) && (nrbfSizes[t] > 0 || t == nrbfPrimitiveNil):
		if err := n.skip(length * uint64(nrbfSizes[t])); err != nil {
			return err
		}
		if t != nrbfByte {
			return nil
		}
	default:
		return errDocument
	}
	n.text(from, n.at)
	return nil
}

func (n *nrbfWalker) rune() error {
	_, size := utf8.DecodeRune(n.data[n.at:])
	if size == 0 {
		return errDocument
	}
	n.at += size
	return nil
}

// primitive reads a value that is no record.
func (n *nrbfWalker) primitive(t byte) error {
	switch t {
	case nrbfChar:
		return n.rune()
	case nrbfDecimal, nrbfText:
		from, to, err := n.prefixed()
		if err == nil && t == nrbfText {
			n.text(from, to)
		}
		return err
	case nrbfInt16, nrbfInt32, nrbfInt64:
		from := n.at
		v, err := n.uint(nrbfSizes[t], binary.LittleEndian)
		if err == nil {
			n.integer(from, signed(v, nrbfSizes[t]))
		}
		return err
	}
	if int(t) >= len(nrbfSizes) || nrbfSizes[t] == 0 && t != nrbfPrimitiveNil {
		return errDocument
	}
	if t == nrbfPrimitiveNil {
		if n.empty++; n.empty > maxElements {
			return errDocumentElements
		}
	}
	return n.skip(uint64(nrbfSizes[t]))
}

// signed reads a number of some bytes as a signed one.
func signed(v uint64, size int) int64 {
	shift := 64 - 8*size
	return int64(v<<shift) >> shift
}
