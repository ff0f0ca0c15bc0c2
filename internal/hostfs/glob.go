package hostfs

import (
	"path"
	"strings"
)

// maxGlob bounds how many directory entries one pattern is held against.
const maxGlob = 1_000_000

// Glob returns the paths that match an absolute pattern as glob(3) would, sorted
// within each directory: * and ? do not match a leading dot. A pattern without a
// match gives none. ErrLimit, with what was found, ends a search that has become
// too large.
func (f *FS) Glob(pattern string, limit int) ([]string, error) {
	parts := split(pattern)
	found := []string{"/"}
	budget := maxGlob
	for _, part := range parts {
		var next []string
		for _, dir := range found {
			if !HasMeta(part) {
				name := path.Join(dir, part)
				if _, err := f.Lstat(name); err == nil {
					next = append(next, name)
				}
				continue
			}
			names, err := f.ReadDir(dir)
			if err != nil && len(names) == 0 {
				continue
			}
			if budget -= len(names) + 1; budget < 0 {
				return nil, ErrLimit
			}
			for _, name := range names {
				if strings.HasPrefix(name, ".") && !strings.HasPrefix(part, ".") {
					continue
				}
				if ok, err := path.Match(strings.ReplaceAll(part, "[!", "[^"), name); ok && err == nil {
					next = append(next, path.Join(dir, name))
				}
			}
			if len(next) > limit {
				return nil, ErrLimit
			}
		}
		found = next
	}
	return found, nil
}

// HasMeta reports whether a path is a pattern to glob(3).
func HasMeta(name string) bool { return strings.ContainsAny(name, `*?[`) }
