package source

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/valkeyfs/valkeyfs/crypt"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

func identity(t testing.TB) *age.X25519Identity {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// wrap puts in inside one layer.
func wrap(t testing.TB, l layer, in []byte, to *age.X25519Identity) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	var err error
	switch l {
	case layerGzip:
		w = gzip.NewWriter(&out)
	case layerZstd:
		w, err = zstd.NewWriter(&out)
	case layerLZ4:
		w = lz4.NewWriter(&out)
	case layerAge:
		w, err = age.Encrypt(&out, to.Recipient())
	}
	if err == nil {
		_, err = w.Write(in)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// noise is hardly compressible, the same each time, and sniffed as nothing.
func noise(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	copy(b, "\x00noise")
	return b
}

func TestPeel(t *testing.T) {
	id := identity(t)
	content := noise(300_000)
	for _, stack := range [][]layer{
		nil, {layerGzip}, {layerZstd}, {layerLZ4}, {layerAge},
		{layerAge, layerZstd}, {layerGzip, layerGzip, layerLZ4}, {layerZstd, layerAge, layerGzip, layerLZ4},
	} {
		data := content
		var names []string
		for i := len(stack) - 1; i >= 0; i-- {
			data = wrap(t, stack[i], data, id)
		}
		for _, l := range stack {
			names = append(names, string(l))
		}
		want := strings.Join(names, " ")
		s, err := peel(bytes.NewReader(data), "f", -1, []age.Identity{id})
		if err != nil {
			t.Fatalf("%s: %v", want, err)
		}
		if got := strings.Join(s.layers, " "); got != want {
			t.Errorf("layers %q, want %q", got, want)
		}
		got, err := io.ReadAll(s)
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%s: %d bytes, %v", want, len(got), err)
		}
		s.Close()
		s, err = reopen(bytes.NewReader(data), "f", s.layers, []age.Identity{id})
		if err != nil {
			t.Fatalf("%s: reopen: %v", want, err)
		}
		got, err = io.ReadAll(s)
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%s: reopened: %d bytes, %v", want, len(got), err)
		}
		s.Close()
	}
}

// A layer that was cut short is noticed wherever the cut is.
func TestPeelTruncated(t *testing.T) {
	id := identity(t)
	for _, l := range []layer{layerGzip, layerZstd, layerLZ4, layerAge} {
		data := wrap(t, l, noise(300_000), id)
		for cut := 40; cut < len(data); cut += 1 + cut/30 {
			s, err := peel(bytes.NewReader(data[:cut]), "f", -1, []age.Identity{id})
			if err == nil {
				_, err = io.Copy(io.Discard, s)
			}
			if !errors.Is(err, keyspace.ErrTruncated) && (l != layerAge || !errors.Is(err, keyspace.ErrChecksum)) {
				t.Errorf("%s cut at %d of %d: %v", l, cut, len(data), err)
			}
		}
	}
}

// What follows a layer's end is damage, not silence, and all before it is read.
func TestPeelTrailingGarbage(t *testing.T) {
	id := identity(t)
	for _, l := range []layer{layerGzip, layerZstd, layerLZ4, layerAge} {
		data := append(wrap(t, l, noise(100_000), id), "garbage that is no frame"...)
		s, err := peel(bytes.NewReader(data), "f", -1, []age.Identity{id})
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, s)
		var format *keyspace.FormatError
		if !errors.As(err, &format) || n != 100_000 && l != layerAge {
			t.Errorf("%s: %d bytes, %v", l, n, err)
		}
	}
}

func TestPeelConcatenated(t *testing.T) {
	for _, l := range []layer{layerGzip, layerZstd, layerLZ4} {
		one := wrap(t, l, noise(100_000), nil)
		s, err := peel(bytes.NewReader(append(bytes.Clone(one), one...)), "f", -1, nil)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, s); n != 200_000 || err != nil {
			t.Errorf("%s: %d bytes, %v", l, n, err)
		}
	}
}

// A bomb streams: it ends in ErrLimit, and not before the limit.
func TestPeelBombs(t *testing.T) {
	defer func(n int64) { ratioFree = n }(ratioFree)
	ratioFree = 128 << 20
	bomb := func(next layer) []byte {
		var inner bytes.Buffer
		z, _ := gzip.NewWriterLevel(&inner, gzip.BestSpeed)
		zeros := make([]byte, 1<<20)
		for range 160 {
			if _, err := z.Write(zeros); err != nil {
				t.Fatal(err)
			}
		}
		z.Close()
		return wrap(t, next, inner.Bytes(), nil)
	}
	s, err := peel(bytes.NewReader(bomb(layerGzip)), "f", -1, nil)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, s)
	if !errors.Is(err, keyspace.ErrLimit) || n < ratioFree || n > ratioFree+1<<20 {
		t.Errorf("bomb in a bomb: %d bytes, %v", n, err)
	}
	data := []byte{0}
	for range maxLayers + 1 {
		data = wrap(t, layerGzip, data, nil)
	}
	if _, err := peel(bytes.NewReader(data), "f", -1, nil); !errors.Is(err, keyspace.ErrLimit) {
		t.Errorf("%d layers: %v", maxLayers+1, err)
	}
}

// A frame that claims a window of gigabytes is refused before it is allocated.
func TestPeelWindowClaim(t *testing.T) {
	frame := []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa0, 0x01, 0x00, 0x00} // RFC 8878, 3.1.1.1.2: a window of 1 GiB
	s, err := peel(bytes.NewReader(frame), "f", -1, nil)
	if err == nil {
		_, err = io.Copy(io.Discard, s)
	}
	if !errors.Is(err, keyspace.ErrLimit) {
		t.Errorf("got %v", err)
	}
}

func TestPeelSealed(t *testing.T) {
	data := wrap(t, layerAge, []byte("x"), identity(t))
	for _, ids := range [][]age.Identity{nil, {identity(t)}} {
		_, err := peel(bytes.NewReader(data), "f", -1, ids)
		if !errors.Is(err, crypt.ErrNoIdentity) {
			t.Errorf("%d identities: %v", len(ids), err)
		}
	}
}

// Below a layer a gap is no longer a range of the content, but an error.
func TestPeelGap(t *testing.T) {
	for _, l := range []layer{layerGzip, layerZstd, layerLZ4} {
		data := wrap(t, l, noise(300_000), nil)
		m := &medium{data: data, bad: map[int64]bool{20: true}, err: errNoData}
		if errNoData == nil {
			t.Skip("no such error here")
		}
		s, err := peel(newBlocks(m, int64(len(data))), "f", -1, nil)
		var n int64
		if err == nil {
			n, err = io.Copy(io.Discard, s)
		}
		var gap *keyspace.GapError
		if !errors.Is(err, errNoData) || errors.As(err, &gap) {
			t.Errorf("%s: after %d bytes %v", l, n, err)
		}
	}
}

func FuzzLayers(f *testing.F) {
	id := identity(f)
	for _, l := range []layer{layerGzip, layerZstd, layerLZ4, layerAge} {
		f.Add(wrap(f, l, []byte("REDIS0011"), id))
		f.Add(wrap(f, l, wrap(f, layerGzip, make([]byte, 1000), id), id))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := peel(bytes.NewReader(data), "f", -1, []age.Identity{id})
		if err == nil {
			_, err = io.Copy(io.Discard, io.LimitReader(s, 8<<20))
		}
		s.Close()
		var format *keyspace.FormatError
		if err != nil && !errors.As(err, &format) {
			t.Errorf("an error without a place: %v", err)
		}
		sniff(s.head)
	})
}
