package rdb

import (
	"bytes"
	"encoding/binary"
	"math"
)

// build writes the pieces of a snapshot, right or wrong.
type build struct{ bytes.Buffer }

func (b *build) op(c ...byte) *build { b.Write(c); return b }

func (b *build) len(n uint64) *build {
	switch {
	case n < 64:
		b.WriteByte(byte(n))
	case n < 1<<14:
		b.Write([]byte{0x40 | byte(n>>8), byte(n)})
	case n <= math.MaxUint32:
		b.Write(binary.BigEndian.AppendUint32([]byte{0x80}, uint32(n)))
	default:
		b.Write(binary.BigEndian.AppendUint64([]byte{0x81}, n))
	}
	return b
}

func (b *build) str(s string) *build { b.len(uint64(len(s))); b.WriteString(s); return b }

func (b *build) le64(n int64) *build {
	b.Write(binary.LittleEndian.AppendUint64(nil, uint64(n)))
	return b
}

// lzf writes s as a compressed string, as literal runs and, for runs of one byte, copies.
func (b *build) lzf(s string) *build {
	c := lzfEncode([]byte(s))
	b.WriteByte(0xc3)
	b.len(uint64(len(c)))
	b.len(uint64(len(s)))
	b.Write(c)
	return b
}

// lzfEncode compresses greedily by a table of three-byte sequences.
func lzfEncode(p []byte) []byte {
	var out, lit []byte
	flush := func() {
		for len(lit) > 0 {
			n := min(len(lit), lzfMaxLiteral)
			out = append(append(out, byte(n-1)), lit[:n]...)
			lit = lit[n:]
		}
	}
	seen := map[[3]byte]int{}
	for i := 0; i < len(p); {
		if i+3 <= len(p) {
			k := [3]byte(p[i:])
			j, ok := seen[k]
			seen[k] = i
			if ok && i-j <= lzfMaxDistance {
				n := 3
				for i+n < len(p) && n < lzfMaxCopy && p[j+n] == p[i+n] {
					n++
				}
				flush()
				d := i - j - 1
				if n-2 < 7 {
					out = append(out, byte((n-2)<<5|d>>8), byte(d))
				} else {
					out = append(out, byte(7<<5|d>>8), byte(n-2-7), byte(d))
				}
				i += n
				continue
			}
		}
		lit = append(lit, p[i])
		i++
	}
	flush()
	return out
}

// listpackOf encodes strings, those that are small numbers as such.
func listpackOf(cells ...any) string {
	var body []byte
	for _, c := range cells {
		var e []byte
		switch c := c.(type) {
		case int:
			switch {
			case c >= 0 && c < 128:
				e = []byte{byte(c)}
			case c >= -4096 && c < 4096:
				u := uint16(c) & 0x1fff
				e = []byte{0xc0 | byte(u>>8), byte(u)}
			default:
				e = binary.LittleEndian.AppendUint64([]byte{0xf4}, uint64(c))
			}
		case string:
			switch {
			case len(c) < 64:
				e = append([]byte{0x80 | byte(len(c))}, c...)
			case len(c) < 4096:
				e = append([]byte{0xe0 | byte(len(c)>>8), byte(len(c))}, c...)
			default:
				e = append(binary.LittleEndian.AppendUint32([]byte{0xf0}, uint32(len(c))), c...)
			}
		}
		body = append(body, e...)
		body = append(body, backlen(len(e))...)
	}
	n := min(len(cells), listpackUnknown)
	head := binary.LittleEndian.AppendUint32(nil, uint32(listpackHeader+len(body)+1))
	head = binary.LittleEndian.AppendUint16(head, uint16(n))
	return string(head) + string(body) + "\xff"
}

func backlen(n int) []byte {
	out := []byte{byte(n & 127)}
	for n >>= 7; n > 0; n >>= 7 {
		out[0] |= 0 // the first written stays without the top bit
		out = append([]byte{byte(n & 127)}, out...)
	}
	for i := 1; i < len(out); i++ {
		out[i] |= 128
	}
	return out
}

// zipmapOf encodes pairs with the given unused bytes behind each value.
func zipmapOf(free int, pairs ...string) string {
	out := []byte{byte(len(pairs) / 2)}
	size := func(n int) {
		if n < zipmapBig {
			out = append(out, byte(n))
		} else {
			out = binary.LittleEndian.AppendUint32(append(out, zipmapBig), uint32(n))
		}
	}
	for i, s := range pairs {
		size(len(s))
		if i%2 == 1 {
			out = append(out, byte(free))
		}
		out = append(out, s...)
		if i%2 == 1 {
			out = append(out, make([]byte, free)...)
		}
	}
	return string(append(out, zipmapEnd))
}

// file is a snapshot with a header, one SELECT and a right checksum.
func file(magic string, body func(b *build)) []byte {
	b := &build{}
	b.WriteString(magic)
	b.op(opSelectDB).len(0)
	body(b)
	b.op(opEOF)
	return binary.LittleEndian.AppendUint64(b.Bytes(), Checksum(0, b.Bytes()))
}

// dumpOf is a DUMP payload.
func dumpOf(version int, typ byte, body string) []byte {
	p := append([]byte{typ}, body...)
	p = binary.LittleEndian.AppendUint16(p, uint16(version))
	return binary.LittleEndian.AppendUint64(p, Checksum(0, p))
}
