package cli

import (
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/source"
)

// Of runs that begin at the same time and find no key, one makes it, and all use it.
func TestIDKeyMadeOnce(t *testing.T) {
	for name, path := range map[string]string{"in the state directory": "", "chosen": filepath.Join(t.TempDir(), "id.key")} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("XDG_STATE_HOME", t.TempDir())
			keys := make([]*idKey, 16)
			errs := make([]error, len(keys))
			var start, end sync.WaitGroup
			start.Add(1)
			for i := range keys {
				end.Go(func() {
					start.Wait()
					keys[i], errs[i] = readOrMakeIDKey(path, &source.Inputs{})
				})
			}
			start.Done()
			end.Wait()
			made := 0
			for i, k := range keys {
				switch {
				case errs[i] != nil:
					t.Fatal(errs[i])
				case !k.kept() || !slices.Equal(k.key, keys[0].key):
					t.Errorf("%d: another key: %s", i, k.name)
				case k.made:
					made++
				}
			}
			if made != 1 {
				t.Errorf("made %d times", made)
			}
		})
	}
}

// A state directory that does not exist yet, and would lie in the evidence, is not made
// there.
func TestIDKeyNotInEvidence(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_STATE_HOME", filepath.Join(home, ".local", "state"))
	in, err := source.New(t.Context(), []string{home}, source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if k, err := readOrMakeIDKey("", in); err != nil || k.kept() {
		t.Errorf("%+v, %v", k, err)
	}
	if left, err := os.ReadDir(home); err != nil || len(left) > 0 {
		t.Errorf("written into the evidence: %v, %v", left, err)
	}
}
