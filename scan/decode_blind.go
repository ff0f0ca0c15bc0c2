package scan

import (
	"bytes"
	"encoding/binary"
	"io"
	mathbits "math/bits"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
)

// Brotli (RFC 7932) and deflate (RFC 1951) without a header begin with any
// byte. They are tried by context: on a value of the keyspace itself that is no
// text, and further in where a name says that something is compressed or where
// the first bits are those of a stream that fits the length. Only what comes out
// as text or as a container, of the whole value, is believed.
var (
	brotliDecoder  = decoder{kind: "brotli", binary: true, starts: func(byte) bool { return true }, fits: fitsBlind, open: openBrotli, blind: true}
	deflateDecoder = decoder{kind: "deflate", binary: true, starts: func(byte) bool { return true }, fits: fitsBlind, open: openDeflate, blind: true}
)

const (
	minBlind  = 24  // bytes of a value that is tried
	headBlind = 256 // bytes that come out first, and decide
)

// fitsBlind turns down text, and binary values that have order in them: integers,
// short records, bitmaps, unless they begin as a stream.
func fitsBlind(data []byte) bool {
	if len(data) < minBlind {
		return false
	}
	head := data[:min(len(data), 64)]
	other, zeros := 0, 0
	for _, b := range head {
		if b < ' ' && !isSpace(b) || b >= 0x7f {
			other++
		}
		if b == 0 {
			zeros++
		}
	}
	return other*4 > len(head) && zeros*6 < len(head) || other > 0 && likelyBlind(data, len(data))
}

// compressionWords are in the names of what somebody compressed.
var compressionWords = newWordSet([]string{"brotli", "compress", "deflate", "zip", "packed", "gz", "_br", ":br", "-br", ".br", "encoded", "html", "cache"})

// blindHere reports whether context allows to try what has no magic.
func (w *worker) blindHere(f *fragment) bool {
	return f.depth == 0 && !f.isName || w.namedLike(compressionWords)
}

func openBrotli(w *worker, f *fragment, hits []hit, base uint32) bool {
	if !w.blindHere(f) && !likelyBrotli(f.data, len(f.data)) {
		return false
	}
	z := &w.zip
	z.src.Reset(f.data)
	if z.brotli == nil {
		z.brotli = brotli.NewReader(&z.src)
	} else if err := z.brotli.Reset(&z.src); err != nil {
		return false
	}
	r := tracked{Reader: z.brotli}
	ok := w.believe("brotli", f, &r)
	if r.err == nil || r.err.Error() == brotliExcess {
		z.brotli = nil // Reset keeps input that was not decoded, unless decoding failed
	}
	return ok
}

// brotliExcess is the error of input that goes on behind the end of a stream.
const brotliExcess = "brotli: excessive input"

// tracked remembers how reading ended.
type tracked struct {
	io.Reader
	err error
}

func (t *tracked) Read(p []byte) (int, error) {
	n, err := t.Reader.Read(p)
	t.err = err
	return n, err
}

func openDeflate(w *worker, f *fragment, hits []hit, base uint32) bool {
	if f.data[0]>>1&3 == 3 || !w.blindHere(f) && !likelyDeflate(f.data) { // RFC 1951, 3.2.3: a reserved type of block
		return false
	}
	z := &w.zip
	z.src.Reset(f.data)
	if z.flate == nil {
		z.flate = flate.NewReader(&z.src)
	} else if err := z.flate.(flate.Resetter).Reset(&z.src, nil); err != nil {
		return false
	}
	return w.believe("deflate", f, z.flate)
}

// believe reads r to its end and scans what came out if that makes sense from
// the beginning to the end. What does not is no failure: nobody said that it
// was compressed.
func (w *worker) believe(kind string, f *fragment, r io.Reader) bool {
	out := w.buffer(f.depth, headBlind)
	n, err := io.ReadFull(r, out)
	out = out[:n]
	if n == 0 || err != nil && err != io.ErrUnexpectedEOF || !plausibleText(out) && !w.isContainer(out) {
		return false
	}
	for err == nil {
		if len(out) == cap(out) {
			out = append(out, make([]byte, max(4<<10, min(len(out), 1<<20)))...)[:len(out)]
		}
		n, err = r.Read(out[len(out):min(cap(out), len(out)+w.budget.output+1)])
		out = out[:len(out)+n]
		if !w.budget.spend(n) {
			w.limited(kind)
			break
		}
	}
	w.bufs[f.depth] = out
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF || err != nil && w.zip.src.Len() > 0 && !isBrotliTail(kind) {
		return false
	}
	w.child(f, piece{kind: kind, data: out, to: len(f.data)}, nil, 0)
	return true
}

// isBrotliTail: the brotli reader takes its input in blocks and says itself
// whether bytes are left over.
func isBrotliTail(kind string) bool { return kind == "brotli" }

// openBlindly opens decoded bytes that are neither text nor begin as anything:
// the output of a compressor without a header, behind base64.
func (w *worker) openBlindly(f *fragment, p piece) bool {
	deflate, brotli := likelyDeflate(p.data), likelyBrotli(p.data, len(p.data))
	if !deflate && !brotli {
		return false
	}
	if f.depth+2 > maxDepth || !w.budget.element() {
		kind := "deflate"
		if !deflate {
			kind = "brotli"
		}
		w.limited(kind)
		return false
	}
	c := w.place(f, p)
	w.serial++
	c.serial = w.serial
	return deflate && openDeflate(w, c, nil, 0) || brotli && openBrotli(w, c, nil, 0)
}

// likelyBlind reports whether the head of n bytes may be that of deflate or
// brotli. One in a hundred random texts passes.
func likelyBlind(head []byte, n int) bool {
	return n >= minBlind && (likelyDeflate(head) || likelyBrotli(head, n))
}

// headDeflate is how many bytes likelyDeflate looks at.
const headDeflate = 12

// likelyDeflate looks at the first block of a deflate stream (RFC 1951, 3.2.3 to
// 3.2.7): a stored one repeats its length, one with fixed codes begins with
// characters, and the code of one with codes of its own must be complete.
func likelyDeflate(head []byte) bool {
	if len(head) < headDeflate {
		return false
	}
	lo, hi := binary.LittleEndian.Uint64(head), uint64(binary.LittleEndian.Uint32(head[8:]))
	bits := func(at, n int) uint64 { // of the first 96
		v := lo >> at
		if at >= 64 {
			v = hi >> (at - 64)
		} else if at > 0 {
			v |= hi << (64 - at)
		}
		return v & (1<<n - 1)
	}
	switch bits(1, 2) {
	case 0:
		return binary.LittleEndian.Uint16(head[1:]) == ^binary.LittleEndian.Uint16(head[3:])
	case 1:
		return fixedText(bits)
	case 2:
		lengths := int(bits(13, 4)) + 4
		if bits(3, 5) > 29 || bits(8, 5) > 29 {
			return false
		}
		full := 0
		for i := range lengths {
			if n := bits(17+3*i, 3); n > 0 {
				full += 128 >> n
			}
		}
		return full == 128
	}
	return false
}

// fixedText reports whether a block with fixed codes begins with at least three
// characters of text.
func fixedText(bits func(at, n int) uint64) bool {
	n := 0
	for at := 3; n < 8; n, at = n+1, at+8 {
		code := mathbits.Reverse8(uint8(bits(at, 8)))
		if code < 0x30 || code >= 0xC0 {
			return n >= 3 && code < 0x30 // a repetition
		}
		if c := code - 0x30; c < ' ' && !isSpace(c) || c >= 0x7f {
			return false
		}
	}
	return true
}

// likelyBrotli looks at the stream header and the first meta-block's (RFC 7932,
// 9.1 and 9.2): a window of 2^18 bytes or more, as all encoders choose, and a
// length that n bytes may be the compressed form of.
func likelyBrotli(head []byte, n int) bool {
	if len(head) < 8 || head[0]&1 == 0 || head[0]&0xf < 3 {
		return false
	}
	v := binary.LittleEndian.Uint64(head) >> 4
	last := v & 1
	v >>= 1
	if last == 1 {
		if v&1 == 1 { // empty
			return false
		}
		v >>= 1
	}
	nibbles := int(v&3) + 4
	if nibbles > 6 {
		return false
	}
	length := int(v>>2&(1<<(4*nibbles)-1)) + 1
	return length > n/2 && length < 24*n
}

// plausibleText reports whether bytes that may break off inside a character are
// text.
func plausibleText(b []byte) bool {
	return isText(bytes.TrimRightFunc(b, func(r rune) bool { return r == 0xFFFD }))
}
