package carve

import (
	"encoding/binary"
	"unicode/utf8"
)

// leastString is how long a string must be that stands alone: shorter ones are found
// everywhere.
const leastString = 8

// stringAround returns the index of the string of a server's memory whose kind stands at
// i, or -1: its length, the room it has, its kind, text, a zero (SDS_TYPE_8 and
// SDS_TYPE_16 of src/sds.h, whose numbers are the widths of the first two). Others are
// too short or too long, or are no text, by which alone it is told from what programs hold.
func stringAround(b []byte, i, from, to int) int {
	width := int(b[i])
	at := i - 2*width
	if at < from || at >= to {
		return -1
	}
	n, room := int(b[at]), int(b[at+width])
	if width == 2 {
		n, room = int(binary.LittleEndian.Uint16(b[at:])), int(binary.LittleEndian.Uint16(b[at+2:]))
	}
	text := b[i+1:]
	if n < leastString || room < n || n >= len(text) || text[n] != 0 || !isText(text[:n]) {
		return -1
	}
	return at
}

// isText reports whether b is UTF-8 without control characters but for those of lines.
func isText(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return utf8.Valid(b)
}

// mayBeginText reports whether a text can begin with c.
func mayBeginText(c byte) bool {
	return c >= ' ' && c < 0x7f || c >= 0xc2 && c < 0xf5 || c == '\n' || c == '\r' || c == '\t'
}

// sds is the piece of a string that begins at an offset.
func sds(img Image, at int64) *Piece {
	var head [5]byte
	if n, _ := img.ReadAt(head[:], at); n < len(head) {
		return nil
	}
	n, before := int64(head[0]), int64(3)
	if head[2] != 1 {
		n, before = int64(binary.LittleEndian.Uint16(head[:])), 5
	}
	return &Piece{Offset: at, Length: before + n, Kind: String, Confidence: Unverified, Records: 1, body: n}
}

// stringHead is what stands before a string of n bytes in the record of one without a
// name: the type, the key, the length.
func stringHead(n int64) []byte { return binary.BigEndian.AppendUint32([]byte{0, 0, 0x80}, uint32(n)) }
