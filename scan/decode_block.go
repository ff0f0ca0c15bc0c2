package scan

import (
	"encoding/binary"

	"github.com/klauspost/compress/snappy"
	"github.com/pierrec/lz4/v4"
)

// Blocks without a frame, as clients of frameworks write them. What tells them
// from other bytes is that they say how long their content is, and that all of
// the block makes exactly as much.
var (
	snappyDecoder      = decoder{kind: "snappy", binary: true, starts: func(b byte) bool { return b >= 16 }, fits: fitsSnappy, open: openSnappy}
	snappyFrameDecoder = decoder{kind: "snappy", starts: startsWith("\xff"), fits: fitsSnappyFrame, open: openSnappyFrame}
	lz4JavaDecoder     = decoder{kind: "lz4-block", starts: startsWith("L"), fits: fitsLZ4Java, open: openLZ4Java}
	lz4BlockDecoder    = decoder{kind: "lz4-block", binary: true, starts: func(byte) bool { return true }, fits: fitsLZ4Block, open: openLZ4Block}
)

// minBlock is the length of content below which a block is not told from chance.
const minBlock = 16

// shortSnappy reports whether data may be a block although it begins like text:
// of less than 128 bytes, with a literal in front that does not reach the end.
func shortSnappy(data []byte) bool {
	return data[1]&3 == 0 && len(data) < 160 && int(data[1]>>2)+3 < len(data)
}

// fitsSnappy walks the elements of a block without decoding them: lengths must
// add up to the one that the block begins with (google/snappy,
// format_description.txt). A short block may begin like text; one without a
// repetition that is text altogether is text.
func fitsSnappy(data []byte) bool {
	want, n := binary.Uvarint(data)
	if n <= 0 || n == len(data) || want < minBlock || data[n]&3 != 0 {
		return false
	}
	made, at := uint64(0), n
	for at < len(data) {
		tag := data[at]
		at++
		size := uint64(tag>>2) + 1
		switch tag & 3 {
		case 0: // literal
			if extra := int(tag>>2) - 59; extra > 0 {
				if extra > len(data)-at {
					return false
				}
				size = 0
				for i := range extra {
					size |= uint64(data[at+i]) << (8 * i)
				}
				size++
				at += extra
			}
			if size > uint64(len(data)-at) {
				return false
			}
			at += int(size)
		case 1: // copy, offset of 11 bits
			size = uint64(tag>>2&7) + 4
			at++
		case 2:
			at += 2
		case 3:
			at += 4
		}
		if made += size; made > want {
			return false
		}
	}
	return at == len(data) && made == want && !isText(data)
}

func openSnappy(w *worker, f *fragment, hits []hit, base uint32) bool {
	n, err := snappy.DecodedLen(f.data)
	if err != nil || !w.budget.spend(n) {
		w.limited("snappy")
		return false
	}
	out, err := snappy.Decode(w.buffer(f.depth, n), f.data)
	if err != nil {
		w.failed("snappy")
		return false
	}
	w.child(f, piece{kind: "snappy", data: out, to: len(f.data)}, nil, 0)
	return true
}

// fitsSnappyFrame: framing_format.txt, the stream identifier.
func fitsSnappyFrame(data []byte) bool { return string(data[:8]) == "\xff\x06\x00\x00sNaP" }

func openSnappyFrame(w *worker, f *fragment, hits []hit, base uint32) bool {
	z := &w.zip
	z.src.Reset(f.data)
	if z.snappy == nil {
		z.snappy = snappy.NewReader(&z.src)
	} else {
		z.snappy.Reset(&z.src)
	}
	return w.decompress("snappy", f, z.snappy)
}

// lz4Header returns the length of the head before an LZ4 block, and that of its
// content: 0 if there is none. Heads are those of python-lz4's block module (the
// content's length, little endian), of phpredis (a CRC-8 before that:
// redis_pack of library.c) and of Redisson's LZ4Codec (big endian).
func lz4Header(data []byte) (head, size int) {
	plausible := func(n uint32) bool {
		return n >= minBlock && uint64(n) <= 255*uint64(len(data)) && uint64(len(data)) < uint64(n)+uint64(n)/255+24 // LZ4_COMPRESSBOUND and the head
	}
	if n := binary.LittleEndian.Uint32(data); plausible(n) && lz4Fits(data[4:], int(n)) {
		return 4, int(n)
	}
	if n := binary.LittleEndian.Uint32(data[1:]); plausible(n) && lz4Fits(data[5:], int(n)) {
		return 5, int(n)
	}
	if n := binary.BigEndian.Uint32(data); plausible(n) && lz4Fits(data[4:], int(n)) {
		return 4, int(n)
	}
	return 0, 0
}

// lz4Fits walks the sequences of a block (lz4_Block_format.md): their lengths
// must add up to size.
func lz4Fits(data []byte, size int) bool {
	made, at := 0, 0
	extend := func(n int) int {
		if n != 15 {
			return n
		}
		for at < len(data) {
			b := data[at]
			at++
			n += int(b)
			if b != 255 || n > size {
				break
			}
		}
		return n
	}
	for at < len(data) {
		token := data[at]
		at++
		literals := extend(int(token >> 4))
		if literals > len(data)-at {
			return false
		}
		at += literals
		made += literals
		if at == len(data) {
			return made == size
		}
		if at+2 > len(data) {
			return false
		}
		offset := int(binary.LittleEndian.Uint16(data[at:]))
		at += 2
		if offset == 0 || offset > made {
			return false
		}
		if made += extend(int(token&15)) + 4; made > size {
			return false
		}
	}
	return false
}

func fitsLZ4Block(data []byte) bool {
	head, _ := lz4Header(data)
	return head > 0
}

func openLZ4Block(w *worker, f *fragment, hits []hit, base uint32) bool {
	head, size := lz4Header(f.data)
	block := f.data[head:]
	if !w.budget.spend(size) {
		w.limited("lz4-block")
		return false
	}
	out := w.buffer(f.depth, size)
	n, err := lz4.UncompressBlock(block, out)
	if err != nil {
		w.failed("lz4-block")
		return false
	}
	w.child(f, piece{kind: "lz4-block", data: out[:n], to: len(f.data)}, nil, 0)
	return true
}

func fitsLZ4Java(data []byte) bool { return string(data[:8]) == "LZ4Block" }

// openLZ4Java reads the blocks of lz4-java's LZ4BlockOutputStream (magic, token,
// both lengths, checksum) to the empty last one.
func openLZ4Java(w *worker, f *fragment, hits []hit, base uint32) bool {
	const head, raw = 21, 0x10 // the method in the token's high half: 0x10 stored, 0x20 LZ4
	out, whole, cut := w.bufs[f.depth][:0], false, false
	for d := f.data; len(d) >= head && string(d[:8]) == "LZ4Block"; {
		method := d[8] & 0xf0
		packed, size := binary.LittleEndian.Uint32(d[9:]), binary.LittleEndian.Uint32(d[13:])
		if size == 0 {
			whole = true
			break
		}
		d = d[head:]
		if uint64(packed) > uint64(len(d)) || uint64(size) > 255*uint64(packed) {
			break
		}
		if cut = !w.budget.spend(int(size)); cut {
			w.limited("lz4-block")
			break
		}
		if method == raw {
			out = append(out, d[:packed]...)
		} else {
			at := len(out)
			out = append(out, make([]byte, size)...)
			n, err := lz4.UncompressBlock(d[:packed], out[at:])
			if out = out[:at+max(n, 0)]; err != nil {
				break
			}
		}
		d = d[packed:]
		whole = len(d) == 0
	}
	w.bufs[f.depth] = out
	if !whole && !cut {
		w.failed("lz4-block")
	}
	if len(out) == 0 {
		return false
	}
	w.child(f, piece{kind: "lz4-block", data: out, to: len(f.data)}, nil, 0)
	return whole
}
