package backup_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"

	"github.com/valkeyfs/valkeyfs/aof"
	"github.com/valkeyfs/valkeyfs/crypt"
	"github.com/valkeyfs/valkeyfs/internal/backup"
	"github.com/valkeyfs/valkeyfs/keyspace"
	snapshots "github.com/valkeyfs/valkeyfs/rdb"
)

// Whoever parses the members of a set is told of one that was replaced by another that
// others sealed for the same key, though all of it can be read.
func TestReplacedIsParsed(t *testing.T) {
	logs, _ := dataDir(t)
	snapshot := t.TempDir()
	write(t, snapshot, map[string][]byte{"dump.rdb": rdb("k", "v")})
	for name, dir := range map[string]string{"log": logs, "snapshot": snapshot} {
		told := 0
		h := newHost(t)
		h.backup(dir)
		set, ids := h.newest(), []age.Identity{h.id}
		for _, m := range set.Manifest.Members {
			path := filepath.Join(h.dest, h.o.Label, set.Manifest.ID, m.Name)
			genuine, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, resync := range []bool{false, true} {
				if damage := parsed(t, set, ids, resync); damage != nil {
					t.Errorf("%s, resync %t: %v", name, resync, damage)
				}
			}
			var again bytes.Buffer
			if err := crypt.Reseal(t.Context(), &again, bytes.NewReader(genuine), h.o.Seal, ids...); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Dir(path), map[string][]byte{m.Name: again.Bytes()})
			strict, resynced := parsed(t, set, ids, false), parsed(t, set, ids, true)
			if backup.IsDamage(strict) != backup.IsDamage(resynced) || (strict == nil) != (resynced == nil) {
				t.Errorf("%s, %s replaced: %v, and where reading goes on %v", name, m.Name, strict, resynced)
			}
			if backup.IsDamage(strict) {
				told++
			}
			write(t, filepath.Dir(path), map[string][]byte{m.Name: genuine})
		}
		parts, _, err := set.Data(t.Context(), ids)
		if err != nil {
			t.Fatal(err)
		}
		if told != len(parts) { // others are the manifest of the log, and a snapshot beside it
			t.Errorf("%s: %d members replaced were told, of %d that are read", name, told, len(parts))
		}
	}
}

// parsed reads the events of a set, and returns the first error or damage.
func parsed(t *testing.T, set *backup.Set, ids []age.Identity, resync bool) error {
	t.Helper()
	parts, snapshot, err := set.Data(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	seq := aof.Events(t.Context(), parts, aof.Options{Resync: resync})
	if snapshot {
		r, err := parts[0].Open()
		if err != nil {
			return err
		}
		defer r.Close()
		seq = snapshots.NewReader(r, snapshots.Options{Resync: resync}).Events(t.Context())
	}
	events := 0
	for e, err := range seq {
		if err != nil {
			return err
		}
		if events++; e.Kind == keyspace.Damage {
			return e.Err
		}
	}
	if events == 0 {
		t.Error("nothing was read")
	}
	return nil
}
