package source

import (
	"io"

	"github.com/valkeyfs/valkeyfs/rdb"
)

// Logical opens the bytes of the unit's snapshot as its events count them: without
// compression, sealing and, of a VCS envelope, without that. Of a stream, it must be
// called before [Unit.Events], and keeps what the stream delivers.
func (u *Unit) Logical() (io.ReadCloser, error) {
	f := u.Files[0]
	if f.once != nil {
		if err := f.keep(); err != nil {
			return nil, err
		}
	}
	r, err := f.content()
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{rdb.Logical(r), r}, nil
}

// Keep has the unit read any number of times: it keeps what a stream delivers.
func (u *Unit) Keep() error {
	if f := u.Files[0]; f.once != nil && f.Err == nil {
		return f.keep()
	}
	return nil
}

// Snapshot reports whether the unit is one snapshot, and no log.
func (u *Unit) Snapshot() bool { return len(u.log) == 0 && u.Files[0].Kind == RDB }
