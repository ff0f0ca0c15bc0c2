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

// lzfSlack is how far behind the limit lzfDecode may scribble.
const lzfSlack = 32

// lzfDecode decompresses src into dst[o:limit], until src or the room is used
// up, whichever comes first; dst[:o] is what was decompressed before and may be
// copied from. dst must be lzfSlack bytes longer than limit. It returns how much
// of src was used and where the output ends, and false where src is no LZF. An
// instruction that does not fit whole is left for later, so a caller that knows
// the length gives it all.
func lzfDecode(dst []byte, o, limit int, src []byte) (used, end int, ok bool) {
	i := 0
	dst = dst[:limit+lzfSlack]
	for i < len(src) {
		c := int(src[i])
		if c < lzfMaxLiteral {
			n := c + 1
			if i+1+n > len(src) || o+n > limit {
				return i, o, true
			}
			to := dst[o : o+lzfMaxLiteral]
			if i+1+lzfMaxLiteral <= len(src) {
				from := src[i+1 : i+1+lzfMaxLiteral]
				binary.LittleEndian.PutUint64(to, binary.LittleEndian.Uint64(from))
				binary.LittleEndian.PutUint64(to[8:], binary.LittleEndian.Uint64(from[8:]))
				if n > 16 {
					binary.LittleEndian.PutUint64(to[16:], binary.LittleEndian.Uint64(from[16:]))
					binary.LittleEndian.PutUint64(to[24:], binary.LittleEndian.Uint64(from[24:]))
				}
			} else {
				copy(to[:n], src[i+1:])
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
		if d > o {
			return i, o, false
		}
		if o+n > limit {
			return i, o, true
		}
		i = p + 1
		switch {
		case d >= 8:
			// Eight bytes at a time: a word that is read was written before, since d >= 8.
			from, to := dst[o-d:], dst[o:]
			binary.LittleEndian.PutUint64(to, binary.LittleEndian.Uint64(from))
			for k := 8; k < n; k += 8 {
				binary.LittleEndian.PutUint64(to[k:], binary.LittleEndian.Uint64(from[k:]))
			}
		case d == 1:
			b := uint64(dst[o-1]) * 0x0101010101010101
			for k := 0; k < n; k += 8 {
				binary.LittleEndian.PutUint64(dst[o+k:], b)
			}
		default:
			for k := range n {
				dst[o+k] = dst[o-d+k]
			}
		}
		o += n
	}
	return i, o, true
}
