package source

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"filippo.io/age"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/valkeyfs/valkeyfs/crypt"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// A layer is a compression or sealing around a file.
type layer string

const (
	layerGzip layer = "gzip"
	layerZstd layer = "zstd"
	layerLZ4  layer = "lz4"
	layerAge  layer = "age"
)

// What layers may cost.
const (
	// maxLayers bounds how many layers are opened. Each holds its own window.
	maxLayers = 6
	// maxWindow is the largest zstd window that is accepted: what `zstd -d`
	// takes without --long (ZSTD_WINDOWLOG_LIMIT_DEFAULT, 2^27).
	maxWindow = 128 << 20
	// maxRatio and ratioFree end bombs: what comes out of the layers may exceed
	// ratioFree bytes only while it stays below maxRatio times what went in.
	// DEFLATE reaches 1032:1 at most; snapshots and logs stay far below that.
	maxRatio = 1100
)

var ratioFree int64 = keyspace.DefaultMaxInflate // a variable for tests

// sniffHead is how much of a file is looked at to say what it is. The magic of a
// btrfs volume ends last of what is looked for, at 64 KiB + 72.
const sniffHead = 68 << 10

func sniffLayer(head []byte) layer {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b, 8}): // RFC 1952, 2.3.1
		return layerGzip
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}), // RFC 8878, 3.1.1
		len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:4], []byte{0x2a, 0x4d, 0x18}): // RFC 8878, 3.1.2: a skippable frame
		return layerZstd
	case bytes.HasPrefix(head, []byte{0x04, 0x22, 0x4d, 0x18}), // lz4_Frame_format.md, "Magic Number"
		bytes.HasPrefix(head, []byte{0x02, 0x21, 0x4c, 0x18}): // the same, "Legacy frame"
		return layerLZ4
	case crypt.Sniff(head):
		return layerAge
	}
	return ""
}

// A stream is the content of a file inside its layers.
type stream struct {
	io.Reader
	layers []string // from the outside in
	head   []byte   // what the content begins with, at most sniffHead bytes
	closer []func()
}

func (s *stream) Close() {
	for i := len(s.closer) - 1; i >= 0; i-- {
		s.closer[i]()
	}
}

// peel opens the layers around raw, one after another, and looks at the head of
// what lies inside. A layer that cannot be opened is the content: the error says
// why, and the stream is usable beside it. size is that of raw, -1 if unknown.
func peel(raw io.Reader, name string, size int64, ids []age.Identity) (*stream, error) {
	in := &counter{r: raw}
	s := &stream{Reader: in}
	room := sniffHead
	if size >= 0 {
		room = int(min(size+1, sniffHead)) // one more, so that the end is seen
	}
	for ; ; room = sniffHead {
		br := bufio.NewReaderSize(s.Reader, room)
		s.Reader = br
		head, err := br.Peek(room)
		s.head = head
		if err != nil && err != io.EOF && len(head) == 0 {
			return s, err
		}
		l := sniffLayer(head)
		if l == "" {
			return s, nil
		}
		if len(s.layers) == maxLayers {
			return s, &keyspace.FormatError{Pos: at(name, 0), What: "layers of compression", Err: keyspace.ErrLimit}
		}
		r, closer, err := openLayer(l, br, ids)
		if err != nil {
			return s, layerError(name, 0, l, in, err)
		}
		s.layers = append(s.layers, string(l))
		s.closer = append(s.closer, closer)
		s.Reader = &layerReader{r: r, in: in, layer: l, name: name}
	}
}

// reopen is peel for a file whose layers are known. It does not buffer ahead
// what it need not, so that gaps keep their place where there are no layers.
func reopen(raw io.Reader, name string, layers []string, ids []age.Identity) (*stream, error) {
	in := &counter{r: raw}
	s := &stream{Reader: in}
	for _, l := range layers {
		r, closer, err := openLayer(layer(l), s.Reader, ids)
		if err != nil {
			return s, layerError(name, 0, layer(l), in, err)
		}
		s.layers = append(s.layers, l)
		s.closer = append(s.closer, closer)
		s.Reader = &layerReader{r: r, in: in, layer: layer(l), name: name}
	}
	return s, nil
}

func openLayer(l layer, r io.Reader, ids []age.Identity) (io.Reader, func(), error) {
	switch l {
	case layerGzip:
		z, err := gzip.NewReader(r)
		return z, func() {}, err
	case layerZstd:
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecodeBuffersBelow(0))
		if err != nil {
			return nil, nil, err
		}
		return z, z.Close, nil
	case layerLZ4:
		return lz4.NewReader(r), func() {}, nil
	default:
		plain, err := crypt.Open(r, ids...)
		return plain, func() {}, err
	}
}

// counter counts what is read of a file and remembers an error that the layers
// above reword.
type counter struct {
	r   io.Reader
	n   int64
	err error
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}

// layerReader bounds what comes out of a layer and gives its errors a place:
// the offset in what came out, which is how far the content could be read.
type layerReader struct {
	r     io.Reader
	in    *counter
	out   int64
	layer layer
	name  string
	err   error
}

func (l *layerReader) Read(p []byte) (int, error) {
	if l.err != nil {
		return 0, l.err
	}
	n, err := l.r.Read(p)
	l.out += int64(n)
	switch {
	case err != nil && err != io.EOF:
		l.err = layerError(l.name, l.out, l.layer, l.in, err)
	case l.out > ratioFree && l.out/maxRatio > l.in.n:
		l.err = &keyspace.FormatError{Pos: at(l.name, l.out), What: string(l.layer) + " data: compression ratio", Err: keyspace.ErrLimit}
	default:
		l.err = err
	}
	return n, l.err
}

func layerError(name string, off int64, l layer, in *counter, err error) error {
	var inner *keyspace.FormatError
	if errors.As(err, &inner) {
		return err
	}
	cause := keyspace.ErrCorrupt
	var gap *keyspace.GapError
	switch {
	case errors.As(in.err, &gap): // a range of the file, but none of what comes out of the layer
		cause = gap.Err
	case in.err != nil:
		cause = in.err
	case errors.Is(err, crypt.ErrNoIdentity), errors.Is(err, crypt.ErrPassphrase):
		cause = err
	case errors.Is(err, io.ErrUnexpectedEOF), err == io.EOF:
		cause = keyspace.ErrTruncated
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, zstd.ErrCRCMismatch), errors.Is(err, crypt.ErrSealBroken):
		cause = keyspace.ErrChecksum
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		cause = keyspace.ErrLimit
	case errors.Is(err, zstd.ErrUnknownDictionary):
		cause = keyspace.ErrUnsupported
	}
	return &keyspace.FormatError{Pos: at(name, off), What: string(l) + " data", Err: cause}
}

// at is a place in a file.
func at(name string, off int64) keyspace.Pos {
	return keyspace.Pos{Source: name, Offset: off, Inner: -1}
}
