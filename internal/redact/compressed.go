package redact

import (
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/mikelolasagasti/xz"
	"github.com/pierrec/lz4/v4"
)

// maxOpened bounds what the strings of an event may decompress to; what is larger is
// replaced as a whole.
const maxOpened = 64 << 20

// A compression is a format that can be told by how it begins, or that is tried.
type compression struct {
	begins func(p []byte) bool
	open   func(p *source) (io.Reader, error)
	pack   func(w io.Writer) (io.WriteCloser, error) // nil: what held something is replaced as a whole
	untold bool                                      // what begins like it may be anything,
	vague  bool                                      // and most is
}

// compressions that can be told.
var compressions = []compression{
	{
		begins: func(p []byte) bool { return bytes.HasPrefix(p, []byte("\x1f\x8b\x08")) },
		open:   func(p *source) (io.Reader, error) { return gzip.NewReader(p) },
		pack:   func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil },
	}, {
		begins: func(p []byte) bool {
			return len(p) > 2 && p[0] == 0x78 && binary.BigEndian.Uint16(p)%31 == 0 && p[1]&0x20 == 0
		},
		open: func(p *source) (io.Reader, error) { return zlib.NewReader(p) },
		pack: func(w io.Writer) (io.WriteCloser, error) { return zlib.NewWriter(w), nil },
	}, {
		begins: func(p []byte) bool { return bytes.HasPrefix(p, []byte("\x28\xb5\x2f\xfd")) },
		open: func(p *source) (io.Reader, error) {
			z, err := zstd.NewReader(p, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxOpened), zstd.WithDecoderLowmem(true))
			if err != nil {
				return nil, err
			}
			return z.IOReadCloser(), nil
		},
		pack: func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1)) },
	}, {
		begins: func(p []byte) bool { return bytes.HasPrefix(p, []byte("\x04\x22\x4d\x18")) },
		open:   func(p *source) (io.Reader, error) { return lz4.NewReader(p), nil },
		pack:   func(w io.Writer) (io.WriteCloser, error) { return lz4.NewWriter(w), nil },
	}, {
		begins: func(p []byte) bool { return bytes.HasPrefix(p, []byte("\xff\x06\x00\x00sNaPpY")) },
		open:   func(p *source) (io.Reader, error) { return snappy.NewReader(p), nil },
		pack:   func(w io.Writer) (io.WriteCloser, error) { return snappy.NewBufferedWriter(w), nil },
	}, {
		begins: func(p []byte) bool {
			return len(p) > 10 && bytes.HasPrefix(p, []byte("BZh")) && string(p[4:10]) == "1AY&SY"
		},
		open: func(p *source) (io.Reader, error) { return bzip2.NewReader(p), nil },
	}, {
		begins: func(p []byte) bool { return bytes.HasPrefix(p, []byte("\xfd7zXZ\x00")) },
		open:   func(p *source) (io.Reader, error) { return xz.NewReader(p, maxOpened) },
	},
}

// untold are told by a few bits only. What comes out of bytes that are no such thing is
// noise, in which no secret stands.
var untold = []compression{
	{
		untold: true,
		vague:  true,
		begins: beginsBrotli,
		open:   unbrotli,
		pack:   func(w io.Writer) (io.WriteCloser, error) { return brotli.NewWriter(w), nil },
	}, {
		untold: true,
		begins: beginsDeflate,
		open:   inflater,
		pack:   func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.DefaultCompression) },
	},
}

// Readers of what cannot be told are kept: nearly all that they are tried on is no such
// thing.
var (
	inflaters = sync.Pool{New: func() any { return flate.NewReader(bytes.NewReader(nil)) }}
	brotlis   = sync.Pool{New: func() any { return brotli.NewReader(nil) }}
)

// A source is what a reader is made of, and room for one.
type source struct {
	bytes.Reader
	by pooled
}

// pooled is one that Close gives back, unless input is left in it, which Reset would keep.
type pooled struct {
	io.Reader
	to  *sync.Pool
	err error // of the last read
}

func (p *pooled) Read(b []byte) (n int, err error) {
	n, p.err = p.Reader.Read(b)
	return n, p.err
}

func (p *pooled) Close() error {
	if p.err != nil && p.err != brotliExcess() {
		p.to.Put(p.Reader)
	}
	return nil
}

// brotliExcess is the error of input that goes on behind the end of a stream.
var brotliExcess = sync.OnceValue(func() error {
	const empty = "\x06"
	_, err := io.Copy(io.Discard, brotli.NewReader(strings.NewReader(empty+"-")))
	return err
})

func inflater(p *source) (io.Reader, error) {
	z := inflaters.Get().(io.Reader)
	p.by = pooled{Reader: z, to: &inflaters}
	return &p.by, z.(flate.Resetter).Reset(p, nil)
}

func unbrotli(p *source) (io.Reader, error) {
	z := brotlis.Get().(*brotli.Reader)
	p.by = pooled{Reader: z, to: &brotlis}
	return &p.by, z.Reset(p)
}

// compressor is what p begins like; nil: none that can be told.
func compressor(p []byte) *compression {
	if len(p) == 0 || !magic[p[0]] {
		return nil
	}
	for i := range compressions {
		if compressions[i].begins(p) {
			return &compressions[i]
		}
	}
	return nil
}

// magic are the bytes with which compressions begin.
var magic = bytesOf("\x1f\x78\x28\x04\xffB\xfd")

// compressed opens what is compressed of p, which is no text, and is nil where p is none of
// that or holds nothing that is to be replaced. What was read to its end, and fills p, is compressed
// anew. What has nothing to be told by is tried if so said.
func (t *texts) compressed(p []byte, depth int, try bool) []byte {
	if c := compressor(p); c != nil {
		q, err := t.reopened(p, c, depth)
		if q == nil && err != nil && t.stretch { // the rest may follow
			q = t.whole(p)
		}
		if q != nil {
			return q
		}
	} else if try && len(p) >= minUntold {
		for i := range untold {
			if !untold[i].begins(p) {
				continue
			}
			if q, _ := t.reopened(p, &untold[i], depth); q != nil {
				return q
			}
		}
		for _, open := range blocks {
			if t.holds(open(t.r.rooms.take(depth, blockRoom), p), depth) {
				return t.whole(p)
			}
		}
	}
	if t.behindHeader(p, depth) || t.inside(p, depth) {
		return t.whole(p)
	}
	return nil
}

// maxTried bounds what is spent on beginnings inside of strings that look like those of
// compressed data: in bytes that were read, and perTry for each.
const (
	maxTried = 64 << 20
	perTry   = 1 << 10
)

// behindHeader reports whether something stands compressed behind a header of its own,
// or may: of bytes made to look like beginnings not all are tried.
func (t *texts) behindHeader(p []byte, depth int) bool {
	for i := 1; i < len(p); i++ {
		c := compressor(p[i:])
		if c == nil {
			continue
		}
		if t.tried > maxTried {
			return true
		}
		q, left, _ := t.opening(p[i:], c, depth, false)
		if q != nil {
			return true
		}
		t.tried += perTry + len(p) - i - left
	}
	return false
}

// minUntold is the length below which a secret compressed by nothing that can be told
// would not fit.
const minUntold = 10

// reopened decompresses p and compresses anew what becomes of it; nil: nothing of it
// is to be replaced. The error tells that p was not read to its end.
func (t *texts) reopened(p []byte, c *compression, depth int) ([]byte, error) {
	q, _, err := t.opening(p, c, depth, false)
	return q, err
}

// opening is reopened, and says how many bytes of p were not read; guess: that c begins
// here is one of many guesses.
func (t *texts) opening(p []byte, c *compression, depth int, guess bool) (made []byte, left int, err error) {
	src := &t.r.rooms[depth].source
	src.Reset(p)
	defer src.Reset(nil)
	r, err := c.open(src)
	if err != nil {
		return nil, src.Len(), err
	}
	if z, ok := r.(io.Closer); ok {
		defer z.Close()
	}
	text, err := t.r.rooms.read(depth, r, maxOpened-t.opened+1)
	left = src.Len()
	if t.opened += len(text); t.opened > maxOpened {
		t.opened = maxOpened
		return t.whole(p), left, nil
	}
	noise := c.untold && err != nil && err != brotliExcess() // or a stream that is cut
	var q []byte
	switch {
	case noise && guess: // it was wrong: what came out is noise
		q = t.plain(text)
	case noise:
		t.noise++
		q = t.inner(text, depth+1)
		t.noise--
	default:
		q = t.inner(text, depth+1)
	}
	if bytes.Equal(q, text) {
		return nil, left, err
	}
	if err == nil && left == 0 && c.pack != nil {
		if packed, err := c.packed(q); err == nil {
			return packed, left, nil
		}
	}
	return t.whole(p), left, nil
}

// packed compresses text.
func (c *compression) packed(text []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := c.pack(&out)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	err = w.Close()
	return out.Bytes(), err
}

// holds reports whether something stands in what came out of p.
func (t *texts) holds(text []byte, depth int) bool {
	return len(text) > 0 && !bytes.Equal(t.inner(text, depth+1), text)
}

// blocks are formats without a frame, of which the length of the content stands
// before the block. They put it into room, if it fits there.
var blocks = []func(room, p []byte) []byte{
	func(room, p []byte) []byte {
		if n, err := snappy.DecodedLen(p); err != nil || !plausible(n, len(p)) {
			return nil
		}
		text, _ := snappy.Decode(room[:cap(room)], p)
		return text
	},
	func(room, p []byte) []byte { return lz4Block(room, p[4:], binary.LittleEndian.Uint32(p)) },     // python-lz4
	func(room, p []byte) []byte { return lz4Block(room, p[4:], binary.BigEndian.Uint32(p)) },        // Redisson
	func(room, p []byte) []byte { return lz4Block(room, p[5:], binary.LittleEndian.Uint32(p[1:])) }, // phpredis, behind a checksum
	lz4Java,
}

// blockRoom is room for what most blocks hold.
const blockRoom = 8 << 10

// plausible reports whether a block of so many bytes can hold n.
func plausible(n, size int) bool { return n >= anywhere && n <= 255*size && n <= maxOpened/8 }

// lz4Block appends the content of a block that says it has n bytes.
func lz4Block(out, p []byte, n uint32) []byte {
	if !plausible(int(n), len(p)) {
		return nil
	}
	from := len(out)
	out = slices.Grow(out, int(n))
	done, err := lz4.UncompressBlock(p, out[from:from+int(n)])
	if err != nil {
		return out[:from]
	}
	return out[:from+done]
}

// lz4Java is the content of the blocks that lz4-java writes: magic, token, both
// lengths, checksum.
func lz4Java(text, p []byte) []byte {
	const head = 21
	for len(p) > head && bytes.HasPrefix(p, []byte("LZ4Block")) {
		packed, n := binary.LittleEndian.Uint32(p[9:]), binary.LittleEndian.Uint32(p[13:])
		stored := p[8]&0xf0 == 0x10
		p = p[head:]
		if uint64(packed) > uint64(len(p)) || len(text) > maxOpened/8 {
			break
		}
		if stored {
			text = append(text, p[:packed]...)
		} else if q := lz4Block(text, p[:packed], n); q != nil {
			text = q
		}
		p = p[packed:]
	}
	return text
}
