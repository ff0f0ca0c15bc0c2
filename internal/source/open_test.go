package source

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// What Logical writes into a file is what it reads, in whichever form the snapshot
// lies there, from its start or from where reading came to.
func TestLogical(t *testing.T) {
	plain := []byte(snapshot("key", string(noise(300_000))))
	envelope := append([]byte("VCS\x01\x01\x00\x01"), wrap(t, layerLZ4, plain, nil)...)
	dir := t.TempDir()
	for name, data := range map[string][]byte{"plain": plain, "gzip": wrap(t, layerGzip, plain, nil), "envelope": envelope} {
		for _, ahead := range []int64{0, 1000} {
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			in, err := New(context.Background(), []string{path}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			for u, err := range in.Units(context.Background()) {
				if err != nil {
					t.Fatal(err)
				}
				r, err := u.Logical()
				if err != nil {
					t.Fatal(err)
				}
				head, err := io.ReadAll(io.LimitReader(r, ahead))
				if err != nil {
					t.Fatal(err)
				}
				out, err := os.Create(filepath.Join(dir, "out"))
				if err != nil {
					t.Fatal(err)
				}
				n, err := io.Copy(out, r)
				if err != nil {
					t.Fatal(err)
				}
				rest, err := os.ReadFile(out.Name())
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(append(head, rest...), plain) || n != int64(len(rest)) {
					t.Errorf("%s behind %d bytes: %d of %d", name, ahead, n, len(plain))
				}
				_, _ = out.Close(), r.Close()
			}
			in.Close()
		}
	}
}

// Of a file that grows while it is read nothing is written that readings have not seen,
// and another file that takes its place is not read in its stead.
func TestLogicalChanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dump.rdb")
	plain := []byte(snapshot("key", "value"))
	if err := os.WriteFile(path, plain, 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := New(context.Background(), []string{path}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	u, err := in.DataSet(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	grown := append(bytes.Clone(plain), "junk"...)
	if err := os.WriteFile(path, grown, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := u.Logical()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if _, err := io.Copy(out, r); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(out.Name()); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("%q, %v; want %q", got, err, plain)
	}

	if err := os.WriteFile(path+".new", grown, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	if r, err := u.Logical(); !errors.Is(err, errReplaced) {
		t.Errorf("%v, %v: another file is read", r, err)
	}
}
