package scan

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// A decoder opens one kind of container. It hands what it finds to worker.child
// as it goes, builds no objects, and spends from worker.budget whatever it
// produces. Each decoder is a file of its own, entered in decoders.
type decoder struct {
	kind string // as it stands in a chain

	// starts and fits say quickly that a text cannot be this container. starts
	// sees the first byte, fits the whole text, of at least minContainer bytes.
	// Instead of by its first byte a container may be known by keywords in it.
	starts   func(first byte) bool
	keywords []string
	fits     func(data []byte) bool

	// open reads the container and reports whether it understood all of it: if
	// so, the text itself is not scanned, only what came out of it.
	open func(w *worker, f *fragment, hits []hit, base uint32) bool

	// binary: among the first minContainer bytes is one that text does not have.
	binary bool

	// long: fits is false of less than minLong bytes, as most values are, and need
	// not be asked.
	long bool

	// blind: it has nothing to be known by, and says nothing for decoded bytes.
	blind bool
}

// minContainer is the length below which nothing is opened.
const minContainer = 8

// minLong is the least length of a long decoder's containers.
const minLong = 25

// decoders lists the containers in the order in which they are tried.
func decoders() []decoder {
	return []decoder{
		gadgetDecoder, jwkDecoder, jsonDecoder, keyDecoder, gzipDecoder, zlibDecoder, zstdDecoder, lz4Decoder, snappyFrameDecoder, bzip2Decoder, xzDecoder,
		phpDecoder, phpSessionDecoder, pickleDecoder, marshalDecoder, javaDecoder, igbinaryDecoder, nrbfDecoder, dotnetDecoder, aspnetStateDecoder, gobDecoder,
		erlangDecoder, utf16Decoder,
		msgpackLZ4Decoder, msgpackDecoder, cborDecoder, bsonDecoder, protobufDecoder, lz4JavaDecoder, lz4BlockDecoder, snappyDecoder, brotliDecoder, deflateDecoder,
		jwtDecoder, signedDecoder, mimeDecoder, uuDecoder, quotedDecoder, xmlDecoder, dataURLDecoder, hexDecoder, base32Decoder, base64Decoder, entityDecoder, percentDecoder,
		latin1Decoder, literalDecoder, base85Decoder, ascii85Decoder,
	}
}

// maybeContainer reports whether some decoder may open data.
func (w *worker) maybeContainer(data []byte) bool {
	if len(data) < minContainer {
		return false
	}
	for set := w.candidates(data); set != 0; set &= set - 1 {
		if w.s.decoders[bits.TrailingZeros64(set)].fits(data) {
			return true
		}
	}
	return false
}

// candidates returns the decoders that data, of at least minContainer bytes, may
// be for by how it begins.
func (w *worker) candidates(data []byte) uint64 {
	set := w.s.sniff[data[0]]
	if len(data) < minLong {
		set &^= w.s.long
	}
	// No byte of the first eight above 0x7f or below a space: no binary format.
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	if head := binary.LittleEndian.Uint64(data); (head|(head-ones*' ')&^head)&tops == 0 {
		set &^= w.s.binary
		if shortSnappy(data) {
			set |= w.s.snappy & w.s.sniff[data[0]]
		}
	}
	return set
}

// open opens f with the first decoder that understands all of it. What others
// understood of it has been scanned, too.
func (w *worker) open(f *fragment, hits []hit, base uint32) bool {
	set := uint64(0)
	for _, h := range hits {
		out := w.s.matcher.output(h)
		set |= w.s.opens[out]
		w.probe.marks |= w.s.marked[out]
	}
	if len(f.data) < minContainer {
		return false
	}
	for set |= w.candidates(f.data); set != 0; set &= set - 1 {
		d := &w.s.decoders[bits.TrailingZeros64(set)]
		if !d.fits(f.data) {
			continue
		}
		if f.depth >= maxDepth || !w.budget.element() {
			w.limited(d.kind)
			return false
		}
		if d.open(w, f, hits, base) {
			return true
		}
	}
	return false
}

// isContainer reports whether decoded bytes are known or hold text: what tells
// base64 and hex from random identifiers.
func (w *worker) isContainer(data []byte) bool { return w.isKnown(data) || holdsText(data) }

// isKnown reports whether bytes are text or start like a binary container.
func (w *worker) isKnown(data []byte) bool {
	if isText(data) || isELF(data, 0) {
		return true
	}
	if len(data) < minContainer {
		return false
	}
	for set := w.candidates(data); set != 0; set &= set - 1 {
		if d := &w.s.decoders[bits.TrailingZeros64(set)]; !d.blind && d.fits(data) {
			return true
		}
	}
	return false
}

// isText reports whether data is readable: UTF-8 without control characters
// other than white space.
func isText(data []byte) bool {
	ascii := true
	for rest := data; len(rest) > 0; {
		n := min(len(rest), 8)
		if n < 8 || !isPrintable8(binary.LittleEndian.Uint64(rest)) {
			for _, b := range rest[:n] {
				if b < ' ' && !isSpace(b) || b == 0x7f {
					return false
				}
				ascii = ascii && b < 0x80
			}
		}
		rest = rest[n:]
	}
	return ascii || utf8.Valid(data)
}

// isPrintable8 reports whether eight bytes are ASCII without control characters.
func isPrintable8(x uint64) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	del := x ^ ones*0x7f
	return (x|(x-ones*' ')&^x|(del-ones)&^del)&highs == 0
}

// minRun is how many printable characters in a row are text among bytes of a
// format that nothing here knows: of random ones, not one in ten million begins
// as many.
const minRun = 16

// maxRunSearch is how far such a text is looked for.
const maxRunSearch = 4 << 10

// holdsText reports whether a run of printable characters stands near the front
// of data.
func holdsText(data []byte) bool {
	data = data[:min(len(data), maxRunSearch)]
	for end := minRun; end <= len(data); { // a run of minRun bytes that begins at or behind start ends here
		start := end - minRun
		i := end - 1
		for i >= start && data[i] >= ' ' && data[i] < 0x7f {
			i--
		}
		if i < start {
			return true
		}
		end = i + 1 + minRun
	}
	return false
}

func isASCII(data []byte) bool {
	for ; len(data) >= 8; data = data[8:] {
		if binary.LittleEndian.Uint64(data)&0x8080808080808080 != 0 {
			return false
		}
	}
	for _, b := range data {
		if b >= 0x80 {
			return false
		}
	}
	return true
}

// failed counts a container that could not be read to its end.
func (w *worker) failed(kind string) {
	count(&w.stats.Failures, kind, 1)
	w.note("not-opened:" + kind)
}

// limited counts a container that was not opened, or not to its end, because
// of a limit.
func (w *worker) limited(kind string) {
	w.failed(kind)
	count(&w.stats.Limited, kind, 1)
	w.stopped = cmp.Or(w.stopped, kind)
}

// afford returns as much of the text of a container as the budget allows to come
// out of it.
func (w *worker) afford(kind string, text []byte) []byte {
	n := w.budget.afford(len(text))
	if n < len(text) {
		w.limited(kind)
	}
	return text[:n]
}

// What is counted beside containers: values that hold more keywords, or more
// matches, than they may.
const (
	limitHits    = "keywords"
	limitMatches = "matches"
)

// startsWith makes a starts function of the bytes that may come first.
func startsWith(first string) func(byte) bool {
	return func(b byte) bool { return bytes.IndexByte([]byte(first), b) >= 0 }
}
