package cli

import (
	"github.com/valkeyfs/valkeyfs/internal/backup"
	"github.com/valkeyfs/valkeyfs/internal/sweep"
)

// setFile is a file of a set, as JSON: as it was captured, and as it is sealed.
type setFile struct {
	Path         string      `json:"path"` // in the data directory
	Role         backup.Role `json:"role"`
	Size         int64       `json:"size"`
	SHA256       string      `json:"sha256"`
	Keys         uint64      `json:"keys,omitempty"`
	Commands     uint64      `json:"commands,omitempty"`
	Cut          int64       `json:"cut,omitempty"` // bytes of an unfinished command that were left out
	Member       string      `json:"member"`
	Set          string      `json:"set,omitempty"` // the older set that the member lies in
	StoredSize   int64       `json:"stored_size"`
	StoredSHA256 string      `json:"stored_sha256"`
}

func setFiles(m *backup.Manifest, in *backup.Inner, names *sweep.Names) []setFile {
	all := make([]setFile, 0, len(in.Files))
	for i := range in.Files {
		f, member := &in.Files[i], &m.Members[i]
		all = append(all, setFile{Path: names.Mask(f.Path), Role: f.Role, Size: f.Size, SHA256: f.SHA256, Keys: f.Keys, Commands: f.Commands, Cut: f.Cut,
			Member: member.Name, Set: member.Set, StoredSize: member.Size, StoredSHA256: member.SHA256})
	}
	return all
}
