package crypt

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
)

const (
	// maxWindow is the largest window that is accepted: what `zstd -d` takes
	// without --long (ZSTD_WINDOWLOG_LIMIT_DEFAULT, 2^27).
	maxWindow = 128 << 20
	// maxParallel bounds the frames that are read on several cores, in bytes of
	// compressed and of plain data. Longer ones are streamed.
	maxParallel = 8 << 20
)

// zstdMagic begins a frame (RFC 8878, 3.1.1).
var zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}

// sniffZstd reports whether head begins a zstd frame, skippable ones included
// (RFC 8878, 3.1.2).
func sniffZstd(head []byte) bool {
	return bytes.HasPrefix(head, zstdMagic) || len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:4], []byte{0x2a, 0x4d, 0x18})
}

// unframer decompresses a .zst file. Where it consists of short frames, several
// are decompressed at a time; the rest of any other is streamed.
type unframer struct {
	queue   chan *unframe
	stop    chan struct{}
	buffers sync.Pool // of *[]byte: frames, compressed or not
	now     *unframe
	rest    []byte
	err     error
	closed  bool
}

func (u *unframer) buffer() []byte {
	if b, ok := u.buffers.Get().(*[]byte); ok {
		return (*b)[:0]
	}
	return nil
}

// unframe is a frame being decompressed or, the last of a file, what streams.
type unframe struct {
	out    []byte
	err    error
	done   chan struct{}
	stream io.Reader
}

func newUnframer(r io.Reader, workers int) (*unframer, error) {
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(workers), zstd.WithDecoderMaxMemory(maxParallel), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, err
	}
	u := &unframer{queue: make(chan *unframe, workers), stop: make(chan struct{})}
	go u.split(bufio.NewReaderSize(r, 64<<10), dec)
	return u, nil
}

// split finds where frames begin and end, and has them decompressed.
func (u *unframer) split(r *bufio.Reader, dec *zstd.Decoder) {
	defer close(u.queue)
	for {
		head, err := r.Peek(len(zstdMagic))
		if len(head) == 0 {
			if err != io.EOF {
				u.send(&unframe{err: err})
			}
			return
		}
		f := &unframe{done: make(chan struct{})}
		data, whole, err := u.readFrame(r)
		switch {
		case err != nil:
			f.err = err
			close(f.done)
		case !whole:
			f.stream = io.MultiReader(bytes.NewReader(data), r)
			close(f.done)
		default:
			go func() {
				defer close(f.done)
				f.out, f.err = dec.DecodeAll(data, u.buffer())
				u.buffers.Put(&data)
			}()
		}
		if !u.send(f) || err != nil || !whole {
			return
		}
	}
}

func (u *unframer) send(f *unframe) bool {
	if f.done == nil {
		f.done = make(chan struct{})
		close(f.done)
	}
	select {
	case u.queue <- f:
		return true
	case <-u.stop:
		return false
	}
}

// readFrame reads one frame by the headers of its blocks (RFC 8878, 3.1.1). It
// returns what it has read, and false, as soon as the frame turns out to be long
// or to be something else: a decoder then says what.
func (u *unframer) readFrame(r *bufio.Reader) (data []byte, whole bool, err error) {
	head, err := r.Peek(zstd.HeaderMaxSize)
	if err == io.EOF { // a short frame may be all there is
		err = nil
	}
	if err != nil {
		return nil, false, err
	}
	var h zstd.Header
	if !isShort(&h, head) {
		return nil, false, nil
	}
	data = u.buffer()
	take := func(n int) ([]byte, error) {
		at := len(data)
		for need := n; need > 0; {
			step := min(need, r.Size())
			b, err := r.Peek(step)
			data = append(data, b...)
			r.Discard(len(b)) //nolint:errcheck // it was peeked at
			need -= len(b)
			if err != nil {
				return nil, err
			}
		}
		return data[at:], nil
	}
	if _, err := take(h.HeaderSize); err != nil {
		return data, false, short(err)
	}
	for last := false; !last; {
		b, err := take(3)
		if err != nil {
			return data, false, short(err)
		}
		block := uint32(b[0]) | uint32(binary.LittleEndian.Uint16(b[1:]))<<8
		last = block&1 != 0
		size := int(block >> 3)
		if block>>1&3 == 1 { // RLE_Block: one byte
			size = 1
		}
		if len(data)+size > maxParallel {
			return data, false, nil
		}
		if _, err := take(size); err != nil {
			return data, false, short(err)
		}
	}
	if h.HasCheckSum {
		if _, err := take(4); err != nil {
			return data, false, short(err)
		}
	}
	return data, true, nil
}

// isShort decodes the header of a frame, and reports whether it may be read whole.
func isShort(h *zstd.Header, head []byte) bool {
	return h.Decode(head) == nil && !h.Skippable && h.HasFCS && h.FrameContentSize <= maxParallel
}

func short(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (u *unframer) Read(p []byte) (int, error) {
	for {
		if len(u.rest) > 0 {
			n := copy(p, u.rest)
			u.rest = u.rest[n:]
			return n, nil
		}
		if u.err != nil {
			return 0, u.err
		}
		if u.now != nil && u.now.stream != nil {
			return u.now.stream.Read(p)
		}
		if u.now != nil {
			u.buffers.Put(&u.now.out)
			u.now = nil
		}
		f, ok := <-u.queue
		if !ok {
			u.err = io.EOF
			continue
		}
		<-f.done
		if u.now = f; f.stream != nil {
			z, err := zstd.NewReader(f.stream, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxWindow(maxWindow))
			if err != nil {
				u.err = err
				continue
			}
			f.stream = z.IOReadCloser()
		}
		u.rest, u.err = f.out, f.err
	}
}

// Close ends the goroutines that read ahead.
func (u *unframer) Close() error {
	if u.closed {
		return nil
	}
	u.closed = true
	close(u.stop)
	go func() { // the source may stall
		for range u.queue {
		}
	}()
	if u.now != nil {
		if c, ok := u.now.stream.(io.Closer); ok {
			return c.Close()
		}
	}
	u.err = errors.New("closed")
	return nil
}
