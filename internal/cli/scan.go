package cli

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/internal/sweep"
	"github.com/valkeyfs/valkeyfs/scan"
)

type scanFlags struct {
	format         choice
	reveal         bool
	all            bool
	rules          []string
	noDefaultRules bool
	categories     []string
	minSeverity    scan.Severity
	failOn         threshold
	idKey          string
	explain        bool
	baselines      []string
	writeBaseline  string
	ignore         []string
	revealSealed   string
	recipients     recipientFlags
	sigma          []string
	yara           []string
	keys           keyFlags
}

// scanFormats are what --format takes.
var scanFormats = []string{"text", "jsonl", "json", "csv", "parquet", "sarif", "junit", "html"}

func newScanCmd(a *app) *cobra.Command {
	f := &scanFlags{}
	cmd := &cobra.Command{
		Use:   "scan INPUT…",
		Short: "Find secrets, sessions and personal data",
		Long: `Find credentials, tokens, private keys, passwords, sessions and personal data
in keys, values, functions, commands and in the text files beside them; also
what was deleted, overwritten or expired and is still in the file. What a
value contains is opened first: JSON, base64, compressed data and so on, in
any nesting.

Nothing that is found is shown whole unless --reveal is given. Each finding
says where it stands: file, byte, database, key, field, and the containers
around it.

text, html, sarif and junit put findings of one rule, severity, state and key
pattern together, the gravest first, and show three of each. json, jsonl, csv
and parquet list all, in the order of the input.
`,
		Annotations: finds("findings at or above --fail-on"),
		Example: `  valkeyfs scan /var/lib/valkey
  valkeyfs scan dump.rdb --format jsonl -o findings.jsonl
  valkeyfs scan dump.rdb --format html -o findings.html
  valkeyfs scan dump.rdb --write-baseline known.jsonl
  valkeyfs scan dump.rdb --baseline known.jsonl --format sarif -o new.sarif
  valkeyfs scan dump.rdb --reveal-sealed secrets.age -r age1…
  zstdcat backup.rdb.zst | valkeyfs scan - --min-severity high
  valkeyfs scan backup.rdb.age -i key.txt --fail-on critical
  valkeyfs scan /var/lib/valkey --sigma contrib/sigma`,
		Args: someInputs,
		RunE: func(cmd *cobra.Command, args []string) error { return runScan(cmd.Context(), a, f, args) },
	}
	fl := cmd.Flags()
	f.format.flag(fl, scanFormats...)
	fl.BoolVar(&f.reveal, "reveal", false, "show secrets as they are")
	fl.BoolVar(&f.all, "all", false, "text, html, sarif, junit: list each finding instead of groups")
	fl.StringArrayVar(&f.rules, "rules", nil, "use the rules in `FILE` too (gitleaks' or betterleaks' TOML; repeatable)")
	fl.StringArrayVar(&f.sigma, "sigma", nil, "judge the commands of logs by the Sigma rules in `FILE`, or in the .yml files of a directory (repeatable)")
	fl.StringArrayVar(&f.yara, "yara", nil, "judge values, as they stand and as they come out of containers, by the YARA rules in `FILE` (repeatable; in builds with -tags yara)")
	fl.BoolVar(&f.noDefaultRules, "no-default-rules", false, "use no rules but those of --rules, --sigma and --yara")
	fl.StringSliceVar(&f.categories, "category", nil, "report these `CATEGORIES` only: credential, token, private-key, password, password-hash, session, pii, artefact")
	fl.TextVar(&f.minSeverity, "min-severity", scan.Info, "report findings of at least this `SEVERITY`: info, low, medium, high, critical")
	f.failOn.flag(fl, "exit with 1 for findings of at least this `SEVERITY`, or \"never\"")
	fl.StringVar(&f.idKey, "id-key", "", "derive ids of findings from the key in `FILE`, made if it does not exist (default: one in the state directory)")
	fl.BoolVar(&f.explain, "explain", false, "text, json, jsonl: say why something was not reported, value by value")
	fl.StringArrayVar(&f.baselines, "baseline", nil, "report what is not in the baseline in `FILE`, or in an earlier report in jsonl (repeatable)")
	fl.StringVar(&f.writeBaseline, "write-baseline", "", "write a baseline of all findings to `FILE`")
	fl.StringArrayVar(&f.ignore, "ignore", nil, "leave out the findings listed in `FILE`: a fingerprint a line, or id: and an id (repeatable)")
	fl.StringVar(&f.revealSealed, "reveal-sealed", "", "write all findings with their secrets, as jsonl, to `FILE`, sealed for -r or -R")
	f.recipients.flags(fl)
	f.keys.flags(fl)
	return cmd
}

func runScan(ctx context.Context, a *app, f *scanFlags, args []string) error {
	if err := f.check(); err != nil {
		return err
	}
	config, err := f.config(a)
	if err != nil {
		return err
	}
	o, err := f.options()
	if err != nil {
		return err
	}
	in, err := a.inputs(ctx, args, source.Options{Resolve: true, Hash: true, Want: o.Match})
	if err != nil {
		return err
	}
	defer in.Close()
	s := &scanning{app: a, f: f, in: in, o: o}
	defer s.close()
	if err := s.prepare(config); err != nil {
		return err
	}
	work, err := s.look(ctx)
	if err != nil {
		return err
	}
	return a.result(func(out *output) (int, error) { return s.run(ctx, out, args, work) })
}

// check refuses flags that do not go together.
func (f *scanFlags) check() error {
	switch {
	case f.noDefaultRules && len(f.rules)+len(f.sigma)+len(f.yara) == 0:
		return usagef("--no-default-rules leaves no rules: give some by --rules, --sigma or --yara")
	case f.explain && f.format.word != "text" && f.format.word != "json" && f.format.word != "jsonl":
		return usagef("--explain: %s has no place for it; text, json and jsonl have", &f.format)
	case f.revealSealed == "" && f.recipients.named():
		return usagef("-r and -R say for whom --reveal-sealed is sealed: name its file")
	}
	return nil
}

// config is that of the scanner, but for what depends on the inputs.
func (f *scanFlags) config(a *app) (*scan.Config, error) {
	config := &scan.Config{Workers: a.global.workers, Reveal: f.reveal, Plain: f.revealSealed != "", NoDefaultRules: f.noDefaultRules, OpenRules: os.ReadFile}
	for _, name := range f.rules {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, unreadable("--rules", name, err)
		}
		config.Rules = append(config.Rules, scan.RuleFile{Name: name, Text: data})
	}
	return config, f.judges(a, config)
}

// options say what is reported.
func (f *scanFlags) options() (o sweep.Options, err error) {
	o.MinSeverity, o.FailOn = f.minSeverity, f.failOn.Severity
	for _, name := range f.categories {
		var c scan.Category
		if err := c.UnmarshalText([]byte(name)); err != nil {
			return o, usagef("--category: %v", err)
		}
		o.Categories = append(o.Categories, c)
	}
	o.Match, err = f.keys.match()
	return o, err
}
