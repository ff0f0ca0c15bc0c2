package capture

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"sort"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

const (
	// maxSegments bounds the segments that are remembered: 24 bytes each.
	maxSegments = 4 << 20
	// flowSize is what a stream takes, in segments.
	flowSize = 8
	// page is what a stretch of a stream is filled up to.
	page = 4096
)

// Image is what the streams hold. It is safe for concurrent use.
type Image struct {
	r       io.ReaderAt
	size    int64
	pieces  []piece
	streams []stream
	lost    int64
	opaque  int64
}

// piece is a run of bytes that lie in the file as they do in a stream.
type piece struct{ at, from, n int64 } // in the image, in the file, how many

// stream is one direction of a connection.
type stream struct {
	name     string
	from, to int64 // in the image
}

// segment is what a packet carries of a stream.
type segment struct {
	seq  int64 // counted from behind the SYN, or else the first byte that was seen
	from int64 // in the file
	n    int32 // bytes that were captured
	sent int32 // bytes that there were
}

// flow collects the segments of one direction.
type flow struct {
	conn     conn
	segments []segment
	first    uint32 // sequence number, of its SYN if that was captured
	last     int64  // the one before, unwrapped
	raw      uint32 // as it stood
	begun    bool
	syn      bool // it was captured
}

// add takes a segment. Sequence numbers wrap: each is taken as near the one before.
func (f *flow) add(s tcp) {
	if !f.begun {
		f.begun, f.raw = true, s.seq
	}
	f.last += int64(int32(s.seq - f.raw))
	f.raw = s.seq
	if s.sent > 0 {
		f.segments = append(f.segments, segment{f.last, s.from, s.n, s.sent})
	}
}

// Open reads the packets of a file once.
func Open(r io.ReaderAt, size int64) (*Image, error) {
	m := &Image{r: r}
	flows, order, count := map[conn]*flow{}, []*flow(nil), 0
	var room [maxHeaders]byte
	end, err := packets(r, size, func(p packet) error {
		s, ok, known, err := p.segment(&room)
		if !known {
			m.opaque += p.n
		}
		if err != nil || !ok {
			return err
		}
		f := flows[s.conn]
		if f == nil || s.syn && s.seq != f.first {
			f = &flow{conn: s.conn, first: s.seq, syn: s.syn}
			flows[s.conn] = f
			order = append(order, f)
			count += flowSize
		}
		if s.syn {
			s.seq++ // it counts as a byte
		}
		if f.add(s); s.sent > 0 {
			count++
		}
		if count > maxSegments {
			return fmt.Errorf("more than %d packets of TCP; divide it (editcap -c 1000000 IN OUT): %w", maxSegments, keyspace.ErrLimit)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	m.opaque += size - end
	for _, f := range order {
		m.lay(f)
	}
	return m, nil
}

// lay puts a stream behind those before it. Of bytes that were sent more than once
// those count that come first in the stream's order, then in that of the packets.
func (m *Image) lay(f *flow) {
	if len(f.segments) == 0 {
		return
	}
	slices.SortStableFunc(f.segments, func(a, b segment) int { return cmp.Compare(a.seq, b.seq) })
	begin := m.size
	end := f.segments[0].seq
	if f.syn {
		end = min(end, 0)
	}
	sent := end // up to where it is known that there were bytes
	for _, s := range f.segments {
		n := int64(s.n)
		sent = max(sent, s.seq+int64(s.sent))
		if n == 0 || s.seq+n <= end {
			continue // sent again
		}
		if s.seq > end {
			m.lost += s.seq - end
			if m.size > begin {
				m.fill()
			}
		} else {
			again := end - s.seq
			s.seq, s.from, n = end, s.from+again, n-again
		}
		m.pieces = append(m.pieces, piece{m.size, s.from, n})
		m.size += n
		end = s.seq + n
	}
	m.lost += sent - end
	f.segments = nil
	if m.size > begin {
		m.streams = append(m.streams, stream{f.conn.String(), begin, m.size})
		m.fill()
	}
}

// fill goes on at the next page.
func (m *Image) fill() { m.size = (m.size/page + 1) * page }

// Size returns the number of bytes.
func (m *Image) Size() int64 { return m.size }

// Lost returns how many bytes of the streams were not captured, as far as what was tells.
func (m *Image) Lost() int64 { return m.lost }

// Opaque returns how many bytes of the file are not understood: those of packets of a
// link that is not known, and all behind where the file breaks off.
func (m *Image) Opaque() int64 { return m.opaque }

// Streams returns how many there are.
func (m *Image) Streams() int { return len(m.streams) }

// Stream names the stream that an offset lies in, as "10.0.0.1:50000 > 10.0.0.2:6379".
func (m *Image) Stream(at int64) string {
	i := sort.Search(len(m.streams), func(i int) bool { return m.streams[i].to > at })
	if i < len(m.streams) && m.streams[i].from <= at {
		return m.streams[i].name
	}
	return ""
}

// ReadAt reads like an io.ReaderAt.
func (m *Image) ReadAt(p []byte, off int64) (int, error) {
	if off >= m.size {
		return 0, io.EOF
	}
	short := int64(len(p)) > m.size-off
	if short {
		p = p[:m.size-off]
	}
	clear(p)
	i := sort.Search(len(m.pieces), func(i int) bool { return m.pieces[i].at+m.pieces[i].n > off })
	for ; i < len(m.pieces) && m.pieces[i].at < off+int64(len(p)); i++ {
		s := m.pieces[i]
		skip := max(off-s.at, 0)
		to := p[max(s.at-off, 0):]
		to = to[:min(int64(len(to)), s.n-skip)]
		if n, err := m.r.ReadAt(to, s.from+skip); n < len(to) {
			return int(max(s.at-off, 0)) + n, err
		}
	}
	if short {
		return len(p), io.EOF
	}
	return len(p), nil
}
