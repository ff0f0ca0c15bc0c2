package audit

import (
	"os"
	"strings"
	"testing"
)

// TestModeChanges: bits are only ever taken, and never from a directory that is
// the system's.
func TestModeChanges(t *testing.T) {
	tr := tree{"tmp": {mode: os.ModeDir | 0o777}, "tmp/dump.rdb": {text: "x", mode: 0o666}, confFile: {mode: 0o444, text: "dir /tmp\n"}}
	fs := image(t, tr)
	r, err := Run(t.Context(), fs, []string{"/etc/valkey"}, &Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	changes, err := ModeChanges(fs, r)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, c := range changes {
		if c.To&^c.From != 0 || c.Path == "/tmp" || strings.Count(c.Path, "/") < 2 {
			t.Errorf("%+v", c)
		}
		if c.Path == "/"+confFile {
			seen++
			if c.To != 0o440 {
				t.Errorf("%+v", c)
			}
		}
	}
	if seen != 1 {
		t.Errorf("%d changes of the configuration: %+v", seen, changes)
	}
}
