package ewf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// fixtures are images of the same disk by ewfacquire 20140813, in four of its formats.
func fixtures(t testing.TB) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for _, name := range []string{"encase1.E01", "encase6.E01", "ftk.E01", "smart.s01"} {
		p, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		all[name] = p
	}
	return all
}

// disk is what the fixtures are images of: text, zeros, noise.
func disk() []byte {
	var b bytes.Buffer
	for i := range 4000 {
		fmt.Fprintf(&b, "line %d of the disk\n", i)
	}
	b.Truncate(70000)
	b.Write(make([]byte, 40000))
	x := uint32(1)
	for range 20000 {
		x = (x*1103515245 + 12345) & 0x7fffffff
		b.WriteByte(byte(x >> 16))
	}
	b.Write(make([]byte, 512-b.Len()%512))
	return b.Bytes()
}

type segmentBytes struct{ *bytes.Reader }

func (s segmentBytes) Size() int64 { return int64(s.Len()) }

// opened opens an image in memory.
func opened(segments ...[]byte) (*Image, error) {
	return Open(func(n int) (Segment, error) {
		if n > len(segments) {
			return nil, fs.ErrNotExist
		}
		return segmentBytes{bytes.NewReader(segments[n-1])}, nil
	})
}

func all(m *Image) ([]byte, error) { return io.ReadAll(io.NewSectionReader(m, 0, m.Size())) }

// TestFormats: the disk comes out of each format, whole and in small steps.
func TestFormats(t *testing.T) {
	want := disk()
	for name, p := range fixtures(t) {
		m, err := opened(p)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := all(m)
		if err != nil || !bytes.Equal(got, want) || m.Missing() != nil || m.Unread() != 0 {
			t.Errorf("%s: %d bytes, want %d; %v, %v, %d unread", name, len(got), len(want), err, m.Missing(), m.Unread())
		}
		b := make([]byte, 1000)
		for at := int64(0); at < m.Size(); at += 777 {
			n, err := m.ReadAt(b, at)
			if !bytes.Equal(b[:n], want[at:at+int64(n)]) || n < len(b) && !errors.Is(err, io.EOF) {
				t.Errorf("%s: at %d: %d bytes, %v", name, at, n, err)
			}
		}
	}
}

// segmented builds an image of so many chunks a segment, which stand as they are.
func segmented(disk []byte, perSegment int) (segments [][]byte) {
	const chunk = 64 * 512
	le := binary.LittleEndian
	summed := func(b []byte) []byte { return le.AppendUint32(b, adler32.Checksum(b)) }
	var b []byte
	add := func(kind string, data []byte) {
		d := make([]byte, sectionSize-4)
		copy(d, kind)
		le.PutUint64(d[16:], uint64(len(b)+sectionSize+len(data)))
		le.PutUint64(d[24:], uint64(sectionSize+len(data)))
		b = append(append(b, summed(d)...), data...)
	}
	volume := make([]byte, volumeSize-4)
	le.PutUint32(volume[8:], 64)
	le.PutUint32(volume[12:], 512)
	le.PutUint64(volume[16:], uint64(len(disk)/512))
	for part := range slices.Chunk(disk, perSegment*chunk) {
		b = append([]byte(signature), 1, byte(len(segments)+1), 0, 0, 0)
		if len(segments) == 0 {
			add("volume", summed(volume))
		}
		var sectors, entries []byte
		base := len(b)
		for c := range slices.Chunk(part, chunk) {
			entries = le.AppendUint32(entries, uint32(sectionSize+len(sectors)))
			sectors = append(sectors, summed(slices.Clip(c))...)
		}
		add("sectors", sectors)
		head := make([]byte, tableHead-4)
		le.PutUint32(head, uint32(len(entries)/entrySize))
		le.PutUint64(head[8:], uint64(base))
		add("table", append(summed(head), summed(entries)...))
		if len(segments) < (len(disk)-1)/(perSegment*chunk) {
			add("next", nil)
		} else {
			add("done", nil)
		}
		segments = append(segments, b)
	}
	return segments
}

// TestSegments: a disk lies in several files, the last of which may be missing.
func TestSegments(t *testing.T) {
	want := disk()
	segments := segmented(want, 2)
	if len(segments) != 2 {
		t.Fatalf("%d segments", len(segments))
	}
	m, err := opened(segments...)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := all(m); err != nil || !bytes.Equal(got, want) || m.Missing() != nil {
		t.Errorf("%d bytes, want %d; %v, %v", len(got), len(want), err, m.Missing())
	}
	if m, err = opened(segments[0]); err != nil {
		t.Fatal(err)
	}
	if got, err := all(m); err != nil || !bytes.HasPrefix(want, got) || !errors.Is(m.Missing(), fs.ErrNotExist) || m.Unread() != int64(len(want)-len(got)) || len(got) != 128*512 {
		t.Errorf("%d bytes, %v, %v, %d unread", len(got), err, m.Missing(), m.Unread())
	}
	if m, err = opened(segments[0], segments[0]); err != nil || m.Missing() == nil {
		t.Errorf("the first segment was taken for the second: %v", err)
	}
}

// TestDamage: no byte of an image can be another without that being said, or without
// effect.
func TestDamage(t *testing.T) {
	want := disk()
	for name, p := range fixtures(t) {
		for at := 0; at < len(p); at += 1 + len(p)/150 {
			hurt := bytes.Clone(p)
			hurt[at] ^= 0x55
			m, err := opened(hurt)
			if err != nil {
				continue
			}
			got, err := all(m)
			if err != nil {
				t.Fatal(err)
			}
			unread := m.Unread()
			if !bytes.Equal(got, want) && m.Missing() == nil && unread == 0 {
				t.Errorf("%s: byte %d is another, and nobody says so", name, at)
			}
			if again, err := all(m); err != nil || !bytes.Equal(again, got) || m.Unread() != unread {
				t.Errorf("%s: byte %d is another: read again, %d bytes are unread, before %d, %v", name, at, m.Unread(), unread, err)
			}
		}
	}
}

// TestLostTable: behind a table that cannot be read nothing is taken for what lies in
// its place.
func TestLostTable(t *testing.T) {
	want := disk()
	segments := segmented(want, 2)
	at := bytes.Index(segments[0], []byte("table\x00"))
	segments[0][at+sectionSize] ^= 1
	m, err := opened(segments...)
	if err != nil {
		t.Fatal(err)
	}
	got, err := all(m)
	if err != nil || !bytes.HasPrefix(want, got) || m.Missing() == nil || int64(len(got))+m.Unread() != int64(len(want)) {
		t.Errorf("%d bytes, %v, %v, %d unread", len(got), err, m.Missing(), m.Unread())
	}
}

// TestGeometry: sizes that no image has are refused, and so are two of one disk.
func TestGeometry(t *testing.T) {
	// volume puts other sizes into the volume section at an offset.
	volume := func(p []byte, at int, perChunk, perSector uint32) {
		b := p[at+sectionSize:][:volumeSize]
		binary.LittleEndian.PutUint32(b[8:], perChunk)
		binary.LittleEndian.PutUint32(b[12:], perSector)
		binary.LittleEndian.PutUint32(b[volumeSize-4:], adler32.Checksum(b[:volumeSize-4]))
	}
	for _, c := range [][2]uint32{{0, 512}, {64, 0}, {1 << 31, 1 << 31}, {1<<32 - 1, 1<<32 - 1}, {1 << 20, 512}} {
		p := segmented(disk(), 2)[0]
		volume(p, headerSize, c[0], c[1])
		if m, err := opened(p); err == nil {
			t.Errorf("chunks of %d sectors of %d bytes: a disk of %d bytes", c[0], c[1], m.Size())
		}
	}
	first := segmented(disk(), 2)[0]
	second := append([]byte(signature), 1, 2, 0, 0, 0)
	second = append(second, first[headerSize:headerSize+sectionSize+volumeSize]...) // its place is the same
	volume(second, headerSize, 128, 512)
	m, err := opened(first, second)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := all(m); err != nil || !bytes.HasPrefix(disk(), got) || len(got) != 128*512 {
		t.Errorf("of two volumes: %d bytes, %v", len(got), err)
	}
}

// TestCut: what is there of an image that was cut can be read.
func TestCut(t *testing.T) {
	p, want := fixtures(t)["encase6.E01"], disk()
	for at := 0; at < len(p); at += 1 + len(p)/150 {
		m, err := opened(p[:at])
		if err != nil {
			continue
		}
		got, err := all(m)
		if err != nil || !bytes.HasPrefix(want, got) || m.Missing() == nil || int64(len(got))+m.Unread() != int64(len(want)) {
			t.Fatalf("cut at %d: %d bytes, %v, %v, %d unread", at, len(got), err, m.Missing(), m.Unread())
		}
	}
}

func TestName(t *testing.T) {
	for _, c := range []struct {
		first string
		n     int
		want  string
	}{
		{"a/b.E01", 1, "a/b.E01"}, {"b.E01", 2, "b.E02"}, {"b.E01", 99, "b.E99"}, {"b.E01", 100, "b.EAA"}, {"b.E01", 125, "b.EAZ"},
		{"b.E01", 126, "b.EBA"}, {"b.E01", 99 + 26*26, "b.EZZ"}, {"b.E01", 100 + 26*26, "b.FAA"}, {"b.s01", 100, "b.saa"}, {"b.e01", 3, "b.e03"},
		{"b.E01", 100 + 22*26*26, ""}, {"b.raw", 2, ""}, {"b", 2, ""},
	} {
		if got, ok := Name(c.first, c.n); ok && got != c.want || ok != (c.want != "") {
			t.Errorf("segment %d of %s: %q, want %q", c.n, c.first, got, c.want)
		}
	}
}

// FuzzOpen: whatever a file says, reading it ends, and within bounds.
func FuzzOpen(f *testing.F) {
	for _, p := range fixtures(f) {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		m, err := opened(p)
		if err != nil {
			return
		}
		if m.Size() > int64(len(p)+maxChunk)*maxRatio {
			t.Fatalf("%d bytes hold %d", len(p), m.Size())
		}
		if _, err := io.Copy(io.Discard, io.NewSectionReader(m, 0, min(m.Size(), 1<<20))); err != nil {
			t.Fatal(err)
		}
	})
}
