package source

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Files of a log, by the letters of their types: b and i are named by the manifest, the
// others lie beside it: B and I are bases and incr files that it names as superseded, in
// the order of a server, and o and p bases and incr files that it does not name.
func TestGenerations(t *testing.T) {
	for _, c := range []struct{ files, want, unplaced string }{
		{"b1 i1", "", ""},
		{"b3 I2 B2 I1 B1 i3", "b1 i1, b2 i2", ""},
		{"b3 I2 I3 B2 I1 B1 i4", "b1 i1, b2 i2 i3", ""}, // a rewrite failed
		{"b3 I3 B2 I1 I2 B1 i4", "b1 i1 i2, b2 i3", ""},
		{"b3 B1 I1 B2 I2 i3", "b1 i1, b2 i2", ""}, // no server's order
		{"b3 I2 I1 B1 i3", "b1 i1 i2", ""},        // without its second base
		{"b3 I2 B2 I1 i3", "?i1, b2 i2", ""},
		{"b3 I2 B2 B1 i3", "b1, b2 i2", ""},
		{"b3 i3 o1 p1 o2 p2", "b1 i1, b2 i2", ""},
		{"b3 i3 p1 p2", "?i1 i2", ""},
		{"b5 i5 p1 p3 p4", "?i1, ?i3 i4", ""}, // what is missing may have changed anything
		{"b3 i4 o1 p1 o2 p2 p3", "b1 i1 i2 i3, b2", ""},
		{"b3 I3 B2 i4 o1 p1 p2", "b1 i1 i2, b2 i3", ""},
		{"b3 I2 B2 i3 o1 p1", "b1 i1, b2 i2", ""},
		{"b2 i2 i3 p4 o3 p1", "?i1", "o3 p4"},
		{"i3 p1 p2 o1", "b1 i1 i2", ""},
		{"b4 i5 o2 p2 p3 p4 o3", "b2, ?i2 i3 i4, b3", ""}, // which rewrite failed nothing says
		{"b4 i4 o2 p2 p3", "b2 i2 i3", ""},
		{"b3 o2 p2", "b2, ?i2", ""},
	} {
		dir := t.TempDir()
		var manifest strings.Builder
		files := map[string]string{}
		for _, w := range strings.Fields(c.files) {
			kind, seq := w[:1], w[1:]
			base, of := strings.Contains("bBo", kind), ""
			name := "l." + seq + ".incr.aof"
			if base {
				name = "l." + seq + ".base.rdb"
			}
			switch kind {
			case "b", "i":
				of = kind
			case "B", "I":
				of = "h"
			}
			if of != "" {
				fmt.Fprintf(&manifest, "file %s seq %s type %s\n", name, seq, of)
			}
			files[name] = command("SET", "k", w)
			if base {
				files[name] = snapshot("k", w)
			}
		}
		files["l.manifest"] = manifest.String()
		write(t, dir, files)
		in, err := New(t.Context(), []string{dir}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		l, err := in.Lineage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		short := func(u *Unit) string {
			var names []string
			if u.Headless() {
				names = append(names, "?")
			}
			for _, f := range u.Files {
				part := strings.Split(filepath.Base(f.Path), ".")
				names = append(names, part[2][:1]+part[1])
			}
			return strings.ReplaceAll(strings.Join(names, " "), "? ", "?")
		}
		var got, left []string
		for _, u := range l.Older {
			got = append(got, short(u))
		}
		for _, u := range l.Unplaced {
			left = append(left, strings.NewReplacer("b", "o", "i", "p", "?", "").Replace(short(u)))
		}
		if strings.Join(got, ", ") != c.want || strings.Join(left, " ") != c.unplaced {
			t.Errorf("%s: %q and %q, want %q and %q", c.files, strings.Join(got, ", "), left, c.want, c.unplaced)
		}
		in.Close()
	}
}

// A link under the name of an orphan is not followed, and named.
func TestLinkIsNoGeneration(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"l.manifest": "file l.2.incr.aof seq 2 type i\n", "l.2.incr.aof": command("SET", "k", "v")})
	if err := os.Symlink("l.2.incr.aof", filepath.Join(dir, "l.1.incr.aof")); err != nil {
		t.Fatal(err)
	}
	in, err := New(t.Context(), []string{dir}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	l, err := in.Lineage(t.Context())
	if err != nil || len(l.Older) != 0 || len(l.Unplaced) != 1 || filepath.Base(l.Unplaced[0].Name()) != "l.1.incr.aof" {
		t.Errorf("%v, %v, %v", l, err, l.Unplaced)
	}
}
