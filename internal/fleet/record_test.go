package fleet

import (
	"crypto/rand"
	"slices"
	"testing"

	"github.com/valkeyfs/valkeyfs/scan"
)

// What was found is held within the bound of memory, and the rest is spilled.
func TestRecorderSpills(t *testing.T) {
	const maxMem = 4 << 20
	r := newRecorder(t.TempDir(), maxMem)
	defer r.empty()
	found := make([]byte, maxMem)
	rand.Read(found)
	for key := range slices.Chunk(found, 1<<10) {
		if err := r.found.finding(&scan.Finding{Key: string(key)}); err != nil {
			t.Fatal(err)
		}
	}
	if n := r.spilled.Spilled(); n < maxMem/2 {
		t.Errorf("of %d bytes %d are spilled", maxMem, n)
	}
}
