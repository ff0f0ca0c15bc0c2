package redact

import "bytes"

// A radix is an encoding of bytes in so many bits a character.
type radix struct {
	bits     uint
	alphabet string
	other    string // the same alphabet as others write it
	least    int    // characters that are worth to be decoded
	group    int    // characters that make whole bytes
	padded   bool   // groups are filled up by =
	belongs  [256]bool
	value    [256]byte
}

const (
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	lower  = "abcdefghijklmnopqrstuvwxyz"
	digits = "0123456789"
)

var radixes = [...]radix{
	newRadix(6, upper+lower+digits+"+/", upper+lower+digits+"-_", 4, true),
	newRadix(4, digits+"abcdef", digits+"ABCDEF", 2, false),
	newRadix(5, upper+"234567", lower+"234567", 8, true),
}

func newRadix(bits uint, alphabet, other string, group int, padded bool) radix {
	r := radix{bits: bits, alphabet: alphabet, other: other, group: group, padded: padded}
	r.least = (8*anywhere + int(bits) - 1) / int(bits)
	r.belongs = bytesOf(alphabet + other + "\r\n")
	for i := range alphabet {
		r.value[alphabet[i]], r.value[other[i]] = byte(i), byte(i)
	}
	return r
}

// radixRuns opens the runs of characters of c in p, also those that are broken into
// lines. A run may begin with others that belong to it by chance, so it is decoded from
// each place at which a byte can begin.
func (t *texts) radixRuns(p []byte, c *radix, depth int) []byte {
	return eachRun(p, &c.belongs, c.least, func(run, rest []byte) ([]byte, int) {
		chars := run
		if bytes.ContainsAny(run, "\r\n") {
			chars = bytes.Map(func(r rune) rune {
				if r == '\r' || r == '\n' {
					return -1
				}
				return r
			}, run)
		}
		var out []byte
		for at := 0; at < c.group && len(chars)-at >= c.least; at++ {
			plain := c.decode(t.r.rooms.take(depth, len(chars)), chars[at:])
			look := t.guessed
			if at == 0 {
				look = t.inner
			}
			q := look(plain, depth+1)
			switch {
			case bytes.Equal(q, plain):
			case len(q) == len(plain):
				chars = c.replace(chars, at, q)
				out = inPlace(run, chars)
			default:
				pad := 0
				for c.padded && pad < len(rest) && rest[pad] == '=' {
					pad++
				}
				return c.encode(chars, at, q, pad > 0), pad
			}
		}
		return out, 0
	})
}

// inPlace puts the characters where those of run stand, between its line breaks.
func inPlace(run, chars []byte) []byte {
	out := bytes.Clone(run)
	for i, b := range run {
		if b != '\r' && b != '\n' {
			out[i], chars = chars[0], chars[1:]
		}
	}
	return out
}

// decode appends the bytes that chars stand for; bits that make no whole byte are left
// over.
func (c *radix) decode(out, chars []byte) []byte {
	acc, n := uint32(0), uint(0)
	for _, b := range chars {
		acc, n = acc<<c.bits|uint32(c.value[b]), n+c.bits
		if n >= 8 {
			n -= 8
			out = append(out, byte(acc>>n))
		}
	}
	return out
}

// like is the alphabet in which chars are written.
func (c *radix) like(chars []byte) string {
	for _, b := range chars {
		if bytes.IndexByte([]byte(c.alphabet), b) < 0 {
			return c.other
		}
	}
	return c.alphabet
}

// replace has chars mean q from at on, which has as many bytes as what they mean. The
// characters that mean the same stay as they are.
func (c *radix) replace(chars []byte, at int, q []byte) []byte {
	out, alphabet := bytes.Clone(chars), c.like(chars)
	acc, n := uint32(0), uint(0)
	for i := at; i < len(out); i++ {
		if n < c.bits && len(q) > 0 {
			acc, n, q = acc<<8|uint32(q[0]), n+8, q[1:]
		}
		v := c.value[out[i]]
		switch {
		case n == 0:
			return out
		case n >= c.bits:
			n -= c.bits
			v = byte(acc>>n) & (1<<c.bits - 1)
		default: // the last bits share a character with some that are left over
			free := c.bits - n
			v = byte(acc<<free)&(1<<c.bits-1) | v&(1<<free-1)
			n = 0
		}
		if v != c.value[out[i]] {
			out[i] = alphabet[v]
		}
	}
	return out
}

// encode has chars mean q from at on, whatever they mean.
func (c *radix) encode(chars []byte, at int, q []byte, padded bool) []byte {
	alphabet := c.like(chars)
	out := bytes.Clone(chars[:at])
	acc, n := uint32(0), uint(0)
	for _, b := range q {
		acc, n = acc<<8|uint32(b), n+8
		for n >= c.bits {
			n -= c.bits
			out = append(out, alphabet[byte(acc>>n)&(1<<c.bits-1)])
		}
	}
	if n > 0 {
		out = append(out, alphabet[byte(acc<<(c.bits-n))&(1<<c.bits-1)])
	}
	for padded && (len(out)-at)%c.group != 0 {
		out = append(out, '=')
	}
	return out
}
