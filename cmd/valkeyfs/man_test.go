package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/cli"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// Every verb that help shows has a manual page with all its sections, and man's
// formatter has nothing to say against it.
func TestManual(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man1")
	var said bytes.Buffer
	if code := cli.Main([]string{"man", dir}, nil, &said, &said); code != 0 {
		t.Fatalf("man ends with %d: %s", code, said.Bytes())
	}
	pages := []string{"valkeyfs"}
	for _, verb := range helped(t) {
		pages = append(pages, "valkeyfs-"+strings.Join(verb, "-"))
	}
	if len(pages) < 10 {
		t.Fatalf("pages: %q", pages)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(pages) {
		t.Errorf("%d pages for %d verbs, %v", len(entries), len(pages)-1, err)
	}
	status := regexp.MustCompile(`(?s)\n\.SH EXIT STATUS\n.*\b0  done.*\n  5  (?:both 1 and 3|not used by this verb)\n`)
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
	}
	t.Run("groff", func(t *testing.T) {
		groff := servertest.Installed(t, "groff-base", "/usr/bin/groff")
		for _, name := range pages {
			cmd := exec.Command(groff, "-K", "utf8", "-man", "-Tutf8", "-ww", "-z", filepath.Join(dir, name+".1"))
			if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%s: %v: %s", name, err, out)
			}
		}
	})
}

// helped are the verbs that help shows, each as it is typed, those that others have too.
func helped(t *testing.T, above ...string) (verbs [][]string) {
	var help bytes.Buffer
	if code := cli.Main(append([]string{"help"}, above...), nil, &help, &help); code != 0 {
		t.Fatalf("help ends with %d: %s", code, help.Bytes())
	}
	_, list, _ := strings.Cut(help.String(), "\nVerbs:\n")
	list, _, _ = strings.Cut(list, "\n\n")
	for line := range strings.Lines(list) {
		if verb := strings.Fields(line)[0]; verb != "help" {
			verb := append(slices.Clone(above), verb)
			verbs = append(append(verbs, verb), helped(t, verb...)...)
		}
	}
	return verbs
}
