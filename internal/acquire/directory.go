package acquire

import (
	"path"
	"path/filepath"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/source"
)

// A Tree is told of the directories of a source, as source.Options.Entered is.
type Tree struct{ dirs []*source.File }

// Enter notes a directory.
func (t *Tree) Enter(f *source.File) { t.dirs = append(t.dirs, f) }

// A Directory is one that lies in the source, be it empty or not. Its times tell when
// something was made, renamed or removed in it last.
type Directory struct {
	Path     string     `json:"path,omitempty"` // relative to the source; "." is the source itself
	PathB64  []byte     `json:"path_b64,omitempty"`
	Mode     string     `json:"mode"`
	UID      int        `json:"uid"`
	GID      int        `json:"gid"`
	Modified *time.Time `json:"modified,omitempty"`
	Accessed *time.Time `json:"accessed,omitempty"`
	Changed  *time.Time `json:"changed,omitempty"`
	Born     *time.Time `json:"born,omitempty"`
	Changes  []string   `json:"changes,omitempty"` // what differed after the copy from before
	Error    string     `json:"error,omitempty"`   // why the copy has no such directory
}

// whole reports whether nothing came or went while the files were copied.
func (d *Directory) whole() bool { return d.Error == "" && len(d.Changes) == 0 }

// keepDirectories writes down the directories and makes them in the store. It comes
// behind the files: what may be taken away is copied first.
func (c *Custody) keepDirectories(s *store, dirs []*source.File) error {
	for _, f := range dirs {
		rel, err := filepath.Rel(f.Input, f.Path)
		if err != nil || !filepath.IsLocal(rel) {
			continue // beside a manifest that was named
		}
		d := &Directory{Mode: f.Mode.String(), UID: f.UID, GID: f.GID,
			Modified: utc(f.Modified), Accessed: utc(f.Accessed), Changed: utc(f.Changed), Born: utc(f.Born)}
		d.Path, d.PathB64 = text(rel)
		d.compare(f)
		if err := s.root.MkdirAll(path.Join(filesDir, filepath.ToSlash(rel)), 0o700); err != nil {
			if !nameless(err) {
				return err
			}
			d.Error = "it cannot be stored under this name: " + reason(err)
		}
		c.Directories = append(c.Directories, d)
	}
	return nil
}

// compare notes what differs from before.
func (d *Directory) compare(f *source.File) {
	now, err := f.Again()
	if err != nil {
		d.Changes = append(d.Changes, "it is gone: "+reason(err))
		return
	}
	for _, c := range []struct {
		what string
		same bool
	}{
		{"mode", now.Mode == f.Mode},
		{"owner", now.UID == f.UID && now.GID == f.GID},
		{"modified", now.Modified.Equal(f.Modified)},
		{"accessed", now.Accessed.Equal(f.Accessed)},
		{"changed", now.Changed.Equal(f.Changed)},
	} {
		if !c.same {
			d.Changes = append(d.Changes, c.what)
		}
	}
}
