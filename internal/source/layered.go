package source

import "io"

// maxReopened is how often a file inside layers is decompressed anew, up to the
// place where reading is to go on.
const maxReopened = 32

// layered lets the reader of a file inside layers go back.
type layered struct {
	f    *File
	left int
}

// from opens the content anew, at an offset.
func (l *layered) from(offset int64) (io.ReadCloser, error) {
	if l.left--; l.left < 0 {
		return nil, io.ErrClosedPipe
	}
	file, err := l.f.open(0)
	if err != nil {
		return nil, err
	}
	s, err := reopen(file, l.f.Path, l.f.Layers, l.f.in.o.Identities)
	c := &content{f: l.f, s: s, h: file}
	if err == nil {
		_, err = io.CopyN(io.Discard, c, offset)
	}
	if err != nil {
		c.Close() //nolint:errcheck // it was only read
		return nil, err
	}
	return c, nil
}

// measure returns how many bytes the layers yield, up to what is wrong with them.
func (l *layered) measure() (int64, error) {
	c, err := l.from(0)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	n, _ := io.Copy(io.Discard, c)
	return n, nil
}
