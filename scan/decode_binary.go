package scan

import "encoding/binary"

// A binaryWalker is what the walkers of binary documents have in common. With
// sink nil it only looks whether the data can be read: formats that have no
// magic are taken for what they look like only if the whole value is one.
type binaryWalker struct {
	*document // nil where sink is
	data      []byte
	at        int
	sink      docSink
	texts     int // strings that are text
	seen      int
	none      docFrame
}

// maxBinaryDepth bounds the recursion of walkers.
const maxBinaryDepth = 48

// step counts an element, and stops where the depth or the budget ends.
func (b *binaryWalker) step(depth int) error {
	if depth > maxBinaryDepth {
		if b.sink != nil {
			b.cut = true
		}
		return errDocumentDepth
	}
	b.seen++
	switch {
	case b.sink == nil && b.seen > maxElements:
		return errDocumentElements
	case b.sink != nil && b.seen&63 == 0:
		return b.sink.more()
	}
	return nil
}

// take returns the bounds of the next n bytes and goes behind them.
func (b *binaryWalker) take(n uint64) (from, to int, err error) {
	if n > uint64(len(b.data)-b.at) {
		return 0, 0, errDocument
	}
	from = b.at
	b.at += int(n)
	return from, b.at, nil
}

func (b *binaryWalker) byte() (byte, error) {
	if b.at >= len(b.data) {
		return 0, errDocument
	}
	b.at++
	return b.data[b.at-1], nil
}

// uint reads a number of 1, 2, 4 or 8 bytes.
func (b *binaryWalker) uint(size int, order binary.ByteOrder) (uint64, error) {
	from, _, err := b.take(uint64(size))
	if err != nil {
		return 0, err
	}
	switch size {
	case 1:
		return uint64(b.data[from]), nil
	case 2:
		return uint64(order.Uint16(b.data[from:])), nil
	case 4:
		return uint64(order.Uint32(b.data[from:])), nil
	}
	return order.Uint64(b.data[from:]), nil
}

// varint reads a number in groups of seven bits, the lowest first.
func (b *binaryWalker) varint() (uint64, error) {
	v, n := binary.Uvarint(b.data[b.at:])
	if n <= 0 {
		return 0, errDocument
	}
	b.at += n
	return v, nil
}

// enter opens an array or an object.
func (b *binaryWalker) enter(array bool) (*docFrame, error) {
	if b.sink == nil {
		return &b.none, nil
	}
	t := b.push(array)
	if t == nil {
		return nil, errDocumentDepth
	}
	return t, nil
}

func (b *binaryWalker) leave() {
	if b.sink != nil {
		b.depth--
	}
}

// member begins a member whose name stands in the data.
func (b *binaryWalker) member(t *docFrame, from, to int) {
	if b.sink != nil {
		t.setKey(b.data[from:to:to], false)
		b.sink.key(from, to)
	}
}

func (b *binaryWalker) endMember() {
	if b.sink != nil {
		b.sink.end()
	}
}

func (b *binaryWalker) text(from, to int) {
	if from == to {
		return
	}
	if b.sink != nil {
		b.sink.text(from, to, false)
	} else if isText(b.data[from:to]) {
		b.texts++
	}
}

func (b *binaryWalker) integer(from int, v int64) {
	if b.sink != nil {
		b.sink.integer(from, b.at, v)
	}
}
