package cli

import (
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
