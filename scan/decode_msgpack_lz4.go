package scan

import "github.com/pierrec/lz4/v4"

// MessagePack-CSharp's compressed forms (MessagePackCompression): Lz4Block is an
// extension of type 99 that holds the length as an integer and an LZ4 block;
// Lz4BlockArray is an array of an extension of type 98 that holds the lengths, and
// as many blocks.
var msgpackLZ4Decoder = decoder{kind: "msgpack-lz4", binary: true, starts: func(b byte) bool { return b >= 0x92 && b <= 0x9f || b == 0xdc || b >= 0xc7 && b <= 0xc9 }, fits: fitsMsgpackLZ4, open: openMsgpackLZ4}

const (
	mpBlock  = 99
	mpBlocks = 98
)

// A packedBlock is an LZ4 block and the length of its content.
type packedBlock struct {
	data []byte
	size int
}

func fitsMsgpackLZ4(data []byte) bool { return len(msgpackBlocks(data)) > 0 }

// msgpackBlocks returns the blocks of a whole value, or nil.
func msgpackBlocks(data []byte) []packedBlock {
	m := msgpackWalker{data: data}
	kind, n, _, err := m.head()
	if err != nil {
		return nil
	}
	if kind != mpArray {
		body := m.extension(n, mpBlock)
		inner := msgpackWalker{data: body}
		kind, _, size, err := inner.head()
		if body == nil || m.at != len(data) || err != nil || kind != mpInt || !plausibleBlock(size, len(body)-inner.at) {
			return nil
		}
		return []packedBlock{{body[inner.at:], int(size)}}
	}
	blocks := n - 1
	if _, n, _, err = m.head(); err != nil {
		return nil
	}
	sizes := msgpackWalker{data: m.extension(n, mpBlocks)}
	var out []packedBlock
	for range blocks {
		kind, _, size, err := sizes.head()
		if err != nil || kind != mpInt {
			return nil
		}
		kind, n, _, err := m.head()
		if err != nil || kind != mpString || n > len(data)-m.at || !plausibleBlock(size, n) {
			return nil
		}
		out = append(out, packedBlock{data[m.at : m.at+n], int(size)})
		m.at += n
	}
	if m.at != len(data) || sizes.at != len(sizes.data) {
		return nil
	}
	return out
}

// extension returns the body of an extension of a type, of which n bytes follow,
// with the type before it; nil if it is none.
func (m *msgpackWalker) extension(n int, kind byte) []byte {
	if n < 2 || n > len(m.data)-m.at || m.data[m.at] != kind {
		return nil
	}
	m.at += n
	return m.data[m.at-n+1 : m.at]
}

// plausibleBlock reports whether n bytes may be a block of so much content.
func plausibleBlock(size int64, n int) bool {
	return size >= minBlock && size <= 255*int64(n)
}

func openMsgpackLZ4(w *worker, f *fragment, hits []hit, base uint32) bool {
	out := w.bufs[f.depth][:0]
	whole := true
	for _, b := range msgpackBlocks(f.data) {
		if !w.budget.spend(b.size) {
			w.limited("msgpack-lz4")
			whole = false
			break
		}
		at := len(out)
		out = append(out, make([]byte, b.size)...)
		n, err := lz4.UncompressBlock(b.data, out[at:])
		if out = out[:at+max(n, 0)]; err != nil {
			w.failed("msgpack-lz4")
			whole = false
			break
		}
	}
	w.bufs[f.depth] = out
	if len(out) > 0 {
		w.child(f, piece{kind: "msgpack-lz4", data: out, to: len(f.data)}, nil, 0)
	}
	return whole
}
