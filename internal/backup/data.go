package backup

import (
	"context"
	"io"
	"path"

	"filippo.io/age"

	"github.com/valkeyfs/valkeyfs/aof"
)

// Data returns the files of the set's data set in the order in which a server reads
// them: a log, if it holds one, else a snapshot, which is then said. They are opened
// where they lie; nothing is written.
func (s *Set) Data(ctx context.Context, ids []age.Identity) (parts []aof.Part, snapshot bool, err error) {
	in, err := s.inner(ctx, ids)
	if err != nil {
		return nil, false, err
	}
	wanted := []Role{RoleBase, RoleIncr, RoleLog}
	if !in.has(RoleBase) && !in.has(RoleIncr) && !in.has(RoleLog) {
		wanted, snapshot = []Role{RoleSnapshot}, true
	}
	last := -1
	for _, role := range wanted {
		for i := range in.Files {
			f := &in.Files[i]
			if f.Role != role {
				continue
			}
			m := &s.Manifest.Members[i]
			if role != RoleBase {
				last = len(parts)
			}
			parts = append(parts, aof.Part{Source: path.Join(s.Manifest.ID, f.Path), Open: func() (io.ReadCloser, error) { return s.member(ctx, m, ids) }})
		}
	}
	if last >= 0 && !snapshot {
		parts[last].Last = true
	}
	return parts, snapshot, nil
}
