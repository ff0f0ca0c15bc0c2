package source

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// snapshot is an RDB of one string key, its checksum disabled.
func snapshot(key, value string) string {
	return "REDIS0011\xfa\x09redis-ver\x057.2.4\xfa\x05ctime\xc2\x00\xf1\x53\x65" +
		"\xfe\x00\x00" + string(rune(len(key))) + key + string(rune(len(value))) + value + "\xff" + strings.Repeat("\x00", 8)
}

func command(args ...string) string {
	s := fmt.Sprintf("*%d\r\n", len(args))
	for _, a := range args {
		s += fmt.Sprintf("$%d\r\n%s\r\n", len(a), a)
	}
	return s
}

func write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// list reads all units of paths and describes each file and each key, element
// and damage in a line, relative to dir.
func list(t testing.TB, dir string, o Options, paths ...string) string {
	t.Helper()
	in, err := New(context.Background(), paths, o)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	short := func(p string) string { return strings.TrimPrefix(strings.TrimPrefix(p, dir), "/") }
	for u, err := range in.Units(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		for e, err := range u.Events(context.Background()) {
			if err != nil {
				t.Fatal(err)
			}
			switch e.Kind {
			case keyspace.Element:
				fmt.Fprintf(&out, "  %s %s=%s %s\n", short(e.Pos.Source), e.Key, e.Value, e.State)
			case keyspace.Damage:
				var format *keyspace.FormatError
				if !errors.As(e.Err, &format) {
					t.Fatalf("damage without a place: %v", e.Err)
				}
				fmt.Fprintf(&out, "  damage %s@%d %s: %v\n", short(format.Pos.Source), format.Pos.Offset, format.What, format.Err)
			case keyspace.Torn:
				fmt.Fprintf(&out, "  torn %s@%d\n", short(e.Pos.Source), e.Pos.Offset)
			}
		}
		if err := u.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		for _, f := range u.Files {
			fmt.Fprintf(&out, "%s %s", short(f.Path), f.Kind)
			if f.Role != "" {
				fmt.Fprintf(&out, " (%s)", f.Role)
			}
			if len(f.Layers) > 0 {
				fmt.Fprintf(&out, " in %s", strings.Join(f.Layers, " "))
			}
			if f.Skipped != "" {
				fmt.Fprintf(&out, " skipped: %s", f.Skipped)
			}
			out.WriteByte('\n')
		}
	}
	return out.String()
}

func check(t *testing.T, got, want string) {
	t.Helper()
	if want = strings.TrimLeft(want, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
