package capture

import (
	"bytes"
	"encoding/binary"
	"io"
)

// The magics of pcap files, of microseconds and nanoseconds, in either order of bytes,
// and of pcapng (draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng).
var magics = [][]byte{{0xa1, 0xb2, 0xc3, 0xd4}, {0xd4, 0xc3, 0xb2, 0xa1}, {0xa1, 0xb2, 0x3c, 0x4d}, {0x4d, 0x3c, 0xb2, 0xa1}}

const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockPacket    = 2 // obsolete
	blockSimple    = 3
	blockEnhanced  = 6
	orderMagic     = 0x1a2b3c4d

	fileHeader   = 24
	recordHeader = 16
	blockHeader  = 8
	// maxPacket is MAXIMUM_SNAPLEN of libpcap, and room for blocks with options.
	maxPacket = 256 << 10
	maxBlock  = 16 << 20
	// maxInterfaces bounds those of a section.
	maxInterfaces = 1 << 16
)

// Sniff reports whether a file begins like one of captured packets.
func Sniff(head []byte) bool {
	for _, m := range magics {
		if bytes.HasPrefix(head, m) {
			return len(head) >= 6 && (head[4] == 2 || head[5] == 2) // version 2.4
		}
	}
	return len(head) >= 12 && binary.BigEndian.Uint32(head) == blockSection &&
		(binary.BigEndian.Uint32(head[8:]) == orderMagic || binary.LittleEndian.Uint32(head[8:]) == orderMagic)
}

// packets yields the packets of a file up to where it breaks off, which it returns.
func packets(r io.ReaderAt, size int64, yield func(packet) error) (end int64, err error) {
	r = &ahead{r: r}
	var head [fileHeader]byte
	if n, err := r.ReadAt(head[:], 0); n < len(head) {
		return 0, err
	}
	if binary.BigEndian.Uint32(head[:]) == blockSection {
		return blocks(r, size, yield)
	}
	var order binary.ByteOrder = binary.LittleEndian
	if head[0] == 0xa1 {
		order = binary.BigEndian
	}
	link := order.Uint32(head[20:]) & 0xffff // the upper half is of the frame check sequence
	var rec [recordHeader]byte
	at := int64(fileHeader)
	for at+recordHeader <= size {
		if n, err := r.ReadAt(rec[:], at); n < len(rec) {
			return at, err
		}
		n := int64(order.Uint32(rec[8:]))
		if n > maxPacket || at+recordHeader+n > size {
			break
		}
		if err := yield(packet{r, link, at + recordHeader, n}); err != nil {
			return at, err
		}
		at += recordHeader + n
	}
	return at, nil
}

// blocks yields the packets of a pcapng file.
func blocks(r io.ReaderAt, size int64, yield func(packet) error) (at int64, err error) {
	var order binary.ByteOrder = binary.LittleEndian
	var links []uint32
	var b [28]byte
	for at+blockHeader+4 <= size {
		n, err := r.ReadAt(b[:], at)
		if err != nil && n < blockHeader+4 {
			return at, err
		}
		clear(b[n:])
		kind := order.Uint32(b[:])
		if kind == blockSection {
			if links = links[:0]; binary.BigEndian.Uint32(b[8:]) == orderMagic {
				order = binary.BigEndian
			} else {
				order = binary.LittleEndian
			}
		}
		length := int64(order.Uint32(b[4:]))
		if length < blockHeader+4 || length > maxBlock || at+length > size {
			break
		}
		var id uint32
		p := packet{r: r, link: noLink, from: at + 28, n: int64(order.Uint32(b[20:]))}
		switch kind {
		case blockInterface:
			if len(links) < maxInterfaces {
				links = append(links, uint32(order.Uint16(b[8:])))
			}
			p.n = -1
		case blockEnhanced:
			id = order.Uint32(b[8:])
		case blockPacket:
			id = uint32(order.Uint16(b[8:]))
		case blockSimple:
			p.from, p.n = at+12, min(int64(order.Uint32(b[8:])), length-16)
		default:
			p.n = -1
		}
		if p.n >= 0 && p.from+p.n <= at+length {
			if int64(id) < int64(len(links)) {
				p.link = links[id]
			}
			if err := yield(p); err != nil {
				return at, err
			}
		}
		at += length
	}
	return at, nil
}

// ahead reads ahead for one who reads a little at a time, from the front to the back.
type ahead struct {
	r   io.ReaderAt
	at  int64 // of b
	b   []byte
	err error // at the end of b
}

const aheadSize = 256 << 10

func (a *ahead) ReadAt(p []byte, off int64) (int, error) {
	if off < a.at || off+int64(len(p)) > a.at+int64(len(a.b)) {
		if a.b == nil {
			a.b = make([]byte, aheadSize)
		}
		a.b, a.at = a.b[:cap(a.b)], off
		var n int
		n, a.err = a.r.ReadAt(a.b, off)
		a.b = a.b[:n]
	}
	n := copy(p, a.b[off-a.at:])
	if n < len(p) {
		return n, a.err
	}
	return n, nil
}
