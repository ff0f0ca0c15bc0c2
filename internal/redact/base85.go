package redact

import (
	"bytes"
	"encoding/binary"
)

// A base85 is an alphabet in which five characters are four bytes.
type base85 struct {
	belongs [256]bool
	value   [256]uint64
	zeros   byte // a character that stands for four zeros; 0: none does
}

var base85s = [...]base85{
	newBase85(asciiFrom('!', 85), 'z'),                         // Adobe's
	newBase85(digits+upper+lower+"!#$%&()*+-;<=>?@^_`{|}~", 0), // RFC 1924, git, Python
	newBase85(digits+lower+upper+".-:+=^!/*?&<>()[]{}@%$#", 0), // ZeroMQ
}

func asciiFrom(first byte, n int) string {
	p := make([]byte, n)
	for i := range p {
		p[i] = first + byte(i)
	}
	return string(p)
}

func newBase85(alphabet string, zeros byte) base85 {
	c := base85{belongs: bytesOf(alphabet), zeros: zeros}
	for i := range len(alphabet) {
		c.value[alphabet[i]] = uint64(i)
	}
	if zeros != 0 {
		c.belongs[zeros] = true
	}
	return c
}

const (
	group85 = 5
	least85 = 10 // characters in which a secret fits
	texts85 = 3  // groups of text in a row: of random ones, not one in a hundred thousand begins as many
)

// base85 replaces runs of c in which something stands, from where it begins to the end
// of the run. Of most texts all characters belong to an alphabet, so only what has
// groups of text or the beginning of something compressed is decoded.
func (t *texts) base85(p []byte, c *base85, depth int) []byte {
	return eachRun(p, &c.belongs, least85, func(run, _ []byte) ([]byte, int) {
		if !diverse(run) {
			return nil, 0
		}
		var out []byte
		c.starts(run, len(run) == len(p), func(at int) bool {
			plain := c.decode(t.r.rooms.take(depth, len(run)), run[at:])
			if !bytes.Equal(t.inner(plain, depth+1), plain) {
				out = append(bytes.Clone(run[:at]), t.whole(run[at:])...)
			}
			return out == nil
		})
		return out, 0
	})
}

// rare are the characters that neither names nor other encodings have: nearly one in four
// of base85.
var rare = bytesOf("!\"#$%&'()*;<>?@[\\]^`{|}~")

const leastRare = 2

// diverse reports whether a run has as many of them as base85 has, with a wide margin.
func diverse(run []byte) bool {
	n := 0
	for _, b := range run {
		if rare[b] {
			n++
		}
	}
	return n >= leastRare && n*32 >= len(run)
}

// starts yields where in run something may begin; all: at its beginning it may in any
// case.
func (c *base85) starts(run []byte, all bool, yield func(int) bool) {
	if all && !yield(0) {
		return
	}
	var texts [group85]int   // groups of text that came one behind another, by phase
	var opened [group85]bool // what begins there has been yielded
	for i := 0; i+group85 <= len(run); i++ {
		v, phase := c.group(run[i:]), i%group85
		if opened[phase] {
			continue
		}
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(v))
		if v < 1<<32 && isASCIIText(b) {
			texts[phase]++
		} else {
			texts[phase] = 0
		}
		if texts[phase] == texts85 || v < 1<<32 && beginning(b) {
			opened[phase] = texts[phase] == texts85
			if at := i - (max(texts[phase], 1)-1)*group85; !yield(at) {
				return
			}
		}
	}
}

// group is what five characters stand for.
func (c *base85) group(p []byte) (v uint64) {
	for _, b := range p[:group85] {
		v = v*85 + c.value[b]
	}
	return v
}

func isASCIIText(b [4]byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' || c >= 0x7f {
			return false
		}
	}
	return true
}

// beginning reports whether something compressed may begin with these bytes.
func beginning(b [4]byte) bool {
	switch v := binary.BigEndian.Uint32(b[:]); {
	case v>>8 == 0x1f8b08, v == 0x28b52ffd, v == 0x04224d18, v == 0xff060000, v == 0xfd377a58, v>>8 == 0x425a68:
		return true
	default:
		return v>>24 == 0x78 && v>>16%31 == 0 && v>>16&0x20 == 0
	}
}

// decode appends the bytes that chars stand for. A last group that is not full has a byte
// less than it has characters.
func (c *base85) decode(out, chars []byte) []byte {
	for len(chars) > 0 {
		if c.zeros != 0 && chars[0] == c.zeros {
			out, chars = append(out, 0, 0, 0, 0), chars[1:]
			continue
		}
		v, n := uint64(0), min(group85, len(chars))
		for i := range group85 {
			d := uint64(84)
			if i < n {
				d = c.value[chars[i]]
			}
			v = v*85 + d
		}
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(v))
		out, chars = append(out, b[:n-1]...), chars[n:]
	}
	return out
}
