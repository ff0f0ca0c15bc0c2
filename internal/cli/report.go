package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"runtime"
	"slices"
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
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/scan"
)

type reportFlags struct {
	format           choice
	caseID, examiner string
	reveal           bool
	idKey            string
	signKey          string
	zone             zone
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

json says, as one object on standard output, where the page and its manifest lie,
the SHA-256 of the page, its sections and the counts of what was found.
`,
		Annotations: finds("findings"),
		Example: `  valkeyfs report /mnt/evidence/var/lib/valkey -o case7.html --case 7 --examiner "A. Turing"
  valkeyfs report dump.rdb -o dump.html --sign-key examiner.key`,
		Args: someInputs,
		RunE: func(cmd *cobra.Command, args []string) error { return runReport(cmd.Context(), a, f, args) },
	}
	fl := cmd.Flags()
	f.format.flag(fl, "text", "json")
	fl.StringVar(&f.caseID, "case", "", "the `CASE` that the page is of")
	fl.StringVar(&f.examiner, "examiner", "", "the `NAME` of who makes it")
	fl.BoolVar(&f.reveal, "reveal", false, "show secrets as they are")
	fl.StringVar(&f.idKey, "id-key", "", "derive ids of findings from the key in `FILE` (default: one in the state directory)")
	fl.StringVar(&f.signKey, "sign-key", "", "sign the manifest with the minisign key in `FILE`")
	f.zone.flag(fl)
	return cmd
}

func runReport(ctx context.Context, a *app, f *reportFlags, args []string) error {
	switch {
	case a.global.standardOutput():
		return usagef("a page has a manifest beside it: name a file by -o")
	case slices.Contains(args, source.Stdin):
		return usagef("the inputs are read several times: standard input is read once")
	}
	var sign *crypt.SigningKey
	if f.signKey != "" {
		var err error
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
	a.reveal(f.reveal)
	m, err := f.manifest(scanner)
	if err != nil {
		return err
	}
	c := &casefile.Case{Facts: caseFacts(m)}
	if err := f.read(ctx, a, in, args, c); err != nil {
		return err
	}
	var sections []report.Section
	var result *sweep.Result
	err = a.result(func(out *output) (int, error) {
		var page bytes.Buffer // hashed and signed as a whole; what it lists is bounded
		o := report.HTMLOptions{Rules: scanner.Rules(), Reveal: f.reveal, Sections: func() ([]report.Section, error) {
			var err error
			sections, err = c.Sections()
			return sections, err
		}}
		w := &manifestWriter{Writer: report.NewHTML(&page, o), m: m}
		run := newRun(strings.TrimSpace("case "+report.Escape(f.caseID)), masked(args, a.names), key, scanner, f.reveal)
		run.AsOf = a.global.asOf.text
		if err := w.Run(run); err != nil {
			return 0, err
		}
		result, err = sweep.Run(ctx, in, scanner, w, sweep.Options{FailOn: scan.Low, Names: a.names, Next: nextSteps(scanner)})
		if err != nil {
			return 0, err
		}
		m.Complete = result.Summary.Complete
		return exitOK, writePage(out, page.Bytes(), m, sign)
	})
	if err != nil {
		return err
	}
	return f.tell(a, status(result.Failing > 0, !m.Complete), m, sections, result.Summary)
}

// manifest begins what the manifest says.
func (f *reportFlags) manifest(s *scan.Scanner) (*casefile.Manifest, error) {
	digest, err := casefile.Digest(s.Rules())
	return &casefile.Manifest{Type: "case", Version: 1, Tool: "valkeyfs " + version(), Go: runtime.Version(), Argv: os.Args, Case: f.caseID, Examiner: f.examiner,
		Made: time.Now().UTC().Format(time.RFC3339), Rules: digest, Inputs: []casefile.Hashed{}}, err
}

// read has the other verbs tell of the inputs.
func (f *reportFlags) read(ctx context.Context, a *app, in *source.Inputs, args []string, c *casefile.Case) error {
	if err := c.Inspect(ctx, in, a.names); err != nil {
		return err
	}
	if err := c.ReadTimeline(ctx, in, a.timelineOptions(in, &f.zone)); err != nil {
		return err
	}
	if err := caseMemory(ctx, a, in, c); err != nil {
		return err
	}
	return caseAudit(ctx, a, c, args)
}

// writePage puts the page in place, and the manifest beside it.
func writePage(out *output, page []byte, m *casefile.Manifest, sign *crypt.SigningKey) error {
	if out.path == "" {
		return usagef("a page has a manifest beside it: -o is no regular file")
	}
	if _, err := out.Write(page); err != nil {
		return err
	}
	path := out.path
	if err := out.commit(); err != nil {
		return err
	}
	sum := sha256.Sum256(page)
	m.Outputs = []casefile.Hashed{{Path: path, Size: int64(len(page)), SHA256: hex.EncodeToString(sum[:])}}
	return writeManifest(m, manifestOf(path), sign)
}

// manifestOf is where the manifest of a page lies.
func manifestOf(page string) string { return page + ".manifest.json" }

// signatureOf is where the signature of a file lies.
func signatureOf(name string) string { return name + ".minisig" }

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
	all := memory.New(a.memoryOptions(memory.DefaultTop, 16))
	err := a.dataSets(ctx, in, func(u *source.Unit, seq keyspace.Seq) error {
		if !u.Readable() { // which inspect tells
			return nil
		}
		before := all.Total()
		if err := all.Add(ctx, seq); err != nil {
			return err
		}
		c.AddSet(a.names.Mask(u.Name()), before, all.Total())
		return nil
	})
	c.Memory = all.Report()
	return err
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
	if err := writeFile("--output", name, data); err != nil {
		return err
	}
	if key == nil {
		return nil
	}
	return writeFile("--sign-key", signatureOf(name), key.Sign(data, "valkeyfs case "+m.Case))
}
