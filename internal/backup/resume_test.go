package backup_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/backup"
)

// interrupted is a backup that ends when one of its members is whole, and what a
// host keeps of it.
func (h *host) interrupted(dir string) *backup.Begun {
	h.t.Helper()
	ctx, cancel := context.WithCancel(h.t.Context())
	var kept []byte
	h.o.Sent = func(b *backup.Begun) {
		kept, _ = json.Marshal(b)
		cancel()
	}
	c, err := backup.CaptureDir(ctx, dir, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	defer c.Close()
	if _, err := backup.Create(ctx, h.store(), c, h.o); !errors.Is(err, context.Canceled) {
		h.t.Fatalf("an interrupted backup: %v", err)
	}
	h.o.Sent = nil
	b, err := backup.ParseBegun(kept)
	if err != nil || len(b.Members) != 1 {
		h.t.Fatalf("%s: %v", kept, err)
	}
	return b
}

// touch makes all files new ones.
func touch(t testing.TB, dir string) {
	t.Helper()
	for name := range read(t, dir) {
		if err := os.Chtimes(filepath.Join(dir, name), time.Time{}, time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
	}
}

// What an interrupted run has written is not written again, as long as it is what
// would be written, and the set was not given up, nor complete.
func TestResume(t *testing.T) {
	for name, test := range map[string]struct {
		between func(*host, string, *backup.Begun)
		resumed int
	}{
		"at once":                   {func(*host, string, *backup.Begun) {}, 1},
		"the file has changed":      {func(h *host, dir string, _ *backup.Begun) { touch(h.t, dir) }, 0},
		"for others":                {func(h *host, _ string, _ *backup.Begun) { h.o.Recipients = []string{"other"} }, 0},
		"long afterwards":           {func(h *host, _ string, _ *backup.Begun) { h.now = h.now.Add(13 * time.Hour) }, 0},
		"under another label":       {func(h *host, _ string, b *backup.Begun) { b.Label = "other" }, 0},
		"another size is there":     {func(_ *host, _ string, b *backup.Begun) { b.Members[0].Size++ }, 0},
		"the store cannot be read":  {func(h *host, _ string, _ *backup.Begun) { h.over = &writeOnly{h.store()} }, 0},
		"another has been made yet": {func(h *host, dir string, _ *backup.Begun) { h.backup(dir) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			dir, want := dataDir(t)
			h := newHost(t)
			b := h.interrupted(dir)
			test.between(h, dir, b)
			h.o.Begun = b
			r := h.backup(dir)
			h.over = nil
			if r.Resumed != test.resumed || test.resumed > 0 && r.Manifest.ID != b.ID {
				t.Errorf("%d members of %s are in %s, want %d", r.Resumed, b.ID, r.Manifest.ID, test.resumed)
			}
			h.restores(want)
		})
	}
}

// A set that is complete is not made anew under its name.
func TestResumeComplete(t *testing.T) {
	dir, _ := dataDir(t)
	h := newHost(t)
	var kept backup.Begun
	h.o.Sent = func(b *backup.Begun) {
		kept = backup.Begun{ID: b.ID, Label: b.Label, Members: append([]backup.Member(nil), b.Members...)}
	}
	first := h.backup(dir)
	h.o.Begun = &kept
	if second := h.backup(dir); second.Manifest.ID == first.Manifest.ID || second.Resumed != 0 {
		t.Errorf("%s is made anew", first.Manifest.ID)
	}
	if kinds := h.verify(true, backup.ChainOptions{}); kinds != nil {
		t.Errorf("problems: %v", kinds)
	}
}

func TestParseBegun(t *testing.T) {
	for _, text := range []string{
		"", "{}", `{"id":"x","label":"a"}`, `{"id":"20260102T150405.000Z-01234567","label":"../a"}`,
		`{"id":"20260102T150405.000Z-01234567","label":"a","members":[{"name":"../m0001.zst.age","size":1}]}`,
	} {
		if b, err := backup.ParseBegun([]byte(text)); !errors.Is(err, backup.ErrManifest) {
			t.Errorf("%s: %+v, %v", text, b, err)
		}
	}
}
