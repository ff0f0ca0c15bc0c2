package scan

import (
	"bytes"
	"encoding/binary"
)

// Python's pickle, protocols 0 to 5 (Lib/pickletools.py). Its opcodes drive a
// stack machine; the walker keeps a stack of what stands where, executes
// nothing and follows no reference.
var pickleDecoder = decoder{kind: "pickle", starts: startsWith("\x80(}]\x8c"), fits: fitsPickle, open: openPickle}

func fitsPickle(data []byte) bool {
	switch data[0] {
	case 0x80:
		return data[1] >= 2 && data[1] <= 5
	case '(', '}', ']': // protocols 0 and 1: no header, but an end
		last := data[len(data)-1]
		return last == '.' && (data[1] == 'd' || data[1] == 'l' || data[1] == 'q' || data[1] == 'p' || data[1] == 'i' || data[1] == 'U')
	}
	return false
}

func openPickle(w *worker, f *fragment, hits []hit, base uint32) bool {
	return w.document("pickle", f, hits, base, func(data []byte, doc *document, sink docSink) error {
		p := pickleWalker{document: doc, data: data, sink: sink, pickleStacks: w.pickle}
		w.pickle = pickleStacks{} // of a pickle inside this one
		p.stack, p.marks, p.memo = p.stack[:0], p.marks[:0], p.memo[:0]
		err := p.walk()
		w.pickle = p.pickleStacks
		return err
	})
}

type pickleWalker struct {
	*document
	data []byte
	at   int
	sink docSink
	pickleStacks
}

// pickleStacks outlive a walk, to be used again.
type pickleStacks struct {
	stack []pickleItem
	marks []int // places of the marks in stack
	memo  []pickleMemo
}

// A pickleItem is what one stack slot holds.
type pickleItem struct {
	kind     pickleKind
	escaped  bool
	emitted  bool
	from, to int
	value    int64
}

type pickleMemo struct {
	index int
	item  pickleItem
}

type pickleKind uint8

const (
	pkOther pickleKind = iota
	pkLost             // was not kept in the memo
	pkMark
	pkText
	pkInt
	pkDict
	pkList
)

const (
	maxPickleStack = 1 << 14
	maxPickleMemo  = 1 << 14
	maxPickleNames = 16 // names around a member
)

func (p *pickleWalker) walk() error {
	for n := 0; ; n++ {
		if n&63 == 63 {
			if err := p.sink.more(); err != nil {
				return err
			}
		}
		if p.at >= len(p.data) {
			p.drain(0)
			return errDocument
		}
		op := p.data[p.at]
		p.at++
		if op == '.' {
			p.drain(0)
			return nil
		}
		if err := p.step(op); err != nil {
			p.drain(0)
			return err
		}
		if len(p.stack) > maxPickleStack {
			p.drain(0)
			return errDocumentElements
		}
	}
}

// step executes one opcode as far as it says what belongs to what.
func (p *pickleWalker) step(op byte) error {
	switch op {
	case 0x80, 'h', 'j', 'g', 'q', 'r', 'p', 0x94: // PROTO, BINGET…, BINPUT…, MEMOIZE
		return p.memoOp(op)
	case 0x95: // FRAME
		return p.skip(8)
	case '(': // MARK
		p.marks = append(p.marks, len(p.stack))
		p.push1(pickleItem{kind: pkMark})
	case 'X', 'T', 'B': // BINUNICODE, BINSTRING, BINBYTES
		return p.counted(4)
	case 0x8c, 'U', 'C': // SHORT_BINUNICODE, SHORT_BINSTRING, SHORT_BINBYTES
		return p.counted(1)
	case 0x8d, 0x8e, 0x96: // BINUNICODE8, BINBYTES8, BYTEARRAY8
		return p.counted(8)
	case 'V', 'S': // UNICODE, STRING: a line
		from, to, err := p.lineEnd()
		if err != nil {
			return err
		}
		if op == 'S' && to-from >= 2 {
			from, to = from+1, to-1
		}
		p.push1(pickleItem{kind: pkText, from: from, to: to, escaped: bytes.IndexByte(p.data[from:to], '\\') >= 0})
	case 'I', 'L', 'F': // INT, LONG, FLOAT: a line
		from, to, err := p.lineEnd()
		if err != nil {
			return err
		}
		p.push1(pickleItem{kind: pkOther, from: from, to: to})
	case 'K', 'M', 'J': // BININT1, BININT2, BININT
		size := map[byte]int{'K': 1, 'M': 2, 'J': 4}[op]
		from := p.at
		if err := p.skip(size); err != nil {
			return err
		}
		p.push1(pickleItem{kind: pkInt, from: from, to: p.at, value: littleEndian(p.data[from:p.at])})
	case 0x8a, 0x8b: // LONG1, LONG4
		size := 1
		if op == 0x8b {
			size = 4
		}
		n, err := p.number(size)
		if err != nil {
			return err
		}
		from := p.at
		if err := p.skip(n); err != nil {
			return err
		}
		item := pickleItem{kind: pkInt, from: from, to: p.at}
		if n <= 8 {
			item.value = littleEndian(p.data[from:p.at])
		}
		p.push1(item)
	case 'G': // BINFLOAT
		if err := p.skip(8); err != nil {
			return err
		}
		p.push1(pickleItem{})
	case 'N', 0x88, 0x89: // NONE, NEWTRUE, NEWFALSE
		p.push1(pickleItem{})
	case ')': // EMPTY_TUPLE
		p.push1(pickleItem{})
	case ']', 0x8f: // EMPTY_LIST, EMPTY_SET
		p.push1(pickleItem{kind: pkList})
	case '}': // EMPTY_DICT
		p.push1(pickleItem{kind: pkDict})
	case 'd', 'l', 't', 0x91: // DICT, LIST, TUPLE, FROZENSET: from the mark
		return p.build(op)
	case 'u': // SETITEMS
		m := p.mark()
		p.items(m)
		p.pop(m)
	case 's': // SETITEM
		if len(p.stack) < 3 {
			return errDocument
		}
		p.itemsBehind(len(p.stack)-2, len(p.stack)-2)
		p.pop(len(p.stack) - 2)
	case 'a': // APPEND
		if len(p.stack) < 2 {
			return errDocument
		}
		p.emit(len(p.stack) - 1)
		p.pop(len(p.stack) - 1)
	case 'e', 0x90: // APPENDS, ADDITEMS
		m := p.mark()
		p.drain(m)
		p.pop(m)
	case 0x85, 0x86, 0x87: // TUPLE1 to TUPLE3
		n := int(op-0x85) + 1
		if len(p.stack) < n {
			return errDocument
		}
		p.drain(len(p.stack) - n)
		p.pop(len(p.stack) - n)
		p.push1(pickleItem{})
	case 'c': // GLOBAL: two lines
		for range 2 {
			if _, _, err := p.lineEnd(); err != nil {
				return err
			}
		}
		p.push1(pickleItem{})
	case 0x93: // STACK_GLOBAL
		if len(p.stack) < 2 {
			return errDocument
		}
		p.pop(len(p.stack) - 2)
		p.push1(pickleItem{})
	case 'R', 'b', 0x81: // REDUCE, BUILD, NEWOBJ: two become one
		if len(p.stack) < 2 {
			return errDocument
		}
		p.emit(len(p.stack) - 1)
		p.pop(len(p.stack) - 1)
	case 0x92: // NEWOBJ_EX
		if len(p.stack) < 3 {
			return errDocument
		}
		p.pop(len(p.stack) - 2)
	case 'i': // INST: two lines, from the mark
		for range 2 {
			if _, _, err := p.lineEnd(); err != nil {
				return err
			}
		}
		return p.build('t')
	case 'o': // OBJ
		return p.build('t')
	case '0': // POP
		if len(p.stack) == 0 {
			return errDocument
		}
		p.pop(len(p.stack) - 1)
	case '1': // POP_MARK
		p.pop(p.mark())
	case '2': // DUP
		if len(p.stack) == 0 {
			return errDocument
		}
		p.push1(p.stack[len(p.stack)-1])
	case 'P': // PERSID
		if _, _, err := p.lineEnd(); err != nil {
			return err
		}
		p.push1(pickleItem{})
	case 'Q', 0x97, 0x98: // BINPERSID, NEXT_BUFFER, READONLY_BUFFER
	case 0x82, 0x83, 0x84: // EXT1, EXT2, EXT4
		if err := p.skip(1 << (op - 0x82)); err != nil {
			return err
		}
		p.push1(pickleItem{})
	default:
		return errDocument
	}
	return nil
}

// memoOp handles what stores in and fetches from the memo: a string that is
// fetched may be a key.
func (p *pickleWalker) memoOp(op byte) error {
	index := len(p.memo)
	switch op {
	case 0x80:
		return p.skip(1)
	case 'h', 'q':
		n, err := p.number(1)
		if err != nil {
			return err
		}
		index = n
	case 'j', 'r':
		n, err := p.number(4)
		if err != nil {
			return err
		}
		index = n
	case 'g', 'p':
		from, to, err := p.lineEnd()
		if err != nil {
			return err
		}
		index = 0
		for _, b := range p.data[from:min(to, from+9)] {
			index = index*10 + int(b-'0')&15
		}
	}
	switch op {
	case 'h', 'j', 'g':
		item := pickleItem{}
		if index < len(p.memo) && p.memo[index].index == index {
			item = p.memo[index].item
			item.emitted = true
		} else if index >= maxPickleMemo {
			item.kind = pkLost
		}
		p.push1(item)
	default:
		if len(p.stack) > 0 && index == len(p.memo) && index < maxPickleMemo {
			p.memo = append(p.memo, pickleMemo{index, p.stack[len(p.stack)-1]})
		}
	}
	return nil
}

func (p *pickleWalker) push1(i pickleItem) { p.stack = append(p.stack, i) }

// mark returns the place of the topmost mark, or -1.
func (p *pickleWalker) mark() int {
	if n := len(p.marks); n > 0 {
		return p.marks[n-1]
	}
	return -1
}

// pop removes everything from a place on.
func (p *pickleWalker) pop(from int) {
	p.stack = p.stack[:max(from, 0)]
	for n := len(p.marks); n > 0 && p.marks[n-1] >= len(p.stack); n-- {
		p.marks = p.marks[:n-1]
	}
}

// build makes one item of what stands behind the mark.
func (p *pickleWalker) build(op byte) error {
	m := p.mark()
	if m < 0 {
		return errDocument
	}
	kind := pkOther
	if op == 'd' {
		kind = pkDict
		p.items(m)
	} else if op == 'l' {
		kind = pkList
	}
	p.drain(m)
	p.pop(m)
	p.push1(pickleItem{kind: kind})
	return nil
}

// items tells of the pairs behind the mark.
func (p *pickleWalker) items(mark int) { p.itemsBehind(mark, mark+1) }

// itemsBehind tells of the pairs from first on, members of what stands before
// the mark, or where one would stand.
func (p *pickleWalker) itemsBehind(mark, first int) {
	names := p.names(mark)
	for i := max(first, 0); i+1 < len(p.stack); i += 2 {
		k := p.stack[i]
		p.stack[i].emitted = true
		if k.kind != pkText || k.escaped {
			p.cut = p.cut || k.kind == pkLost
			p.emit(i + 1)
			continue
		}
		if t := p.push(false); t != nil {
			t.setKey(p.data[k.from:k.to:k.to], false)
			p.sink.key(k.from, k.to)
			p.emit(i + 1)
			p.sink.end()
			p.depth--
		}
	}
	p.leave(names)
}

// drain tells of the strings above a place that nobody has told of.
func (p *pickleWalker) drain(above int) {
	names := p.names(above)
	for i := max(above, 0); i < len(p.stack); i++ {
		p.emit(i)
	}
	p.leave(names)
}

func (p *pickleWalker) emit(i int) {
	s := &p.stack[i]
	if s.emitted {
		return
	}
	s.emitted = true
	switch s.kind {
	case pkText:
		p.sink.text(s.from, s.to, s.escaped)
	case pkInt:
		p.sink.integer(s.from, s.to, s.value)
	}
}

// names enters the keys under which the container below a mark will be stored:
// the strings that stand right before it and before those that hold it.
func (p *pickleWalker) names(mark int) int {
	n := 0
	enter := func(mark int) {
		if mark < 2 || mark > len(p.stack) {
			return
		}
		key, container := p.stack[mark-2], p.stack[mark-1]
		p.cut = p.cut || key.kind == pkLost && (container.kind == pkDict || container.kind == pkList)
		if key.kind != pkText || key.escaped || container.kind != pkDict && container.kind != pkList {
			return
		}
		if t := p.push(false); t != nil {
			t.setKey(p.data[key.from:key.to:key.to], false)
			p.sink.key(key.from, key.to)
			n++
		}
	}
	for _, m := range p.marks[max(0, len(p.marks)-maxPickleNames):] {
		if m < mark {
			enter(m)
		}
	}
	enter(mark)
	return n
}

func (p *pickleWalker) leave(n int) {
	for range n {
		p.sink.end()
		p.depth--
	}
}

func (p *pickleWalker) skip(n int) error {
	if n < 0 || n > len(p.data)-p.at {
		return errDocument
	}
	p.at += n
	return nil
}

// number reads a length of so many bytes.
func (p *pickleWalker) number(size int) (int, error) {
	from := p.at
	if err := p.skip(size); err != nil {
		return 0, err
	}
	var b [8]byte
	copy(b[:], p.data[from:p.at])
	n := binary.LittleEndian.Uint64(b[:])
	if n > 1<<31 {
		return 0, errDocument
	}
	return int(n), nil
}

// counted reads a length and a text.
func (p *pickleWalker) counted(size int) error {
	n, err := p.number(size)
	if err != nil {
		return err
	}
	from := p.at
	if err := p.skip(n); err != nil {
		return err
	}
	p.push1(pickleItem{kind: pkText, from: from, to: p.at})
	return nil
}

// lineEnd reads to the end of the line.
func (p *pickleWalker) lineEnd() (from, to int, err error) {
	k := bytes.IndexByte(p.data[p.at:], '\n')
	if k < 0 {
		return 0, 0, errDocument
	}
	from, to = p.at, p.at+k
	p.at = to + 1
	return from, to, nil
}

func littleEndian(b []byte) int64 {
	var v int64
	for i, c := range b {
		v |= int64(c) << (8 * i)
	}
	if n := len(b); n > 0 && n < 8 && b[n-1]&0x80 != 0 {
		v -= 1 << (8 * n)
	}
	return v
}
