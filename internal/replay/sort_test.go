package replay

import (
	"runtime"
	"strings"
	"testing"
)

// A SORT that names each element thousands of times takes no more room than there is.
func TestSortOfManyGets(t *testing.T) {
	const elements, gets = 3000, 3000
	path := logOf(t, "SELECT 0", "RPUSH l"+strings.Repeat(" 1", elements), "SORT l"+strings.Repeat(" GET #", gets)+" STORE d", "SET k v")
	for _, maxMem := range []int64{1, 1 << 25} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		l, err := Open(t.Context(), logEvents(t, path), Point{}, Options{MaxMem: maxMem, Tmp: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		n := len(dataSet(t, l.State(t.Context())))
		runtime.ReadMemStats(&after)
		if i := l.Info(); i.TooLarge+i.Inexact == 0 || n == 0 {
			t.Errorf("of %d keys all is known: %+v", n, i)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 8*(1<<25) {
			t.Errorf("with %d bytes of memory %d MiB were taken", maxMem, took>>20)
		}
	}
}
