package scan

import (
	"bytes"
	"encoding/binary"
	"io"
)

// Erlang's external term format (erts/doc, "External Term Format"; tags in
// erts/emulator/beam/external.h): what Elixir and Erlang applications keep terms
// in. The first byte is the version.
var erlangDecoder = decoder{kind: "erlang", binary: true, starts: startsWith("\x83"), fits: func(data []byte) bool { return isErlang(data[1]) }, open: openErlang}

const (
	etfVersion     = 131
	etfCompressed  = 80 // length of four bytes, then zlib
	etfFloat       = 70
	etfBits        = 77
	etfSmallInt    = 97
	etfInt         = 98
	etfOldFloat    = 99
	etfAtom        = 100 // length of two bytes
	etfSmallTuple  = 104
	etfTuple       = 105
	etfNil         = 106
	etfString      = 107
	etfList        = 108
	etfBinary      = 109
	etfSmallBig    = 110
	etfBig         = 111
	etfSmallAtom   = 115 // length of one byte
	etfMap         = 116
	etfAtomUTF8    = 118
	etfSmallAtom8  = 119
	etfFloatLength = 31
)

// isErlang reports whether a tag is of a term that can hold text.
func isErlang(tag byte) bool {
	switch tag {
	case etfSmallTuple, etfTuple, etfString, etfList, etfBinary, etfMap, etfCompressed:
		return true
	}
	return false
}

func openErlang(w *worker, f *fragment, hits []hit, base uint32) bool {
	if f.data[1] == etfCompressed {
		return w.openErlangZlib(f)
	}
	return w.document("erlang", f, hits, base, func(data []byte, doc *document, sink docSink) error {
		e := erlangWalker{binaryWalker{document: doc, data: data, at: 1, sink: sink}}
		if err := e.term(0); err != nil {
			return err
		}
		if e.at != len(data) {
			return errDocument
		}
		return nil
	})
}

// openErlangZlib inflates a term, which then has the version before it again.
func (w *worker) openErlangZlib(f *fragment) bool {
	const header = 1 + 1 + 4
	if len(f.data) < header+minContainer || !fitsZlib(f.data[header:]) || !w.zip.deflate(f.data[header+2:]) {
		return false
	}
	return w.decompress("erlang-zlib", f, io.MultiReader(bytes.NewReader([]byte{etfVersion}), w.zip.flate))
}

type erlangWalker struct{ binaryWalker }

// term reads one term.
func (e *erlangWalker) term(depth int) error {
	if err := e.step(depth); err != nil {
		return err
	}
	if text, ok, err := e.word(); ok || err != nil {
		if err == nil {
			e.text(int(text.from), int(text.to))
		}
		return err
	}
	tag, err := e.byte()
	if err != nil {
		return err
	}
	switch tag {
	case etfNil:
		return nil
	case etfSmallInt:
		return e.skip(1)
	case etfInt:
		from := e.at
		v, err := e.uint(4, binary.BigEndian)
		if err == nil {
			e.integer(from, int64(int32(v)))
		}
		return err
	case etfFloat:
		return e.skip(8)
	case etfOldFloat:
		return e.skip(etfFloatLength)
	case etfSmallBig:
		return e.big(1)
	case etfBig:
		return e.big(4)
	case etfSmallTuple:
		return e.tuple(1, depth)
	case etfTuple:
		return e.tuple(4, depth)
	case etfList:
		n, err := e.uint(4, binary.BigEndian)
		if err != nil {
			return err
		}
		if err := e.elements(n, depth); err != nil {
			return err
		}
		return e.term(depth + 1) // the tail
	case etfMap:
		return e.pairs(depth)
	case etfBits:
		n, err := e.uint(4, binary.BigEndian)
		if err != nil {
			return err
		}
		return e.skip(n + 1)
	}
	return errDocument
}

func (e *erlangWalker) skip(n uint64) error {
	_, _, err := e.take(n)
	return err
}

// big reads an integer of any size: its length in size bytes, sign and digits.
func (e *erlangWalker) big(size int) error {
	n, err := e.uint(size, binary.BigEndian)
	if err != nil {
		return err
	}
	return e.skip(n + 1)
}

// word reads a term that is text and can name something: an atom, a binary, a
// string. At another term it does nothing.
func (e *erlangWalker) word() (text span, ok bool, err error) {
	if e.at >= len(e.data) {
		return text, false, errDocument
	}
	size := 2
	switch e.data[e.at] {
	case etfAtom, etfAtomUTF8, etfString:
	case etfSmallAtom, etfSmallAtom8:
		size = 1
	case etfBinary:
		size = 4
	default:
		return text, false, nil
	}
	e.at++
	n, err := e.uint(size, binary.BigEndian)
	if err != nil {
		return text, false, err
	}
	from, to, err := e.take(n)
	return span{uint32(from), uint32(to)}, err == nil, err
}

func (e *erlangWalker) elements(n uint64, depth int) error {
	t, err := e.enter(true)
	if err != nil {
		return err
	}
	for i := range n {
		t.index = int(i)
		if err := e.term(depth + 1); err != nil {
			return err
		}
	}
	e.leave()
	return nil
}

// tuple reads a tuple. Of two, the first may name the second: {password, "…"}.
func (e *erlangWalker) tuple(size, depth int) error {
	n, err := e.uint(size, binary.BigEndian)
	if err != nil {
		return err
	}
	if n != 2 {
		return e.elements(n, depth)
	}
	t, err := e.enter(false)
	if err != nil {
		return err
	}
	if err := e.pair(t, depth); err != nil {
		return err
	}
	e.leave()
	return nil
}

func (e *erlangWalker) pairs(depth int) error {
	n, err := e.uint(4, binary.BigEndian)
	if err != nil {
		return err
	}
	t, err := e.enter(false)
	if err != nil {
		return err
	}
	for range n {
		if err := e.pair(t, depth); err != nil {
			return err
		}
	}
	e.leave()
	return nil
}

// pair reads two terms, of which the first names the second if it can.
func (e *erlangWalker) pair(t *docFrame, depth int) error {
	name, ok, err := e.word()
	if err != nil {
		return err
	}
	if !ok {
		if err := e.term(depth + 1); err != nil {
			return err
		}
		name = span{uint32(e.at), uint32(e.at)}
	}
	e.member(t, int(name.from), int(name.to))
	if err := e.term(depth + 1); err != nil {
		return err
	}
	e.endMember()
	return nil
}
