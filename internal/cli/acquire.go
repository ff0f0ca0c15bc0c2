package cli

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"time"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/internal/acquire"
	"github.com/valkeyfs/valkeyfs/internal/source"
)

type acquireFlags struct {
	caseID, examiner, note string
	allowAtime             bool
	signKey                string
	recipients             recipientFlags
}

func newAcquireCmd(a *app) *cobra.Command {
	f := &acquireFlags{}
	cmd := &cobra.Command{
		Use:   "acquire SRC -o DIR",
		Short: "Copy evidence, with hashes and a record of custody",
		Long: `Copy a file, a data directory or a block device to a new directory as
evidence. What a running server may delete first is copied first: files of a
rewrite under way, the append-only file, snapshots, then the rest. Every byte is
hashed as it is read; then the source is read and hashed once more, its size,
owner, mode and times are compared with before, and the copy is read back.

DIR gets the copies below files, custody.json, which says all of that, with the
times of each file and directory, the host, its clock and the command line, and SHA256SUMS,
which sha256sum -c checks. custody.json is written last: without it, a copy is
not finished. With -r the copies and custody.json are sealed; SHA256SUMS then
holds the sums of what is sealed, and the names of files stay readable.

Nothing is written to the source. Where its access times would change, because
its files belong to someone else, nothing is read unless --allow-atime is given.
`,
		Example: `  valkeyfs acquire /mnt/evidence/var/lib/valkey -o case7/db1 --case 7 --examiner "A. Turing"
  valkeyfs acquire /var/lib/valkey -o /media/usb/db1 -r age1… --sign-key examiner.key
  cd case7/db1 && sha256sum -c SHA256SUMS`,
		Args: oneInput,
		RunE: func(cmd *cobra.Command, args []string) error { return runAcquire(cmd, a, f, args[0]) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.caseID, "case", "", "the `CASE` that the copy belongs to")
	fl.StringVar(&f.examiner, "examiner", "", "the `NAME` of who makes it")
	fl.StringVar(&f.note, "note", "", "any `TEXT` for the record")
	fl.BoolVar(&f.allowAtime, "allow-atime", false, "read files whose access time changes by that")
	fl.StringVar(&f.signKey, "sign-key", "", "sign SHA256SUMS with the minisign key in `FILE`")
	f.recipients.flags(fl)
	return cmd
}

func runAcquire(cmd *cobra.Command, a *app, f *acquireFlags, path string) error {
	ctx := cmd.Context()
	dir := a.global.output
	switch {
	case path == source.Stdin:
		return usagef("a stream has no times, and cannot be read again: name a file, a directory or a device")
	case dir == "" || dir == source.Stdin:
		return usagef("name the directory for the copy by -o")
	}
	o := acquire.Options{Source: path, Case: f.caseID, Examiner: f.examiner, Note: f.note,
		Argv: os.Args, Tool: "valkeyfs " + version(), Tree: &acquire.Tree{}, Now: time.Now, Host: thisHost()}
	if len(f.recipients.recipients)+len(f.recipients.files) > 0 {
		harden()
		seal, texts, err := f.recipients.options(a)
		if err != nil {
			return err
		}
		o.Seal, o.SealedFor = &seal, texts
	}
	if f.signKey != "" {
		var err error
		if o.Sign, err = readSigningKey(a.ui(), f.signKey); err != nil {
			return err
		}
	}
	if !f.allowAtime {
		switch where, err := source.Touches(ctx, path); {
		case err != nil:
			return err
		case where != "":
			return fmt.Errorf("%s belongs to someone else, and reading it would change its access time: acquire as root or as its owner, mount the evidence read-only, or say --allow-atime", where)
		}
	}
	in, err := a.inputs(ctx, []string{path}, source.Options{Entered: o.Tree.Enter})
	if err != nil {
		return err
	}
	defer in.Close()
	o.Done = func(p *acquire.Copy) {
		if p.Error != "" {
			a.stderr.errorf("%s: %s", p.Path, p.Error)
		}
	}
	c, err := acquire.Run(ctx, in, dir, o)
	if c == nil {
		return err
	}
	for _, w := range c.Warnings {
		a.stderr.printf("note: %s", w)
	}
	verdict := "complete"
	if !c.Complete {
		verdict = "incomplete: see custody.json"
	}
	if _, err := fmt.Fprintf(a.stdout, "%s: %d files, %d bytes, %s\n", safe(dir), len(c.Files), c.Bytes, verdict); err != nil {
		return err
	}
	if err != nil && !errors.Is(err, ctx.Err()) {
		return err
	}
	return exit(status(false, !c.Complete))
}

// thisHost is what custody needs to know of the machine.
func thisHost() acquire.Host {
	h := acquire.Host{System: systemName(), Synchronised: clockSynchronised()}
	h.Name, _ = os.Hostname()
	if u, err := user.Current(); err == nil {
		h.User = u.Username
	}
	_, h.UTCOffset = time.Now().Zone()
	return h
}
