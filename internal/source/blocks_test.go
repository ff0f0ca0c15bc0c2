package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// medium is a file with bad pages. A read that meets one delivers what lies
// before it, as the kernel does, unless whole is set: then it delivers nothing.
type medium struct {
	data  []byte
	bad   map[int64]bool // by page number
	whole bool
	err   error
}

func (m *medium) ReadAt(p []byte, off int64) (int, error) {
	if off >= int64(len(m.data)) {
		return 0, io.EOF
	}
	end := min(off+int64(len(p)), int64(len(m.data)))
	for pg := off / page; pg*page < end; pg++ {
		if !m.bad[pg] {
			continue
		}
		if good := pg*page - off; good > 0 && !m.whole {
			return copy(p, m.data[off:off+good]), m.err
		}
		return 0, m.err
	}
	n := copy(p, m.data[off:end])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func TestBlocksReadAroundGaps(t *testing.T) {
	data := make([]byte, 40*page+123)
	for i := range data {
		data[i] = byte(i%250) + 1
	}
	bad := map[int64]bool{0: true, 7: true, 8: true, 20: true, 40: true}
	want := bytes.Clone(data)
	var lost int64
	for pg := range bad {
		end := min((pg+1)*page, int64(len(data)))
		clear(want[pg*page : end])
		lost += end - pg*page
	}
	for _, whole := range []bool{false, true} {
		for _, size := range []int{100, page, 10_000, 1 << 20} {
			b := newBlocks(&medium{data: data, bad: bad, whole: whole, err: syscall.EIO}, int64(len(data)))
			var got []byte
			var gaps int64
			buf := make([]byte, size)
			for {
				n, err := b.Read(buf)
				var gap *keyspace.GapError
				if errors.As(err, &gap) {
					if gap.Offset != int64(len(got)) || gap.Length != int64(n) || n == 0 {
						t.Fatalf("gap %d+%d beside %d bytes at %d", gap.Offset, gap.Length, n, len(got))
					}
					if !errors.Is(err, syscall.EIO) {
						t.Fatalf("gap hides its cause: %v", err)
					}
					gaps += gap.Length
					err = nil
				}
				got = append(got, buf[:n]...)
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(got, want) || gaps != lost {
				t.Errorf("whole %v, reads of %d: %d bytes, equal %v; %d lost, want %d", whole, size, len(got), bytes.Equal(got, want), gaps, lost)
			}
		}
	}
}

func TestBlocksOtherErrors(t *testing.T) {
	m := &medium{data: make([]byte, 3*page), bad: map[int64]bool{1: true}, err: syscall.EINVAL}
	n, err := io.Copy(io.Discard, newBlocks(m, 3*page))
	if n != page || !errors.Is(err, syscall.EINVAL) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestBlocksOfAFileThatChanges(t *testing.T) {
	data := make([]byte, 3*page)
	if n, err := io.Copy(io.Discard, newBlocks(bytes.NewReader(data), 2*page)); n != 2*page || err != nil {
		t.Errorf("grown: %d bytes, %v", n, err)
	}
	if n, err := io.Copy(io.Discard, newBlocks(bytes.NewReader(data), 9*page)); n != 3*page || err != nil {
		t.Errorf("shrunk: %d bytes, %v", n, err)
	}
}

// A page in the middle of a snapshot that cannot be read costs the keys in it and
// no others, and the damage says which bytes were lost.
func TestSnapshotWithAGap(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("REDIS0011\xfe\x00")
	const keys = 2000
	for i := range keys {
		fmt.Fprintf(&b, "\x00\x08key:%04d\x0bvalue--%04d", i, i)
	}
	b.WriteString("\xff" + strings.Repeat("\x00", 8))
	m := &medium{data: b.Bytes(), bad: map[int64]bool{4: true}, err: syscall.EIO}
	r := newBlocks(m, int64(b.Len()))
	seen, lost := map[string]bool{}, false
	for e, err := range rdb.NewReader(r, rdb.Options{Source: "f", Resync: true}).Events(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		switch e.Kind {
		case keyspace.Element:
			seen[string(e.Key)] = true
		case keyspace.Damage:
			lost = lost || errors.Is(e.Err, syscall.EIO) && e.Pos.Offset == 4*page && e.Length == page
		}
	}
	if !lost {
		t.Error("no damage says which bytes could not be read")
	}
	missing := 0
	for i := range keys {
		if !seen[fmt.Sprintf("key:%04d", i)] {
			missing++
		}
	}
	if most := page/20 + 3; missing == 0 || missing > most {
		t.Errorf("%d keys are missing; one page holds at most %d", missing, most)
	}
}
