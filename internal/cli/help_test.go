package cli

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestHelpFits: what help says fits a terminal, but for examples, which are to be copied,
// and no flag has an empty default.
func TestHelpFits(t *testing.T) {
	root := newRoot(&app{stderr: newConsole(io.Discard)})
	for name, cmd := range verbs(root) {
		var help bytes.Buffer
		cmd.SetOut(&help)
		if err := cmd.Help(); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(strings.Replace(help.String(), cmd.Example, "", 1)) {
			if utf8.RuneCountInString(strings.TrimSuffix(line, "\n")) > 80 {
				t.Errorf("%s: wider than 80 columns: %s", name, line)
			}
		}
		if strings.Contains(help.String(), "(default )") {
			t.Errorf("%s: a flag has an empty default", name)
		}
	}
}

// TestHelpOfNoVerb: help for what is no verb is an error of usage that names it.
func TestHelpOfNoVerb(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"help scann", `unknown command "scann"; did you mean scan?`},
		{"help fleet nothing", `unknown command "nothing"`},
		{"help scan more", `unknown command "more"`},
	} {
		var out, told bytes.Buffer
		if code := Main(strings.Fields(c.line), strings.NewReader(""), &out, &told); code != exitUsage || out.Len() > 0 || !strings.Contains(told.String(), c.want+"\nRun \"valkeyfs help\" to") {
			t.Errorf("%s: exit status %d: %s%s", c.line, code, out.String(), told.String())
		}
	}
}

// TestManualOfEveryVerb: there is a page for each verb, also for those below another, to
// which its page refers.
func TestManualOfEveryVerb(t *testing.T) {
	root, dir := newRoot(&app{stderr: newConsole(io.Discard)}), t.TempDir()
	if err := writeManual(root, dir); err != nil {
		t.Fatal(err)
	}
	for name := range verbs(root) {
		if name == "help" {
			continue
		}
		page := "valkeyfs-" + strings.ReplaceAll(name, " ", "-") + ".1"
		if _, err := os.Stat(filepath.Join(dir, page)); err != nil {
			t.Error(err)
		}
	}
}
