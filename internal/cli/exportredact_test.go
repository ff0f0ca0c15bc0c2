package cli

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRedactedText: what a placeholder looks like depends on what stands beside it.
// Text in which one looks like a password has more replaced of the keys that it stands
// in, of those alone, and is written.
func TestRedactedText(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	dir := t.TempDir()
	password := "Gr0nd" + "!7Kjzq=08"
	coded := base64.StdEncoding.EncodeToString([]byte(`{"smtp_pass":"` + password + `","port":587}`))
	log := filepath.Join(dir, "appendonly.aof")
	var commands strings.Builder
	for _, c := range [][]string{
		{"SET", "before", "nothing"}, {"HSET", "user:5", "smtp_pass", coded, "id", "9"}, {"SET", "between", "nothing"},
		{"SET", "conf", "password=" + password + "x\x00\xfe"}, {"SET", "behind", "nothing"}, {"DEL", "absent"},
	} {
		fmt.Fprintf(&commands, "*%d\r\n", len(c))
		for _, a := range c {
			fmt.Fprintf(&commands, "$%d\r\n%s\r\n", len(a), a)
		}
	}
	key := filepath.Join(dir, "k")
	for name, data := range map[string]string{log: commands.String(), key: strings.Repeat("11", 32) + "\n"} {
		if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, format := range []string{"csv", "json", "jsonl"} {
		var stdout, stderr bytes.Buffer
		if status := Main([]string{"export", log, "--redact", "--id-key", key, "--format", format}, strings.NewReader(""), &stdout, &stderr); status != 0 {
			t.Errorf("%s: status %d: %s", format, status, stderr.String())
			continue
		}
		out := stdout.String()
		for _, p := range []string{password, coded} {
			if strings.Contains(out, p) {
				t.Errorf("%s: a secret is shown", format)
			}
		}
		if n := strings.Count(out, "nothing"); n != 3 {
			t.Errorf("%s: %d values that hold no secret, want 3", format, n)
		}
		if raised := strings.Contains(stderr.String(), "whole strings are replaced in "); raised != (format != "jsonl") {
			t.Errorf("%s: %s", format, stderr.String())
		}
		result := filepath.Join(dir, "out."+format)
		if err := os.WriteFile(result, stdout.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if status := Main([]string{"scan", result, "-q"}, strings.NewReader(""), &stdout, &stderr); status != 0 {
			t.Errorf("%s: something is found in the result", format)
		}
	}
}
