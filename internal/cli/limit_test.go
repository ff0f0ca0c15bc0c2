package cli

import (
	"bytes"
	"compress/gzip"
	"path/filepath"
	"strings"
	"testing"
)

// A value that a limit stopped is missing evidence in every format that tells
// of any, also beside findings.
func TestLimitsMakeAScanIncomplete(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	z.Write(bytes.Repeat([]byte("a "), 9<<20))
	z.Close()
	m := newMade()
	for _, c := range []struct {
		beside string
		want   int
	}{{"nothing", exitIncomplete}, {m.github(), exitBoth}} {
		name := filepath.Join(t.TempDir(), "dump.rdb")
		s := newSnapshot()
		s.add(0, "bomb", bomb.String())
		s.add(0, "beside", c.beside)
		s.save(t, name)
		for format, said := range map[string]string{
			"text":  "a limit stopped the decoding of 1 value",
			"jsonl": `{"type":"limit"`,
			"json":  `"complete":false`,
			"junit": "a limit stopped the decoding of 1 value",
			"html":  "a limit stopped the decoding of 1 value",
			"sarif": "gzip in string bomb: a limit stopped the decoding",
		} {
			var stdout, stderr bytes.Buffer
			status := Main([]string{"scan", "--tmp", t.TempDir(), "--quiet", "--format", format, name}, strings.NewReader(""), &stdout, &stderr)
			if out := strings.Join(strings.Fields(stdout.String()), " "); status != c.want || !strings.Contains(out, said) {
				t.Errorf("%s: exit status %d, want %d; a limit is told: %v", format, status, c.want, strings.Contains(out, said))
			}
		}
	}
}
