package cli

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/internal/source"
)

type carveFlags struct {
	format choice
	scan   bool
	failOn threshold
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
of a snapshot without its header, for runs of commands, for listpacks and strings
that stand alone in memory, and for gzip and zstd files that hold one of these.
Holes and zeros are passed over.

Each piece is listed with its offset, kind, length and confidence: intact (a
checksum vouches for it), unverified, or partial (it has no beginning or no end).
-o writes the pieces into a directory; a fragment gets a header, so that inspect,
export and salvage read it. --scan looks for secrets in what was found, as scan
does; findings say where in IMAGE they stand.

Of captured packets (pcap, pcapng) the TCP streams are searched, put together; each
piece names its stream, and offsets count the bytes of the streams, one behind another.
Of an E01 image the first segment is named, and the disk inside is searched. Other
images that are compressed or encrypted inside (Ex01, QCOW2, VMDK, LUKS) must be
opened first: see valkeyfs inspect IMAGE.
`,
		Annotations: finds("with --scan: findings at or above --fail-on"),
		Example: `  valkeyfs carve disk.raw
  valkeyfs carve /dev/sdb1 --format jsonl -o pieces/
  valkeyfs carve memory.dump --scan --format jsonl`,
		Args: oneInput,
		RunE: func(cmd *cobra.Command, args []string) error { return runCarve(cmd.Context(), a, f, args[0]) },
	}
	fl := cmd.Flags()
	f.format.flag(fl, "text", "jsonl")
	fl.BoolVar(&f.scan, "scan", false, "find secrets in the pieces instead of listing them")
	f.failOn.flag(fl, "with --scan: exit with 1 for findings of at least this `SEVERITY`, or \"never\"")
	fl.StringVar(&f.idKey, "id-key", "", "with --scan: derive ids of findings from the key in `FILE` (default: one in the state directory)")
	fl.BoolVar(&f.reveal, "reveal", false, "with --scan: show secrets as they are")
	return cmd
}

// packedVolumes are volumes whose bytes are not those of the disk.
var packedVolumes = []string{"Ex01", "VMDK", "QCOW2", "VHDX", "VDI", "LUKS"}

func runCarve(ctx context.Context, a *app, f *carveFlags, path string) error {
	if path == source.Stdin {
		return usagef("carve goes back and forth in IMAGE: standard input cannot be one")
	}
	in, err := a.inputs(ctx, []string{path}, source.Options{})
	if err != nil {
		return err
	}
	defer in.Close()
	if err := refusePacked(ctx, in, path); err != nil {
		return err
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
	if img.Opaque() {
		a.stderr.printf("no TCP stream is understood in the packets of %s: its bytes are searched as they lie", safe(a.names.Mask(path)))
	}
	lost, opaque := img.Uncaptured()
	if lost > 0 {
		a.stderr.printf("%d bytes of the TCP streams in %s were not captured", lost, safe(a.names.Mask(path)))
	}
	if opaque > 0 {
		a.stderr.printf("%d bytes of %s hold no packets that are understood, and were not searched", opaque, safe(a.names.Mask(path)))
	}
	x := &carving{app: a, f: f, in: in, img: img, named: maskedImage{img, a.names.Mask(path)}}
	if err := x.directory(); err != nil {
		return err
	}
	return a.standardOutput().finish(func(out *output) (int, error) {
		defer out.Flush() //nolint:errcheck // what was found before an error; without one, its error is told
		find := x.list
		if f.scan {
			find = x.scan
		}
		code, err := find(ctx, out)
		return x.interrupted(ctx, code, err)
	})
}

// refusePacked refuses a volume whose bytes are not those of the disk.
func refusePacked(ctx context.Context, in *source.Inputs, path string) error {
	for u, err := range in.Units(ctx) {
		if err != nil {
			return err
		}
		if v := u.Files[0]; u.Kind() == source.Volume && slices.Contains(packedVolumes, v.Format) {
			return usagef("%s: the bytes of a %s image are not those of the disk. Open it first: %s", safe(path), v.Format, v.Next)
		}
		break
	}
	return nil
}

// maskedImage is an image under the name that reports give it.
type maskedImage struct {
	*source.Image
	name string
}

func (n maskedImage) Name() string { return n.name }
