package fleet_test

import (
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

// dumps writes n logs of which some are cut and some are gibberish, and returns
// their directory.
func dumps(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		var b strings.Builder
		b.WriteString("*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n")
		for k := range 3 + i%7*100 {
			key, value := fmt.Sprintf("key:%d", k), `{"password":"`+secret(i%50*1000+k)+`"}`
			fmt.Fprintf(&b, "*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(key), key, len(value), value)
		}
		text := b.String()
		switch i % 10 {
		case 3:
			text = text[:len(text)-11]
		case 7:
			text = text[:len(text)/2] + "\x00\xff gibberish \x00" + text[len(text)/2:]
		}
		at := filepath.Join(dir, fmt.Sprintf("instance-%d", i%5), fmt.Sprintf("%04d.aof", i))
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func (h *host) status() (s fleet.Status) {
	h.t.Helper()
	if err := json.Unmarshal([]byte(h.run([]int{0}, "fleet", "status", "--format", "json")), &s); err != nil {
		h.t.Fatal(err)
	}
	return s
}

// killed has workers scan the inputs and kills one of them again and again. Every
// input is scanned to its end, and what was found is what one process finds.
func killed(t *testing.T, database string, inputs, workers, kills int, every time.Duration) {
	dir := dumps(t, inputs)
	h := newHost(t, database)
	want := findings(h.run(anyReport, "scan", dir, "--format", "jsonl", "--quiet"))
	h.run([]int{0}, "fleet", "submit", dir)
	start := func() *exec.Cmd {
		cmd := h.command("fleet", "work", "--drain", "--quiet", "--lease", "3s", "--attempts", "50", "--workers", "1")
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	running := make([]*exec.Cmd, workers)
	for i := range running {
		running[i] = start()
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range kills {
		time.Sleep(every)
		i := random.IntN(workers)
		running[i].Process.Kill()
		running[i].Wait()
		running[i] = start()
	}
	for _, cmd := range running {
		if err := cmd.Wait(); err != nil {
			t.Errorf("a worker: %v", err)
		}
	}
	if s := h.status(); s.Done != s.Inputs || s.Inputs != int64(inputs) || s.Damaged == 0 {
		t.Errorf("%+v", s)
	}
	got := findings(h.run(anyReport, "fleet", "report", "--format", "jsonl"))
	if len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("%d findings and damages, not the %d of one process", len(got), len(want))
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
	killed(t, "", rounds(60, 2000), 2, rounds(6, 30), time.Duration(rounds(300, 2000))*time.Millisecond)
}

// What did not change is not scanned again: not by its times, and not by its hash.
func TestIncremental(t *testing.T) {
	dir := dumps(t, 6)
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
	fresh := h.run([]int{1}, "fleet", "report", "--secrets", "--new", "--format", "jsonl")
	if strings.Count(fresh, "\n") != 1 || strings.Contains(fresh, secret(999999)) {
		t.Errorf("new secrets: %d lines", strings.Count(fresh, "\n"))
	}
	if out := h.run([]int{0}, "fleet", "report", "--owner", "nobody", "--secrets"); out != "" {
		t.Error("inputs of another owner are reported")
	}
}

// An input that cannot be read is tried again and then set aside with its reason.
func TestSetAside(t *testing.T) {
	dir := dumps(t, 3)
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
	dir := dumps(t, 3)
	h := newHost(t, "")
	h.run([]int{0}, "fleet", "submit", dir)
	h.run([]int{0}, "fleet", "cancel", filepath.Join(dir, "instance-1", "0001.aof"))
	h.run([]int{0}, "fleet", "work", "--drain", "--quiet")
	if s := h.status(); s.Done != 2 || s.Cancelled != 1 {
		t.Errorf("%+v", s)
	}
	h.run([]int{0}, "fleet", "submit", dir)
	if s := h.status(); s.Queued != 1 {
		t.Errorf("submitted again: %+v", s)
	}
}

// No whole secret enters the database, which its owner alone may read.
func TestDatabaseMasked(t *testing.T) {
	dir := dumps(t, 2)
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
}

// The tables come and go, and come again.
func TestMigrate(t *testing.T) {
	db, err := fleet.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "fleet.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	migrate(t, db)
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
