package source

import (
	"os"
	"path/filepath"
	"slices"
)

// Contains reports whether path, whose end need not exist, is one of the inputs or lies
// in one.
func (in *Inputs) Contains(path string) bool {
	return slices.ContainsFunc(in.paths, func(input string) bool { return input != Stdin && Within(input, path) })
}

// Within reports whether path, whose end need not exist, is top or lies in it, by
// whatever name or link.
func Within(top, path string) bool {
	info, err := os.Stat(top)
	if err != nil {
		return false
	}
	if path, err = filepath.Abs(path); err != nil {
		return false
	}
	for {
		if resolved, err := filepath.EvalSymlinks(path); err == nil {
			path = resolved
		}
		if above, err := os.Stat(path); err == nil && os.SameFile(info, above) {
			return true
		}
		if path == filepath.Dir(path) {
			return false
		}
		path = filepath.Dir(path)
	}
}
