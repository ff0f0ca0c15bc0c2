package cli

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/valkeyfs/valkeyfs/internal/fleet"
	"github.com/valkeyfs/valkeyfs/internal/source"
)

func newFleetCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fleet",
		Short: "Scan many inputs on many machines",
		Long: `Scan many inputs on many machines: inputs are submitted to a database, any
number of workers claim one at a time, and one report covers all of them.

The database is a file in the state directory, or what --database or
VALKEYFS_FLEET_DATABASE names: sqlite:PATH, or postgres://… for workers on
several hosts. Findings are kept masked in it, under keyed ids.
`,
		Example: `  valkeyfs fleet submit /backups --owner payments
  valkeyfs fleet work
  valkeyfs fleet status --watch
  valkeyfs fleet report --secrets`,
		Args: noVerb,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cmd.SetOut(a.stderr)
			if err := cmd.Help(); err != nil {
				return err
			}
			return exit(exitUsage)
		},
	}
	cmd.AddCommand(newFleetSubmitCmd(a), newFleetWorkCmd(a), newFleetStatusCmd(a), newFleetReportCmd(a), newFleetCancelCmd(a))
	return cmd
}

// fleetFlags say where a fleet keeps its state, and with which key.
type fleetFlags struct {
	a        *app
	database string
	idKey    string
	key      func() (*idKey, error) // that idKey names, or the one in the state directory
	evidence *source.Inputs         // what is submitted from the file system
}

func newFleetFlags(a *app) *fleetFlags {
	f := &fleetFlags{a: a, evidence: &source.Inputs{}}
	f.key = sync.OnceValues(f.readKey)
	return f
}

// flags defines --database and, for verbs that name inputs or make ids, --id-key.
func (f *fleetFlags) flags(fl *pflag.FlagSet, keyed string) {
	fl.StringVar(&f.database, "database", "", "keep the fleet's state in the database at `URL`: sqlite:PATH or postgres://… (default: $VALKEYFS_FLEET_DATABASE, or a file in the state directory)")
	if keyed != "" {
		fl.StringVar(&f.idKey, "id-key", "", keyed+" the key in `FILE`, made if it does not exist (default: one in the state directory)")
	}
}

// sealKey is what --id-key is for where inputs are named.
const sealKey = "seal names that hold secrets, such as of directories, with"

func (f *fleetFlags) readKey() (*idKey, error) {
	k, err := readOrMakeIDKey(f.idKey, f.evidence)
	if err == nil && !k.kept() {
		return nil, usagef("name an --id-key: the one in the state directory is %s", k.name)
	}
	return k, err
}

// named is the URL of the database, if one is named.
func (f *fleetFlags) named() string {
	return cmp.Or(f.database, os.Getenv("VALKEYFS_FLEET_DATABASE"))
}

// location is the URL of the database.
func (f *fleetFlags) location() (string, error) {
	if url := f.named(); url != "" {
		return url, nil
	}
	dir, err := stateDir()
	if err != nil {
		return "", fmt.Errorf("%w: name a --database", err)
	}
	return "sqlite:" + filepath.Join(dir, "fleet.db"), nil
}

// keepOut refuses to write into what is submitted, and returns a directory outside for
// what is spilled.
func (f *fleetFlags) keepOut(cmd *cobra.Command, sources []string) (tmp string, err error) {
	var local []string
	for _, name := range sources {
		paths, err := fleet.Paths(name)
		if err != nil {
			return "", usageError{err}
		}
		local = append(local, paths...)
	}
	if f.evidence, err = source.New(cmd.Context(), local, source.Options{}); err != nil {
		return "", err
	}
	url, err := f.location()
	if err != nil {
		return "", err
	}
	for _, p := range [][2]string{{"--database", fleet.FileOf(url)}, {"--output", f.a.global.output}} {
		if p[1] != "" && p[1] != source.Stdin && f.evidence.Contains(p[1]) {
			return "", usagef("%s %s lies in the evidence, which is never written to", p[0], safe(p[1]))
		}
	}
	return spillDir(f.a.global.tmp, f.evidence)
}

// openThere is open for verbs that ask: a file that is named and not there is no fleet
// without inputs.
func (f *fleetFlags) openThere(cmd *cobra.Command) (*fleet.DB, error) {
	if path := fleet.FileOf(f.named()); path != "" {
		if _, err := os.Stat(path); err != nil {
			return nil, unreadable("--database", path, err)
		}
	}
	return f.open(cmd)
}

func (f *fleetFlags) open(cmd *cobra.Command) (*fleet.DB, error) {
	url, err := f.location()
	if err != nil {
		return nil, err
	}
	d, err := fleet.Open(cmd.Context(), url, &fleet.Names{Mask: f.a.names, Key: func() ([]byte, string, error) {
		k, err := f.key()
		if err != nil {
			return nil, "", err
		}
		return k.key, k.id(), nil
	}})
	if errors.Is(err, fleet.ErrLocation) {
		return nil, usageError{err}
	}
	if err != nil {
		return nil, err
	}
	d.Tmp = f.a.global.tmp
	return d, nil
}

// readOptions are how inputs of a fleet are read.
func (a *app) readOptions() (source.Options, error) {
	o := source.Options{Resolve: true, Hash: true, AsOf: a.global.asOf.ms, MaxMem: int64(a.global.maxMem) / 2, Tmp: a.global.tmp}
	for _, name := range a.global.identities {
		ids, err := readIdentities(a.ui(), name)
		if err != nil {
			return o, err
		}
		o.Identities = append(o.Identities, ids...)
	}
	return o, nil
}
