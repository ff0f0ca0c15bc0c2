package capture

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// sent is a TCP segment from a client to a server, or back.
type sent struct {
	seq  uint32
	syn  bool
	back bool
	data string
}

// ip4 is the packet of a segment.
func ip4(s sent) []byte {
	from, to := []byte{10, 0, 0, 1, 0xc3, 0x50}, []byte{10, 0, 0, 2, 0x18, 0xeb}
	if s.back {
		from, to = to, from
	}
	b := []byte{0x45, 0, 0, 0, 0, 0, 0, 0, 64, 6, 0, 0}
	b = append(append(b, from[:4]...), to[:4]...)
	b = append(b, segmentOf(s, from[4:], to[4:])...)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

// ip6 is the packet of a segment, behind an option header.
func ip6(s sent) []byte {
	b := append([]byte{0x60, 0, 0, 0, 0, 0, protoHop, 64}, make([]byte, 32)...)
	b[8], b[24] = 0xfd, 0xfd
	b[23], b[39] = 1, 2
	b = append(b, protoTCP, 0, 0, 0, 0, 0, 0, 0)
	b = append(b, segmentOf(s, []byte{0xc3, 0x50}, []byte{0x18, 0xeb})...)
	binary.BigEndian.PutUint16(b[4:], uint16(len(b)-headerIPv6))
	return b
}

func segmentOf(s sent, from, to []byte) []byte {
	t := append(append([]byte{}, from...), to...)
	t = binary.BigEndian.AppendUint32(t, s.seq)
	t = append(t, 0, 0, 0, 0, 6<<4, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1) // four bytes of options
	if s.syn {
		t[13] |= flagSYN
	}
	return append(t, s.data...)
}

func ethernet(ip []byte) []byte {
	b := append(make([]byte, 12), 8, 0)
	if ip[0]>>4 == 6 {
		b[12], b[13] = 0x86, 0xdd
	}
	return append(append(b, ip...), 0, 0) // and what fills a short frame
}

func vlan(ip []byte) []byte { return append(append(make([]byte, 12), 0x81, 0, 0, 5, 8, 0), ip...) }
func sll(ip []byte) []byte  { return append(append(make([]byte, 14), 8, 0), ip...) }
func sll2(ip []byte) []byte { return append(append([]byte{8, 0}, make([]byte, 18)...), ip...) }
func sll2vlan(ip []byte) []byte {
	return append(append(append([]byte{0x81, 0}, make([]byte, 18)...), 0, 5, 8, 0), ip...)
}
func null(ip []byte) []byte { return append([]byte{2, 0, 0, 0}, ip...) }
func raw(ip []byte) []byte  { return ip }

// pcap is a file of packets.
func pcap(order binary.AppendByteOrder, magic uint32, link uint32, packets ...[]byte) []byte {
	b := order.AppendUint32(nil, magic)
	b = order.AppendUint16(order.AppendUint16(b, 2), 4)
	b = order.AppendUint32(append(b, make([]byte, 8)...), 65535)
	b = order.AppendUint32(b, link)
	for _, p := range packets {
		b = append(b, make([]byte, 8)...)
		b = order.AppendUint32(order.AppendUint32(b, uint32(len(p))), uint32(len(p)))
		b = append(b, p...)
	}
	return b
}

// pcapng is the same in blocks of a kind.
func pcapng(order binary.AppendByteOrder, kind, link uint32, packets ...[]byte) []byte {
	block := func(b []byte, kind uint32, body []byte) []byte {
		for len(body)%4 != 0 {
			body = append(body, 0)
		}
		n := uint32(len(body) + 12)
		return order.AppendUint32(append(order.AppendUint32(order.AppendUint32(b, kind), n), body...), n)
	}
	b := block(nil, blockSection, append(order.AppendUint32(nil, orderMagic), 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255))
	b = block(b, blockInterface, append(order.AppendUint16(nil, uint16(link)), 0, 0, 0, 0, 0, 0))
	b = block(b, 5, []byte("statistics"))
	for _, p := range packets {
		var body []byte
		switch kind {
		case blockEnhanced, blockPacket:
			body = order.AppendUint32(order.AppendUint32(make([]byte, 12), uint32(len(p))), uint32(len(p)))
		case blockSimple:
			body = order.AppendUint32(nil, uint32(len(p)))
		}
		b = block(b, kind, append(body, p...))
	}
	return b
}

// show is what the streams hold, each stretch on its own.
func show(t *testing.T, file []byte) (text string, m *Image) {
	t.Helper()
	m, err := Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	section := io.NewSectionReader(m, 0, m.Size())
	if err := iotest.TestReader(section, read(t, m)); err != nil {
		t.Error(err)
	}
	var all []string
	for at := int64(0); at < m.Size(); at += page {
		b := make([]byte, page)
		n, _ := m.ReadAt(b, at)
		all = append(all, m.Stream(at)+" "+strings.TrimRight(string(b[:n]), "\x00"))
	}
	return strings.Join(all, "|"), m
}

func read(t *testing.T, m *Image) []byte {
	t.Helper()
	b := make([]byte, m.Size())
	if n, err := m.ReadAt(b, 0); n < len(b) || err != nil {
		t.Fatal(n, err)
	}
	return b
}

const forth, back = "10.0.0.1:50000 > 10.0.0.2:6379 ", "10.0.0.2:6379 > 10.0.0.1:50000 "

// TestStreams: the bytes of each direction are put in order.
func TestStreams(t *testing.T) {
	for _, c := range []struct {
		name string
		sent []sent
		want string
		lost int64
	}{
		{"in order", []sent{{seq: 9, syn: true}, {seq: 99, syn: true, back: true}, {seq: 10, data: "one "}, {seq: 100, back: true, data: "+OK"}, {seq: 14, data: "two"}}, forth + "one two|" + back + "+OK", 0},
		{"out of order", []sent{{seq: 9, syn: true}, {seq: 14, data: "two"}, {seq: 10, data: "one "}}, forth + "one two", 0},
		{"sent again", []sent{{seq: 10, data: "one "}, {seq: 10, data: "one "}, {seq: 12, data: "e two"}}, forth + "one two", 0},
		{"not captured", []sent{{seq: 10, data: "one "}, {seq: 20, data: "two"}}, forth + "one |" + forth + "two", 6},
		{"beginning not captured", []sent{{seq: 14, data: "two"}, {seq: 10, data: "one "}}, forth + "one two", 0},
		{"numbers wrap", []sent{{seq: 0xfffffffe, data: "one "}, {seq: 2, data: "two"}}, forth + "one two", 0},
		{"SYN again", []sent{{seq: 9, syn: true}, {seq: 9, syn: true}, {seq: 10, data: "one"}, {seq: 9, syn: true}, {seq: 13, data: " two"}}, forth + "one two", 0},
		{"port used again", []sent{{seq: 9, syn: true}, {seq: 10, data: "one"}, {seq: 7, syn: true}, {seq: 8, data: "two"}}, forth + "one|" + forth + "two", 0},
		{"data with SYN", []sent{{seq: 9, syn: true, data: "one "}, {seq: 14, data: "two"}}, forth + "one two", 0},
		{"begins behind its SYN", []sent{{seq: 9, syn: true}, {seq: 14, data: "two"}}, forth + "two", 4},
		{"other bytes sent again", []sent{{seq: 10, data: "one "}, {seq: 10, data: "ONE two"}, {seq: 12, data: "E TW"}}, forth + "one two", 0},
		{"kept alive", []sent{{seq: 10, data: "one "}, {seq: 13, data: "\x01"}, {seq: 14, data: "two"}}, forth + "one two", 0},
		{"a page", []sent{{seq: 9, data: strings.Repeat("x", page)}, {seq: 9, back: true, data: "two"}}, forth + strings.Repeat("x", page) + "| |" + back + "two", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var packets [][]byte
			for _, s := range c.sent {
				packets = append(packets, ethernet(ip4(s)))
			}
			got, m := show(t, pcap(binary.LittleEndian, 0xa1b2c3d4, linkEthernet, packets...))
			if got != c.want || m.Lost() != c.lost {
				t.Errorf("%q, %d lost; want %q, %d", got, m.Lost(), c.want, c.lost)
			}
		})
	}
}

// TestFormats: packets are found in every kind of file, on every kind of link.
func TestFormats(t *testing.T) {
	one, two := sent{seq: 10, data: "one "}, sent{seq: 14, data: "two"}
	files := map[string][]byte{
		"big-endian":  pcap(binary.BigEndian, 0xa1b2c3d4, linkEthernet, ethernet(ip4(one)), ethernet(ip4(two))),
		"nanoseconds": pcap(binary.LittleEndian, 0xa1b23c4d, linkEthernet, ethernet(ip4(one)), ethernet(ip4(two))),
		"VLAN":        pcap(binary.LittleEndian, 0xa1b2c3d4, linkEthernet, vlan(ip4(one)), vlan(ip4(two))),
		"any":         pcap(binary.LittleEndian, 0xa1b2c3d4, linkSLL, sll(ip4(one)), sll(ip4(two))),
		"any, newer":  pcap(binary.LittleEndian, 0xa1b2c3d4, linkSLL2, sll2(ip4(one)), sll2(ip4(two))),
		"loopback":    pcap(binary.LittleEndian, 0xa1b2c3d4, linkNull, null(ip4(one)), null(ip4(two))),
		"tunnel":      pcap(binary.LittleEndian, 0xa1b2c3d4, linkRaw, raw(ip4(one)), raw(ip4(two))),
		"enhanced":    pcapng(binary.LittleEndian, blockEnhanced, linkEthernet, ethernet(ip4(one)), ethernet(ip4(two))),
		"simple":      pcapng(binary.BigEndian, blockSimple, linkEthernet, ethernet(ip4(one)), ethernet(ip4(two))),
		"obsolete":    pcapng(binary.BigEndian, blockPacket, linkEthernet, ethernet(ip4(one)), ethernet(ip4(two))),
		"version 6":   pcap(binary.LittleEndian, 0xa1b2c3d4, linkEthernet, ethernet(ip6(one)), ethernet(ip6(two))),
		"any, VLAN":   pcap(binary.LittleEndian, 0xa1b2c3d4, linkSLL2, sll2vlan(ip4(one)), sll2vlan(ip4(two))),
		"among others": pcap(binary.LittleEndian, 0xa1b2c3d4, linkEthernet, []byte("short"), append(make([]byte, 12), 8, 6, 0, 1), ethernet(ip4(one)),
			ethernet(append([]byte{0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17}, make([]byte, 18)...)), ethernet(ip4(two))),
	}
	files["cut"] = append(files["big-endian"][:len(files["big-endian"]):len(files["big-endian"])], make([]byte, recordHeader)...)
	files["cut"][len(files["cut"])-6] = 200
	for name, file := range files {
		want := forth + "one two"
		if name == "version 6" {
			want = "[fd00::1]:50000 > [fd00::2]:6379 one two"
		}
		if !Sniff(file[:16]) {
			t.Errorf("%s: not recognised", name)
		}
		if got, _ := show(t, file); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if Sniff([]byte("REDIS0011\xfa\x09redis-")) || Sniff(nil) {
		t.Error("a snapshot is taken for packets")
	}
}

// TestOpaque: bytes of packets that are not understood are counted, and hide no others;
// what a snap length cut off is missing.
func TestOpaque(t *testing.T) {
	frame := ethernet(ip4(sent{seq: 10, data: "one "}))
	file := pcapng(binary.LittleEndian, blockEnhanced, 147, []byte("strange"))
	file = append(file, pcapng(binary.LittleEndian, blockEnhanced, linkEthernet, frame)...)
	stray := pcapng(binary.LittleEndian, blockEnhanced, linkEthernet, frame)
	begin := len(pcapng(binary.LittleEndian, blockEnhanced, linkEthernet)) + 8
	stray[begin]++ // of an interface that is not described
	broken := append(pcap(binary.LittleEndian, 0xa1b2c3d4, linkEthernet, frame), bytes.Repeat([]byte{0xff}, 100)...)
	cut := func(n int) []byte { return frame[:len(frame)-2-n] } // and what fills it
	for name, c := range map[string]struct {
		file         []byte
		want         string
		lost, opaque int64
	}{
		"link":      {file, "one ", 0, 7},
		"interface": {append(file, stray...), "one ", 0, 7 + int64(len(frame))},
		"breaks":    {broken, "one ", 0, 100},
		"snapped":   {pcap(binary.LittleEndian, 0xa1b2c3d4, linkEthernet, cut(1)), "one", 1, 0},
		"headers":   {pcap(binary.LittleEndian, 0xa1b2c3d4, linkEthernet, cut(4)), "", 4, 0},
	} {
		m, err := Open(bytes.NewReader(c.file), int64(len(c.file)))
		if err != nil {
			t.Fatal(name, err)
		}
		got := ""
		if m.Size() > 0 {
			got = strings.TrimRight(string(read(t, m)), "\x00")
		}
		if got != c.want || m.Lost() != c.lost || m.Opaque() != c.opaque {
			t.Errorf("%s: %q, %d lost, %d opaque; want %q, %d, %d", name, got, m.Lost(), m.Opaque(), c.want, c.lost, c.opaque)
		}
	}
}

// TestHalfOpen: connections that carry nothing take little, and no room in the image.
func TestHalfOpen(t *testing.T) {
	var packets [][]byte
	for i := range 20_000 {
		p := ethernet(ip4(sent{seq: uint32(i), syn: true}))
		binary.BigEndian.PutUint32(p[26:], uint32(i))
		packets = append(packets, p)
	}
	packets = append(packets, ethernet(ip4(sent{seq: 10, data: "one"})))
	if got, m := show(t, pcap(binary.LittleEndian, 0xa1b2c3d4, linkEthernet, packets...)); got != forth+"one" || m.Streams() != 1 {
		t.Errorf("%d streams", m.Streams())
	}
}

// FuzzOpen: no file breaks it, and what is read lies in the file.
func FuzzOpen(f *testing.F) {
	f.Add(pcap(binary.LittleEndian, 0xa1b2c3d4, linkEthernet, ethernet(ip4(sent{seq: 10, data: "one"})), vlan(ip4(sent{seq: 9, data: "two"}))))
	f.Add(pcapng(binary.LittleEndian, blockEnhanced, linkEthernet, ethernet(ip6(sent{seq: 10, data: "one"}))))
	f.Add(pcapng(binary.BigEndian, blockSimple, linkSLL2, sll2(ip4(sent{seq: 10, data: "one"}))))
	f.Fuzz(func(t *testing.T, file []byte) {
		m, err := Open(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			return
		}
		if max := int64(len(file)) * 2 * page; m.Size() > max {
			t.Fatalf("%d bytes of %d", m.Size(), len(file))
		}
		if m.Size() == 0 || m.Size() > 1<<22 {
			return
		}
		b := make([]byte, m.Size())
		if n, err := m.ReadAt(b, 0); n < len(b) || err != nil {
			t.Fatal(n, err)
		}
	})
}
