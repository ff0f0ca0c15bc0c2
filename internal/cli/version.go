package cli

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/internal/yara"
)

func newVersionCmd(a *app) *cobra.Command {
	var format choice
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Long:    "Print the version of valkeyfs, and what it was built with.\n",
		Example: "  valkeyfs version\n  valkeyfs version --format json | jq -r .revision",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return a.write(func(w io.Writer) error {
				if format.word == "json" {
					return report.NewLines(w).Line(thisBuild())
				}
				_, err := fmt.Fprintln(w, versionLine())
				return err
			})
		},
	}
	format.flag(cmd.Flags(), "text", "json")
	return cmd
}

// build is what is known of how the program was built, as JSON.
type build struct {
	Type     string `json:"type"` // "version"
	Version  string `json:"version"`
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
	Revision string `json:"revision,omitempty"` // the commit
	Time     string `json:"time,omitempty"`     // when that was made, RFC 3339
	Modified bool   `json:"modified"`           // something was changed after it
	Tags     string `json:"tags,omitempty"`
	Yara     bool   `json:"yara"` // scan --yara can be used
}

func thisBuild() build {
	b := build{Type: "version", Version: version(), Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH, Yara: yara.Available}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		case "-tags":
			b.Tags = s.Value
		}
	}
	return b
}

// versionLine is the version and what the program was built with.
func versionLine() string {
	return fmt.Sprintf("valkeyfs %s (%s, %s/%s)", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// version is that of the module, or the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "devel-" + s.Value[:12]
		}
	}
	return "devel"
}
