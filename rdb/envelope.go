package rdb

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// The envelope of Valkey 9.2 (compression_stream.h): "VCS", version 1, codec,
// reserved 0, kind 1 for a snapshot; then one frame of the codec that holds the
// whole snapshot. An early draft wrote "VKCS" and eight bytes.
const (
	envelopeMagic = "VCS\x01"
	envelopeSize  = 7
	envelopeLZ4   = 1
	envelopeZstd  = 2
	envelopeRDB   = 1
	envelopeDraft = 8
	// Window of a zstd frame: what the reference decoder allows by default.
	zstdMaxWindow = 128 << 20
)

// envelope is the decompressed content of one.
type envelope struct {
	io.Reader
	size  int64 // bytes in front of the frame
	err   error // what the header said that is not known
	phys  *bufio.Reader
	frame *lz4Frame
}

func sniffEnvelope(head []byte) bool {
	return bytes.HasPrefix(head, []byte(envelopeMagic)) || bytes.HasPrefix(head, []byte("VKCS"))
}

// openEnvelope looks for an envelope at the start of r. Without one it returns
// nil and a reader of all of r.
func openEnvelope(r io.Reader) (*envelope, io.Reader) {
	in := &prefixed{r: r}
	in.fill(envelopeDraft)
	head := in.head
	if !sniffEnvelope(head) {
		return nil, in
	}
	br := bufio.NewReaderSize(in, 64<<10)
	e := &envelope{phys: br, size: envelopeSize}
	codec := 0
	switch {
	case head[0] == 'V' && head[1] == 'K':
		e.size, e.err = envelopeDraft, keyspace.ErrUnsupported
		codec = envelopeLZ4
	case len(head) < envelopeSize:
		e.size, e.err = int64(len(head)), keyspace.ErrTruncated
	default:
		codec = int(head[4])
		if head[5] != 0 || head[6] != envelopeRDB {
			e.err = keyspace.ErrUnsupported
		}
	}
	br.Discard(min(int(e.size), len(head))) //nolint:errcheck // those bytes are at hand
	switch codec {
	case envelopeLZ4:
		e.frame = &lz4Frame{r: br}
		e.Reader = sentinel{lz4.NewReader(e.frame)}
	case envelopeZstd:
		d, err := zstd.NewReader(br, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdMaxWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			e.err, e.Reader = keyspace.ErrUnsupported, eof{}
			break
		}
		e.Reader = sentinel{d.IOReadCloser()}
	default:
		if e.err == nil {
			e.err = keyspace.ErrUnsupported
		}
		e.Reader = eof{}
	}
	return e, nil
}

// rest returns what follows the frame, once the feeder has read all of it.
func (e *envelope) rest(f *feeder) io.Reader {
	for b := f.next(); b != nil; b = f.next() {
		f.recycle(b, nil)
	}
	return e.phys
}

// lz4Frame passes one LZ4 frame through and ends behind it, so that what
// follows stays unread: magic, flags, block descriptor, optional content size
// and dictionary id, header checksum; blocks of a 32-bit length (top bit: stored
// as is), data and optional checksum; a length of 0; optional content checksum
// (LZ4 Frame Format Description 1.6).
type lz4Frame struct {
	r     *bufio.Reader
	read  int64 // bytes passed through
	pass  int64 // bytes to pass through before the next decision
	state int
	flags byte
}

const (
	lz4Start = iota
	lz4Blocks
	lz4Done
)

func (f *lz4Frame) Read(p []byte) (int, error) {
	for f.pass == 0 {
		if f.state == lz4Done {
			return 0, io.EOF
		}
		if err := f.decide(); err != nil {
			return 0, err
		}
	}
	n, err := f.r.Read(p[:min(int64(len(p)), f.pass)])
	f.pass -= int64(n)
	f.read += int64(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// decide looks at what comes next and says how much of it belongs together.
func (f *lz4Frame) decide() error {
	if f.state == lz4Start {
		head, err := f.r.Peek(6)
		if err != nil {
			return io.ErrUnexpectedEOF
		}
		f.flags, f.state = head[4], lz4Blocks
		f.pass = 7
		if f.flags&0x08 != 0 {
			f.pass += 8
		}
		if f.flags&0x01 != 0 {
			f.pass += 4
		}
		return nil
	}
	head, err := f.r.Peek(4)
	if err != nil {
		return io.ErrUnexpectedEOF
	}
	f.pass = 4
	n := binary.LittleEndian.Uint32(head)
	if n == 0 {
		f.state = lz4Done
		if f.flags&0x04 != 0 {
			f.pass += 4
		}
		return nil
	}
	f.pass += int64(n &^ (1 << 31))
	if f.flags&0x10 != 0 {
		f.pass += 4
	}
	return nil
}

type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }

// sentinel turns a codec's errors into those of keyspace.
type sentinel struct{ r io.Reader }

func (s sentinel) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	switch {
	case err == nil || errors.Is(err, io.EOF):
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = keyspace.ErrTruncated
	default:
		err = keyspace.ErrCorrupt
	}
	return n, err
}

// prefixed gives back the bytes that were looked at, and the error that came with them.
type prefixed struct {
	r    io.Reader
	head []byte
	err  error
}

// fill reads until n bytes are at hand or the reader says something.
func (p *prefixed) fill(n int) {
	buf := make([]byte, n)
	for len(p.head) < n && p.err == nil {
		var m int
		m, p.err = p.r.Read(buf[len(p.head):])
		p.head = buf[:len(p.head)+m]
	}
}

func (p *prefixed) Read(b []byte) (int, error) {
	if len(p.head) > 0 || p.err != nil {
		n := copy(b, p.head)
		p.head = p.head[n:]
		if len(p.head) > 0 {
			return n, nil
		}
		err := p.err
		p.err = nil
		return n, err
	}
	return p.r.Read(b)
}
