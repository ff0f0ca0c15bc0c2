package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/internal/audit"
	"github.com/valkeyfs/valkeyfs/internal/conf"
	"github.com/valkeyfs/valkeyfs/internal/hostfs"
	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/scan"
)

// saltSize is that of the key with which a baseline tells keys apart.
const saltSize = 16

type auditFlags struct {
	format      choice
	root        string
	all         bool
	server      string
	skipData    bool
	functions   []string
	waivers     string
	minSeverity scan.Severity
	failOn      threshold
	profiles    []string
	live        liveFlags
	backups     string
	signKey     string
	baseline    baselineFlags
	policy      string
	printFix    bool
	fix         fixFlags
}

func newAuditCmd(a *app) *cobra.Command {
	f := &auditFlags{}
	cmd := &cobra.Command{
		Use:   "audit [PATH…]",
		Short: "Judge a server by its files: the ten threats",
		Long: `Judge servers by their files: valkey.conf, redis.conf and sentinel.conf with all
that they include, ACL files, TLS certificates and keys, systemd units, Compose
and Kubernetes manifests, firewall rules, the modes and the encryption of the
data directory, and the data in it. Configuration and users count as they take
effect on the server, not as they are written.

A PATH is a configuration file, a manifest, a data directory or any directory in
which these lie; without one the usual places are looked at. Each check passes,
fails, does not apply, or is unknown: the files cannot tell. What only a running
host knows is unknown for an image of one (--root).

Certificates and waivers are judged at --as-of; by default now, and for an image
not at all.
`,
		Annotations: finds("checks that fail at or above --fail-on"),
		Example: `  valkeyfs audit
  valkeyfs audit /etc/valkey/valkey.conf --fail-on high
  valkeyfs audit --root /mnt/evidence --format jsonl -o audit.jsonl
  valkeyfs audit deploy/ --waivers waivers.yaml --format sarif`,
		RunE: func(cmd *cobra.Command, args []string) error { return runAudit(cmd.Context(), a, f, args) },
	}
	fl := cmd.Flags()
	f.format.flag(fl, "text", "jsonl", "json", "csv", "sarif", "junit", "html")
	fl.StringVar(&f.root, "root", "", "judge the image of a host in `DIR`: every path and link leads inside it")
	fl.BoolVar(&f.all, "all", false, "text: list what passes and what does not apply, too")
	fl.StringVar(&f.server, "server-version", "", "judge as `VERSION`, such as valkey-8.1 or redis-7.0 (default: what the files say)")
	fl.BoolVar(&f.skipData, "skip-data", false, "do not read snapshots and logs, only their modes")
	fl.StringArrayVar(&f.functions, "function", nil, "the function library with this `SHA256` is meant to be there (repeatable)")
	fl.StringVar(&f.signKey, "sign-key", "", "sign the report (-o) and a new baseline with the minisign key in `FILE`")
	f.baseline.flags(fl)
	fl.StringVar(&f.policy, "policy", "", "the keys that match a pattern below \"immutable\" in `FILE` (YAML) are never to change")
	fl.StringVar(&f.backups, "backups", "", "look at the sealed backups in the directory `DEST`, too")
	fl.StringSliceVar(&f.profiles, "profile", nil, "judge as `PROFILES`: cache, database, replica, sentinel, cluster, container (default: what the files say)")
	fl.StringVar(&f.waivers, "waivers", "", "accept the failures that `FILE` (YAML: id, path, reason, expires) names")
	fl.TextVar(&f.minSeverity, "min-severity", scan.Info, "leave out failures below this `SEVERITY`: info, low, medium, high, critical")
	f.failOn.flag(fl, "exit with 1 for failures of at least this `SEVERITY`, or \"never\"")
	fl.BoolVar(&f.printFix, "print-fix", false, "print what mends the failures: lines of the configuration, an ACL file, a drop-in of the unit")
	f.fix.flags(fl)
	f.live.flags(fl)
	return cmd
}

var auditWriters = map[string]func(io.Writer, *audit.Header, *audit.Report) error{
	"jsonl": audit.WriteJSONL, "json": audit.WriteJSON, "csv": audit.WriteCSV, "sarif": audit.WriteSARIF, "html": audit.WriteHTML,
}

func runAudit(ctx context.Context, a *app, f *auditFlags, args []string) error {
	if err := f.check(a); err != nil {
		return err
	}
	if f.fix.undo != "" {
		return f.fix.takeBack(a)
	}
	o, err := f.options(a)
	if err != nil {
		return err
	}
	if f.live.showUser {
		return f.live.printUser(a, o.Version)
	}
	if o.Live, err = f.live.ask(ctx, o.Version); err != nil {
		return err
	}
	fs, err := hostfs.Open(f.root)
	if err != nil {
		return err
	}
	defer fs.Close()
	for flag, name := range map[string]string{"--output": a.global.output, "--write-baseline": f.baseline.write, "--journal": f.fix.journal} {
		if err := auditOutside(flag, name, f.root, args); err != nil {
			return err
		}
	}
	paths, err := auditPaths(f.root, args)
	if err != nil {
		return err
	}
	r, err := audit.Run(ctx, fs, paths, o)
	switch {
	case errors.Is(err, audit.ErrNothing):
		a.stderr.errorf("%v", err)
		return exit(exitIncomplete)
	case err != nil:
		return err
	}
	for _, text := range r.Assumed {
		a.stderr.printf("%s; --server-version says otherwise", safe(text))
	}
	if f.fix.wanted {
		return f.fix.run(a, f.root, fs, r)
	}
	if err := f.baseline.record(a, r, f.signKey); err != nil {
		return err
	}
	h := audit.NewHeader(version(), args, f.root, o, r)
	if err := f.write(a, h, r); err != nil {
		return err
	}
	return exit(status(r.Failing(f.failOn.Severity), r.Incomplete))
}

// check refuses flags that say nothing together.
func (f *auditFlags) check(a *app) error {
	switch {
	case f.fix.apply && !f.fix.wanted:
		return usagef("--apply: does what --fix says, which is not given")
	case f.signKey != "" && !f.inFile(a) && f.baseline.write == "":
		return usagef("--sign-key signs a file: say -o FILE")
	}
	return nil
}

// inFile reports whether the report goes to a file.
func (f *auditFlags) inFile(a *app) bool { return a.global.output != "" && a.global.output != "-" }

// options are what the flags say, the running server aside.
func (f *auditFlags) options(a *app) (*audit.Options, error) {
	o := &audit.Options{SkipData: f.skipData, Functions: f.functions, MinSeverity: f.minSeverity}
	if f.server != "" {
		v, err := conf.ParseVersion(f.server)
		if err != nil {
			return nil, usagef("--server-version: %v", err)
		}
		o.Version = v
	}
	for _, name := range f.profiles {
		p, err := audit.ParseProfile(name)
		if err != nil {
			return nil, usagef("--profile: %v", err)
		}
		o.Profiles = append(o.Profiles, p)
	}
	switch {
	case a.global.asOf.text != "":
		o.Now = time.UnixMilli(a.global.asOf.ms)
	case f.root == "":
		o.Now = time.Now() // this host's certificates hold today, or do not
	}
	if f.backups != "" {
		paths, err := auditPaths(f.root, []string{f.backups})
		if err != nil {
			return nil, err
		}
		o.Backups = paths[0]
	}
	return o, f.files(o)
}

// files reads waivers, baseline and policy.
func (f *auditFlags) files(o *audit.Options) error {
	if f.waivers != "" {
		text, err := os.ReadFile(f.waivers)
		if err != nil {
			return unreadable("--waivers", f.waivers, err)
		}
		if o.Waivers, err = audit.ParseWaivers(text); err != nil {
			return usagef("--waivers: %v", err)
		}
	}
	if err := f.baseline.read(o); err != nil || f.policy == "" {
		return err
	}
	text, err := os.ReadFile(f.policy)
	if err != nil {
		return unreadable("--policy", f.policy, err)
	}
	if o.Policy, err = audit.ParsePolicy(text); err != nil {
		return usagef("--policy: %v", err)
	}
	o.Salt = make([]byte, saltSize)
	_, _ = rand.Read(o.Salt) // which never fails
	return nil
}

// auditPaths makes paths absolute: on the host, or inside the image.
func auditPaths(root string, args []string) ([]string, error) {
	paths := make([]string, len(args))
	for i, p := range args {
		if root != "" {
			paths[i] = filepath.Join("/", p)
			continue
		}
		var err error
		if paths[i], err = filepath.Abs(p); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

// write writes the report, or what mends its failures, and signs it.
func (f *auditFlags) write(a *app, h *audit.Header, r *audit.Report) error {
	var text bytes.Buffer
	err := a.result(func(out *output) (int, error) {
		return exitOK, f.writeTo(io.MultiWriter(out, &text), columns(out.terminal), h, r)
	})
	if err != nil || f.signKey == "" || !f.inFile(a) {
		return err
	}
	return signFile(a, f.signKey, a.global.output, text.Bytes())
}

func (f *auditFlags) writeTo(w io.Writer, width int, h *audit.Header, r *audit.Report) error {
	switch {
	case f.printFix:
		return writeFixes(w, r)
	case f.format.word == "text":
		return audit.WriteText(w, h, r, audit.TextOptions{Width: width, All: f.all})
	case f.format.word == "junit":
		return audit.WriteJUnit(w, h, r, f.failOn.Severity)
	default:
		return auditWriters[f.format.word](w, h, r)
	}
}

func writeFixes(w io.Writer, r *audit.Report) error {
	for _, s := range r.Servers {
		fix, err := audit.NewFix(r, s, rand.Reader)
		if err != nil {
			return err
		}
		if err := audit.WriteFix(w, fix); err != nil {
			return err
		}
	}
	return nil
}

// auditOutside refuses to write into what is judged.
func auditOutside(flag, output, root string, args []string) error {
	if output == "" || output == "-" {
		return nil
	}
	if root != "" {
		args = []string{root} // in which the others lie
	}
	for _, judged := range args {
		if source.Within(judged, output) {
			return usagef("%s %s lies in what is judged, which is never written to", flag, safe(output))
		}
	}
	return nil
}
