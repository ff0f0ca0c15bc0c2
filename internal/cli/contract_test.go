package cli

import (
	"bytes"
	"cmp"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// formatless are the verbs that have no result to choose a form for: they answer a shell
// or a person.
var formatless = []string{"completion", "help"}

// TestEveryVerb: each verb has its help with an example and its exit statuses, the flags
// of all verbs and, where it tells something, --format with a form for programs.
func TestEveryVerb(t *testing.T) {
	root := newRoot(&app{stderr: newConsole(io.Discard)})
	for name, cmd := range verbs(root) {
		if cmd.Short == "" || cmd.Long == "" || cmd.Example == "" {
			t.Errorf("%s: it lacks help", name)
		}
		var help bytes.Buffer
		cmd.SetOut(&help)
		if err := cmd.Help(); err != nil {
			t.Fatal(err)
		}
		_, statuses, _ := strings.Cut(help.String(), "\nEXIT STATUS\n")
		for _, status := range []string{"  0  ", "  1  ", "  2  ", "  3  ", "  4  ", "  5  "} {
			if !strings.Contains(statuses, status) {
				t.Errorf("%s: its help lacks the exit status %s", name, status)
			}
		}
		for _, flag := range []string{"output", "quiet", "no-progress", "no-color", "max-mem", "workers", "as-of", "identity", "tmp"} {
			if cmd.InheritedFlags().Lookup(flag) == nil {
				t.Errorf("%s: it lacks --%s", name, flag)
			}
		}
		format := cmd.Flags().Lookup("format")
		if (format != nil) == slices.Contains(formatless, name) {
			t.Errorf("%s: has --format: %t", name, format != nil)
		}
		if format != nil && !strings.Contains(format.Usage, "json") {
			t.Errorf("%s: --format has nothing for programs: %s", name, format.Usage)
		}
	}
}

// verbs are the commands that do something themselves, by name.
func verbs(cmd *cobra.Command) map[string]*cobra.Command {
	all := map[string]*cobra.Command{}
	for _, c := range cmd.Commands() {
		switch {
		case c.Hidden:
		case c.HasSubCommands():
			for name, v := range verbs(c) {
				all[name] = v
			}
		default:
			all[c.CommandPath()[len("valkeyfs "):]] = c
		}
	}
	return all
}

// TestOutputOfEveryVerb: -o FILE has the result, for nobody else to read, and nothing is
// left for standard output; where FILE is what a verb makes, JSON goes there instead.
func TestOutputOfEveryVerb(t *testing.T) {
	contractInputs(t)
	recipient := ""
	left := verbs(newRoot(&app{stderr: newConsole(io.Discard)}))
	for _, c := range []struct {
		line   string // RECIPIENT is that of the key that keygen makes
		makes  string
		status int
	}{
		{line: "keygen", makes: "key.txt"},
		{line: "encrypt data/dump.rdb -r RECIPIENT", makes: "sealed"},
		{line: "rekey sealed -i key.txt -r RECIPIENT", makes: "resealed"},
		{line: "decrypt resealed -i key.txt", makes: "opened"},
		{line: "acquire data", makes: "copy"},
		{line: "report data", makes: "page.html"},
		{line: "carve other.rdb", makes: "pieces"},
		{line: "salvage other.rdb", makes: "clean.rdb"},
		{line: "scan data"}, {line: "inspect data"}, {line: "export data"}, {line: "memory data"}, {line: "timeline data"}, {line: "history log.aof"},
		{line: "diff data/dump.rdb other.rdb", status: exitFindings},
		{line: "audit / --root data", status: exitFindings},
		{line: "backup data --to sets --label a -r RECIPIENT"},
		{line: "verify sets"}, {line: "list sets"}, {line: "prune sets --keep-last 1"}, {line: "restore sets -i key.txt --into back"},
		{line: "fleet submit data"}, {line: "fleet work --drain"}, {line: "fleet status"}, {line: "fleet report"}, {line: "fleet cancel --all"},
		{line: "version"}, {line: "completion bash"}, {line: "help scan"},
	} {
		args := strings.Fields(strings.ReplaceAll(c.line, "RECIPIENT", recipient))
		name := args[0]
		if name == "fleet" {
			name += " " + args[1]
		}
		out := cmp.Or(c.makes, strings.ReplaceAll(name, " ", "-")+".out")
		args = append(args, "-o", out)
		told := runs(t, c.status, append(args, programs(left[name])...)...)
		if info, err := os.Stat(out); err != nil || info.Mode().Perm()&0o077 != 0 || info.Size() == 0 {
			t.Errorf("%q: %+v, %v", args, info, err)
		}
		if c.makes == "" && told != "" || c.makes != "" && !strings.HasPrefix(told, `{"`) {
			t.Errorf("%q: standard output has %q", args, told)
		}
		if name == "keygen" {
			_, recipient, _ = strings.Cut(strings.TrimSuffix(told, "\"}\n"), `"public":"`)
		}
		delete(left, name)
	}
	for name := range left {
		t.Errorf("%s: where does its result go?", name)
	}
}

// contractInputs makes a directory with a data directory, a snapshot and a log the
// current one.
func contractInputs(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("XDG_STATE_HOME", filepath.Join(dir, "state"))
	t.Setenv("VALKEYFS_FLEET_DATABASE", "")
	if err := os.Mkdir("data", 0o700); err != nil {
		t.Fatal(err)
	}
	s := newSnapshot()
	s.add(0, "k", "v")
	s.save(t, "data/dump.rdb")
	s.add(0, "l", "w")
	s.save(t, "other.rdb")
	if err := os.WriteFile("log.aof", []byte("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// programs chooses a form for programs, where there is one.
func programs(cmd *cobra.Command) []string {
	for _, word := range []string{"jsonl", "json"} {
		if f := cmd.Flags().Lookup("format"); f != nil && f.Value.Set(word) == nil {
			return []string{"--format", word}
		}
	}
	return nil
}
