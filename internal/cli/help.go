package cli

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/internal/report"
)

// statusKey is the annotation of a verb that says what an exit status of 1 means
// for it.
const statusKey = "findings"

const helpTemplate = `{{.Long}}
Usage:
  {{if .HasAvailableSubCommands}}{{.CommandPath}} VERB [flags]{{else}}{{.UseLine}}{{end}}
{{- if .HasExample}}

Examples:
{{.Example}}
{{- end}}
{{- if .HasAvailableSubCommands}}

Verbs:
{{- range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name 12}}{{.Short}}{{end}}{{end}}
{{- end}}
{{- if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsagesWrapped 80 | trimTrailingWhitespaces}}
{{- end}}
{{- if .HasAvailableInheritedFlags}}

Flags of every verb:
{{.InheritedFlags.FlagUsagesWrapped 80 | trimTrailingWhitespaces}}
{{- end}}

EXIT STATUS
  0  done, nothing to report
  1  {{with .Annotations.findings}}{{.}}{{else}}not used by this verb{{end}}
  2  usage
  3  evidence incomplete: damaged, truncated, unsupported, over a limit, or
     unreadable
  4  I/O or internal error
  5  both 1 and 3
`

// finds says what an exit status of 1 means for a verb.
func finds(what string) map[string]string { return map[string]string{statusKey: what} }

// noVerb refuses what is no verb, and names the one that may have been meant.
func noVerb(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	meant := ""
	if like := root.SuggestionsFor(args[0]); len(like) > 0 {
		meant = fmt.Sprintf("; did you mean %s?", strings.Join(like, " or "))
	}
	return usagef("unknown command %q%s", args[0], meant)
}

// helpFor is the command line that shows the help of a verb.
func helpFor(cmd *cobra.Command) string {
	root, verb, _ := strings.Cut(cmd.CommandPath(), " ")
	if verb == "help" {
		verb = ""
	}
	return strings.TrimSpace(root + " help " + verb)
}

// help sets how the help of all verbs looks, and what the verb "help" does: print
// that of another, wherever --output says, or refuse what is no verb.
func (a *app) help(root *cobra.Command) {
	root.SuggestionsMinimumDistance = 2
	root.SetHelpTemplate(helpTemplate)
	root.InitDefaultHelpCmd()
	help, _, err := root.Find([]string{"help"})
	if err != nil {
		return
	}
	help.Use, help.Short, help.Example = "help [VERB]", "Print the help of a verb", "  valkeyfs help scan\n  valkeyfs help fleet work"
	help.Long = "Print the help of a verb: its flags, examples and exit status.\n"
	help.Run, help.RunE = nil, func(_ *cobra.Command, args []string) error {
		verb, rest, err := root.Find(args)
		if err != nil || len(rest) > 0 {
			return noVerb(verb, rest)
		}
		var page bytes.Buffer
		verb.SetOut(&page)
		verb.InitDefaultHelpFlag()
		if err := verb.Help(); err != nil {
			return err
		}
		return a.write(func(w io.Writer) error {
			_, err := w.Write(page.Bytes())
			return err
		})
	}
	fillHelp(root)
}

// fillHelp gives the paragraphs of all help lines that fit a terminal.
func fillHelp(cmd *cobra.Command) {
	cmd.Long = fill(cmd.Long)
	for _, verb := range cmd.Commands() {
		fillHelp(verb)
	}
}

// fill breaks the paragraphs of a text anew, at 80 columns. One that is indented stays
// as it is.
func fill(text string) string {
	paragraphs := strings.Split(strings.TrimRight(text, "\n"), "\n\n")
	for i, p := range paragraphs {
		if !strings.HasPrefix(p, " ") {
			paragraphs[i] = report.Break(strings.Join(strings.Fields(p), " "), "", 80)
		}
	}
	return strings.Join(paragraphs, "\n\n") + "\n"
}
