package acquire

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"slices"
	"syscall"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// buffer is how much is read at a time.
const buffer = 1 << 20

// copy stores one file, and reads both sides once more. What goes wrong with the
// source is noted in p; an error is the context's, or that of the store.
func (p *Copy) copy(ctx context.Context, s *store, o Options) error {
	f := p.file
	block := f.Mode&fs.ModeDevice != 0 && f.Mode&fs.ModeCharDevice == 0 // only where the user named it
	switch {
	case f.Same != "":
		p.Skipped = "another name of " + f.Same
		return nil
	case !f.Mode.IsRegular() && (!block || f.Path != f.Input):
		if p.Skipped = f.Skipped; f.Err != nil {
			p.Error = reason(f.Err)
		}
		return nil
	}
	raw, err := f.OpenRaw()
	if err != nil {
		p.Error = reason(err)
		return nil
	}
	defer raw.Close()
	p.Copied = utc(o.Now())
	stored, err := s.create(relative(f))
	if err != nil {
		return p.unstorable(err)
	}
	defer stored.abort()
	sum := sha256.New()
	if err := p.pour(ctx, io.MultiWriter(stored, sum), raw); err != nil {
		return p.broken(ctx, err)
	}
	p.SHA256 = hex.EncodeToString(sum.Sum(nil))
	if p.Error != "" {
		return nil
	}
	if p.StoredSum, err = stored.commit(ctx); err != nil {
		return p.broken(ctx, p.unstorable(err))
	}
	p.setStored(stored.name)
	return p.broken(ctx, p.compare(ctx))
}

// unstorable notes that a name has no place in the store, which is no reason to
// leave the other files alone. Any other error is returned.
func (p *Copy) unstorable(err error) error {
	if !nameless(err) {
		return err
	}
	p.Error = "the copy cannot be stored under this name: " + reason(err)
	return nil
}

// nameless reports whether an error says that a name has no place in the store.
func nameless(err error) bool {
	return slices.ContainsFunc([]error{syscall.ENAMETOOLONG, syscall.EINVAL, syscall.EILSEQ, syscall.ENOTDIR, syscall.EISDIR, fs.ErrExist},
		func(e error) bool { return errors.Is(err, e) })
}

// broken notes that ctx ended while the file was copied.
func (p *Copy) broken(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		p.Error = "interrupted"
	}
	return err
}

// pour copies what can be read. An error of the source ends it and is noted; one
// that is returned is of w, or the context's.
func (p *Copy) pour(ctx context.Context, w io.Writer, r io.Reader) error {
	buf := make([]byte, buffer)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := r.Read(buf)
		if _, err := w.Write(buf[:n]); err != nil {
			return err
		}
		var gap *keyspace.GapError
		switch {
		case err == io.EOF:
			return nil
		case errors.As(err, &gap):
			p.gap(gap.Offset, gap.Length)
		case err != nil:
			p.Error = reason(err)
			return nil
		}
	}
}

func (p *Copy) gap(offset, length int64) {
	p.Unread += length
	if n := len(p.Gaps); n > 0 && p.Gaps[n-1].Offset+p.Gaps[n-1].Length == offset {
		p.Gaps[n-1].Length += length
	} else if n < maxGaps {
		p.Gaps = append(p.Gaps, Gap{Offset: offset, Length: length})
	}
}

// compare reads the source once more and notes what differs from before.
func (p *Copy) compare(ctx context.Context) error {
	again := &Copy{file: p.file}
	raw, err := p.file.OpenRaw()
	if err != nil {
		p.Changes = append(p.Changes, "it can no longer be opened: "+reason(err))
		return nil
	}
	defer raw.Close()
	sum := sha256.New()
	if err := again.pour(ctx, sum, raw); err != nil {
		return err
	}
	p.After = hex.EncodeToString(sum.Sum(nil))
	now, err := p.file.Again()
	if err != nil {
		p.Changes = append(p.Changes, "it is gone: "+reason(err))
		return nil
	}
	before := p.file
	for _, c := range []struct {
		what string
		same bool
	}{
		{"content", p.After == p.SHA256},
		{"size", now.Size == before.Size},
		{"mode", now.Mode == before.Mode},
		{"owner", now.UID == before.UID && now.GID == before.GID},
		{"modified", now.Modified.Equal(before.Modified)},
		{"accessed", now.Accessed.Equal(before.Accessed)},
		{"changed", now.Changed.Equal(before.Changed)},
	} {
		if !c.same {
			p.Changes = append(p.Changes, c.what)
		}
	}
	return nil
}
