package cli

import (
	"os"
	"path/filepath"
	"strings"
)

// setState remembers the newest set of a label, for destinations that cannot be
// read: NAME.json is its manifest, NAME.begun that of a set whose manifest was
// about to be written. Where it cannot be kept, the destination has to tell.
type setState struct{ path, begunPath string }

func openSetState(label string) *setState {
	path, err := stateFile(label, ".json")
	if err != nil {
		return &setState{}
	}
	return &setState{path, strings.TrimSuffix(path, ".json") + ".begun"}
}

// stateFile names a file of a label in the state directory, which is made.
func stateFile(label, ext string) (string, error) {
	root, err := stateDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, "backup")
	return filepath.Join(dir, strings.ReplaceAll(label, "/", "_")+ext), os.MkdirAll(dir, 0o700)
}

func (s *setState) done() []byte { return readState(s.path) }

func (s *setState) begun() []byte { return readState(s.begunPath) }

func readState(path string) []byte {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil // it need not be there
	}
	return data
}

// begin keeps the manifest of a set that is about to be complete.
func (s *setState) begin(manifest []byte) {
	if s.path == "" {
		return
	}
	out, err := createOutput("state", s.begunPath)
	if err != nil {
		return
	}
	defer out.discard()
	out.Write(manifest)
	out.commit() //nolint:errcheck // where it cannot be kept, the destination tells
}

// end says that the set that was begun is complete.
func (s *setState) end() {
	os.Rename(s.begunPath, s.path) //nolint:errcheck // where it cannot be kept, the destination tells
}
