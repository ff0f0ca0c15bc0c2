package redact_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// TestSnapshots: of snapshots that servers of all versions wrote, and of those below the
// directory that VALKEYFS_CORPUS names, a redacted one loads, a scan of it finds nothing,
// and the server has the same for keys in which nothing was replaced.
func TestSnapshots(t *testing.T) {
	newest := map[string]servertest.Server{"REDIS": servertest.Find(t, "redis-8"), "VALKEY": servertest.Find(t, "valkey-9")}
	for _, name := range intact(t, "../../testdata", os.Getenv("VALKEYFS_CORPUS")) {
		t.Run(name, func(t *testing.T) {
			snapshot, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			secrets := found(t, snapshot)
			out, r := redacted(t, snapshot)
			clean(t, out, secrets)
			if n := r.Counts().LeftOut; n > 0 {
				t.Errorf("%d keys are left out", n)
			}
			was, is := values(t, snapshot), values(t, out)
			s := newest["REDIS"]
			if bytes.HasPrefix(snapshot, []byte("VALKEY")) || bytes.Contains(snapshot[:min(len(snapshot), 64)], []byte("valkey-ver")) {
				s = newest["VALKEY"]
			}
			old, loaded := load(t, s, snapshot), load(t, s, out)
			touched := 0
			for db := range 16 {
				for _, i := range []*servertest.Instance{old, loaded} {
					i.Must(t, "SELECT", fmt.Sprint(db))
				}
				if a, b := old.Must(t, "DBSIZE"), loaded.Must(t, "DBSIZE"); a != b {
					t.Errorf("%v keys in database %d, want %v", b, db, a)
				}
				for _, key := range old.Must(t, "KEYS", "*").([]any) {
					at := fmt.Sprintf("%d %s", db, key)
					if was[at] != is[at] {
						touched++
						continue
					}
					if a, b := fmt.Sprint(old.Must(t, "DEBUG", "DIGEST-VALUE", key.(string))), fmt.Sprint(loaded.Must(t, "DEBUG", "DIGEST-VALUE", key.(string))); a != b {
						t.Errorf("%q is another, and was not replaced", key)
					}
				}
			}
			if len(secrets) == 0 && touched > 0 || len(was) != len(is) {
				t.Errorf("%d of %d keys are others, of %d secrets", touched, len(was), len(secrets))
			}
			t.Logf("%d keys, %d touched, %d secrets, %+v", len(was), touched, len(secrets), r.Counts())
		})
	}
}

// intact are the snapshots below these directories that end as they should.
func intact(t *testing.T, dirs ...string) (names []string) {
	t.Helper()
	for _, dir := range dirs {
		if dir == "" {
			continue
		}
		err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(name, ".rdb") || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			whole := false
			for e, err := range events(data)() {
				if err != nil || e.Kind == keyspace.Damage || e.Kind == keyspace.Torn {
					return nil
				}
				whole = whole || e.Kind == keyspace.End
			}
			if whole {
				names = append(names, name)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(names) < 10 {
		t.Fatalf("only %d snapshots", len(names))
	}
	return names
}

// values are hashes of what the keys hold, by database and name.
func values(t *testing.T, snapshot []byte) map[string]string {
	t.Helper()
	out := map[string]string{}
	var at string
	h := sha256.New()
	for e, err := range events(snapshot)() {
		if err != nil {
			t.Fatal(err)
		}
		switch e.Kind {
		case keyspace.Key:
			at = fmt.Sprintf("%d %s", e.DB, e.Key)
			h.Reset()
		case keyspace.KeyEnd:
			out[at] = string(h.Sum(nil))
		case keyspace.Element, keyspace.StreamMeta, keyspace.Group, keyspace.Consumer, keyspace.Pending:
			fmt.Fprintf(h, "%d %d %q %q %v %v %v", e.Kind, e.Index, e.Field, e.Value, e.Score, e.ID, e.Expire)
		}
	}
	return out
}
