package cli

import (
	"bytes"
	"os"

	"github.com/spf13/pflag"

	"github.com/valkeyfs/valkeyfs/internal/audit"
)

// baselineFlags say with what an audit compares.
type baselineFlags struct {
	file   string
	write  string
	verify verifyFlags
}

func (b *baselineFlags) flags(f *pflag.FlagSet) {
	f.StringVar(&b.file, "baseline", "", "compare with what was recorded in `FILE`, whose signature --sign-pub checks")
	f.StringVar(&b.write, "write-baseline", "", "record in `FILE` what is there now")
	b.verify.flags(f)
}

// read reads the baseline and, if a key is given, wants its signature beside it;
// without one the audit says what a baseline is worth that anyone may have written.
func (b *baselineFlags) read(o *audit.Options) error {
	keys, err := b.verify.parse()
	if err != nil || b.file == "" {
		return err
	}
	text, err := os.ReadFile(b.file)
	if err != nil {
		return unreadable("--baseline", b.file, err)
	}
	if len(keys) > 0 {
		signature, err := os.ReadFile(b.file + ".minisig")
		if err != nil {
			return err
		}
		for _, k := range keys {
			if err = k.Verify(text, signature); err == nil {
				break
			}
		}
		if err != nil {
			return usagef("--baseline %s: %v", safe(b.file), err)
		}
	}
	o.Baseline, err = audit.ParseBaseline(text)
	if err != nil {
		return usagef("--baseline %s: %v", safe(b.file), err)
	}
	o.Baseline.Signed = len(keys) > 0
	return nil
}

// record writes a new baseline, if one is wanted, and signs it if there is a key.
func (b *baselineFlags) record(a *app, r *audit.Report, signKey string) error {
	if b.write == "" {
		return nil
	}
	var text bytes.Buffer
	if err := audit.NewBaseline(r).Write(&text); err != nil {
		return err
	}
	if err := writeFile("--write-baseline", b.write, text.Bytes()); err != nil {
		return err
	}
	if signKey == "" {
		return nil
	}
	return signFile(a, signKey, b.write, text.Bytes())
}

// signFile puts the signature of a file's content beside it.
func signFile(a *app, signKey, name string, content []byte) error {
	key, err := readSigningKey(a.ui(), signKey)
	if err != nil {
		return err
	}
	return writeFile("--sign-key", name+".minisig", key.Sign(content, "valkeyfs audit"))
}
