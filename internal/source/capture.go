package source

import (
	"github.com/valkeyfs/valkeyfs/internal/capture"
)

// openStreams opens the TCP streams of a file that begins like one of captured packets.
// Where its packets are not understood, the file is what is read.
func (m *Image) openStreams() error {
	var head [16]byte
	if n, _ := m.h.ReadAt(head[:], 0); m.disk != nil || !capture.Sniff(head[:n]) {
		return nil
	}
	net, err := capture.Open(fileBytes{m}, m.size)
	if err != nil {
		return err
	}
	if m.opaque = net.Streams() == 0; !m.opaque {
		m.net = net
	}
	return nil
}

// fileBytes are those of the file itself.
type fileBytes struct{ m *Image }

func (f fileBytes) ReadAt(p []byte, off int64) (int, error) { return f.m.readFile(p, off) }

// Opaque reports whether the file has captured packets in which no TCP stream was found.
func (m *Image) Opaque() bool { return m.opaque }

// Uncaptured returns how many bytes of the TCP streams in captured packets are missing, and
// how many of the file are not understood.
func (m *Image) Uncaptured() (lost, opaque int64) {
	if m.net == nil {
		return 0, 0
	}
	return m.net.Lost(), m.net.Opaque()
}

// Stream names the TCP stream that an offset lies in; "" where there is none.
func (m *Image) Stream(off int64) string {
	if m.net == nil {
		return ""
	}
	return m.net.Stream(off)
}
