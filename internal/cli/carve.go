package cli

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/internal/carve"
	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/internal/sweep"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/scan"
)

type carveFlags struct {
	format string
	scan   bool
	failOn string
	idKey  string
	reveal bool
}

func newCarveCmd(a *app) *cobra.Command {
	f := &carveFlags{}
	cmd := &cobra.Command{
		Use:   "carve IMAGE",
		Short: "Find snapshots, logs and pieces of them in a disk image",
		Long: `Search the bytes of IMAGE — a raw disk image, a block device, a memory dump, a
swap file, captured packets, a core file, any file — for snapshots, for records
of a snapshot without its header, for runs of commands, for listpacks that stand
alone, and for gzip and zstd files that hold one of these. Holes and zeros are
passed over.

Each piece is listed with its offset, kind, length and confidence: intact (a
checksum vouches for it), unverified, or partial (it has no beginning or no end).
-o writes the pieces into a directory; a fragment gets a header, so that inspect,
export and salvage read it. --scan looks for secrets in what was found, as scan
does; findings say where in IMAGE they stand.

Of an E01 image the first segment is named, and the disk inside is searched. Other
images that are compressed or encrypted inside (Ex01, QCOW2, VMDK, LUKS) must be
opened first: see valkeyfs inspect IMAGE.
`,
		Annotations: finds("with --scan: findings at or above --fail-on"),
		Example: `  valkeyfs carve disk.raw
  valkeyfs carve /dev/sdb1 --format jsonl -o pieces/
  valkeyfs carve memory.dump --scan --format jsonl`,
		Args: oneInput,
		RunE: func(cmd *cobra.Command, args []string) error { return runCarve(cmd, a, f, args[0]) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.format, "format", "text", "write `text|jsonl`")
	fl.BoolVar(&f.scan, "scan", false, "find secrets in the pieces instead of listing them")
	fl.StringVar(&f.failOn, "fail-on", "low", "with --scan: exit with 1 for findings of at least this `SEVERITY`, or \"never\"")
	fl.StringVar(&f.idKey, "id-key", "", "with --scan: derive ids of findings from the key in `FILE` (default: one in the state directory)")
	fl.BoolVar(&f.reveal, "reveal", false, "with --scan: show secrets as they are")
	return cmd
}

// packedVolumes are volumes whose bytes are not those of the disk.
var packedVolumes = []string{"Ex01", "VMDK", "QCOW2", "VHDX", "VDI", "LUKS"}

func runCarve(cmd *cobra.Command, a *app, f *carveFlags, path string) error {
	ctx := cmd.Context()
	if f.format != "text" && f.format != "jsonl" {
		return usagef("--format: text or jsonl, not %q", f.format)
	}
	if path == source.Stdin {
		return usagef("carve goes back and forth in IMAGE: standard input cannot be one")
	}
	in, err := a.inputs(ctx, []string{path}, source.Options{})
	if err != nil {
		return err
	}
	defer in.Close()
	for u, err := range in.Units(ctx) {
		if err != nil {
			return err
		}
		if v := u.Files[0]; u.Kind() == source.Volume && slices.Contains(packedVolumes, v.Format) {
			return usagef("%s: the bytes of a %s image are not those of the disk. Open it first: %s", safe(path), v.Format, v.Next)
		}
		break
	}
	img, err := source.OpenImage(path)
	if err != nil {
		return err
	}
	defer img.Close()
	if img.Touched() {
		a.stderr.printf("the system refuses O_NOATIME: the access time of %s may change", safe(a.names.Mask(path)))
	}
	if err := img.Missing(); err != nil {
		a.stderr.printf("%s is not whole: %v", safe(a.names.Mask(path)), safe(a.names.Mask(err.Error())))
	}
	x := &carving{a: a, f: f, img: img, named: maskedImage{img, a.names.Mask(path)}}
	if dir := a.global.output; dir != "" {
		if x.dir = dir; in.Contains(filepath.Join(dir, "x")) {
			return usagef("--output %s lies in the evidence, which is never written to", dir)
		}
		if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	x.out = bufio.NewWriterSize(a.stdout, outputBuffer)
	run := x.list
	if f.scan {
		run = x.scan
	}
	err = run(cmd, in)
	if e := x.out.Flush(); err == nil || errors.As(err, new(exitCode)) && e != nil {
		err = errors.Join(err, e)
	}
	return err
}

// maskedImage is an image under the name that reports give it.
type maskedImage struct {
	*source.Image
	name string
}

func (n maskedImage) Name() string { return n.name }

// carving is one run of carve.
type carving struct {
	a     *app
	f     *carveFlags
	img   *source.Image
	named maskedImage
	dir   string // where pieces are written to; "": nowhere
	out   *bufio.Writer
	read  atomic.Int64 // bytes that were searched
}

// run searches the image and gives each piece, written where that is wanted, to found.
func (x *carving) run(cmd *cobra.Command, found func(*carve.Piece) error) (*carve.Summary, error) {
	if x.a.global.showProgress(x.a) {
		stop := x.a.stderr.watch(x.read.Load, x.img.Size())
		defer stop()
	}
	sum, err := carve.Run(cmd.Context(), x.named, carve.Options{
		Workers: x.a.global.workers,
		Read:    func(n int64) { x.read.Add(n) },
		Found: func(p *carve.Piece) error {
			if err := x.write(p); err != nil {
				return err
			}
			return found(p)
		},
	})
	if err != nil {
		return nil, err
	}
	sum.Unread = x.img.Unread()
	return sum, nil
}

// write writes a piece into the directory, unless the same bytes are there already.
func (x *carving) write(p *carve.Piece) error {
	if x.dir == "" || p.Same != nil {
		return nil
	}
	p.File = p.FileName()
	out, err := createOutput("--output", filepath.Join(x.dir, p.File))
	if err != nil {
		return err
	}
	defer out.discard()
	if err := p.Write(x.named, out); err != nil {
		return err
	}
	return out.commit()
}

func (x *carving) list(cmd *cobra.Command, _ *source.Inputs) error {
	w := carve.NewJSONL(x.out)
	if x.f.format == "text" {
		w = carve.NewText(x.out, columns(x.a.stdout))
	}
	sum, err := x.run(cmd, w.Piece)
	if err != nil {
		return err
	}
	if err := w.Summary(sum); err != nil {
		return err
	}
	return exit(status(false, sum.Unread > 0))
}

// scan looks for secrets in the pieces.
func (x *carving) scan(cmd *cobra.Command, in *source.Inputs) error {
	var o sweep.Options
	if x.f.failOn == "never" {
		o.FailOn = scan.Critical + 1
	} else if err := o.FailOn.UnmarshalText([]byte(x.f.failOn)); err != nil {
		return usagef("--fail-on: %v", err)
	}
	key, err := readOrMakeIDKey(x.f.idKey, in)
	if err != nil {
		return err
	}
	scanner, err := scan.New(scan.Config{Workers: x.a.global.workers, Reveal: x.f.reveal, IDKey: key.key})
	if err != nil {
		return err
	}
	next := map[string]string{}
	for _, r := range scanner.Rules() {
		next[r.ID] = r.Next
	}
	o.Next = func(rule string) string { return next[rule] }
	if o.Names = x.a.names; x.f.reveal {
		o.Names = nil
	}
	w := report.NewJSONL(x.out)
	if x.f.format == "text" {
		w = report.NewText(x.out, report.TextOptions{Color: x.a.global.color(x.a.stdout), Width: columns(x.a.stdout), Reveal: x.f.reveal})
	}
	run := &report.Run{Tool: "valkeyfs", Version: version(), Verb: "carve", Inputs: []string{x.named.name}, IDKey: key.name, KeyID: key.id(), Rules: len(next), Reveal: x.f.reveal}
	if err := w.Run(run); err != nil {
		return err
	}
	var sum *carve.Summary
	events := func(yield func(*keyspace.Event, error) bool) {
		sum, err = x.run(cmd, func(p *carve.Piece) error {
			if p.Same != nil {
				return nil
			}
			for e, err := range p.Events(cmd.Context(), x.named, keyspace.Limits{}) {
				if err != nil {
					return err
				}
				if !yield(e, nil) {
					return errStopped
				}
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStopped) {
			yield(nil, err)
		}
	}
	result, err := sweep.RunEvents(cmd.Context(), events, x.read.Load, scanner, w, o)
	if err != nil {
		return err
	}
	incomplete := !result.Summary.Complete || sum == nil || sum.Unread > 0
	return exit(status(result.Failing > 0, incomplete))
}

// errStopped says that nobody wants further pieces.
var errStopped = errors.New("stopped")
