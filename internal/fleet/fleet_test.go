package fleet_test

import (
	"cmp"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/fleet"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// secret is a password, made up.
func secret(i int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	random := rand.New(rand.NewPCG(uint64(i), 8))
	var token []byte
	for range 24 {
		token = append(token, letters[random.IntN(len(letters))])
	}
	return string(token)
}

func (h *host) status() (s fleet.Status) {
	h.t.Helper()
	if err := json.Unmarshal([]byte(h.run([]int{0}, "fleet", "status", "--format", "json")), &s); err != nil {
		h.t.Fatal(err)
	}
	return s
}

// trial is a fleet whose workers are killed.
type trial struct {
	database string
	bucket   *servertest.S3 // where the inputs lie; nil: in a directory
	inputs   int
	workers  int
	kills    int
	every    time.Duration
}

// run has workers scan the inputs and kills one of them again and again. Every
// input is scanned to its end, and what was found is what one process finds.
func (tr trial) run(t *testing.T) {
	d := dumps(t, tr.inputs)
	h := newHost(t, tr.database)
	h.global = []string{"--identity", d.identity}
	report := h.run(anyReport, "scan", d.dir, "--format", "jsonl", "--quiet")
	source, flags := d.dir, []string(nil)
	if tr.bucket != nil {
		source, flags = upload(t, tr.bucket, d.dir), tr.bucket.Flags()
		report = strings.ReplaceAll(report, `"source":"`+d.dir, `"source":"`+source)
	}
	want := findings(report)
	h.run([]int{0}, append([]string{"fleet", "submit", source}, flags...)...)
	start := func() *exec.Cmd {
		cmd := h.command(append([]string{"fleet", "work", "--drain", "--quiet", "--lease", "3s", "--attempts", "50", "--workers", "1"}, flags...)...)
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	running := make([]*exec.Cmd, tr.workers)
	for i := range running {
		running[i] = start()
	}
	random := rand.New(rand.NewPCG(1, 2))
	killed := 0
	for range tr.kills {
		time.Sleep(tr.every)
		i := random.IntN(tr.workers)
		running[i].Process.Kill()
		if running[i].Wait() != nil {
			killed++
		}
		running[i] = start()
	}
	for _, cmd := range running {
		if err := cmd.Wait(); err != nil {
			t.Errorf("a worker: %v", err)
		}
	}
	if s := h.status(); s.Done != s.Inputs || s.Inputs != counted(tr.inputs) || s.Damaged == 0 {
		t.Errorf("%+v", s)
	}
	got := findings(h.run(anyReport, "fleet", "report", "--format", "jsonl"))
	if len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("%d findings and damages, not the %d of one process", len(got), len(want))
		differ(t, got, want)
	}
	t.Logf("%d inputs, %d findings and damages, %d workers killed at work", tr.inputs, len(got), killed)
}

// differ says the first lines in which two lists differ.
func differ(t testing.TB, got, want []string) {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Logf("the first that differ:\n%s%s", got[i], want[i])
			return
		}
	}
}

// rounds are those for every day or, with VALKEYFS_FLEET, those of the proof.
func rounds(few, many int) int {
	if os.Getenv("VALKEYFS_FLEET") != "" {
		return many
	}
	return few
}

func TestKilledSQLite(t *testing.T) {
	trial{inputs: rounds(60, 2000), workers: 2, kills: rounds(6, 30), every: every()}.run(t)
}

// every is how long it is until the next worker is killed.
func every() time.Duration { return time.Duration(rounds(300, 2000)) * time.Millisecond }

// What did not change is not scanned again: not by its times, and not by its hash.
func TestIncremental(t *testing.T) {
	dir := dumps(t, 6).dir
	h := newHost(t, "")
	h.run([]int{0}, "fleet", "submit", dir, "--owner", "payments")
	h.run([]int{0}, "fleet", "work", "--drain", "--quiet")
	h.run([]int{0}, "fleet", "submit", dir)
	if s := h.status(); s.Done != 6 || s.Queued != 0 {
		t.Errorf("unchanged inputs: %+v", s)
	}
	one := filepath.Join(dir, "instance-1", "0001.aof")
	if err := os.Chtimes(one, time.Now(), time.Now()); err != nil {
		t.Fatal(err)
	}
	h.run([]int{0}, "fleet", "submit", dir)
	if s := h.status(); s.Queued != 0 {
		t.Errorf("an input with new times: %+v", s)
	}
	f, err := os.OpenFile(one, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	token := `{"password":"` + secret(999999) + `"}`
	fmt.Fprintf(f, "*3\r\n$3\r\nSET\r\n$1\r\nn\r\n$%d\r\n%s\r\n", len(token), token)
	f.Close()
	h.run([]int{0}, "fleet", "submit", dir)
	if s := h.status(); s.Queued != 1 {
		t.Errorf("a changed input: %+v", s)
	}
	h.run([]int{0}, "fleet", "work", "--drain", "--quiet")
	fresh := h.run([]int{5}, "fleet", "report", "--secrets", "--new", "--format", "jsonl")
	if strings.Count(fresh, "\n") != 1 || strings.Contains(fresh, secret(999999)) {
		t.Errorf("new secrets: %d lines", strings.Count(fresh, "\n"))
	}
	for nothing, status := range map[string]int{filepath.Join(dir, "nothing"): 4, filepath.Join(dir, "*.nothing"): 4, "": 2, "-": 2} {
		h.run([]int{status}, "fleet", "submit", nothing)
	}
	if out := h.run([]int{5}, "fleet", "report", "--secrets", "--new", "--format", "jsonl"); out != fresh {
		t.Error("a submission that failed has taken the place of the last")
	}
	if out := h.run([]int{3}, "fleet", "report", "--owner", "nobody", "--secrets"); out != "" {
		t.Error("inputs of another owner are reported")
	}
}

// An input that cannot be read is tried again and then set aside with its reason.
func TestSetAside(t *testing.T) {
	dir := dumps(t, 3).dir
	h := newHost(t, "")
	h.run([]int{0}, "fleet", "submit", dir)
	if err := os.Remove(filepath.Join(dir, "instance-1", "0001.aof")); err != nil {
		t.Fatal(err)
	}
	h.run([]int{0}, "fleet", "work", "--drain", "--quiet", "--attempts", "2")
	s := h.status()
	if s.Done != 2 || s.Failed != 1 || len(s.SetAside) != 1 || !strings.Contains(s.SetAside[0].Reason, "no such file") {
		t.Errorf("%+v", s)
	}
}

func TestCancel(t *testing.T) {
	dir := dumps(t, 3).dir
	h := newHost(t, "")
	h.run([]int{0}, "fleet", "submit", dir)
	one := filepath.Join(dir, "instance-1", "0001.aof")
	h.run([]int{4}, "fleet", "cancel", one, one+".gz") // which was never submitted
	h.run([]int{0}, "fleet", "cancel", one)            // is cancelled already
	h.run([]int{0}, "fleet", "work", "--drain", "--quiet")
	if s := h.status(); s.Done != 2 || s.Cancelled != 1 {
		t.Errorf("%+v", s)
	}
	h.run([]int{0}, "fleet", "submit", dir)
	if s := h.status(); s.Queued != 1 {
		t.Errorf("submitted again: %+v", s)
	}
}

// What was submitted by its directory is cancelled by it, whether or not a secret is in
// the name of that.
func TestCancelBelow(t *testing.T) {
	secretly, _ := named(t)
	for _, dir := range []string{filepath.Join(t.TempDir(), "dumps"), filepath.Join(secretly, "dumps")} {
		for _, in := range []string{"a/1.aof", "a/2.aof", "ab/3.aof"} {
			in = filepath.Join(dir, in)
			if err := cmp.Or(os.MkdirAll(filepath.Dir(in), 0o700), os.WriteFile(in, []byte("*1\r\n$8\r\nFLUSHALL\r\n"), 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		h := newHost(t, "")
		h.run([]int{0}, "fleet", "submit", dir)
		h.run([]int{0}, "fleet", "cancel", filepath.Join(dir, "a"))
		if s := h.status(); s.Queued != 1 || s.Cancelled != 2 {
			t.Errorf("%+v", s)
		}
		h.run([]int{4}, "fleet", "cancel", filepath.Join(dir, "abc"))
	}
}

// No whole secret enters the database, which its owner alone may read.
func TestDatabaseMasked(t *testing.T) {
	dir := dumps(t, 2).dir
	h := newHost(t, "")
	h.run([]int{0}, "fleet", "submit", dir)
	h.run([]int{0}, "fleet", "work", "--drain", "--quiet")
	files, err := filepath.Glob(strings.TrimPrefix(h.database, "sqlite:") + "*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for k := range 3 {
			if strings.Contains(string(data), secret(k)) {
				t.Errorf("secret %s is in %s", fmt.Sprint(k), filepath.Base(name))
			}
		}
	}
	lines := h.run(anyReport, "fleet", "report", "--format", "jsonl") // all that is kept of findings
	if strings.Count(lines, `{"type":"finding"`) != 36 {
		t.Errorf("%d findings are kept", strings.Count(lines, `{"type":"finding"`))
	}
	for file := range 2 {
		for i := range 33 {
			if key, value := entry(file, i); strings.Contains(lines, secret(file%50*1000+i)) || strings.Contains(lines, value) {
				t.Errorf("the secret of %s is kept with the findings", key)
			}
		}
	}
}

// The tables come and go, and come again.
func TestMigrate(t *testing.T) {
	db, err := fleet.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "fleet.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	migrate(t, db)
}

// A file has large pages: what was found is written in a quarter of the calls.
func TestPages(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fleet.db")
	db, err := fleet.Open(t.Context(), "sqlite:"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	plain, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	var size int
	var journal string
	if err := plain.QueryRow(`SELECT page_size, journal_mode FROM pragma_page_size, pragma_journal_mode`).Scan(&size, &journal); err != nil {
		t.Fatal(err)
	}
	if size != 16384 || journal != "wal" {
		t.Errorf("pages of %d bytes, journal %s", size, journal)
	}
}

// What is wrong with a database's file is told with its name.
func TestNoDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fleet.db")
	write(t, path, "no database\n")
	if _, err := fleet.Open(t.Context(), "sqlite:"+path, nil); err == nil || !strings.HasPrefix(err.Error(), path+": ") {
		t.Error(err)
	}
}

// Why there is no connection stands in one line, whatever was tried, and a URL that
// is none is not quoted.
func TestNoServer(t *testing.T) {
	for _, url := range []string{"postgres://fleet:sesame@127.0.0.1:1,127.0.0.1:2/fleet", "postgres://fleet:sesame@127.0.0.1:port/fleet"} {
		_, err := fleet.Open(t.Context(), url, nil)
		if err == nil || strings.ContainsAny(err.Error(), "\n\t") || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%q", err)
		}
	}
}

// A worker without a name is called by its host and process.
func TestWorkerName(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "one.aof"), logOf(1, 3))
	h := newHost(t, "")
	h.run([]int{0}, "fleet", "submit", dir)
	h.run([]int{0}, "fleet", "work", "--drain", "--quiet")
	db, err := sql.Open("sqlite", strings.TrimPrefix(h.database, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var name string
	if err := db.QueryRow(`SELECT worker FROM fleet_inputs`).Scan(&name); err != nil {
		t.Fatal(err)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(name, host+":") {
		t.Errorf("%q", name)
	}
}

func migrate(t *testing.T, db *fleet.DB) {
	for _, version := range []int{0, fleet.Latest, 0, fleet.Latest} {
		if err := db.Migrate(t.Context(), version); err != nil {
			t.Fatalf("to version %d: %v", version, err)
		}
		if _, err := db.Status(t.Context()); (err == nil) != (version > 0) {
			t.Errorf("version %d: %v", version, err)
		}
	}
}

// Nothing is written where an input lies, also if a worker is told to spill there.
func TestSpillBesideInputs(t *testing.T) {
	dir := dumps(t, 3).dir
	h := newHost(t, "")
	h.run([]int{0}, "fleet", "submit", dir)
	tmp := filepath.Join(dir, "instance-1", "tmp")
	if err := os.Mkdir(tmp, 0o700); err != nil {
		t.Fatal(err)
	}
	h.run([]int{0}, "fleet", "work", "--drain", "--quiet", "--attempts", "1", "--tmp", tmp)
	if s := h.status(); s.Done != 2 || s.Failed != 1 || !strings.Contains(s.SetAside[0].Reason, "never written to") {
		t.Errorf("%+v", s)
	}

	// The system's directory is not where an input lies, unless another is chosen.
	h = newHost(t, "")
	h.env = []string{"TMPDIR=" + tmp}
	h.run([]int{0}, "fleet", "submit", dir)
	h.run([]int{0}, "fleet", "work", "--drain", "--quiet", "--attempts", "1")
	if s := h.status(); s.Done != 3 {
		t.Errorf("%+v", s)
	}
}
