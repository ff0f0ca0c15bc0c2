package source

import (
	"bytes"
	"errors"
	"io"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Assume has a file that stands for itself read as a snapshot or a log, whatever
// its first bytes say: they may be what was lost of it.
func (u *Unit) Assume(k Kind) {
	f := u.Files[0]
	f.Kind, f.Err, f.Skipped, f.Next = k, nil, "", ""
	u.damage = nil
}

// Guess says which of the two a file without a head is, RDB or AOF, by how often
// what stands between two arguments of a command is found in its first MiB.
func (u *Unit) Guess() (Kind, error) {
	const (
		size  = 1 << 20
		every = 4096 // bytes that an argument has at most, on average
	)
	r, err := u.Logical()
	if err != nil {
		return "", err
	}
	defer r.Close()
	head, err := io.ReadAll(io.LimitReader(gapless{r}, size))
	if err != nil && len(head) == 0 {
		return "", err
	}
	if n := bytes.Count(head, []byte("\r\n$")); n > 1 && n >= len(head)/every {
		return AOF, nil
	}
	return RDB, nil
}

// gapless reads on where the medium has gaps: zeros stand for them.
type gapless struct{ r io.Reader }

func (g gapless) Read(p []byte) (int, error) {
	n, err := g.r.Read(p)
	if gap := (*keyspace.GapError)(nil); errors.As(err, &gap) {
		err = nil
	}
	return n, err
}
