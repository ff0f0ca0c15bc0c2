package fleet

import (
	"crypto/rand"
	"testing"
)

// What was found is held within the bound of memory, and the rest is spilled.
func TestRecorderSpills(t *testing.T) {
	const maxMem = 4 << 20
	r := newRecorder(t.TempDir(), maxMem)
	defer r.empty()
	found := make([]byte, maxMem)
	rand.Read(found)
	if _, err := r.lines.Write(found); err != nil {
		t.Fatal(err)
	}
	if n := r.spilled.Spilled(); n < maxMem/2 {
		t.Errorf("of %d bytes %d are spilled", maxMem, n)
	}
}
