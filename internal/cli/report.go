package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/crypt"
	"github.com/valkeyfs/valkeyfs/internal/audit"
	"github.com/valkeyfs/valkeyfs/internal/casefile"
	"github.com/valkeyfs/valkeyfs/internal/hostfs"
	"github.com/valkeyfs/valkeyfs/internal/memory"
	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/internal/sweep"
	"github.com/valkeyfs/valkeyfs/internal/timeline"
	"github.com/valkeyfs/valkeyfs/scan"
)

type reportFlags struct {
	caseID, examiner string
	reveal           bool
	idKey            string
	signKey          string
	zone             string
}

func newReportCmd(a *app) *cobra.Command {
	f := &reportFlags{}
	cmd := &cobra.Command{
		Use:   "report INPUT… -o FILE.html",
		Short: "Put all there is to tell of a case on one page",
		Long: `Write one page that holds what scan, inspect, timeline, memory and audit tell
of the inputs: a single file that loads nothing, and can be read offline, on a
phone, in print, without its script. Long lists are cut to what stands out, and
say so; the verbs have the rest.

Beside the page, FILE.html.manifest.json names the inputs and the page with
their hashes, the command line, the build and the rules that judged. With
--sign-key it is signed, and with it the page.
`,
		Annotations: finds("findings"),
		Example: `  valkeyfs report /mnt/evidence/var/lib/valkey -o case7.html --case 7 --examiner "A. Turing"
  valkeyfs report dump.rdb -o dump.html --sign-key examiner.key`,
		Args: someInputs,
		RunE: func(cmd *cobra.Command, args []string) error { return runReport(cmd.Context(), a, f, args) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.caseID, "case", "", "the `CASE` that the page is of")
	fl.StringVar(&f.examiner, "examiner", "", "the `NAME` of who makes it")
	fl.BoolVar(&f.reveal, "reveal", false, "show secrets as they are")
	fl.StringVar(&f.idKey, "id-key", "", "derive ids of findings from the key in `FILE` (default: one in the state directory)")
	fl.StringVar(&f.signKey, "sign-key", "", "sign the manifest with the minisign key in `FILE`")
	fl.StringVar(&f.zone, "log-zone", "UTC", "the `ZONE` of servers' logs that do not say it, such as Europe/Berlin")
	return cmd
}

func runReport(ctx context.Context, a *app, f *reportFlags, args []string) error {
	path := a.global.output
	if path == "" || path == source.Stdin {
		return usagef("a page has a manifest beside it: name a file by -o")
	}
	for _, arg := range args {
		if arg == source.Stdin {
			return usagef("the inputs are read several times: standard input is read once")
		}
	}
	zone, err := time.LoadLocation(f.zone)
	if err != nil {
		return usagef("--log-zone: no zone is known by the name %q", f.zone)
	}
	var sign *crypt.SigningKey
	if f.signKey != "" {
		if sign, err = readSigningKey(a.ui(), f.signKey); err != nil {
			return err
		}
	}
	in, err := a.inputs(ctx, args, source.Options{Resolve: true, Hash: true})
	if err != nil {
		return err
	}
	defer in.Close()
	key, err := readOrMakeIDKey(f.idKey, in)
	if err != nil {
		return err
	}
	scanner, err := scan.New(scan.Config{Workers: a.global.workers, Reveal: f.reveal, IDKey: key.key})
	if err != nil {
		return err
	}
	if f.reveal {
		a.names, a.stderr.names = nil, nil
	}
	rules := scanner.Rules()
	digest, err := casefile.Digest(rules)
	if err != nil {
		return err
	}
	m := &casefile.Manifest{Type: "case", Version: 1, Tool: "valkeyfs " + version(), Go: runtime.Version(), Argv: os.Args, Case: f.caseID, Examiner: f.examiner,
		Made: time.Now().UTC().Format(time.RFC3339), Rules: digest, Inputs: []casefile.Hashed{}}
	c := &casefile.Case{Facts: caseFacts(m)}
	if err := c.Inspect(ctx, in, a.names); err != nil {
		return err
	}
	if err := c.ReadTimeline(ctx, in, timeline.Options{MaxMem: int64(a.global.maxMem) / 4, Tmp: in.Tmp(), Zone: zone, Mask: a.names.Mask, Key: a.names.Key}); err != nil {
		return err
	}
	if err := caseMemory(ctx, a, in, c); err != nil {
		return err
	}
	if err := caseAudit(ctx, a, c, args); err != nil {
		return err
	}
	out, err := a.output()
	if err != nil {
		return err
	}
	defer out.discard()
	var page bytes.Buffer // hashed and signed as a whole; what it lists is bounded
	w := &manifestWriter{Writer: report.NewHTML(&page, report.HTMLOptions{Rules: rules, Reveal: f.reveal, Sections: c.Sections}), m: m}
	if err := w.Run(&report.Run{Tool: "valkeyfs", Version: version(), Verb: strings.TrimSpace("case " + report.Escape(f.caseID)), Inputs: masked(args, a.names), AsOf: a.global.asOf.text, IDKey: key.name,
		KeyID: key.id(), Rules: len(rules), Reveal: f.reveal}); err != nil {
		return err
	}
	next := map[string]string{}
	for _, r := range rules {
		next[r.ID] = r.Next
	}
	result, err := sweep.Run(ctx, in, scanner, w, sweep.Options{FailOn: scan.Low, Names: a.names, Next: func(rule string) string { return next[rule] }})
	if err != nil {
		return err
	}
	if _, err := out.Write(page.Bytes()); err != nil {
		return err
	}
	if err := out.commit(); err != nil {
		return err
	}
	m.Complete = result.Summary.Complete
	sum := sha256.Sum256(page.Bytes())
	m.Outputs = []casefile.Hashed{{Path: path, Size: int64(page.Len()), SHA256: hex.EncodeToString(sum[:])}}
	if err := writeManifest(m, path+".manifest.json", sign); err != nil {
		return err
	}
	return exit(status(result.Failing > 0, !m.Complete))
}

func caseFacts(m *casefile.Manifest) []casefile.Fact {
	return []casefile.Fact{{Name: "Case", Value: m.Case}, {Name: "Examiner", Value: m.Examiner}, {Name: "Made", Value: m.Made}, {Name: "Command", Value: strings.Join(m.Argv, " ")},
		{Name: "Build", Value: m.Tool + ", " + m.Go + ", " + runtime.GOOS + "/" + runtime.GOARCH}, {Name: "Rules, SHA-256", Value: m.Rules}}
}

// manifestWriter notes the hashes of the inputs on their way to the page.
type manifestWriter struct {
	report.Writer
	m *casefile.Manifest
}

func (w *manifestWriter) File(f *report.File) error {
	if f.SHA256 != "" {
		w.m.Inputs = append(w.m.Inputs, casefile.Hashed{Path: f.Path, Size: f.Size, SHA256: f.SHA256})
	}
	return w.Writer.File(f)
}

// caseMemory reads what a server would load of each data set.
func caseMemory(ctx context.Context, a *app, in *source.Inputs, c *casefile.Case) error {
	o := memory.Options{Top: memory.DefaultTop, Quantum: 16, AsOf: a.global.asOf.ms, Name: a.names.Key}
	all := memory.New(o)
	for u, err := range in.Units(ctx) {
		if err != nil {
			return err
		}
		if !u.Readable() || u.Kind().IsText() || u.Files[0].Role != source.NoRole {
			continue
		}
		seq, err := a.dataSet(ctx, in, u, oldestLogs)
		if err != nil {
			return err
		}
		before := all.Total()
		if err := all.Add(ctx, seq); err != nil {
			return err
		}
		c.AddSet(a.names.Mask(u.Name()), before, all.Total())
	}
	c.Memory = all.Report()
	return nil
}

// caseAudit judges each directory as the image of a host: nothing of this one is
// looked at.
func caseAudit(ctx context.Context, a *app, c *casefile.Case, args []string) error {
	for _, arg := range args {
		if info, err := os.Stat(arg); err != nil || !info.IsDir() {
			continue
		}
		fs, err := hostfs.Open(arg)
		if err != nil {
			return err
		}
		o := &audit.Options{SkipData: true}
		if a.global.asOf.text != "" {
			o.Now = time.UnixMilli(a.global.asOf.ms)
		}
		err = c.ReadAudit(ctx, fs, a.names.Mask(arg), o)
		fs.Close() //nolint:errcheck // it was only read
		if err != nil {
			return err
		}
	}
	return nil
}

func writeManifest(m *casefile.Manifest, name string, key *crypt.SigningKey) error {
	data, err := m.Encode()
	if err != nil {
		return err
	}
	if err := writePrivate(name, data); err != nil {
		return err
	}
	if key == nil {
		return nil
	}
	return writePrivate(name+".minisig", key.Sign(data, "valkeyfs case "+m.Case))
}
