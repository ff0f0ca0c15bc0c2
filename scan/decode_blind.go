package scan

import (
	"bytes"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
)

// Brotli (RFC 7932) and deflate (RFC 1951) without a header begin with any
// byte. They are tried by context: on a value of the keyspace itself that is no
// text, and further in where a name says that something is compressed. Only
// what comes out as text or as a container, of the whole value, is believed.
var (
	brotliDecoder  = decoder{kind: "brotli", binary: true, starts: func(byte) bool { return true }, fits: fitsBlind, open: openBrotli, blind: true}
	deflateDecoder = decoder{kind: "deflate", binary: true, starts: func(byte) bool { return true }, fits: fitsBlind, open: openDeflate, blind: true}
)

const (
	minBlind  = 24      // bytes of a value that is tried
	maxBlind  = 4 << 20 //
	headBlind = 256     // bytes that come out first, and decide
)

// fitsBlind turns down text, and binary values that have order in them: integers,
// short records, bitmaps.
func fitsBlind(data []byte) bool {
	if len(data) < minBlind || len(data) > maxBlind {
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
	return other*4 > len(head) && zeros*6 < len(head)
}

// compressionWords are in the names of what somebody compressed.
var compressionWords = newWordSet([]string{"brotli", "compress", "deflate", "zip", "packed", "gz", "_br", ":br", "-br", ".br", "encoded", "html", "cache"})

// blindHere reports whether context allows to try what has no magic.
func (w *worker) blindHere(f *fragment) bool {
	return f.depth == 0 && !f.isName || w.namedLike(compressionWords)
}

func openBrotli(w *worker, f *fragment, hits []hit, base uint32) bool {
	if !w.blindHere(f) {
		return false
	}
	z := &w.zip
	z.src.Reset(f.data)
	if z.brotli == nil {
		z.brotli = brotli.NewReader(&z.src)
	} else if err := z.brotli.Reset(&z.src); err != nil {
		return false
	}
	return w.believe("brotli", f, z.brotli)
}

func openDeflate(w *worker, f *fragment, hits []hit, base uint32) bool {
	if !w.blindHere(f) || f.data[0]>>1&3 == 3 { // RFC 1951, 3.2.3: a reserved type of block
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

// plausibleText reports whether bytes that may break off inside a character are
// text.
func plausibleText(b []byte) bool {
	return isText(bytes.TrimRightFunc(b, func(r rune) bool { return r == 0xFFFD }))
}
