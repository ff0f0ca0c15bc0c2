package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/backup"
)

// setState remembers the newest set of a label, for destinations that cannot be
// read: NAME.json is its manifest, NAME.begun that of a set whose manifest was
// about to be written. NAME.left says what of a set is written already, for the case
// that the program is interrupted. Where it cannot be kept, the destination has to
// tell.
type setState struct{ path, begunPath, leftPath string }

func openSetState(label string) *setState {
	path, err := stateFile(label, ".json")
	if err != nil {
		return &setState{}
	}
	name := strings.TrimSuffix(path, ".json")
	return &setState{path, name + ".begun", name + ".left"}
}

// stateFile names a file of a label in the state directory, which is made. No label
// has a plus sign.
func stateFile(label, ext string) (string, error) {
	root, err := stateDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, "backup")
	return filepath.Join(dir, strings.ReplaceAll(label, "/", "+")+ext), os.MkdirAll(dir, 0o700)
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
func (s *setState) begin(manifest []byte) { keepState(s.begunPath, manifest) }

// left returns what an interrupted run has written, or nil.
func (s *setState) left() *backup.Begun {
	b, err := backup.ParseBegun(readState(s.leftPath))
	if err != nil {
		return nil
	}
	return b
}

// sent keeps what is written of a set.
func (s *setState) sent(b *backup.Begun) {
	if data, err := json.Marshal(b); err == nil {
		keepState(s.leftPath, data)
	}
}

func keepState(path string, data []byte) {
	if path == "" {
		return
	}
	writeFile("state", path, data) //nolint:errcheck // where it cannot be kept, the destination tells
}

// end says that the set that was begun is complete.
func (s *setState) end() {
	os.Rename(s.begunPath, s.path) //nolint:errcheck // where it cannot be kept, the destination tells
	os.Remove(s.leftPath)          // what is complete is not gone on with
}
