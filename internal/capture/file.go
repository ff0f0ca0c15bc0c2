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

// packets yields the packets of a file up to where it breaks off.
func packets(r io.ReaderAt, size int64, yield func(packet) error) error {
	var head [fileHeader]byte
	if n, err := r.ReadAt(head[:], 0); n < len(head) {
		return err
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
	for at := int64(fileHeader); at+recordHeader <= size; {
		if n, err := r.ReadAt(rec[:], at); n < len(rec) {
			return err
		}
		n := int64(order.Uint32(rec[8:]))
		if at += recordHeader; n > maxPacket || at+n > size {
			return nil
		}
		if err := yield(packet{link, at, n}); err != nil {
			return err
		}
		at += n
	}
	return nil
}

// blocks yields the packets of a pcapng file.
func blocks(r io.ReaderAt, size int64, yield func(packet) error) error {
	var order binary.ByteOrder = binary.LittleEndian
	var links []uint32
	var b [28]byte
	for at := int64(0); at+blockHeader+4 <= size; {
		n, err := r.ReadAt(b[:], at)
		if err != nil && n < blockHeader+4 {
			return err
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
			return nil
		}
		var id uint32
		p := packet{from: at + 28, n: int64(order.Uint32(b[20:]))}
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
		if p.n >= 0 && int64(id) < int64(len(links)) && p.from+p.n <= at+length {
			p.link = links[id]
			if err := yield(p); err != nil {
				return err
			}
		}
		at += length
	}
	return nil
}
