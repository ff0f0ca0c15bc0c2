package ewf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
	"io"
	"path/filepath"
	"strings"
)

// Segment is one file of an image. It is used by several goroutines at once.
type Segment interface {
	io.ReaderAt
	Size() int64
}

const (
	signature   = "EVF\x09\x0d\x0a\xff\x00"
	headerSize  = 13 // the signature, 1, the segment's number as LE16, 0 as LE16
	sectionSize = 76
	tableHead   = 24
	entrySize   = 4
	volumeSize  = 1052
	shortVolume = 94 // that of SMART, with 32 bits for the number of sectors
	maxChunk    = 16 << 20
	maxRatio    = 1100    // of deflate: 1032 (RFC 1951)
	maxSections = 1 << 20 // of an image
)

var errFormat = errors.New("not as the format has it")

// Sniff reports whether a file begins like a segment.
func Sniff(head []byte) bool { return bytes.HasPrefix(head, []byte(signature)) }

// Name returns the name of the n-th segment, from 1 on, of the image whose first is
// called first: .E01 to .E99, then .EAA, .EAB … .EZZ, .FAA …; false if there is none.
func Name(first string, n int) (string, bool) {
	ext := filepath.Ext(first)
	if len(ext) != 4 || ext[2:] != "01" {
		return "", n == 1
	}
	stem := strings.TrimSuffix(first, ext)
	if n <= 99 {
		return fmt.Sprintf("%s%s%02d", stem, ext[:2], n), true
	}
	n -= 100
	const letters = 26
	lead, a := int(ext[1])+n/letters/letters, byte('A')
	if ext[1] >= 'a' {
		a = 'a'
	}
	if lead >= int(a)+letters {
		return "", false
	}
	return stem + "." + string([]byte{byte(lead), a + byte(n/letters%letters), a + byte(n%letters)}), true
}

// section is what begins at an offset of a segment.
type section struct {
	kind string
	at   int64
	next int64
	size int64 // with the descriptor
}

func (s *section) data() int64 { return s.at + sectionSize }
func (s *section) end() int64  { return s.at + s.size }

// checked reads n bytes, the last four of which are a checksum of the others.
func checked(r io.ReaderAt, at int64, n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := r.ReadAt(b, at); err != nil {
		return nil, err
	}
	if adler32.Checksum(b[:n-4]) != binary.LittleEndian.Uint32(b[n-4:]) {
		return nil, errFormat
	}
	return b, nil
}

func readSection(seg Segment, at int64) (*section, error) {
	b, err := checked(seg, at, sectionSize)
	if err != nil {
		return nil, err
	}
	kind, _, _ := bytes.Cut(b[:16], []byte{0})
	s := &section{string(kind), at, int64(binary.LittleEndian.Uint64(b[16:])), int64(binary.LittleEndian.Uint64(b[24:]))}
	if s.kind == "done" || s.kind == "next" { // the last, whose size may be 0
		return s, nil
	}
	// A section whose size and next one disagree makes two images of one file.
	if s.size < sectionSize || s.size > seg.Size() || s.next != s.end() || s.next > seg.Size() {
		return nil, errFormat
	}
	return s, nil
}

// scan reads the sections of the n-th segment. It reports whether another follows.
func (m *Image) scan(n int, seg Segment) (more bool, err error) {
	var head [headerSize]byte
	if _, err := seg.ReadAt(head[:], 0); err != nil {
		return false, err
	}
	if !Sniff(head[:]) || int(binary.LittleEndian.Uint16(head[9:])) != n {
		return false, fmt.Errorf("its header: %w", errFormat)
	}
	m.read += seg.Size()
	sectors, listed := int64(0), false // the end of the chunks; their table is known
	var lost error                     // why it could not be taken
	for at := int64(headerSize); ; {
		s, err := readSection(seg, at)
		if err == nil && s.kind != "table2" {
			err = lost // without it, the chunks behind it would stand in its chunks' place
		}
		if err == nil {
			switch s.kind {
			case "done":
				return false, nil
			case "next":
				return true, nil
			case "volume", "disk":
				err = m.geometry(seg, s)
			case "sectors":
				sectors, listed = s.end(), false
			case "table":
				lost = m.table(seg, s, sectors)
				listed = lost == nil
			case "table2": // the same once more
				if !listed {
					err = m.table(seg, s, sectors)
				}
				lost, listed = nil, true
			}
		}
		if m.sections++; err == nil && m.sections > maxSections {
			err = errors.New("too many sections")
		}
		if err != nil {
			return false, fmt.Errorf("its section at offset %d: %w", at, err)
		}
		at = s.next
	}
}

// geometry takes the sizes of chunks and of the disk.
func (m *Image) geometry(seg Segment, s *section) error {
	n := s.size - sectionSize
	if n != volumeSize && n != shortVolume {
		return errFormat
	}
	b, err := checked(seg, s.data(), int(n))
	if err != nil {
		return err
	}
	le := binary.LittleEndian
	perChunk, perSector, sectors := int64(le.Uint32(b[8:])), int64(le.Uint32(b[12:])), le.Uint64(b[16:])
	if n == shortVolume {
		sectors = uint64(le.Uint32(b[16:]))
	}
	if perChunk == 0 || perSector == 0 || perChunk > maxChunk/perSector || sectors > uint64(1<<62)/uint64(perSector) {
		return errFormat
	}
	chunk, size := perChunk*perSector, int64(sectors)*perSector
	if m.chunk != 0 && (chunk != m.chunk || size != m.size) {
		return errFormat // one disk has one size
	}
	m.chunk, m.size = chunk, size
	return nil
}

// table is a table of chunks, which follow those of the table before.
type table struct {
	seg     Segment
	first   int64 // chunk
	count   int64
	entries int64 // offset of the entries
	base    int64 // of the offsets in them
	end     int64 // of the last chunk
}

// table notes a table. The chunks end where the sections before it do, or in it.
func (m *Image) table(seg Segment, s *section, sectors int64) error {
	b, err := checked(seg, s.data(), tableHead)
	if err != nil {
		return err
	}
	t := table{seg: seg, count: int64(binary.LittleEndian.Uint32(b)), entries: s.data() + tableHead, base: int64(binary.LittleEndian.Uint64(b[8:])), end: sectors}
	if t.count == 0 || t.entries+t.count*entrySize > s.end() || t.base < 0 || t.base > seg.Size() {
		return errFormat
	}
	if sectors == 0 {
		t.end = s.end()
	} else if err := sum(seg, t.entries, t.count*entrySize); err != nil {
		return err
	}
	t.first = m.chunks()
	if t.first+t.count > (m.read/max(m.chunk, 1)+1)*maxRatio {
		return errFormat // no chunk is that small
	}
	m.tables = append(m.tables, t)
	return nil
}

// sum checks n bytes against the checksum behind them.
func sum(r io.ReaderAt, at, n int64) error {
	h := adler32.New()
	if _, err := io.Copy(h, io.NewSectionReader(r, at, n)); err != nil {
		return err
	}
	var want [4]byte
	if _, err := r.ReadAt(want[:], at+n); err != nil {
		return err
	}
	if h.Sum32() != binary.LittleEndian.Uint32(want[:]) {
		return errFormat
	}
	return nil
}
