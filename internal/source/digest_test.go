package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"strings"
	"testing"
)

// The hash is that of the bytes on disk, whoever read them and how far.
func TestHashes(t *testing.T) {
	dir := t.TempDir()
	big := make([]byte, 3*digestBlock+17)
	files := map[string]string{
		"a.rdb":       snapshot("k", "v"),
		"trailing":    snapshot("k", "v") + string(big),
		"truncated":   snapshot("k", strings.Repeat("v", 100))[:60],
		"zipped":      string(wrap(t, layerGzip, []byte(snapshot("k", "v")), nil)),
		"zipped more": string(wrap(t, layerGzip, []byte(snapshot("k", "v")), nil)) + "garbage",
		"binary":      string(big),
		"empty":       "",
		"text":        strings.Repeat("a line\n", 100_000),
		"log.aof":     command("SET", "k", "v"),
		"x.manifest":  "file log.aof seq 1 type i\n",
	}
	write(t, dir, files)
	in, err := New(context.Background(), []string{dir}, Options{Hash: true, Resolve: true})
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for u, err := range in.Units(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range u.Events(context.Background()) {
			if err != nil {
				t.Error(err)
			}
			if u.Name() == filepath.Join(dir, "text") {
				break // a consumer that has had enough
			}
		}
		if err := u.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		for _, f := range u.Files {
			seen++
			sum := sha256.Sum256([]byte(files[filepath.Base(f.Path)]))
			if f.SHA256 != hex.EncodeToString(sum[:]) {
				t.Errorf("%s: sha256 %q, want %x", f.Path, f.SHA256, sum)
			}
		}
	}
	if seen != len(files) {
		t.Errorf("%d files, want %d", seen, len(files))
	}
}

func TestStdinHash(t *testing.T) {
	data := snapshot("k", "v")
	in, err := New(context.Background(), []string{Stdin}, Options{Stdin: strings.NewReader(data), Hash: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Survey(context.Background(), 1e9); err != nil {
		t.Fatal(err)
	}
	for u, err := range in.Units(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range u.Events(context.Background()) {
			if err != nil {
				t.Error(err)
			}
		}
		u.Close(context.Background())
		if sum := sha256.Sum256([]byte(data)); u.Files[0].SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("sha256 %q", u.Files[0].SHA256)
		}
	}
}
