package cli

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/valkeyfs/valkeyfs/internal/export"
	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/internal/sweep"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/scan"
)

type scanFlags struct {
	format         string
	reveal         bool
	all            bool
	rules          []string
	noDefaultRules bool
	categories     []string
	minSeverity    string
	failOn         string
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

// firstLook is how long scan may look around before it begins: half of the two
// seconds within which it says what lies there.
const firstLook = time.Second

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
		RunE: func(cmd *cobra.Command, args []string) error { return runScan(cmd, a, f, args) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.format, "format", "text", "write `FORMAT`: text, jsonl, json, csv, parquet, sarif, junit, html")
	fl.BoolVar(&f.reveal, "reveal", false, "show secrets as they are")
	fl.BoolVar(&f.all, "all", false, "text, html, sarif, junit: list each finding instead of groups")
	fl.StringArrayVar(&f.rules, "rules", nil, "use the rules in `FILE` too (gitleaks' or betterleaks' TOML; repeatable)")
	fl.StringArrayVar(&f.sigma, "sigma", nil, "judge the commands of logs by the Sigma rules in `FILE`, or in the .yml files of a directory (repeatable)")
	fl.StringArrayVar(&f.yara, "yara", nil, "judge values, as they stand and as they come out of containers, by the YARA rules in `FILE` (repeatable; in builds with -tags yara)")
	fl.BoolVar(&f.noDefaultRules, "no-default-rules", false, "use no rules but those of --rules, --sigma and --yara")
	fl.StringSliceVar(&f.categories, "category", nil, "report these `CATEGORIES` only: credential, token, private-key, password, password-hash, session, pii, artefact")
	fl.StringVar(&f.minSeverity, "min-severity", "info", "report findings of at least this `SEVERITY`: info, low, medium, high, critical")
	fl.StringVar(&f.failOn, "fail-on", "low", "exit with 1 for findings of at least this `SEVERITY`, or \"never\"")
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

func runScan(cmd *cobra.Command, a *app, f *scanFlags, args []string) error {
	ctx := cmd.Context()
	o := sweep.Options{}
	config := scan.Config{Workers: a.global.workers, Reveal: f.reveal, NoDefaultRules: f.noDefaultRules, OpenRules: os.ReadFile}
	for _, name := range f.rules {
		data, err := os.ReadFile(name)
		if err != nil {
			return unreadable("--rules", name, err)
		}
		config.Rules = append(config.Rules, scan.RuleFile{Name: name, Text: data})
	}
	if f.noDefaultRules && len(f.rules)+len(f.sigma)+len(f.yara) == 0 {
		return usagef("--no-default-rules leaves no rules: give some by --rules, --sigma or --yara")
	}
	if err := f.judges(a, &config); err != nil {
		return err
	}
	if !slices.Contains(scanFormats, f.format) {
		return usagef("--format: one of %s, not %q", strings.Join(scanFormats, ", "), f.format)
	}
	if f.explain && !slices.Contains([]string{"text", "json", "jsonl"}, f.format) {
		return usagef("--explain: %s has no place for it; text, json and jsonl have", f.format)
	}
	if f.revealSealed == "" && len(f.recipients.recipients)+len(f.recipients.files) > 0 {
		return usagef("-r and -R say for whom --reveal-sealed is sealed: name its file")
	}
	if err := o.MinSeverity.UnmarshalText([]byte(f.minSeverity)); err != nil {
		return usagef("--min-severity: %v", err)
	}
	if f.failOn == "never" {
		o.FailOn = scan.Critical + 1
	} else if err := o.FailOn.UnmarshalText([]byte(f.failOn)); err != nil {
		return usagef("--fail-on: %v", err)
	}
	for _, name := range f.categories {
		var c scan.Category
		if err := c.UnmarshalText([]byte(name)); err != nil {
			return usagef("--category: %v", err)
		}
		o.Categories = append(o.Categories, c)
	}
	filter, err := f.keys.filter()
	if err != nil {
		return err
	}
	if !filter.All() {
		o.Match = filter.Match
	}

	in, err := a.inputs(cmd.Context(), args, source.Options{Resolve: true, Hash: true, Want: o.Match})
	if err != nil {
		return err
	}
	defer in.Close()
	key, err := readOrMakeIDKey(f.idKey, in)
	if err != nil {
		return err
	}
	if key.made {
		a.stderr.printf("ids of findings come from a new key in %s", safe(key.name))
	}
	config.IDKey = key.key
	if o.Known, err = f.known(key.id()); err != nil {
		return err
	}
	extra, err := f.extras(a, in, key.id())
	if err != nil {
		return err
	}
	defer extra.discard()
	o.Each = extra.each
	config.Plain = f.revealSealed != ""
	var w report.Writer
	if f.explain {
		config.Explain = func(e *scan.Exclusion) error {
			e.Source = a.names.Mask(e.Source)
			return w.(report.Explainer).Excluded(e)
		}
	}
	scanner, err := scan.New(config)
	if err != nil {
		return usageError{err}
	}
	if f.reveal {
		a.names, a.stderr.names = nil, nil
	}
	o.Names = a.names
	rules := scanner.Rules()
	next := map[string]string{}
	for _, r := range rules {
		next[r.ID] = r.Next
	}
	o.Next = func(rule string) string { return next[rule] }

	survey, err := in.Survey(ctx, firstLook)
	if err != nil {
		return err
	}
	for _, line := range sweep.Describe(survey, a.names) {
		a.stderr.printf("%s", line)
	}
	if survey.Touched > 0 {
		a.stderr.printf("the system refuses O_NOATIME: access times of %d files may change", survey.Touched)
	}

	out, err := a.output()
	if err != nil {
		return err
	}
	defer out.discard()
	switch f.format {
	case "jsonl":
		w = report.NewJSONL(out)
	case "json":
		w = report.NewJSON(out)
	case "csv":
		w = report.NewCSV(out)
	case "parquet":
		w = report.NewParquet(out)
	case "sarif":
		w = report.NewSARIF(out, report.SARIFOptions{Rules: rules, All: f.all, Reveal: f.reveal})
	case "junit":
		w = report.NewJUnit(out, report.JUnitOptions{FailOn: o.FailOn, All: f.all})
	case "html":
		w = report.NewHTML(out, report.HTMLOptions{Rules: rules, All: f.all, Reveal: f.reveal})
	default:
		w = report.NewText(out, report.TextOptions{Color: a.global.color(out.terminal), Width: columns(out.terminal), All: f.all, Reveal: f.reveal})
	}
	run := &report.Run{Tool: "valkeyfs", Version: version(), Verb: "scan", Inputs: masked(args, a.names), AsOf: a.global.asOf.text, IDKey: key.name, KeyID: key.id(), Rules: len(rules), Reveal: f.reveal}
	if err := w.Run(run); err != nil {
		return err
	}
	if err := extra.run(run, args); err != nil {
		return err
	}
	alarm := newAlarm(a.stderr, f.format == "text" && a.stderr.terminal && isTerminal(out.terminal))
	defer alarm.stop()
	o.Found = alarm.found
	if a.global.showProgress(a) {
		stop := a.stderr.watch(in.Read, survey.Work)
		defer stop()
	}
	result, err := sweep.Run(ctx, in, scanner, w, o)
	if err != nil {
		return err
	}
	if err := extra.commit(result.Summary); err != nil {
		return err
	}
	if err := out.commit(); err != nil {
		return err
	}
	return exit(status(result.Failing > 0, !result.Summary.Complete))
}

func masked(paths []string, names *sweep.Names) []string {
	out := make([]string, len(paths))
	for i, p := range paths {
		out[i] = names.Mask(p)
	}
	return out
}

// keyFlags select keys.
type keyFlags struct {
	dbs   dbList
	key   string
	types []string
}

func (k *keyFlags) flags(f *pflag.FlagSet) {
	f.Var(&k.dbs, "db", "only keys of the databases `N[,N]`")
	f.StringVar(&k.key, "key", "", "only keys that match `REGEX`")
	f.StringSliceVar(&k.types, "type", nil, "only keys of the `TYPES`: string, list, set, zset, hash, stream, module, vectorset")
}

// dbList is numbers of databases as a flag, repeatable.
type dbList []int32

func (l *dbList) String() string { return "" } // the default is not worth a word

func (l *dbList) Type() string { return "N" }

func (l *dbList) Set(text string) error {
	for word := range strings.SplitSeq(text, ",") {
		n, err := strconv.ParseInt(strings.TrimSpace(word), 10, 32)
		if err != nil || n < 0 {
			return errors.New("not the number of a database: say 0 or 0,3")
		}
		*l = append(*l, int32(n))
	}
	return nil
}

func (k *keyFlags) filter() (*export.Filter, error) {
	f := &export.Filter{DBs: k.dbs}
	if k.key != "" {
		re, err := regexp.Compile(k.key)
		if err != nil {
			return nil, usagef("--key: %v", err)
		}
		f.Key = re
	}
	for _, name := range k.types {
		t, ok := typeNamed(name)
		if !ok {
			return nil, usagef("--type: no such type: %q", name)
		}
		f.Types = append(f.Types, t)
	}
	return f, nil
}

func typeNamed(name string) (keyspace.Type, bool) {
	for t := keyspace.String; t.String() != "invalid"; t++ {
		if t.String() == name {
			return t, true
		}
	}
	return 0, false
}
