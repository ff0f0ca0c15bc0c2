package capture

import (
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
)

// conn is one direction of a connection.
type conn struct{ from, to netip.AddrPort }

func (c conn) String() string { return c.from.String() + " > " + c.to.String() }

// packet is one that was captured: the type of its link, and its place.
type packet struct {
	r    io.ReaderAt
	link uint32
	from int64
	n    int64
}

// tcp is a TCP segment in a packet.
type tcp struct {
	conn conn
	seq  uint32
	syn  bool
	from int64
	n    int32 // bytes that were captured
	sent int32 // bytes that there were
}

// The types of links: https://www.tcpdump.org/linktypes.html.
const (
	linkNull     = 0
	linkEthernet = 1
	linkRawBSD   = 12
	linkRawOpen  = 14
	linkRaw      = 101
	linkLoop     = 108
	linkSLL      = 113
	linkIPv4     = 228
	linkIPv6     = 229
	linkSLL2     = 276
	noLink       = 1 << 16 // of an interface that is not described: types have 16 bits
)

// The types of Ethernet frames.
const (
	etherIPv4 = 0x0800
	etherIPv6 = 0x86dd
	etherVLAN = 0x8100
	etherQinQ = 0x88a8
)

// maxHeaders is how far the payload of a TCP segment may begin in its packet.
const maxHeaders = 512

// segment returns the TCP segment in a packet; ok is false where there is none, known
// where it cannot be told for its link.
func (p packet) segment(room *[maxHeaders]byte) (s tcp, ok, known bool, err error) {
	n, err := p.r.ReadAt(room[:min(p.n, maxHeaders)], p.from)
	if err != nil && !errors.Is(err, io.EOF) {
		return s, false, true, err
	}
	at, known := network(p.link, room[:n])
	if at >= 0 {
		s, ok = s.parse(room[:n], at, p)
	}
	return s, ok, known, nil
}

// network returns where the IP packet begins in one of a link, -1 if it holds none;
// known is false where the link is not.
func network(link uint32, b []byte) (at int, known bool) {
	// ether is for a link whose type of what follows stands at an index, and that at next.
	ether := func(at, next int) (int, bool) {
		for at+2 <= len(b) {
			switch binary.BigEndian.Uint16(b[at:]) {
			case etherIPv4, etherIPv6:
				return next, true
			case etherVLAN, etherQinQ: // the tag, and the type of what follows it
				at, next = next+2, next+4
			default:
				return -1, true
			}
		}
		return -1, true
	}
	switch link {
	case linkEthernet:
		return ether(12, 14)
	case linkSLL:
		return ether(14, 16)
	case linkSLL2:
		return ether(0, 20)
	case linkNull, linkLoop:
		return 4, true
	case linkRaw, linkRawBSD, linkRawOpen, linkIPv4, linkIPv6:
		return 0, true
	}
	return -1, false
}

const (
	protoTCP     = 6
	protoHop     = 0
	protoRouting = 43
	protoOptions = 60
	leastTCP     = 20
	leastIPv4    = 20
	headerIPv6   = 40
	flagSYN      = 2
)

// parse reads the IP packet at an offset of b, whose beginning lies at p.
func (s tcp) parse(b []byte, at int, p packet) (tcp, bool) {
	ip := b[min(at, len(b)):]
	if len(ip) < leastIPv4 {
		return s, false
	}
	var from, to netip.Addr
	var head, total int
	switch ip[0] >> 4 {
	case 4:
		head, total = int(ip[0]&15)*4, int(binary.BigEndian.Uint16(ip[2:]))
		if head < leastIPv4 || ip[9] != protoTCP || binary.BigEndian.Uint16(ip[6:])&0x3fff != 0 { // a fragment
			return s, false
		}
		from, to = netip.AddrFrom4([4]byte(ip[12:])), netip.AddrFrom4([4]byte(ip[16:]))
	case 6:
		if len(ip) < headerIPv6 {
			return s, false
		}
		head, total = headerIPv6, headerIPv6+int(binary.BigEndian.Uint16(ip[4:]))
		from, to = netip.AddrFrom16([16]byte(ip[8:])), netip.AddrFrom16([16]byte(ip[24:]))
		next := ip[6]
		for next == protoHop || next == protoRouting || next == protoOptions {
			if head+2 > len(ip) {
				return s, false
			}
			next, head = ip[head], head+8+8*int(ip[head+1])
		}
		if next != protoTCP {
			return s, false
		}
	default:
		return s, false
	}
	if total <= head { // written by a card that divides packets itself
		total = int(p.n) - at
	}
	if head+leastTCP > len(ip) {
		return s, false
	}
	t := ip[head:]
	data := head + int(t[12]>>4)*4
	if data < head+leastTCP {
		return s, false
	}
	s.conn = conn{netip.AddrPortFrom(from, binary.BigEndian.Uint16(t)), netip.AddrPortFrom(to, binary.BigEndian.Uint16(t[2:]))}
	s.seq, s.syn = binary.BigEndian.Uint32(t[4:]), t[13]&flagSYN != 0
	s.from = p.from + int64(at+data)
	s.sent = int32(max(total-data, 0))
	s.n = int32(max(min(int64(s.sent), p.n-int64(at+data)), 0)) // a snap length may cut it
	return s, true
}
