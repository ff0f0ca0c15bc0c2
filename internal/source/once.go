package source

import (
	"io"
)

// opened is a stream that was opened, and what came of it.
type opened struct {
	s     *stream
	raw   *meter // of the bytes outside of all layers
	sum   *digest
	err   error
	spool *spool // nil: it is read once
}

// size returns how many bytes the stream had, -1 while its end was not read.
func (o *opened) size() int64 {
	if n := o.raw.total.Load(); n > 0 {
		return n - 1
	}
	return -1
}

// stream yields the unit of what can be read only once.
func (in *Inputs) stream(path string, open func() (io.Reader, error), yield func(*Unit) bool) error {
	o := in.streams[path]
	if o == nil {
		raw, err := open()
		if err != nil {
			return in.unopened(path, err, yield)
		}
		o = &opened{raw: &meter{r: newInterruptible(in.ctx, raw), name: path, n: &in.read}}
		r := io.Reader(o.raw)
		if in.o.Hash {
			o.sum = newDigest(r, -1)
			r = o.sum
		}
		o.s, o.err = peel(r, path, -1, in.o.Identities)
		in.streams[path] = o
	}
	f := &File{Input: path, Path: path, Size: o.size(), in: in, once: o}
	f.hash.sum = o.sum
	f.judge(o.s, o.err)
	if f.Kind == Manifest { // what it names cannot be reached from here
		f.Kind = Text
	}
	in.insist(f)
	if !yield(in.unit(f)) {
		return errLeft
	}
	return nil
}
