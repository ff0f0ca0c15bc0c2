package crypt

import (
	"bufio"
	"context"
	"errors"
	"io"
	"runtime"

	"filippo.io/age"
	"filippo.io/age/armor"
)

// SealOptions say how to seal.
type SealOptions struct {
	Recipients []age.Recipient // whoever may open it; at least one
	Armor      bool            // text instead of bytes: a third larger
	Level      int             // of zstd, 1 to MaxLevel; 0: DefaultLevel
	Workers    int             // how many frames are compressed at a time, 8 at most; 0: one a core
}

// maxWorkers bounds frames in memory: eight cores compress faster than disks and
// networks take it.
const maxWorkers = 8

func workersOf(n int) int {
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	return min(n, maxWorkers)
}

// Seal returns a writer whose plaintext reaches dst compressed and sealed. Only
// Close completes the file: without it what dst holds does not open, so that whoever
// has to give up does not call it. It does not close dst. Each worker holds two
// frames of 2 MiB. Not safe for concurrent use.
func Seal(dst io.Writer, o SealOptions) (io.WriteCloser, error) {
	if o.Level == 0 {
		o.Level = DefaultLevel
	}
	o.Workers = workersOf(o.Workers)
	sealed, err := sealRaw(dst, o)
	if err != nil {
		return nil, err
	}
	frames, err := newFrameWriter(sealed, o.Level, o.Workers)
	if err != nil {
		return nil, err
	}
	return &closers{frames, sealed}, nil
}

// closers is a stack of writers: the outer one is written to, and closed first.
type closers struct{ outer, inner io.WriteCloser }

func (c *closers) Write(p []byte) (int, error) { return c.outer.Write(p) }

func (c *closers) Close() error {
	if err := c.outer.Close(); err != nil {
		return err
	}
	return c.inner.Close()
}

// sealRaw is age alone.
func sealRaw(dst io.Writer, o SealOptions) (io.WriteCloser, error) {
	if len(o.Recipients) == 0 {
		return nil, errors.New("no recipient")
	}
	if !o.Armor {
		return age.Encrypt(dst, o.Recipients...)
	}
	text := armor.NewWriter(dst)
	w, err := age.Encrypt(text, o.Recipients...)
	if err != nil {
		return nil, err
	}
	return &closers{w, text}, nil
}

// Reseal copies the sealed file src to dst, sealed for o.Recipients instead; what
// is inside stays as it is, compressed or not. What src was sealed to has no part
// in dst, but its holders may have kept src. Errors are those of [Open].
func Reseal(ctx context.Context, dst io.Writer, src io.Reader, o SealOptions, identities ...age.Identity) error {
	plain, err := Open(src, identities...)
	if err != nil {
		return err
	}
	w, err := sealRaw(dst, o)
	if err != nil {
		return err
	}
	if _, err := io.CopyBuffer(w, &contextReader{ctx, plain}, make([]byte, 1<<20)); err != nil {
		return err
	}
	return w.Close()
}

// Unseal returns the plaintext of the sealed file r: that of age and, if what
// lies in it is zstd, of that. Errors are those of [Open], and [ErrSealBroken]
// for what does not decompress. Close ends what reads ahead, and may be called again; it does not close r.
func Unseal(r io.Reader, workers int, identities ...age.Identity) (io.ReadCloser, error) {
	sealed, err := Open(r, identities...)
	if err != nil {
		return nil, err
	}
	src := &source{r: sealed}
	br := bufio.NewReaderSize(src, 64<<10)
	head, err := br.Peek(len(zstdMagic))
	if err != nil && err != io.EOF {
		return nil, err
	}
	if !sniffZstd(head) {
		return io.NopCloser(br), nil
	}
	u, err := newUnframer(br, workersOf(workers))
	if err != nil {
		return nil, err
	}
	return &inflated{u, src}, nil
}

// inflated tells errors of what lies beneath from those of decompression.
type inflated struct {
	*unframer
	src *source
}

func (i *inflated) Read(p []byte) (int, error) {
	n, err := i.unframer.Read(p)
	switch {
	case err == nil || err == io.EOF:
	case i.src.err != nil && i.src.err != io.EOF:
		err = i.src.err
	default:
		err = ErrSealBroken
	}
	return n, err
}

type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
