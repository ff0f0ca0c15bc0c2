package carve

import "encoding/binary"

// Listpacks that stand alone: src/listpack.c. Total bytes (LE32), number of entries
// (LE16), entries of encoding, data and length, 0xff.
const (
	listpackHead = 6
	listpackEnd  = 0xff
	// leastText is how many bytes of strings one must hold: small numbers in a row
	// are found everywhere.
	leastText = 8
)

// beginsListpack reports whether b begins with a listpack of two entries at least,
// some of them strings, and of less than 64 KiB: servers keep theirs below, by
// *-max-listpack-size of valkey.conf, unless told otherwise.
func beginsListpack(b []byte) bool {
	if len(b) < listpackHead+leastText || b[2] != 0 || b[3] != 0 {
		return false
	}
	total, count := int(binary.LittleEndian.Uint16(b)), int(binary.LittleEndian.Uint16(b[4:]))
	if total < listpackHead+leastText || total > len(b) || b[total-1] != listpackEnd || count < 2 || count > total/2 {
		return false
	}
	entries, text := walk(b[listpackHead : total-1])
	return entries == count && text >= leastText
}

// walk counts the entries of a listpack's body and the bytes of its strings; -1
// where it is none.
func walk(b []byte) (entries, text int) {
	for i := 0; i < len(b); entries++ {
		size, str := entrySize(b[i:])
		if size == 0 || i+size >= len(b) {
			return -1, 0
		}
		if text += str; !lengthBehind(b[i+size:], size) {
			return -1, 0
		}
		i += size + lengthSize(size)
		if i > len(b) {
			return -1, 0
		}
	}
	return entries, text
}

// entrySize is the size of an entry without the length behind it, and how much of
// it is a string; 0 where it is none.
func entrySize(b []byte) (size, str int) {
	switch c := b[0]; {
	case c < 0x80: // LP_ENCODING_7BIT_UINT
		return 1, 0
	case c < 0xc0: // LP_ENCODING_6BIT_STR
		return 1 + int(c&63), int(c & 63)
	case c < 0xe0: // LP_ENCODING_13BIT_INT
		return 2, 0
	case c < 0xf0: // LP_ENCODING_12BIT_STR
		if len(b) < 2 {
			return 0, 0
		}
		n := int(c&15)<<8 | int(b[1])
		return 2 + n, n
	case c == 0xf0: // LP_ENCODING_32BIT_STR
		if len(b) < 5 || b[3] != 0 || b[4] != 0 {
			return 0, 0
		}
		n := int(binary.LittleEndian.Uint16(b[1:]))
		return 5 + n, n
	case c == 0xf1, c == 0xf2, c == 0xf3: // integers of 16, 24 and 32 bits
		return 3 + int(c-0xf1), 0
	case c == 0xf4:
		return 9, 0
	}
	return 0, 0
}

// lengthSize is how many bytes the length behind an entry takes (lpEncodeBacklen).
func lengthSize(n int) int {
	size := 1
	for n >>= 7; n > 0; n >>= 7 {
		size++
	}
	return size
}

// lengthBehind reports whether the length behind an entry is n.
func lengthBehind(b []byte, n int) bool {
	k := lengthSize(n)
	if len(b) < k {
		return false
	}
	for i := k - 1; i >= 0; i-- {
		want := byte(n & 127)
		if i > 0 {
			want |= 128
		}
		if b[i] != want {
			return false
		}
		n >>= 7
	}
	return true
}

// listpack is the piece that begins at an offset.
func listpack(img Image, at int64) *Piece {
	var head [listpackHead]byte
	if _, err := img.ReadAt(head[:], at); err != nil {
		return nil
	}
	return &Piece{Offset: at, Length: int64(binary.LittleEndian.Uint16(head[:])), Kind: Listpack, Confidence: Unverified,
		Records: uint64(binary.LittleEndian.Uint16(head[4:]))}
}
