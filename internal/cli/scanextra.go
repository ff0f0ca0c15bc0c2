package cli

import (
	"io"
	"os"

	"github.com/valkeyfs/valkeyfs/crypt"
	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/internal/sweep"
	"github.com/valkeyfs/valkeyfs/scan"
)

// known reads the baselines and the lists of what is to be ignored.
func (f *scanFlags) known(keyID string) (*sweep.Known, error) {
	known := &sweep.Known{}
	read := func(flag, path string, parse func(io.Reader) error) error {
		file, err := os.Open(path)
		if err != nil {
			return unreadable(flag, path, err)
		}
		defer file.Close()
		if err := parse(file); err != nil {
			return usagef("%s %s: %v", flag, path, err)
		}
		return nil
	}
	for _, path := range f.baselines {
		if err := read("--baseline", path, func(r io.Reader) error { return known.Baseline(r, keyID) }); err != nil {
			return nil, err
		}
	}
	for _, path := range f.ignore {
		if err := read("--ignore", path, known.Ignore); err != nil {
			return nil, err
		}
	}
	return known, nil
}

// scanExtra is what a scan writes beside its report: a baseline, and the sealed
// list of secrets. The zero value writes nothing.
type scanExtra struct {
	baselineFile *output
	baseline     *sweep.BaselineWriter
	sealedFile   *output
	sealer       io.WriteCloser
	sealed       report.Writer
}

// extras begins the files that the flags name.
func (f *scanFlags) extras(a *app, in *source.Inputs, keyID string) (*scanExtra, error) {
	x := &scanExtra{}
	create := func(flag, path string) (*output, error) {
		if in.Contains(path) {
			return nil, usagef("%s %s lies in the evidence, which is never written to", flag, path)
		}
		return createOutput(flag, path)
	}
	var err error
	if f.writeBaseline != "" {
		if x.baselineFile, err = create("--write-baseline", f.writeBaseline); err == nil {
			x.baseline, err = sweep.NewBaselineWriter(x.baselineFile, keyID)
		}
	}
	if err == nil && f.revealSealed != "" {
		err = x.seal(a, f, create)
	}
	if err != nil {
		x.discard()
		return nil, err
	}
	return x, nil
}

func (x *scanExtra) seal(a *app, f *scanFlags, create func(flag, path string) (*output, error)) error {
	o, _, err := f.recipients.options(a)
	if err != nil {
		return err
	}
	o.Workers = 1 // the list is short
	if x.sealedFile, err = create("--reveal-sealed", f.revealSealed); err != nil {
		return err
	}
	if x.sealer, err = crypt.Seal(x.sealedFile, o); err != nil {
		return err
	}
	x.sealed = report.NewJSONL(x.sealer)
	return nil
}

// run begins the sealed list, which names the inputs as they were given.
func (x *scanExtra) run(r *report.Run, inputs []string) error {
	if x.sealed == nil {
		return nil
	}
	plain := *r
	plain.Inputs, plain.Reveal = inputs, true
	return x.sealed.Run(&plain)
}

// each takes a finding. The sealed list has known ones, too.
func (x *scanExtra) each(f *scan.Finding, why report.Suppression) error {
	if x.baseline != nil && why != report.Ignored {
		if err := x.baseline.Add(f); err != nil {
			return err
		}
	}
	if x.sealed != nil {
		return x.sealed.Finding(f.Plain())
	}
	return nil
}

// commit completes the files.
func (x *scanExtra) commit(s *report.Summary) error {
	if x.baselineFile != nil {
		if err := x.baselineFile.commit(); err != nil {
			return err
		}
	}
	if x.sealed == nil {
		return nil
	}
	if err := x.sealed.Summary(s); err != nil {
		return err
	}
	if err := x.sealer.Close(); err != nil {
		return err
	}
	return x.sealedFile.commit()
}

// discard removes what was not committed.
func (x *scanExtra) discard() {
	if x.baselineFile != nil {
		x.baselineFile.discard()
	}
	if x.sealedFile != nil {
		x.sealedFile.discard()
	}
}
