package report

import (
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// What the page says of how many entries are shown is of the boxes and of the search.
func TestPageCountsWhatItShows(t *testing.T) {
	if !servertest.Node() {
		servertest.Lacks(t, "node")
	}
	out, err := servertest.Runtime(t, "node", "testdata/page.js", "page.js").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	const want = `true "" ""
true "JWT" "2 of 3 shown"
false "" "2 of 3 shown"
false "key" "0 of 3 shown"
`
	if string(out) != want {
		t.Errorf("the page says\n%snot\n%s", out, want)
	}
}
