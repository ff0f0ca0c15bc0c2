package cli

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stalling delivers what it has, asks the process to stop, as Ctrl-C does, and
// then never returns.
type stalling struct{ data []byte }

func (s *stalling) Read(p []byte) (int, error) {
	if len(s.data) > 0 {
		n := copy(p, s.data)
		s.data = s.data[n:]
		return n, nil
	}
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGINT); err != nil {
		return 0, err
	}
	select {}
}

// Ctrl-C ends a scan with a summary of what was seen, even while the input stalls.
func TestInterrupt(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	var in bytes.Buffer
	in.WriteString("REDIS0011\xfe\x00")
	for range 100_000 {
		in.WriteString("\x00\x01k\x05value")
	}
	var stdout, stderr bytes.Buffer
	code := Main([]string{"scan", "--format", "jsonl", "--quiet", "-"}, &stalling{in.Bytes()}, &stdout, &stderr)
	if code != exitIncomplete {
		t.Errorf("exit status %d", code)
	}
	if !strings.Contains(stderr.String(), "the scan was interrupted: the report tells what was found until then") {
		t.Errorf("who looks at the terminal alone is told %q", stderr.String())
	}
	lines := strings.Split(strings.TrimSpace(stdout.String()), "\n")
	var sum struct {
		Type, Stopped string
		Complete      bool
		Keys          int
		BytesRead     int64 `json:"bytes_read"`
		Coverage      float64
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &sum); err != nil {
		t.Fatalf("%v in %q", err, lines)
	}
	if sum.Type != "summary" || sum.Complete || sum.Stopped == "" || sum.Keys == 0 || sum.BytesRead == 0 || sum.Coverage == 1 {
		t.Errorf("summary %+v", sum)
	}
}

// SIGTERM ends a backup at once, also one that waits because of --limit-rate, and what
// is to be run after a failure is run.
func TestInterruptBackup(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	t.Chdir(t.TempDir())
	if err := os.Mkdir("data", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("data/dump.rdb", []byte("REDIS0011\xfe\x00\x00\x01k\x05value\xff\x00\x00\x00\x00\x00\x00\x00\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	runs(t, exitOK, "keygen", "-o", "key.txt")
	key, err := os.ReadFile("key.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, recipient, _ := strings.Cut(string(key), "public key: ")
	recipient, _, _ = strings.Cut(recipient, "\n")
	go func() {
		for {
			if begun, _ := filepath.Glob("sets/db/*/.writing-*"); len(begun) > 0 {
				syscall.Kill(syscall.Getpid(), syscall.SIGTERM)
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	var stdout, stderr bytes.Buffer
	code := Main([]string{"backup", "data", "--to", "sets", "--label", "db", "-r", recipient, "--limit-rate", "1", "--on-failure", "echo $VALKEYFS_STATUS >failed"}, nil, &stdout, &stderr)
	if want := "valkeyfs: backup of data: interrupted before the end: there is no set\n"; code != exitError || stderr.String() != want {
		t.Errorf("status %d: %s", code, &stderr)
	}
	if failed, err := os.ReadFile("failed"); string(failed) != "4\n" {
		t.Errorf("the hook wrote %q, %v", failed, err)
	}
	if whole, _ := filepath.Glob("sets/db/*/manifest.json"); len(whole) > 0 {
		t.Errorf("there is a set: %v", whole)
	}
}

// SIGINT ends carve, which says that pieces are there.
func TestInterruptCarve(t *testing.T) {
	t.Chdir(t.TempDir())
	image, err := os.Create("disk.raw")
	if err != nil {
		t.Fatal(err)
	}
	defer image.Close()
	if _, err := image.WriteString("REDIS0011\xfe\x00\x00\x01k\x05value\xff\x00\x00\x00\x00\x00\x00\x00\x00"); err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 8<<20)
	if _, err := rand.NewChaCha8([32]byte{1}).Read(noise); err != nil {
		t.Fatal(err)
	}
	for range 16 {
		if _, err := image.Write(noise); err != nil {
			t.Fatal(err)
		}
	}
	go func() {
		for {
			if begun, _ := filepath.Glob("pieces/*.rdb"); len(begun) > 0 {
				syscall.Kill(syscall.Getpid(), syscall.SIGINT)
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	var stdout, stderr bytes.Buffer
	code := Main([]string{"carve", "disk.raw", "-o", "pieces", "--quiet"}, nil, &stdout, &stderr)
	if want := "valkeyfs: interrupted before the end: what is in pieces is whole, and not all: 1 piece\n"; code != exitIncomplete || stderr.String() != want {
		t.Errorf("status %d: %q", code, &stderr)
	}
	if names, _ := filepath.Glob("pieces/*"); len(names) != 1 {
		t.Errorf("there are %q", names)
	}
}
