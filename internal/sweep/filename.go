package sweep

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/scan"
)

// keyTypeFile is the key_type of findings in names of files and directories.
const keyTypeFile = "file"

// filename reports the secrets in the name of a file and in those of the
// directories that lead to it, each directory once. A finding's key is the name
// and its source the path that it ends.
func (s *sweep) filename(ctx context.Context, f *source.File) error {
	if s.o.Match != nil || f.Path == source.Stdin || !suspicious(f.Path) {
		return nil
	}
	sep := string(filepath.Separator)
	names := func(yield func(*keyspace.Event, error) bool) {
		path := ""
		for name := range strings.SplitSeq(f.Path, sep) {
			path += name
			last := len(path) == len(f.Path)
			// The name of a text is the key of its lines, and was scanned with them.
			if suspicious(name) && !(last && f.Kind.IsText() && f.Err == nil) && s.newName(path, last) {
				e := &keyspace.Event{Kind: keyspace.Key, DB: -1, Key: []byte(name), Pos: keyspace.Pos{Source: path, Inner: -1}, Expire: keyspace.NoExpire, Idle: -1, Freq: -1}
				if !yield(e, nil) {
					return
				}
			}
			path += sep
		}
	}
	_, err := s.scanner.Scan(ctx, names, func(f *scan.Finding) error {
		f.KeyType = keyTypeFile
		return s.found(f)
	})
	if err != nil && ctx.Err() == nil { // otherwise the summary tells
		return err
	}
	return nil
}

// newName reports whether the name that ends path was not looked at before. Files
// are met once, the directories on the way to them many times.
func (s *sweep) newName(path string, file bool) bool {
	if file {
		return true
	}
	if s.dirs[path] {
		return false
	}
	if s.dirs == nil || len(s.dirs) == maxMasked {
		s.dirs = map[string]bool{}
	}
	s.dirs[path] = true
	return true
}
