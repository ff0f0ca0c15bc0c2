package audit

import (
	"encoding/json"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/backup"
)

// sealedSet is a set as it lies in a destination, signed or not.
func sealedSet(t *testing.T, finished time.Time, signed bool) tree {
	t.Helper()
	m := backup.Manifest{Format: "valkeyfs-backup/1", ID: backup.NewID(finished), Label: "cache", Tool: "test", Started: finished, Finished: finished,
		Inner: backup.Member{Name: "inner.zst.age", Size: 4, SHA256: strings.Repeat("0", 64)}}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	dir := "backup/cache/" + m.ID + "/"
	tr := tree{dir + "manifest.json": private(string(text)), dir + "inner.zst.age": private("1234")}
	if signed {
		tr[dir+"manifest.json.minisig"] = private("x")
	}
	return tr
}

func TestBackups(t *testing.T) {
	for name, test := range map[string]struct {
		sets       []tree
		age, place Status
	}{
		"none":        {nil, Fail, NA},
		"recent":      {[]tree{sealedSet(t, now.AddDate(0, 0, -9), false), sealedSet(t, now.Add(-time.Hour), true)}, Pass, Unknown},
		"old":         {[]tree{sealedSet(t, now.AddDate(0, 0, -9), true)}, Fail, Unknown},
		"unsigned":    {[]tree{sealedSet(t, now.Add(-time.Hour), false)}, Pass, Fail},
		"no manifest": {[]tree{{"backup/cache/20300115T000000.000Z-00000000/manifest.json": private("{}")}}, Unknown, Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			tr := hardened(t)
			tr["backup"] = entry{mode: os.ModeDir | 0o700}
			for _, set := range test.sets {
				maps.Copy(tr, set)
			}
			r, got := judge(t, tr, func(o *Options) { o.Backups = "/backup" })
			if got["VFS-DATA-015"] != test.age || got["VFS-DATA-016"] != test.place {
				t.Errorf("%s and %s, want %s and %s\n%s", got["VFS-DATA-015"], got["VFS-DATA-016"], test.age, test.place, explain(r, "VFS-DATA-015", "VFS-DATA-016"))
			}
		})
	}
	if _, got := judge(t, hardened(t)); got["VFS-DATA-015"] != Unknown {
		t.Error(got["VFS-DATA-015"])
	}
}
