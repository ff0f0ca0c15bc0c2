package cli

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"text/template"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// newManCmd writes the manual that packages install. It is not shown in help.
func newManCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "man DIR",
		Short:   "Write the manual pages into a directory",
		Long:    "Write a manual page for each verb into DIR, which is made: valkeyfs.1, valkeyfs-scan.1 and so on.\n",
		Example: "  valkeyfs man /usr/local/share/man/man1",
		Args:    cobra.ExactArgs(1),
		Hidden:  true,
		RunE:    func(cmd *cobra.Command, args []string) error { return writeManual(cmd.Root(), args[0]) },
	}
}

func writeManual(root *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // manuals are for everyone
		return err
	}
	date := buildTime()
	root.PersistentFlags().Lookup("workers").DefValue = "one a core" // whatever this machine has
	return writePages(root, dir, date)
}

// writePages writes the page of a command and those of the verbs below it.
func writePages(cmd *cobra.Command, dir string, date time.Time) error {
	var page bytes.Buffer
	if err := manPage(&page, cmd, date); err != nil {
		return err
	}
	name := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".1"
	if err := os.WriteFile(filepath.Join(dir, name), page.Bytes(), 0o644); err != nil { //nolint:gosec // manuals are for everyone
		return err
	}
	for _, verb := range cmd.Commands() {
		if !verb.IsAvailableCommand() {
			continue
		}
		if err := writePages(verb, dir, date); err != nil {
			return err
		}
	}
	return nil
}

// manPage writes the page of a verb. The library knows no section for the exit
// status: it stands behind the description, as in help.
func manPage(w io.Writer, cmd *cobra.Command, date time.Time) error {
	page := *cmd
	status, err := exitStatus(cmd)
	if err != nil {
		return err
	}
	page.Long = preformatted(cmd.Long) + "\n# EXIT STATUS\n" + preformatted(status)
	page.DisableAutoGenTag = true
	return doc.GenMan(&page, &doc.GenManHeader{Section: "1", Date: &date, Source: "valkeyfs " + version(), Manual: "valkeyfs"}, w)
}

// preformatted keeps lines that are indented as they are.
func preformatted(text string) string {
	var b strings.Builder
	block := false
	for line := range strings.Lines(text) {
		if indented := strings.HasPrefix(line, "  ") || block && strings.TrimSpace(line) == ""; indented != block {
			b.WriteString("```\n")
			block = indented
		}
		b.WriteString(line)
	}
	if block {
		b.WriteString("```\n")
	}
	return b.String()
}

// exitStatus is the table of exit statuses that ends the help of a verb.
func exitStatus(cmd *cobra.Command) (string, error) {
	_, table, _ := strings.Cut(helpTemplate, "\nEXIT STATUS\n")
	t, err := template.New("").Parse(table)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = t.Execute(&b, cmd)
	return b.String(), err
}

// buildTime is when the commit was made that this was built from, so that a
// build makes the same manual any day.
func buildTime() time.Time {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.time" {
				if t, err := time.Parse(time.RFC3339, s.Value); err == nil {
					return t
				}
			}
		}
	}
	return time.Unix(0, 0).UTC()
}
