package scan

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// UTF-16, as .NET and Windows write strings: with or without a mark of its byte
// order. Its first characters must be ASCII: of two random bytes half are some
// character.
var utf16Decoder = decoder{kind: "utf-16", binary: true, starts: func(byte) bool { return true }, fits: func(data []byte) bool { return utf16Order(data) != nil }, open: openUTF16}

// utf16Order returns the byte order of a text in UTF-16, nil if it is none.
func utf16Order(data []byte) binary.ByteOrder {
	if len(data) < minContainer || len(data)%2 != 0 {
		return nil
	}
	const evens = 0x00ff00ff00ff00ff
	switch head := binary.LittleEndian.Uint64(data); {
	case head&^evens == 0xfe00 && head&0xff == 0xff && isText([]byte{data[2], data[4], data[6]}):
		return binary.LittleEndian
	case head&evens == 0xfe && data[1] == 0xff && isText([]byte{data[3], data[5], data[7]}):
		return binary.BigEndian
	case head&^evens == 0 && isText([]byte{data[0], data[2], data[4], data[6]}):
		return binary.LittleEndian
	case head&evens == 0 && isText([]byte{data[1], data[3], data[5], data[7]}):
		return binary.BigEndian
	}
	return nil
}

func openUTF16(w *worker, f *fragment, hits []hit, base uint32) bool {
	order, data := utf16Order(f.data), w.afford("utf-16", f.data)
	whole := len(data) == len(f.data)
	if len(data) < minContainer {
		return false
	}
	if data[0] >= 0xfe {
		data = data[2:]
	}
	buf := w.buffer(f.depth, len(data))[:0]
	for ; len(data) >= 2; data = data[2:] {
		r := rune(order.Uint16(data))
		if utf16.IsSurrogate(r) && len(data) >= 4 {
			r = utf16.DecodeRune(r, rune(order.Uint16(data[2:])))
			data = data[2:]
		}
		buf = utf8.AppendRune(buf, r)
	}
	w.bufs[f.depth] = buf
	if !isText(buf) {
		return false
	}
	w.child(f, piece{kind: "utf-16", data: buf, to: len(f.data)}, nil, 0)
	return whole
}
