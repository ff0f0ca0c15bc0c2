package cli

import (
	"io"
	"slices"
	"testing"

	"github.com/spf13/cobra"
)

// formatless are the verbs that have no result to choose a form for: they answer a shell
// or a person.
var formatless = []string{"completion", "help"}

// TestEveryVerb: each verb has its help, an example, the flags of all verbs and, where it
// tells something, --format.
func TestEveryVerb(t *testing.T) {
	root := newRoot(&app{stderr: newConsole(io.Discard)})
	for _, cmd := range verbs(root) {
		name := cmd.CommandPath()[len("valkeyfs "):]
		if cmd.Short == "" || cmd.Long == "" || cmd.Example == "" {
			t.Errorf("%s: it lacks help", name)
		}
		for _, flag := range []string{"output", "quiet", "no-progress", "no-color", "max-mem", "workers", "as-of", "identity", "tmp"} {
			if cmd.InheritedFlags().Lookup(flag) == nil {
				t.Errorf("%s: it lacks --%s", name, flag)
			}
		}
		if has := cmd.Flags().Lookup("format") != nil; has == slices.Contains(formatless, name) {
			t.Errorf("%s: has --format: %t", name, has)
		}
	}
}

// verbs are the commands that do something themselves.
func verbs(cmd *cobra.Command) (all []*cobra.Command) {
	for _, c := range cmd.Commands() {
		switch {
		case c.Hidden:
		case c.HasSubCommands():
			all = append(all, verbs(c)...)
		default:
			all = append(all, c)
		}
	}
	return all
}
