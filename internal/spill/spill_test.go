package spill

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"os"
	"path/filepath"
	"testing"
)

// read returns all of a stream.
func read(t testing.TB, s *Stream) []byte {
	t.Helper()
	var all []byte
	for r := s.Reader(); ; {
		b, err := r.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
}

func TestStreams(t *testing.T) {
	for _, budget := range []int64{0, 3 * slotSize, 1 << 30} {
		t.Run(fmt.Sprint(budget), func(t *testing.T) {
			s := New(t.TempDir(), budget)
			defer s.Close()
			rnd := rand.New(rand.NewSource(1))
			streams := make([]*Stream, 5)
			want := make([][]byte, len(streams))
			for i := range streams {
				streams[i] = s.Stream()
			}
			for range 4000 {
				i := rnd.Intn(len(streams))
				n := rnd.Intn(300)
				if rnd.Intn(100) == 0 {
					n = rnd.Intn(BlockSize + 1)
				}
				p := make([]byte, n)
				rnd.Read(p)
				if err := streams[i].Append(p); err != nil {
					t.Fatal(err)
				}
				want[i] = append(want[i], p...)
				if rnd.Intn(1000) == 0 {
					streams[i].Free()
					want[i] = nil
				}
			}
			if spilled := s.Spilled() > 0; spilled != (budget < 1<<20) {
				t.Errorf("Spilled() = %d with a budget of %d", s.Spilled(), budget)
			}
			if s.held > budget {
				t.Errorf("holds %d bytes, the budget is %d", s.held, budget)
			}
			for i, st := range streams {
				for range 2 {
					if !bytes.Equal(read(t, st), want[i]) {
						t.Errorf("stream %d differs", i)
					}
				}
				if st.Len() != int64(len(want[i])) {
					t.Errorf("Len() = %d, want %d", st.Len(), len(want[i]))
				}
			}
		})
	}
}

func TestRecordsAreWhole(t *testing.T) {
	s := New(t.TempDir(), 0)
	defer s.Close()
	st := s.Stream()
	for i := range 20000 {
		p := bytes.Repeat([]byte{byte(i)}, 1+i%100)
		if err := st.Append(p); err != nil {
			t.Fatal(err)
		}
	}
	i := 0
	for r := st.Reader(); ; {
		b, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for len(b) > 0 {
			n := 1 + i%100
			if len(b) < n || !bytes.Equal(b[:n], bytes.Repeat([]byte{byte(i)}, n)) {
				t.Fatalf("record %d is not whole", i)
			}
			b = b[n:]
			i++
		}
	}
	if i != 20000 {
		t.Errorf("read %d records", i)
	}
}

func TestAppendTooLong(t *testing.T) {
	s := New(t.TempDir(), 0)
	defer s.Close()
	if err := s.Stream().Append(make([]byte, BlockSize+1)); err == nil {
		t.Error("a record longer than a block was taken")
	}
}

// TestNothingIsLegible looks at the file through the descriptor that is left of it.
func TestNothingIsLegible(t *testing.T) {
	dir := t.TempDir()
	s := New(dir, 0)
	defer s.Close()
	st := s.Stream()
	word := []byte("legible-legible-")
	for range 3 * BlockSize / len(word) {
		if err := st.Append(word); err != nil {
			t.Fatal(err)
		}
	}
	if names, _ := filepath.Glob(filepath.Join(dir, "*")); len(names) > 0 {
		t.Errorf("the file has a name: %q", names)
	}
	b := make([]byte, s.Spilled())
	if len(b) == 0 {
		t.Fatal("nothing was spilled")
	}
	if _, err := s.file.ReadAt(b, 0); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b, word[:8]) {
		t.Error("the file holds plain text")
	}
	if info, err := s.file.Stat(); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	b[0] ^= 1
	if _, err := s.file.WriteAt(b[:1], 0); err != nil {
		t.Fatal(err)
	}
	if _, err := st.Reader().Next(); err == nil {
		t.Error("a changed file was read")
	}
}

func TestSlotsAreUsedAgain(t *testing.T) {
	s := New(t.TempDir(), 0)
	defer s.Close()
	p := make([]byte, BlockSize)
	var most int64
	for range 20 {
		st := s.Stream()
		for range 10 {
			if err := st.Append(p); err != nil {
				t.Fatal(err)
			}
		}
		st.Free()
		most = max(most, s.Spilled())
	}
	if most > 10*slotSize {
		t.Errorf("the file grew to %d bytes", most)
	}
}

func TestNoDirectory(t *testing.T) {
	s := New(filepath.Join(t.TempDir(), "absent"), 0)
	defer s.Close()
	st := s.Stream()
	var err error
	for range 10 {
		if err = st.Append(make([]byte, BlockSize)); err != nil {
			break
		}
	}
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("err = %v", err)
	}
}

func TestClosed(t *testing.T) {
	s := New(t.TempDir(), 0)
	st := s.Stream()
	for range 3 {
		if err := st.Append(make([]byte, BlockSize)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := st.Reader().Next(); err == nil {
		t.Error("a closed store was read")
	}
}

func BenchmarkAppendAndRead(b *testing.B) {
	p := make([]byte, 16)
	for _, budget := range []int64{0, 1 << 30} {
		b.Run(fmt.Sprint(budget), func(b *testing.B) {
			s := New(b.TempDir(), budget)
			defer s.Close()
			st := s.Stream()
			b.SetBytes(int64(len(p)))
			b.ReportAllocs()
			for i := range b.N {
				if err := st.Append(p); err != nil {
					b.Fatal(err)
				}
				if i%(16<<20/len(p)) == 0 {
					read(b, st)
					st.Free()
				}
			}
		})
	}
}
