package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/internal/acquire"
	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/internal/source"
)

type acquireFlags struct {
	format                 choice
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
which sha256sum -c checks. SHA256SUMS is written last, and its signature
behind it: without it, a copy is not finished. With -r the copies and custody.json are sealed; SHA256SUMS then
holds the sums of what is sealed, and the names of files stay readable.

Nothing is written to the source. Where its access times would change, because
its files belong to someone else, nothing is read unless --allow-atime is given.

json says, as one object, where the record of custody lies and its SHA-256, and
of each file its size, SHA-256 and place in DIR, and what went wrong.
`,
		Example: `  valkeyfs acquire /mnt/evidence/var/lib/valkey -o case7/db1 --case 7 --examiner "A. Turing"
  valkeyfs acquire /var/lib/valkey -o /media/usb/db1 -r age1… --sign-key examiner.key
  valkeyfs acquire /var/lib/valkey -o case7/db1 --format json | jq -r .custody_sha256
  cd case7/db1 && sha256sum -c SHA256SUMS`,
		Args: oneInput,
		RunE: func(cmd *cobra.Command, args []string) error { return runAcquire(cmd.Context(), a, f, args[0]) },
	}
	fl := cmd.Flags()
	f.format.flag(fl, "text", "json")
	fl.StringVar(&f.caseID, "case", "", "the `CASE` that the copy belongs to")
	fl.StringVar(&f.examiner, "examiner", "", "the `NAME` of who makes it")
	fl.StringVar(&f.note, "note", "", "any `TEXT` for the record")
	fl.BoolVar(&f.allowAtime, "allow-atime", false, "read files whose access time changes by that")
	fl.StringVar(&f.signKey, "sign-key", "", "sign SHA256SUMS with the minisign key in `FILE`")
	f.recipients.flags(fl)
	return cmd
}

func runAcquire(ctx context.Context, a *app, f *acquireFlags, path string) error {
	dir := a.global.output
	switch {
	case path == source.Stdin:
		return usagef("a stream has no times, and cannot be read again: name a file, a directory or a device")
	case dir == "" || dir == source.Stdin:
		return usagef("name the directory for the copy by -o")
	}
	o, err := f.options(a, path)
	if err != nil {
		return err
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
	c, err := acquire.Run(ctx, in, dir, *o)
	if c == nil || err != nil && !errors.Is(err, ctx.Err()) {
		return err
	}
	for _, w := range c.Warnings {
		a.stderr.printf("note: %s", w)
	}
	return a.standardOutput().finish(func(out *output) (int, error) {
		return status(false, !c.Complete), f.write(a, out, dir, c)
	})
}

// options are what the flags say.
func (f *acquireFlags) options(a *app, path string) (*acquire.Options, error) {
	o := &acquire.Options{Source: path, Case: f.caseID, Examiner: f.examiner, Note: f.note,
		Argv: os.Args, Tool: "valkeyfs " + version(), Tree: &acquire.Tree{}, Now: time.Now, Host: thisHost()}
	o.Done = func(p *acquire.Copy) {
		if p.Error != "" {
			a.stderr.errorf("%s: %s", p.Path, p.Error)
		}
	}
	if f.recipients.named() {
		harden()
		seal, texts, err := f.recipients.options(a)
		if err != nil {
			return nil, err
		}
		o.Seal, o.SealedFor = &seal, texts
	}
	if f.signKey != "" {
		var err error
		if o.Sign, err = readSigningKey(a.ui(), f.signKey); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// acquired is a copy as JSON, for who goes on with it.
type acquired struct {
	Type          string         `json:"type"` // "acquisition"
	Directory     string         `json:"directory"`
	Custody       string         `json:"custody"` // the record, sealed if the copy is
	CustodySHA256 string         `json:"custody_sha256"`
	Sums          string         `json:"sums"`
	Complete      bool           `json:"complete"`
	Bytes         int64          `json:"bytes"`
	Files         []acquiredFile `json:"files"`
	Warnings      []string       `json:"warnings"`
}

// acquiredFile is one file of a copy.
type acquiredFile struct {
	Path         string `json:"path"` // in the source
	Size         int64  `json:"size"`
	SHA256       string `json:"sha256,omitempty"`
	Stored       string `json:"stored,omitempty"` // relative to the directory
	StoredSHA256 string `json:"stored_sha256,omitempty"`
	Skipped      string `json:"skipped,omitempty"`
	Error        string `json:"error,omitempty"`
	Unread       int64  `json:"unread,omitempty"`
	Changed      bool   `json:"changed,omitempty"` // while it was copied
}

func (f *acquireFlags) write(a *app, out io.Writer, dir string, c *acquire.Custody) error {
	if f.format.word == "text" {
		verdict := "complete"
		if !c.Complete {
			verdict = "incomplete: see custody.json"
		}
		_, err := fmt.Fprintf(out, "%s: %s, %s, %s\n", safe(dir), plural(int64(len(c.Files)), "file"), plural(c.Bytes, "byte"), verdict)
		return err
	}
	r := &acquired{Type: "acquisition", Directory: a.names.Mask(dir), Custody: a.names.Mask(filepath.Join(dir, c.Stored)), CustodySHA256: c.StoredSum, Sums: a.names.Mask(filepath.Join(dir, acquire.SumsName)),
		Complete: c.Complete, Bytes: c.Bytes, Files: []acquiredFile{}, Warnings: masked(c.Warnings, a.names)}
	for _, p := range c.Files {
		r.Files = append(r.Files, acquiredFile{Path: a.names.Mask(p.Name()), Size: p.Size, SHA256: p.SHA256, Stored: a.names.Mask(p.StoredName()), StoredSHA256: p.StoredSum,
			Skipped: p.Skipped, Error: a.names.Mask(p.Error), Unread: p.Unread, Changed: len(p.Changes) > 0})
	}
	return report.NewLines(out).Line(r)
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
