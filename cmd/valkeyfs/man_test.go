package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/cli"
)

// Every verb that help shows has a manual page with all its sections, and man's
// formatter has nothing to say against it.
func TestManual(t *testing.T) {
	var help, said bytes.Buffer
	if code := cli.Main([]string{"help"}, nil, &help, &said); code != 0 {
		t.Fatalf("help ends with %d: %s", code, said.Bytes())
	}
	_, verbs, _ := strings.Cut(help.String(), "\nVerbs:\n")
	verbs, _, _ = strings.Cut(verbs, "\n\n")
	dir := filepath.Join(t.TempDir(), "man1")
	if code := cli.Main([]string{"man", dir}, nil, &help, &said); code != 0 {
		t.Fatalf("man ends with %d: %s", code, said.Bytes())
	}
	pages := []string{"valkeyfs"}
	for line := range strings.Lines(verbs) {
		if verb := strings.Fields(line)[0]; verb != "help" {
			pages = append(pages, "valkeyfs-"+verb)
		}
	}
	if len(pages) < 10 {
		t.Fatalf("pages: %q", pages)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(pages) {
		t.Errorf("%d pages for %d verbs, %v", len(entries), len(pages)-1, err)
	}
	if _, err := exec.LookPath("groff"); err != nil {
		t.Log("groff is not installed: how pages are formatted was not tested")
	}
	status := regexp.MustCompile(`(?s)\n\.SH EXIT STATUS\n.*\b0  done.*\n  5  both`)
	for _, name := range pages {
		page, err := os.ReadFile(filepath.Join(dir, name+".1"))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, section := range []string{"NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "OPTIONS"} {
			if !bytes.Contains(page, []byte("\n.SH "+section+"\n")) {
				t.Errorf("%s has no section %s", name, section)
			}
		}
		if name != "valkeyfs" && !bytes.Contains(page, []byte("\n.SH EXAMPLE\n")) {
			t.Errorf("%s has no example", name)
		}
		if !status.Match(page) {
			t.Errorf("%s does not list the exit statuses line by line", name)
		}
		groff := exec.Command("groff", "-K", "utf8", "-man", "-Tutf8", "-ww", "-z")
		if groff.Err != nil {
			continue
		}
		groff.Stdin = bytes.NewReader(page)
		if out, err := groff.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v: %s", name, err, out)
		}
	}
}
