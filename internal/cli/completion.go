package cli

import (
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func newCompletionCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print a script that completes valkeyfs' command lines in a shell",
		Long: `Print a script that makes a shell complete verbs and flags of valkeyfs.
`,
		Example: `  source <(valkeyfs completion bash)
  valkeyfs completion zsh > "${fpath[1]}/_valkeyfs"
  valkeyfs completion fish > ~/.config/fish/completions/valkeyfs.fish`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 || !slices.Contains(cmd.ValidArgs, args[0]) {
				return usagef("name one shell: %s", strings.Join(cmd.ValidArgs, ", "))
			}
			return nil
		},
		ValidArgs:             []string{"bash", "zsh", "fish", "powershell"},
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.write(func(w io.Writer) error {
				root := cmd.Root()
				switch args[0] {
				case "bash":
					return root.GenBashCompletionV2(w, true)
				case "zsh":
					return root.GenZshCompletion(w)
				case "fish":
					return root.GenFishCompletion(w, true)
				default:
					return root.GenPowerShellCompletionWithDesc(w)
				}
			})
		},
	}
}
