package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"filippo.io/age"
	"github.com/spf13/pflag"

	"github.com/valkeyfs/valkeyfs/crypt"
	"github.com/valkeyfs/valkeyfs/internal/source"
)

// recipientFlags say to whom something is sealed.
type recipientFlags struct {
	recipients []string
	files      []string
	passphrase bool
	armor      bool
	level      int
}

func (r *recipientFlags) flags(f *pflag.FlagSet) {
	f.StringArrayVarP(&r.recipients, "recipient", "r", nil, "seal for `RECIPIENT`: age1…, age1pq1…, an SSH public key (repeatable)")
	f.StringArrayVarP(&r.files, "recipients-file", "R", nil, "seal for the recipients in `FILE`, one a line (repeatable)")
	f.IntVar(&r.level, "level", crypt.DefaultLevel, "compress at `LEVEL` 1 to 19, as zstd counts them")
}

// passphraseFlags are for what a person may open.
func (r *recipientFlags) passphraseFlags(f *pflag.FlagSet) {
	f.BoolVar(&r.passphrase, "passphrase", false, "seal with a passphrase instead, asked for on the terminal")
	f.BoolVar(&r.armor, "armor", false, "write text instead of bytes")
}

// named reports whether somebody is named.
func (r *recipientFlags) named() bool { return len(r.recipients)+len(r.files) > 0 }

// options parses the recipients. What they are is in texts, for comparing.
func (r *recipientFlags) options(a *app) (o crypt.SealOptions, texts []string, err error) {
	o = crypt.SealOptions{Armor: r.armor, Level: r.level, Workers: a.global.workers}
	if r.level < 1 || r.level > crypt.MaxLevel {
		return o, nil, usagef("--level: 1 to %d", crypt.MaxLevel)
	}
	if r.passphrase {
		if r.named() {
			return o, nil, usagef("--passphrase stands alone: age allows no recipients beside it")
		}
		pass, err := a.askNewPassphrase()
		if err != nil {
			return o, nil, err
		}
		defer clear(pass)
		to, err := crypt.PassphraseRecipient(pass)
		o.Recipients = []age.Recipient{to}
		return o, nil, err
	}
	for _, text := range r.recipients {
		to, err := crypt.ParseRecipient(text, a.ui())
		if err != nil {
			return o, nil, usagef("--recipient: %v", err)
		}
		o.Recipients = append(o.Recipients, to)
	}
	for _, name := range r.files {
		f, err := os.Open(name)
		if err != nil {
			return o, nil, unreadable("--recipients-file", name, err)
		}
		all, err := crypt.ParseRecipients(f, a.ui())
		f.Close() //nolint:errcheck // it was only read
		if err != nil {
			return o, nil, usagef("--recipients-file %s: %v", safe(name), err)
		}
		o.Recipients = append(o.Recipients, all...)
	}
	if len(o.Recipients) == 0 {
		return o, nil, usagef("nobody could open it: name a recipient by -r or -R")
	}
	for _, to := range o.Recipients {
		texts = append(texts, fmt.Sprint(to))
	}
	return o, texts, nil
}

// open opens the one input of a verb that copies it.
func (a *app) open(path string) (io.ReadCloser, error) {
	if path == source.Stdin {
		return io.NopCloser(a.stdin), nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = usagef("%s is a directory: a single file is needed", safe(path))
	}
	if out, e := os.Stat(a.global.output); err == nil && e == nil && os.SameFile(info, out) {
		err = usagef("--output %s is the input", safe(path))
	}
	if err != nil {
		f.Close() //nolint:errcheck // it was only read
		return nil, err
	}
	return f, nil
}

// identities reads the files of --identity; one that opens what a passphrase
// seals stands last.
func (a *app) identities(what string) ([]age.Identity, error) {
	var ids []age.Identity
	for _, name := range a.global.identities {
		more, err := readIdentities(a.ui(), name)
		if err != nil {
			return nil, err
		}
		ids = append(ids, more...)
	}
	return append(ids, a.ui().PassphraseIdentity(what)), nil
}

// unopened says why what is sealed could not be read, if err tells that: what is
// damaged, cut off or sealed for others is incomplete evidence. Otherwise it is nil.
func unopened(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("sealed data ends too early")
	case errors.Is(err, crypt.ErrSealBroken), errors.Is(err, crypt.ErrNoIdentity), errors.Is(err, crypt.ErrPassphrase):
		return err
	}
	return nil
}

// copyOut is io.Copy that ends with ctx.
func copyOut(ctx context.Context, dst io.Writer, src io.Reader) error {
	buf := make([]byte, 1<<20)
	for {
		n, err := src.Read(buf)
		if n > 0 {
			if _, err := dst.Write(buf[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}
