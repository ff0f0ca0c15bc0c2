package cli

import (
	"path/filepath"
	"testing"
)

// Each label has state of its own, and a lock.
func TestStateOfLabels(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	labels := map[string]string{}
	for _, label := range []string{"a", "a/b", "a_b", "a.b", "a-b", "a/b/c", "a/b_c", "a_b/c"} {
		path, err := stateFile(label, ".lock")
		if err != nil {
			t.Fatal(err)
		}
		if other, taken := labels[path]; taken {
			t.Errorf("%s and %s share %s", label, other, filepath.Base(path))
		}
		labels[path] = label
	}
}
