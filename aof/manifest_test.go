package aof

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

func (m *Manifest) text() string {
	var b strings.Builder
	for _, f := range m.Files {
		fmt.Fprintf(&b, "%q %d %v", f.Name, f.Seq, f.Type)
		if f.StartOffset >= 0 || f.EndOffset >= 0 {
			fmt.Fprintf(&b, " %d-%d", f.StartOffset, f.EndOffset)
		}
		for _, x := range f.Extra {
			fmt.Fprintf(&b, " %q", x)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestManifest(t *testing.T) {
	long := strings.Repeat("x", 1024)
	for _, test := range []struct {
		name, manifest string
		want           string // the files
		at             int64  // where the error is, if there is one
		err            error
	}{
		{"usual", "file a.1.base.rdb seq 1 type b\nfile a.1.incr.aof seq 1 type i\nfile a.2.incr.aof seq 2 type i\n",
			`"a.1.base.rdb" 1 base` + "\n" + `"a.1.incr.aof" 1 incr` + "\n" + `"a.2.incr.aof" 2 incr` + "\n", 0, nil},
		{"offsets and pairs of the future", "file a seq 2 type i startoffset 390 endoffset 504 crc 12 x y\n", `"a" 2 incr 390-504 ["crc" "12"] ["x" "y"]` + "\n", 0, nil},
		{"history in any order", "file a seq 5 type h\nfile b seq 2 type h\n", `"a" 5 history` + "\n" + `"b" 2 history` + "\n", 0, nil},
		{"comment, spaces, case, order", "# comment\n \tTYPE b  SEQ 1   FILE a \r\n#\n", `"a" 1 base` + "\n", 0, nil},
		{"quotes", `file "a \"b\" \x41\n\z" seq 1 type b` + "\n" + `file 'it\'s "x"' seq 1 type 'i'` + "\n", `"a \"b\" A\nz" 1 base` + "\n" + `"it's \"x\"" 1 incr` + "\n", 0, nil},
		{"quote inside a word", `file a"b c" seq 1 type b` + "\n", `"ab c" 1 base` + "\n", 0, nil},
		{"the last of a pair counts", "file a file b seq 1 type b\n", `"b" 1 base` + "\n", 0, nil},
		{"longest line", "file " + long[:1024-len("file  seq 1 type b\n")] + " seq 1 type b\n", fmt.Sprintf("%q 1 base\n", long[:1024-len("file  seq 1 type b\n")]), 0, nil},

		{"empty", "", "", 0, keyspace.ErrTruncated},
		{"line without an end", "file a seq 1 type b\nfile b seq 1 type i", `"a" 1 base` + "\n", 20, keyspace.ErrTruncated},
		{"empty line", "\nfile a seq 1 type b\n", `"a" 1 base` + "\n", 0, keyspace.ErrCorrupt},
		{"too long", "file a seq 1 type b\nfile " + long + " seq 1 type i\nfile c seq 1 type i\n", `"a" 1 base` + "\n" + `"c" 1 incr` + "\n", 20, keyspace.ErrCorrupt},
		{"comment too long", "#" + long + "\nfile a seq 1 type b\n", `"a" 1 base` + "\n", 0, keyspace.ErrCorrupt},
		{"odd number of words", "file a seq 1 type b x\n", "", 0, keyspace.ErrCorrupt},
		{"too few words", "file a seq 1\n", "", 0, keyspace.ErrCorrupt},
		{"open quote", "file \"a seq 1 type b\n", "", 0, keyspace.ErrCorrupt},
		{"closing quote inside a word", "file \"a\"b seq 1 type b\n", "", 0, keyspace.ErrCorrupt},
		{"no name", "name a seq 1 type b\n", "", 0, keyspace.ErrCorrupt},
		{"empty name", "file \"\" seq 1 type b\n", "", 0, keyspace.ErrCorrupt},
		{"absolute path", "file /etc/passwd seq 1 type b\n", "", 0, keyspace.ErrCorrupt},
		{"parent directory", "file ../a seq 1 type b\n", "", 0, keyspace.ErrCorrupt},
		{"parent directory, quoted", `file "..\x2fa" seq 1 type b` + "\n", "", 0, keyspace.ErrCorrupt},
		{"backslash", `file a\\b seq 1 type b` + "\n", "", 0, keyspace.ErrCorrupt},
		{"directories", "file .. seq 1 type b\nfile . seq 2 type b\n", "", 0, keyspace.ErrCorrupt},
		{"NUL", `file "a\x00" seq 1 type b` + "\n", "", 0, keyspace.ErrCorrupt},
		{"seq 0", "file a seq 0 type b\n", "", 0, keyspace.ErrCorrupt},
		{"seq of letters", "file a seq x type b\n", "", 0, keyspace.ErrCorrupt},
		{"seq of 2^63", "file a seq 9223372036854775808 type b\n", "", 0, keyspace.ErrCorrupt},
		{"unknown type", "file a seq 1 type x\nfile b seq 1 type i\n", `"b" 1 incr` + "\n", 0, keyspace.ErrCorrupt},
		{"second base", "file a seq 1 type b\nfile b seq 2 type b\n", `"a" 1 base` + "\n", 20, keyspace.ErrCorrupt},
		{"seq twice", "file a seq 2 type i\nfile b seq 2 type i\nfile c seq 3 type i\n", `"a" 2 incr` + "\n" + `"c" 3 incr` + "\n", 20, keyspace.ErrCorrupt},
	} {
		for _, r := range []io.Reader{strings.NewReader(test.manifest), iotest.OneByteReader(strings.NewReader(test.manifest))} {
			m, err := ParseManifest(r)
			if got := m.text(); got != test.want {
				t.Errorf("%s: %s", test.name, got)
			}
			var fe *keyspace.FormatError
			switch {
			case test.err == nil && err == nil:
			case !errors.Is(err, test.err) || !errors.As(err, &fe) || fe.Pos.Offset != test.at:
				t.Errorf("%s: %v, want %v at %d", test.name, err, test.err, test.at)
			}
		}
	}
}

// TestManifestLimit holds that a manifest without an end does no harm.
func TestManifestLimit(t *testing.T) {
	for _, line := range []string{"file a seq 1 type h\n", "x\n", "#", "x"} {
		r := endless(line)
		m, err := ParseManifest(r)
		if !errors.Is(err, keyspace.ErrLimit) && !errors.Is(err, keyspace.ErrCorrupt) || len(m.Files) > maxManifest/len(line) {
			t.Errorf("%q: %d files, %v", line, len(m.Files), err)
		}
	}
	broken := errors.New("broken")
	m, err := ParseManifest(&failingReader{[]byte("file a seq 1 type b\n"), broken})
	if !errors.Is(err, broken) || len(m.Files) != 1 {
		t.Errorf("%d files, %v", len(m.Files), err)
	}
}
