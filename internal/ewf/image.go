package ewf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
	"io"
	"sort"
	"sync"

	"github.com/klauspost/compress/zlib"
)

// Image is the disk that segments hold. It is safe for concurrent use.
type Image struct {
	tables   []table
	sections int
	read     int64 // bytes of the segments
	chunk    int64 // bytes of one
	size     int64
	missing  error

	decoders sync.Pool
	mu       sync.Mutex
	kept     [keptChunks]kept
	unread   int64
	damaged  map[int64]struct{} // chunks, each of which counts once
}

// kept is a chunk that was decoded.
type kept struct {
	number int64 // and one more; 0: none
	data   []byte
}

// keptChunks is how many are kept, for those who read in small steps.
const keptChunks = 16

// maxDamaged is how many damaged chunks are remembered. Beyond them one counts each
// time.
const maxDamaged = 1 << 20

// Open reads where the chunks of an image lie. It calls open for each segment, from 1
// on, which stays in use. An image part of which is missing can be read as far as it
// is there; see [Image.Missing].
func Open(open func(n int) (Segment, error)) (*Image, error) {
	m := &Image{damaged: map[int64]struct{}{}}
	m.decoders.New = func() any { return &decoder{} }
	for n := 1; ; n++ {
		seg, err := open(n)
		more := false
		if err == nil {
			more, err = m.scan(n, seg)
		}
		if err != nil {
			err = fmt.Errorf("segment %d: %w", n, err)
			if m.chunk == 0 {
				return nil, err
			}
			m.missing = err
		}
		if more {
			continue
		}
		if err := m.finish(); err != nil {
			return nil, err
		}
		return m, nil
	}
}

// finish ends the disk where the chunks do.
func (m *Image) finish() error {
	if m.chunk == 0 {
		return fmt.Errorf("no volume section: %w", errFormat)
	}
	if there := m.chunks() * m.chunk; there < m.size {
		m.unread, m.size = m.size-there, there
		if m.missing == nil {
			m.missing = errors.New("it has fewer chunks than it says")
		}
	}
	return nil
}

// chunks is how many there are.
func (m *Image) chunks() int64 {
	if len(m.tables) == 0 {
		return 0
	}
	last := &m.tables[len(m.tables)-1]
	return last.first + last.count
}

// Size is the number of bytes of the disk.
func (m *Image) Size() int64 { return m.size }

// Missing says why a part of the image cannot be read, if so.
func (m *Image) Missing() error { return m.missing }

// Unread returns how many bytes were missing or damaged so far: zeros stood for them.
func (m *Image) Unread() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.unread
}

// ReadAt reads like an io.ReaderAt. Zeros stand for chunks that are missing or damaged.
func (m *Image) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("ewf: a negative offset")
	}
	n := 0
	for n < len(p) && off < m.size {
		number, at := off/m.chunk, off%m.chunk
		size := min(m.chunk, m.size-number*m.chunk)
		k := int(min(size-at, int64(len(p)-n)))
		if dst := p[n : n+k]; int64(k) == size {
			m.decode(dst, number)
		} else {
			m.copyOf(dst, number, at, size)
		}
		n, off = n+k, off+int64(k)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// copyOf copies a part of a chunk, which is kept for the next part.
func (m *Image) copyOf(dst []byte, number, at, size int64) {
	slot := &m.kept[number%keptChunks]
	m.mu.Lock()
	if slot.number == number+1 {
		copy(dst, slot.data[at:])
		m.mu.Unlock()
		return
	}
	m.mu.Unlock()
	data := make([]byte, size)
	m.decode(data, number)
	copy(dst, data[at:])
	m.mu.Lock()
	*slot = kept{number + 1, data}
	m.mu.Unlock()
}

// decode fills dst with a chunk, or with zeros.
func (m *Image) decode(dst []byte, number int64) {
	d := m.decoders.Get().(*decoder)
	defer m.decoders.Put(d)
	if err := m.load(d, dst, number); err != nil {
		clear(dst)
		m.mu.Lock()
		defer m.mu.Unlock()
		if _, known := m.damaged[number]; known {
			return
		}
		if len(m.damaged) < maxDamaged {
			m.damaged[number] = struct{}{}
		}
		m.unread += int64(len(dst))
	}
}

// decoder is what decoding a chunk needs.
type decoder struct {
	raw []byte
	in  bytes.Reader
	z   io.ReadCloser
}

// load decodes a chunk into dst.
func (m *Image) load(d *decoder, dst []byte, number int64) error {
	i := sort.Search(len(m.tables), func(i int) bool { return m.tables[i].first+m.tables[i].count > number })
	if i == len(m.tables) {
		return io.ErrUnexpectedEOF
	}
	t := &m.tables[i]
	from, to, packed, err := t.place(number - t.first)
	if err != nil {
		return err
	}
	n := to - from
	if n <= 0 || n > 2*m.chunk+sectionSize {
		return errFormat
	}
	if int64(cap(d.raw)) < n {
		d.raw = make([]byte, n)
	}
	raw := d.raw[:n]
	if _, err := t.seg.ReadAt(raw, from); err != nil {
		return err
	}
	if packed {
		return d.inflate(dst, raw)
	}
	if len(raw) < len(dst)+4 || adler32.Checksum(raw[:len(dst)]) != binary.LittleEndian.Uint32(raw[len(dst):]) {
		return errFormat
	}
	copy(dst, raw)
	return nil
}

// place returns where the i-th chunk of a table lies, and whether it is compressed.
func (t *table) place(i int64) (from, to int64, packed bool, err error) {
	const compressed = 1 << 31
	var b [2 * entrySize]byte
	entries := b[:]
	if i == t.count-1 {
		entries = b[:entrySize]
	}
	if _, err := t.seg.ReadAt(entries, t.entries+i*entrySize); err != nil {
		return 0, 0, false, err
	}
	e := binary.LittleEndian.Uint32(b[:])
	from, to = t.base+int64(e&^compressed), t.end
	if i < t.count-1 {
		to = t.base + int64(binary.LittleEndian.Uint32(b[entrySize:])&^compressed)
	}
	return from, to, e&compressed != 0, nil
}

// inflate fills dst from what zlib made of it, checksum included.
func (d *decoder) inflate(dst, raw []byte) error {
	d.in.Reset(raw)
	var err error
	if d.z == nil {
		d.z, err = zlib.NewReader(&d.in)
	} else {
		err = d.z.(zlib.Resetter).Reset(&d.in, nil)
	}
	if err != nil {
		return err
	}
	if _, err := io.ReadFull(d.z, dst); err != nil {
		return err
	}
	var more [1]byte
	if n, err := d.z.Read(more[:]); n > 0 || !errors.Is(err, io.EOF) {
		return errFormat
	}
	return nil
}
