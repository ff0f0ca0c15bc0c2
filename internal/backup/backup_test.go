package backup_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/valkeyfs/valkeyfs/crypt"
	"github.com/valkeyfs/valkeyfs/internal/backup"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/scan"
)

// host is a backup host, its keys and its destination.
type host struct {
	t    testing.TB
	id   *age.X25519Identity
	key  *crypt.SigningKey
	dest string
	now  time.Time
	o    backup.Options
	over backup.Store // instead of dest

	opened   backup.Store
	openedAt string

	files string // where keyFiles has put the keys
}

func newHost(t testing.TB) *host {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	secret, _, err := crypt.GenerateSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	key, err := crypt.ParseSigningKey(bytes.NewReader(secret), crypt.UI{})
	if err != nil {
		t.Fatal(err)
	}
	h := &host{t: t, id: id, key: key, dest: filepath.Join(t.TempDir(), "dest"), now: time.Date(2026, 1, 31, 2, 0, 0, 0, time.UTC)}
	h.o = backup.Options{Label: "db/1", Tool: "test", Seal: crypt.SealOptions{Recipients: []age.Recipient{id.Recipient()}, Workers: 2},
		Recipients: []string{id.Recipient().String()}, Sign: key, Now: h.tick}
	return h
}

// tick is a clock that goes on an hour each time it is looked at.
func (h *host) tick() time.Time {
	h.now = h.now.Add(time.Hour)
	return h.now
}

func (h *host) store() backup.Store {
	h.t.Helper()
	if h.over != nil {
		return h.over
	}
	if h.opened == nil || h.openedAt != h.dest {
		s, err := backup.OpenDir(h.dest, true)
		if err != nil {
			h.t.Fatal(err)
		}
		h.t.Cleanup(func() { s.Close() })
		h.opened, h.openedAt = s, h.dest
	}
	return h.opened
}

func (h *host) try(dir string) (*backup.Result, error) {
	c, err := backup.CaptureDir(h.t.Context(), dir, nil)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return backup.Create(h.t.Context(), h.store(), c, h.o)
}

func (h *host) backup(dir string) *backup.Result {
	h.t.Helper()
	r, err := h.try(dir)
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// verify returns the kinds of all problems, of sets and chain, without a key or
// with it.
func (h *host) verify(withKey bool, chain backup.ChainOptions) []backup.ProblemKind {
	h.t.Helper()
	s := h.store()
	o := backup.VerifyOptions{Keys: []*crypt.VerifyingKey{h.key.Public()}}
	if withKey {
		o.Identities = []age.Identity{h.id}
	}
	l, err := backup.List(h.t.Context(), s, h.o.Label)
	if err != nil {
		h.t.Fatal(err)
	}
	var kinds []backup.ProblemKind
	for _, r := range l.Sets {
		set, err := backup.OpenSet(h.t.Context(), s, r)
		if errors.Is(err, backup.ErrManifest) {
			kinds = append(kinds, backup.Damaged)
			continue
		}
		if err != nil {
			h.t.Fatal(err)
		}
		problems, err := set.Verify(h.t.Context(), o)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, p := range problems {
			kinds = append(kinds, p.Kind)
		}
	}
	problems, err := backup.CheckChain(h.t.Context(), s, h.o.Label, chain)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, p := range problems {
		kinds = append(kinds, p.Kind)
	}
	return kinds
}

func (h *host) newest() *backup.Set {
	h.t.Helper()
	s := h.store()
	l, err := backup.List(h.t.Context(), s, h.o.Label)
	if err != nil || len(l.Sets) == 0 {
		h.t.Fatalf("%d sets, %v", len(l.Sets), err)
	}
	set, err := backup.OpenSet(h.t.Context(), s, l.Sets[len(l.Sets)-1])
	if err != nil {
		h.t.Fatal(err)
	}
	return set
}

func (h *host) restore(o backup.RestoreOptions) (*backup.Restored, error) {
	o.Identities, o.UID, o.GID, o.Now = []age.Identity{h.id}, -1, -1, h.now
	return h.newest().Restore(h.t.Context(), o)
}

// restores wants the newest set to verify and to restore to these files.
func (h *host) restores(want map[string]string) {
	h.t.Helper()
	if kinds := h.verify(true, backup.ChainOptions{}); kinds != nil {
		h.t.Errorf("problems: %v", kinds)
	}
	into := filepath.Join(h.t.TempDir(), "data")
	if _, err := h.restore(backup.RestoreOptions{Into: into}); err != nil {
		h.t.Fatal(err)
	}
	equal(h.t, read(h.t, into), want)
}

// rdb is a snapshot of one string key, its checksum disabled.
func rdb(key, value string) []byte {
	b := []byte("REDIS0011\xfa\x09redis-ver\x057.2.4\xfe\x00\x00")
	b = append(append(b, byte(len(key))), key...)
	b = append(append(b, byte(len(value))), value...)
	return append(b, 0xff, 0, 0, 0, 0, 0, 0, 0, 0)
}

func resp(commands ...string) []byte {
	var b []byte
	for _, c := range commands {
		words := strings.Split(c, " ")
		b = fmt.Appendf(b, "*%d\r\n", len(words))
		for _, w := range words {
			b = fmt.Appendf(b, "$%d\r\n%s\r\n", len(w), w)
		}
	}
	return b
}

func write(t testing.TB, dir string, files map[string][]byte) {
	t.Helper()
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// read returns all files below a directory.
func read(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		files[filepath.ToSlash(name)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// dataDir is a directory with a snapshot, a log whose last command is torn, and
// what no backup takes.
func dataDir(t testing.TB) (dir string, want map[string]string) {
	t.Helper()
	dir = t.TempDir()
	whole := resp("SELECT 0", "SET a 1", "MULTI", "SET b 2", "EXEC")
	torn := append(bytes.Clone(whole), resp("MULTI", "SET c 3", "SET d 4")...)
	files := map[string][]byte{
		"dump.rdb":                      rdb("k", "v"),
		"temp-1234.rdb":                 rdb("k", "half"),
		"notes.txt":                     []byte("hello\n"),
		"aofdir/my log.aof.1.base.rdb":  rdb("base", "v"),
		"aofdir/my log.aof.1.incr.aof":  resp("SET z 1"),
		"aofdir/my log.aof.2.incr.aof":  torn,
		"aofdir/my log.aof.0.base.rdb":  rdb("old", "v"),
		"aofdir/my log.aof.manifest":    []byte("file \"my log.aof.1.base.rdb\" seq 1 type b\nfile \"my log.aof.0.base.rdb\" seq 3 type h\nfile \"my log.aof.1.incr.aof\" seq 1 type i\nfile \"my log.aof.2.incr.aof\" seq 2 type i\n"),
		"aofdir/temp-my log.manifest":   []byte("half"),
		"other/file":                    []byte("x"),
		"aofdir/my log.aof.9.incr.aof":  resp("SET orphan 1"),
		"sub/deeper/further/below.file": []byte("y"),
	}
	write(t, dir, files)
	want = map[string]string{
		"dump.rdb":                     string(files["dump.rdb"]),
		"aofdir/my log.aof.1.base.rdb": string(files["aofdir/my log.aof.1.base.rdb"]),
		"aofdir/my log.aof.1.incr.aof": string(files["aofdir/my log.aof.1.incr.aof"]),
		"aofdir/my log.aof.2.incr.aof": string(whole),
		"aofdir/my log.aof.manifest":   strings.Replace(string(files["aofdir/my log.aof.manifest"]), "file \"my log.aof.0.base.rdb\" seq 3 type h\n", "", 1),
	}
	return dir, want
}

func equal(t testing.TB, got, want map[string]string) {
	t.Helper()
	for name, data := range want {
		if got[name] != data {
			t.Errorf("%s: %q, want %q", name, got[name], data)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is there, too", name)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	dir, want := dataDir(t)
	before := read(t, dir)
	h := newHost(t)
	r := h.backup(dir)
	equal(t, read(t, dir), before)
	if kinds := h.verify(true, backup.ChainOptions{}); kinds != nil {
		t.Errorf("problems: %v", kinds)
	}
	for name, data := range read(t, h.dest) {
		if strings.Contains(data, "base.rdb") || strings.Contains(data, "dump.rdb") || strings.Contains(data, "REDIS") {
			t.Errorf("%s tells what was backed up", name)
		}
	}
	into := filepath.Join(t.TempDir(), "data")
	done, err := h.restore(backup.RestoreOptions{Into: into})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, read(t, into), want)
	if done.Aside != "" || len(done.Advice) != 2 {
		t.Errorf("%+v", done)
	}
	for name := range want {
		info, err := os.Stat(filepath.Join(into, name))
		if err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if cut := r.Inner.Files[slices.IndexFunc(r.Inner.Files, func(f backup.File) bool { return f.Role == backup.RoleIncr && f.Cut > 0 })]; cut.Cut != int64(len(resp("MULTI", "SET c 3", "SET d 4"))) {
		t.Errorf("cut: %+v", cut)
	}
}

// The single log of servers before 7.0 is taken with the snapshot before it.
func TestSingleLog(t *testing.T) {
	dir := t.TempDir()
	preamble := []byte("REDIS0009\xfa\x0caof-preamble\xc0\x01\xfe\x00\x00\x01k\x01v\xff\x00\x00\x00\x00\x00\x00\x00\x00")
	log := append(bytes.Clone(preamble), resp("SET a 1")...)
	write(t, dir, map[string][]byte{"appendonly.aof": append(bytes.Clone(log), "*3\r\n$3\r\nSE"...), "plain.aof": resp("SET b 1")})
	h := newHost(t)
	h.backup(dir)
	into := filepath.Join(t.TempDir(), "data")
	if _, err := h.restore(backup.RestoreOptions{Into: into}); err != nil {
		t.Fatal(err)
	}
	equal(t, read(t, into), map[string]string{"appendonly.aof": string(log), "plain.aof": string(resp("SET b 1"))})
}

// What has not changed is referred to, and survives the pruning of its set.
func TestUnchangedMembers(t *testing.T) {
	dir, want := dataDir(t)
	h := newHost(t)
	h.backup(dir)
	write(t, dir, map[string][]byte{"dump.rdb": rdb("k", "v2")})
	want["dump.rdb"] = string(rdb("k", "v2"))
	if r := h.backup(dir); r.Reused != 2 || len(r.Manifest.Members) != 5 {
		t.Errorf("%d of %d members are referred to", r.Reused, len(r.Manifest.Members))
	}
	if r := h.backup(dir); r.Reused != 3 {
		t.Errorf("%d members are referred to", r.Reused)
	}
	plan, err := backup.PlanPrune(t.Context(), h.store(), "", backup.Policy{Last: 1}, h.now)
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Keep) != 1 || len(plan.Remove) != 2 {
		t.Errorf("%d kept, %d removed", len(plan.Keep), len(plan.Remove))
	}
	if err := plan.Spare(t.Context(), backup.VerifyOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := plan.Apply(t.Context(), h.store()); err != nil {
		t.Fatal(err)
	}
	if kinds := h.verify(true, backup.ChainOptions{}); kinds != nil {
		t.Errorf("problems after pruning: %v", kinds)
	}
	into := filepath.Join(t.TempDir(), "data")
	if _, err := h.restore(backup.RestoreOptions{Into: into}); err != nil {
		t.Fatal(err)
	}
	equal(t, read(t, into), want)
	// Other recipients could not open what was sealed before.
	h.o.Recipients = append(h.o.Recipients, "another")
	if r := h.backup(dir); r.Reused != 0 {
		t.Errorf("%d members are referred to that others cannot open", r.Reused)
	}
	// The members of pruned sets go when nothing refers to them any more.
	plan, err = backup.PlanPrune(t.Context(), h.store(), "", backup.Policy{Last: 1}, h.now)
	if err == nil {
		err = plan.Apply(t.Context(), h.store())
	}
	if err == nil {
		plan, err = backup.PlanPrune(t.Context(), h.store(), "", backup.Policy{Last: 1}, h.now)
	}
	if err == nil {
		err = plan.Apply(t.Context(), h.store())
	}
	if err != nil {
		t.Fatal(err)
	}
	members := 0
	for name := range read(t, h.dest) {
		if strings.HasSuffix(name, ".zst.age") {
			members++
		}
	}
	if members != 6 {
		t.Errorf("%d sealed files are left, want those of one set, 6", members)
	}
}

// The last set that verifies is spared, whatever the policy says.
func TestSpare(t *testing.T) {
	dir, _ := dataDir(t)
	h := newHost(t)
	good := h.backup(dir)
	write(t, dir, map[string][]byte{"dump.rdb": rdb("k", "v2")})
	h.o.Recipients = []string{"other"} // nothing is referred to
	bad := h.backup(dir)
	path := filepath.Join(h.dest, h.o.Label, bad.Manifest.ID, "m0001.zst.age")
	if err := os.Truncate(path, 100); err != nil {
		t.Fatal(err)
	}
	plan, err := backup.PlanPrune(t.Context(), h.store(), "", backup.Policy{Last: 1}, h.now)
	if err != nil {
		t.Fatal(err)
	}
	if err := plan.Spare(t.Context(), backup.VerifyOptions{}); err != nil {
		t.Fatal(err)
	}
	if len(plan.Remove) != 0 || len(plan.Keep) != 2 || plan.Keep[1].Set.Manifest.ID != good.Manifest.ID {
		t.Errorf("%d kept, %d removed", len(plan.Keep), len(plan.Remove))
	}
}

// What a spared set refers to stays, also of sets that were pruned before.
func TestSpareReferences(t *testing.T) {
	dir, _ := dataDir(t)
	h := newHost(t)
	prune := func() {
		t.Helper()
		plan, err := backup.PlanPrune(t.Context(), h.store(), "", backup.Policy{Last: 1}, h.now)
		if err == nil {
			err = plan.Spare(t.Context(), backup.VerifyOptions{})
		}
		if err == nil {
			err = plan.Apply(t.Context(), h.store())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	h.backup(dir)
	good := h.backup(dir)
	prune()
	h.o.Recipients = []string{"other"} // nothing is referred to
	bad := h.backup(dir)
	if err := os.Truncate(filepath.Join(h.dest, h.o.Label, bad.Manifest.ID, "m0001.zst.age"), 100); err != nil {
		t.Fatal(err)
	}
	prune()
	set, err := backup.OpenSet(t.Context(), h.store(), backup.Ref{Label: h.o.Label, ID: good.Manifest.ID})
	if err != nil || good.Reused == 0 {
		t.Fatalf("%d members are referred to, %v", good.Reused, err)
	}
	if problems, err := set.Verify(t.Context(), backup.VerifyOptions{Identities: []age.Identity{h.id}}); err != nil || problems != nil {
		t.Errorf("the set that was spared: %v, %v", problems, err)
	}
}

func TestPolicy(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string][]byte{"dump.rdb": rdb("k", "v")})
	h := newHost(t)
	h.o.Sign = nil
	for day := range 40 {
		h.now = time.Date(2026, 1, 1+day, 3, 0, 0, 0, time.UTC)
		h.backup(dir)
	}
	plan, err := backup.PlanPrune(t.Context(), h.store(), "", backup.Policy{Last: 2, Daily: 3, Weekly: 3, Monthly: 2, Yearly: 5}, h.now)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, k := range plan.Keep {
		got = append(got, k.Set.Manifest.Started.Format("0102 ")+strings.Join(k.Why, "+"))
	}
	want := []string{"0209 last+daily+weekly+monthly+yearly", "0208 last+daily+weekly", "0207 daily", "0201 weekly", "0131 monthly"}
	if !slices.Equal(got, want) {
		t.Errorf("kept %q, want %q", got, want)
	}
	if len(plan.Keep)+len(plan.Remove) != 40 {
		t.Errorf("%d and %d are not 40", len(plan.Keep), len(plan.Remove))
	}
}

// Any change to what lies at the destination is found without a key: flips and
// cuts all over every file, members dropped, swapped and replayed, and sets taken
// out of the chain.
func TestTampering(t *testing.T) {
	dir, _ := dataDir(t)
	h := newHost(t)
	var ids []string
	for i := range 3 {
		write(t, dir, map[string][]byte{"dump.rdb": rdb("k", fmt.Sprint("v", i))})
		ids = append(ids, h.backup(dir).Manifest.ID)
	}
	chain := backup.ChainOptions{Head: ids[2], MaxAge: 24 * time.Hour, Now: h.now}
	if kinds := h.verify(false, chain); kinds != nil {
		t.Fatalf("problems of what is intact: %v", kinds)
	}
	files := read(t, h.dest)
	tries := 0
	try := func(what string, change func()) {
		tries++
		change()
		for _, withKey := range []bool{false, true} {
			if kinds := h.verify(withKey, chain); kinds == nil {
				t.Errorf("%s: not found (with the key: %v)", what, withKey)
			}
		}
		now := read(t, h.dest)
		for name, data := range files {
			if now[name] != data {
				write(t, h.dest, map[string][]byte{name: []byte(data)})
			}
			delete(now, name)
		}
		for name := range now {
			os.Remove(filepath.Join(h.dest, name))
		}
	}
	path := func(name string) string { return filepath.Join(h.dest, name) }
	for name, data := range files {
		step := max(1, len(data)/rounds(5))
		for i := 0; i < len(data); i += step {
			try(fmt.Sprintf("%s, byte %d changed", name, i), func() {
				b := []byte(data)
				b[i] ^= 1 << (i % 7)
				if filepath.Ext(name) == ".minisig" && i < strings.Index(data, "\n") {
					b[len(b)/2] ^= 1 // the untrusted comment may say what it likes
				}
				os.WriteFile(path(name), b, 0o600)
			})
			if strings.TrimSpace(data[i:]) != "" {
				try(fmt.Sprintf("%s, cut at %d", name, i), func() { os.Truncate(path(name), int64(i)) })
			}
		}
		try(name+" dropped", func() { os.Remove(path(name)) })
		for other := range files {
			if name < other && files[name] != files[other] {
				try(name+" and "+other+" swapped", func() {
					os.WriteFile(path(name), []byte(files[other]), 0o600)
					os.WriteFile(path(other), []byte(files[name]), 0o600)
				})
			}
		}
	}
	for _, id := range ids {
		try("set "+id+" dropped", func() { os.RemoveAll(path(h.o.Label + "/" + id)) })
	}
	try("an old set in the place of a new one", func() {
		os.RemoveAll(path(h.o.Label + "/" + ids[2]))
		os.Rename(path(h.o.Label+"/"+ids[0]), path(h.o.Label+"/"+ids[2]))
	})
	chain.Head = ""
	try("the newest set dropped, seen by its age", func() {
		os.RemoveAll(path(h.o.Label + "/" + ids[2]))
		os.RemoveAll(path(h.o.Label + "/" + ids[1]))
		chain.Now = h.now.Add(23 * time.Hour)
	})
	t.Logf("%d changes", tries)
}

// A set that the host's signing key did not sign is told apart, also one that is
// not signed at all.
func TestForgery(t *testing.T) {
	dir, _ := dataDir(t)
	h := newHost(t)
	forger := newHost(t)
	h.o.Sign = forger.key
	h.backup(dir)
	h.o.Sign = nil
	h.backup(dir)
	if kinds := h.verify(true, backup.ChainOptions{}); !slices.Equal(kinds, []backup.ProblemKind{backup.Forged, backup.Forged}) {
		t.Errorf("problems: %v", kinds)
	}
}

// A member that is replaced by one that others sealed for the same key, after the set
// was verified, is neither restored nor read.
func TestReplaced(t *testing.T) {
	dir, _ := dataDir(t)
	h := newHost(t)
	h.backup(dir)
	set := h.newest()
	if problems, err := set.Verify(t.Context(), backup.VerifyOptions{Keys: []*crypt.VerifyingKey{h.key.Public()}}); err != nil || len(problems) > 0 {
		t.Fatalf("%v, %v", problems, err)
	}
	ids := []age.Identity{h.id}
	for _, name := range []string{"inner.zst.age", set.Manifest.Members[0].Name} {
		path := filepath.Join(h.dest, h.o.Label, set.Manifest.ID, name)
		genuine, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var again bytes.Buffer
		if err := crypt.Reseal(t.Context(), &again, bytes.NewReader(genuine), h.o.Seal, ids...); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Dir(path), map[string][]byte{name: again.Bytes()})
		if _, err := set.Restore(t.Context(), backup.RestoreOptions{Into: filepath.Join(t.TempDir(), "x"), Identities: ids, UID: -1, GID: -1}); !backup.IsDamage(err) {
			t.Errorf("%s: restored, %v", name, err)
		}
		if err := readAll(t, set, ids); !backup.IsDamage(err) {
			t.Errorf("%s: read, %v", name, err)
		}
		write(t, filepath.Dir(path), map[string][]byte{name: genuine})
	}
	if err := readAll(t, set, ids); err != nil {
		t.Error(err)
	}
}

// readAll reads the plaintext of everything in a set.
func readAll(t *testing.T, set *backup.Set, ids []age.Identity) error {
	t.Helper()
	parts, _, err := set.Data(t.Context(), ids)
	for _, part := range parts {
		r, e := part.Open()
		if e == nil {
			_, e = io.Copy(io.Discard, r)
			r.Close()
		}
		err = errors.Join(err, e)
	}
	return err
}

// Commands that no server logs are found before a server sees them.
func TestHostileLog(t *testing.T) {
	for _, command := range []string{"CONFIG SET dir /tmp", "ACL SETUSER x on nopass", "MODULE LOAD /tmp/x.so", "replicaof 127.0.0.1 1", "EVAL x 0", "DEBUG x", "ACL NONSENSE"} {
		dir := t.TempDir()
		write(t, dir, map[string][]byte{"appendonly.aof": resp("SELECT 0", "SET a 1", command, "SET b 2")})
		h := newHost(t)
		r := h.backup(dir)
		if len(r.Strange) != 1 {
			t.Errorf("%s: %d found while it was backed up", command, len(r.Strange))
		}
		if kinds := h.verify(true, backup.ChainOptions{}); !slices.Equal(kinds, []backup.ProblemKind{backup.Hostile}) {
			t.Errorf("%s: problems %v", command, kinds)
		}
		into := filepath.Join(t.TempDir(), "data")
		var hostile *backup.CommandsError
		if _, err := h.restore(backup.RestoreOptions{Into: into}); !errors.As(err, &hostile) {
			t.Errorf("%s: %v", command, err)
		}
		if entries, _ := os.ReadDir(filepath.Dir(into)); len(entries) != 0 {
			t.Errorf("%s: %v is left", command, entries)
		}
		if _, err := h.restore(backup.RestoreOptions{Into: into, AllowCommands: true}); err != nil {
			t.Errorf("%s: %v", command, err)
		}
	}
}

// Damaged files make no set, and leave nothing behind.
func TestDamagedSource(t *testing.T) {
	whole := rdb("k", "v")
	badSum := bytes.Clone(whole)
	badSum[len(badSum)-1] = 1
	for name, files := range map[string]map[string][]byte{
		"cut snapshot":   {"dump.rdb": whole[:len(whole)-12]},
		"bad checksum":   {"dump.rdb": badSum},
		"damaged log":    {"appendonly.aof": append(append(resp("SET a 1"), "garbage\r\n"...), resp("SET b 2")...)},
		"cut base":       {"a/x.manifest": []byte("file b seq 1 type b\nfile i seq 1 type i\n"), "a/b": whole[:len(whole)-12], "a/i": nil},
		"cut older incr": {"a/x.manifest": []byte("file i seq 1 type i\nfile j seq 2 type i\n"), "a/i": resp("SET a 1")[:20], "a/j": nil},
	} {
		dir := t.TempDir()
		write(t, dir, files)
		h := newHost(t)
		if _, err := h.try(dir); !keyspace.Incomplete(err) {
			t.Errorf("%s: %v", name, err)
		}
		if left := read(t, h.dest); len(left) != 0 {
			t.Errorf("%s: %d files are left", name, len(left))
		}
	}
}

func TestCaptureRefuses(t *testing.T) {
	for name, files := range map[string]map[string][]byte{
		"nothing":      {"notes.txt": []byte("hello")},
		"bad manifest": {"a/x.manifest": []byte("file ../b seq 1 type b\n")},
		"missing file": {"a/x.manifest": []byte("file b seq 1 type b\n")},
	} {
		dir := t.TempDir()
		write(t, dir, files)
		if c, err := backup.CaptureDir(t.Context(), dir, nil); err == nil {
			c.Close()
			t.Errorf("%s: it was taken", name)
		}
	}
	dir := t.TempDir()
	write(t, dir, map[string][]byte{"dump.rdb": rdb("k", "v"), "nodes.conf": []byte("x")})
	for _, include := range []string{"../x", "/etc/passwd", "none"} {
		if c, err := backup.CaptureDir(t.Context(), dir, []string{include}); err == nil {
			c.Close()
			t.Errorf("%s was taken", include)
		}
	}
	c, err := backup.CaptureDir(t.Context(), dir, []string{"nodes.conf"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := c.Paths(); !slices.Equal(got, []string{"dump.rdb", "nodes.conf"}) {
		t.Errorf("captured %q", got)
	}
}

func TestScan(t *testing.T) {
	dir := t.TempDir()
	secret := "postgres://app:" + "Hafen-Deich-77x" + "@db.example.com/x"
	write(t, dir, map[string][]byte{"dump.rdb": rdb("database", secret)})
	h := newHost(t)
	var err error
	if h.o.Scanner, err = scan.New(scan.Config{Workers: 2}); err != nil {
		t.Fatal(err)
	}
	h.o.Refuse = true
	if r, err := h.try(dir); !errors.Is(err, backup.ErrRefused) || r.Findings == 0 {
		t.Errorf("refuse: %v", err)
	}
	if left := read(t, h.dest); len(left) != 0 {
		t.Errorf("%d files were written", len(left))
	}
	h.o.Refuse = false
	r := h.backup(dir)
	if r.Findings == 0 || r.Inner.Scan == nil || r.Inner.Scan.Findings != r.Findings || r.Inner.Scan.Keys != 1 {
		t.Errorf("report: %d findings, %+v", r.Findings, r.Inner.Scan)
	}
}

func TestRestoreTarget(t *testing.T) {
	dir, want := dataDir(t)
	h := newHost(t)
	h.backup(dir)
	into := filepath.Join(t.TempDir(), "data")
	write(t, into, map[string][]byte{"old": []byte("old")})
	if _, err := h.restore(backup.RestoreOptions{Into: into}); !errors.Is(err, backup.ErrInTheWay) {
		t.Errorf("a target with files: %v", err)
	}
	done, err := h.restore(backup.RestoreOptions{Into: into, Force: true})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, read(t, into), want)
	equal(t, read(t, done.Aside), map[string]string{"old": "old"})
	empty := t.TempDir()
	if _, err := h.restore(backup.RestoreOptions{Into: empty}); err != nil {
		t.Errorf("an empty target: %v", err)
	}
	if _, err := h.restore(backup.RestoreOptions{Into: filepath.Join(t.TempDir(), "x"), AsLog: true}); err == nil {
		t.Error("a set with a log was made a log")
	}
}

// A backup that is killed leaves no set, and the next one is none the worse.
func TestIncomplete(t *testing.T) {
	dir, _ := dataDir(t)
	h := newHost(t)
	first := h.backup(dir)
	r := h.backup(dir)
	os.Remove(filepath.Join(h.dest, h.o.Label, r.Manifest.ID, "manifest.json"))
	l, err := backup.List(t.Context(), h.store(), "")
	if err != nil || len(l.Sets) != 1 || len(l.Incomplete) != 1 {
		t.Fatalf("%+v, %v", l, err)
	}
	if next := h.backup(dir); next.Manifest.Previous.ID != first.Manifest.ID {
		t.Errorf("the set before is %s", next.Manifest.Previous.ID)
	}
	if kinds := h.verify(false, backup.ChainOptions{}); kinds != nil {
		t.Errorf("problems: %v", kinds)
	}
	for _, test := range []struct {
		now     time.Time
		garbage bool
	}{{time.Now(), false}, {time.Now().Add(48 * time.Hour), true}} {
		plan, err := backup.PlanPrune(t.Context(), h.store(), "", backup.Policy{Last: 9}, test.now)
		if err != nil || len(plan.Garbage) > 0 != test.garbage {
			t.Errorf("%d files are garbage, %v", len(plan.Garbage), err)
		}
	}
}

func TestSplit(t *testing.T) {
	dir, _ := dataDir(t)
	h := newHost(t)
	id := h.backup(dir).Manifest.ID
	open := func(l string) (backup.Store, error) { return backup.OpenDir(l, false) }
	for location, want := range map[string]backup.Ref{
		h.dest:                              {},
		h.dest + "/":                        {},
		h.dest + "/" + h.o.Label:            {Label: h.o.Label},
		h.dest + "/" + h.o.Label + "/":      {Label: h.o.Label},
		h.dest + "/" + h.o.Label + "/" + id: {Label: h.o.Label, ID: id},
	} {
		s, got, err := backup.Split(context.Background(), location, open)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", strings.TrimPrefix(location, h.dest), got, err)
			continue
		}
		s.Close()
	}
}

// FuzzManifest reads anything: no panic, and no name that leaves its label.
func FuzzManifest(f *testing.F) {
	dir, _ := dataDir(f)
	h := newHost(f)
	f.Add(h.backup(dir).Text)
	f.Add(h.backup(dir).Text)
	f.Add([]byte(`{"format":"valkeyfs-backup/1","id":"../..","label":"/etc"}`))
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := backup.ParseManifest(data)
		if err != nil {
			if m != nil {
				t.Fatal("a manifest beside an error")
			}
			return
		}
		for _, name := range append([]string{m.ID, m.Label, m.Inner.Name}, names(m)...) {
			if !fs.ValidPath(name) || strings.Contains(name, "..") || name == "." {
				t.Fatalf("name %q", name)
			}
		}
		if m.Bytes() < 0 {
			t.Fatal("a negative size")
		}
	})
}

func names(m *backup.Manifest) []string {
	var all []string
	for _, e := range m.Members {
		all = append(all, e.Name)
		if e.Set != "" {
			all = append(all, e.Set)
		}
	}
	return all
}
