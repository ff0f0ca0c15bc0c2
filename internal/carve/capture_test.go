package carve

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/source"
)

// captured is a pcap file in which a client sends p in segments of n bytes, every two of
// them in the wrong order; a link other than 1 is one that nobody knows.
func captured(p []byte, n int, link uint32) []byte {
	le, be := binary.LittleEndian, binary.BigEndian
	file := le.AppendUint32(nil, 0xa1b2c3d4)
	file = append(file, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0)
	file = le.AppendUint32(file, link)
	packet := func(at int) {
		data := p[min(at, len(p)):min(at+n, len(p))]
		b := append(make([]byte, 12), 8, 0, 0x45, 0)
		b = be.AppendUint16(b, uint16(40+len(data)))
		b = append(b, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0xc3, 0x50, 0x18, 0xeb)
		b = be.AppendUint32(b, uint32(at))
		b = append(append(b, 0, 0, 0, 0, 0x50, 0, 0, 0, 0, 0, 0, 0), data...)
		file = append(file, make([]byte, 8)...)
		file = le.AppendUint32(le.AppendUint32(file, uint32(len(b))), uint32(len(b)))
		file = append(file, b...)
	}
	for at := 0; at < len(p); at += 2 * n {
		packet(at + n)
		packet(at)
	}
	return file
}

// TestCaptured: commands and snapshots that packets divide are found whole; where the
// packets are of a link that is not known, the file is searched as it is.
func TestCaptured(t *testing.T) {
	open := func(file []byte) *source.Image {
		name := filepath.Join(t.TempDir(), "packets")
		if err := os.WriteFile(name, file, 0o600); err != nil {
			t.Fatal(err)
		}
		img, err := source.OpenImage(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { img.Close() })
		return img
	}
	search := func(img *source.Image) (pieces []*Piece) {
		_, err := Run(t.Context(), img, Options{Workers: 1, Found: func(p *Piece) error {
			pieces = append(pieces, p)
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		return pieces
	}
	whole := dump(t, "redis-7.0.rdb")
	for _, c := range []struct {
		kind    Kind
		bytes   []byte
		records uint64
	}{{Commands, log(200), 200}, {Snapshot, whole, 0}} {
		pieces := search(open(captured(c.bytes, 100, 1)))
		if len(pieces) != 1 {
			t.Fatalf("%s: %d pieces", c.kind, len(pieces))
		}
		p := pieces[0]
		if p.Kind != c.kind || p.Length != int64(len(c.bytes)) || c.records > 0 && p.Records != c.records || p.Stream != "10.0.0.1:50000 > 10.0.0.2:6379" {
			t.Errorf("%s: %+v", c.kind, p)
		}
	}
	broken := open(append(captured(log(200), 100, 1), bytes.Repeat([]byte{0xff}, 100)...))
	if pieces := search(broken); len(pieces) != 1 || broken.Unread() != 100 {
		t.Errorf("%d pieces of a file that breaks off, %d bytes unread", len(pieces), broken.Unread())
	}
	img := open(captured(log(200), 100, 147))
	if pieces := search(img); len(pieces) < 20 || !img.Opaque() || pieces[0].Stream != "" {
		t.Errorf("%d pieces of a link that is not known, opaque %v", len(pieces), img.Opaque())
	}
}
