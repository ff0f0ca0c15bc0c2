package export

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
	"unicode/utf8"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// appendBytes appends p as a JSON string, or as {"b64":…} where it is not UTF-8.
// Beside what JSON demands it escapes what could act on a terminal: DEL, the C1
// controls, and the characters that turn the direction of text.
func appendBytes(dst, p []byte) []byte {
	start := len(dst)
	dst = append(dst, '"')
	from := 0 // p[from:i] is plain and not yet copied
	for i := 0; i < len(p); {
		if n := plain(p[i:]); n > 0 {
			i += n
			continue
		}
		c := p[i]
		if c < utf8.RuneSelf {
			if escapes[c] == "" {
				i++
				continue
			}
			dst = append(append(dst, p[from:i]...), escapes[c]...)
			i++
			from = i
			continue
		}
		r, size := utf8.DecodeRune(p[i:])
		if r == utf8.RuneError && size == 1 {
			return appendBase64(dst[:start], p)
		}
		if acts(r) {
			dst = append(append(dst, p[from:i]...), `\u`...)
			dst = append(dst, hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
			from = i + size
		}
		i += size
	}
	return append(append(dst, p[from:]...), '"')
}

// plain returns how many bytes at the start of p, in words of eight, need no look at all.
func plain(p []byte) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	n := 0
	for ; n+8 <= len(p); n += 8 {
		w := binary.LittleEndian.Uint64(p[n:])
		// A byte below 0x20 borrows into its high bit; one equal to c is 0 after the xor, and borrows below 1.
		quote, slash, del := w^ones*'"', w^ones*'\\', w^ones*0x7f
		special := (w | (w - ones*0x20) | (quote - ones) | (slash - ones) | (del - ones)) & highs
		if special != 0 {
			return n + bits.TrailingZeros64(special)/8
		}
	}
	return n
}

const hexDigits = "0123456789abcdef"

// escapes are the escapes of ASCII characters, "" for those that need none.
var escapes = func() (t [utf8.RuneSelf]string) {
	for c := range t {
		if c < 0x20 || c == 0x7f {
			t[c] = `\u00` + string([]byte{hexDigits[c>>4], hexDigits[c&15]})
		}
	}
	t['\b'], t['\f'], t['\n'], t['\r'], t['\t'], t['"'], t['\\'] = `\b`, `\f`, `\n`, `\r`, `\t`, `\"`, `\\`
	return t
}()

// acts reports whether r acts on a terminal: a C1 control, a line or paragraph
// separator, or a bidirectional control.
func acts(r rune) bool {
	return r < 0xa0 || r >= 0x200e && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

func appendBase64(dst, p []byte) []byte {
	dst = append(dst, `{"b64":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, p)
	return append(dst, `"}`...)
}

// appendFloat appends a score or another double so that it reads back exactly.
func appendFloat(dst []byte, f float64) []byte {
	switch {
	case math.IsInf(f, 1):
		return append(dst, `"inf"`...)
	case math.IsInf(f, -1):
		return append(dst, `"-inf"`...)
	case f != f:
		return append(dst, `"nan"`...)
	case f == math.Trunc(f) && math.Abs(f) < 1<<53 && (f != 0 || !math.Signbit(f)):
		return strconv.AppendInt(dst, int64(f), 10)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64)
}

// appendID appends a stream's ID as the servers write it.
func appendID(dst []byte, id keyspace.StreamID) []byte {
	dst = append(strconv.AppendUint(dst, id.MS, 10), '-')
	return strconv.AppendUint(dst, id.Seq, 10)
}
