package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/fixtures"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// runs runs the program and returns its standard output; another status fails the test.
func runs(t *testing.T, want int, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if got := Main(args, bytes.NewReader(nil), &out, &errs); got != want {
		t.Fatalf("%q: status %d, want %d: %s", args, got, want, &errs)
	}
	return out.String()
}

// TestLogAsSnapshot: the state of a log, written as a snapshot, is to a server what it
// had in the end.
func TestLogAsSnapshot(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		config := []string{"--appendonly", "yes", "--appendfsync", "always", "--aof-use-rdb-preamble", "yes", "--auto-aof-rewrite-percentage", "0"}
		w := s.Start(t, "", config...)
		fixtures.Mutate(t, w)
		for db := range 16 {
			w.Must(t, "SELECT", strconv.Itoa(db))
			for _, key := range w.Must(t, "KEYS", "*").([]any) {
				if w.Must(t, "TYPE", key.(string)) == "vectorset" {
					w.Must(t, "DEL", key.(string))
				}
			}
		}
		if s.HasFieldExpiry() { // a digest has what expired and was not removed yet
			w.Must(t, "SELECT", "0")
			w.Must(t, "HDEL", "m:hash", "short")
		}
		want := w.Digest(t)
		log := filepath.Join(w.Dir, "appendonlydir")
		if _, err := os.Stat(log); err != nil {
			log = filepath.Join(w.Dir, "appendonly.aof")
		}
		dir := t.TempDir()
		version := "10"
		if s.Major() < 7 {
			version = "9"
		}
		status := exitOK
		if s.HasVectorSets() { // no command says how they are stored: one that was emptied is left out
			status = exitIncomplete
		}
		runs(t, status, "export", log, "--format", "rdb", "--rdb-version", version, "-q", "-o", filepath.Join(dir, "dump.rdb"))
		loaded := s.Start(t, dir)
		if got := loaded.Digest(t); got == want {
			return
		}
		for db := range 16 {
			w.Must(t, "SELECT", strconv.Itoa(db))
			loaded.Must(t, "SELECT", strconv.Itoa(db))
			for _, key := range append(w.Must(t, "KEYS", "*").([]any), loaded.Must(t, "KEYS", "*").([]any)...) {
				was, is := w.Must(t, "DEBUG", "DIGEST-VALUE", key.(string)), loaded.Must(t, "DEBUG", "DIGEST-VALUE", key.(string))
				if fmt.Sprint(was) != fmt.Sprint(is) {
					t.Errorf("database %d, key %q: another value", db, key)
				}
			}
		}
	})
}
