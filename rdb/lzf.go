package rdb

import "encoding/binary"

// LZF, as liblzf writes it (src/lzf_d.c): a control byte below 32 is followed
// by control+1 literal bytes; otherwise its upper three bits (7: plus the next
// byte) plus 2 are a length and its lower five bits and the next byte, plus 1,
// the distance back, at most 8192.
const (
	lzfMaxLiteral  = 32
	lzfMaxCopy     = 264 // 7 + 255 + 2
	lzfMaxDistance = 8192
	// lzfMaxRatio bounds what a compressed byte can become: three bytes copy 264.
	lzfMaxRatio = lzfMaxCopy / 3
)

// lzfDecode decompresses src from dst[o:] on, until src or the room in dst is
// used up, whichever comes first; dst[:o] is what was decompressed before and
// may be copied from. It returns how much of src was used and where dst ends,
// and false where src is no LZF. An instruction that does not fit into dst
// whole is left for later, so a caller that knows the length gives it all.
func lzfDecode(dst []byte, o int, src []byte) (used, end int, ok bool) {
	i := 0
	for i < len(src) {
		c := int(src[i])
		if c < lzfMaxLiteral {
			n := c + 1
			if i+1+n > len(src) {
				return i, o, true
			}
			if o+n > len(dst) {
				return i, o, true
			}
			if i+1+lzfMaxLiteral <= len(src) && o+lzfMaxLiteral <= len(dst) {
				*(*[lzfMaxLiteral]byte)(dst[o:]) = *(*[lzfMaxLiteral]byte)(src[i+1:])
			} else {
				copy(dst[o:o+n], src[i+1:])
			}
			i += 1 + n
			o += n
			continue
		}
		n, p := c>>5, i+1
		if n == 7 {
			if p >= len(src) {
				return i, o, true
			}
			n += int(src[p])
			p++
		}
		if p >= len(src) {
			return i, o, true
		}
		n += 2
		d := (c&31)<<8 | int(src[p]) + 1
		from := o - d
		if from < 0 {
			return i, o, false
		}
		if o+n > len(dst) {
			return i, o, true
		}
		i = p + 1
		switch {
		case d >= 8 && o+n+8 <= len(dst):
			// Eight bytes at a time: a word that is read was written before, since d >= 8.
			for k := 0; k < n; k += 8 {
				binary.LittleEndian.PutUint64(dst[o+k:], binary.LittleEndian.Uint64(dst[from+k:]))
			}
		case d >= n:
			copy(dst[o:o+n], dst[from:from+n])
		default:
			for k := range n {
				dst[o+k] = dst[from+k]
			}
		}
		o += n
	}
	return i, o, true
}
