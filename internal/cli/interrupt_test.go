package cli

import (
	"bytes"
	"encoding/json"
	"strings"
	"syscall"
	"testing"
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
