package cli

import (
	"io"
	"runtime"
	"strings"
	"testing"
)

// Who asks for few workers wants few processors to be used, too; more than there are
// cannot be had.
func TestWorkersBoundProcessors(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	for _, c := range []struct {
		flags []string
		want  int
	}{
		{nil, 3}, {[]string{"--workers", "7"}, 3}, {[]string{"--workers", "2"}, 2}, {[]string{"--workers", "1"}, 1},
	} {
		runtime.GOMAXPROCS(3)
		if code := Main(append([]string{"version"}, c.flags...), strings.NewReader(""), io.Discard, io.Discard); code != exitOK {
			t.Fatalf("%q: exit status %d", c.flags, code)
		}
		if n := runtime.GOMAXPROCS(0); n != c.want {
			t.Errorf("%q: %d processors, want %d", c.flags, n, c.want)
		}
	}
}
