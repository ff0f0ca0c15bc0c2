package redact

import (
	"bytes"
	"io"
	"slices"
	"unicode/utf8"
)

// traits are what one look at a string tells: most hold nothing that is encoded.
type traits struct {
	run     int  // length of the longest run of characters of base64 and its like
	rare    int  // characters that of all encodings base85 has alone
	control bool // bytes that no text has
	foreign bool // bytes that are not ASCII
}

const (
	inRun = 1 << iota
	isRare
	isControl
	isForeign
)

var traitsOfByte = func() (kinds [256]uint8) {
	for i := range kinds {
		b := byte(i)
		if radixes[0].belongs[b] {
			kinds[i] |= inRun
		}
		if rare[b] {
			kinds[i] |= isRare
		}
		if b < ' ' && b != '\n' && b != '\r' && b != '\t' || b == 0x7f {
			kinds[i] |= isControl
		}
		if b >= utf8.RuneSelf {
			kinds[i] |= isForeign
		}
	}
	return kinds
}()

func traitsOf(p []byte) (k traits) {
	seen, run := uint8(0), 0
	for _, b := range p {
		kind := traitsOfByte[b]
		seen |= kind
		if kind == inRun {
			run++
			continue
		}
		k.run, run = max(k.run, run), 0
		k.rare += int(kind&isRare) / isRare
	}
	k.run = max(k.run, run)
	k.control, k.foreign = seen&isControl != 0, seen&isForeign != 0
	return k
}

// text reports whether p, of which these are the traits, is readable.
func (k *traits) text(p []byte) bool { return !k.control && (!k.foreign || utf8.Valid(p)) }

// isText reports whether p is readable.
func isText(p []byte) bool {
	k := traitsOf(p)
	return k.text(p)
}

// of are q, which p became, and its traits.
func (k *traits) of(p, q []byte) ([]byte, traits) {
	if len(p) == len(q) && (len(p) == 0 || &p[0] == &q[0]) {
		return p, *k
	}
	return q, traitsOf(q)
}

// rooms are where what comes out of containers is put, one for each layer: nearly
// nothing of it is kept.
type rooms [maxLayers + 2]struct {
	bytes  []byte
	source source
}

// keptRoom bounds what each keeps.
const keptRoom = 1 << 20

// take is the empty room of a layer, for n bytes. What is put into it counts until the
// layer is used again.
func (r *rooms) take(depth, n int) []byte {
	if n > keptRoom {
		return make([]byte, 0, n)
	}
	room := &r[depth]
	if cap(room.bytes) < n {
		room.bytes = make([]byte, 0, max(n, 2*cap(room.bytes)))
	}
	return room.bytes[:0]
}

// read puts up to n bytes of what from reads into the room of a layer.
func (r *rooms) read(depth int, from io.Reader, n int) ([]byte, error) {
	p := r.take(depth, bytes.MinRead)
	for len(p) < n {
		if len(p) == cap(p) {
			p = slices.Grow(p, 1)
		}
		k, err := from.Read(p[len(p):min(cap(p), n)])
		p = p[:len(p)+k]
		if err != nil {
			if err == io.EOF {
				err = nil
			}
			return r.keep(depth, p), err
		}
	}
	return r.keep(depth, p), nil
}

// keep has p, which outgrew the room of a layer, be that.
func (r *rooms) keep(depth int, p []byte) []byte {
	if cap(p) <= keptRoom {
		r[depth].bytes = p
	}
	return p
}
