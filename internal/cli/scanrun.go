package cli

import (
	"context"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/internal/sweep"
	"github.com/valkeyfs/valkeyfs/scan"
)

// firstLook is how long scan may look around before it begins: half of the two
// seconds within which it says what lies there.
const firstLook = time.Second

// scanning is one run of scan.
type scanning struct {
	*app
	f       *scanFlags
	in      *source.Inputs
	o       sweep.Options
	key     *idKey
	extra   *scanExtra
	scanner *scan.Scanner
	report  report.Writer
}

// prepare reads what the flags name and begins what is written beside the report.
func (s *scanning) prepare(config *scan.Config) (err error) {
	if s.key, err = readOrMakeIDKey(s.f.idKey, s.in); err != nil {
		return err
	}
	if s.key.made {
		s.stderr.printf("ids of findings come from a new key in %s", safe(s.key.name))
	}
	if s.o.Known, err = s.f.known(s.key.id()); err != nil {
		return err
	}
	if s.extra, err = s.f.extras(s.app, s.in, s.key.id()); err != nil {
		return err
	}
	config.IDKey = s.key.key
	if s.f.explain {
		config.Explain = s.excluded
	}
	if s.scanner, err = scan.New(*config); err != nil {
		return usageError{err}
	}
	s.reveal(s.f.reveal)
	s.o.Names, s.o.Next, s.o.Each = s.names, nextSteps(s.scanner), s.extra.each
	return nil
}

// excluded takes what --explain tells.
func (s *scanning) excluded(e *scan.Exclusion) error {
	e.Source = s.names.Mask(e.Source)
	return s.report.(report.Explainer).Excluded(e)
}

// look says what lies there, and returns how many bytes are to be read, if that is
// known.
func (s *scanning) look(ctx context.Context) (work int64, err error) {
	survey, err := s.in.Survey(ctx, firstLook)
	if err != nil {
		return 0, err
	}
	for _, line := range sweep.Describe(survey, s.names) {
		s.stderr.printf("%s", line)
	}
	if survey.Touched > 0 {
		s.stderr.printf("the system refuses O_NOATIME: access times of %s may change", plural(int64(survey.Touched), "file"))
	}
	return survey.Work, nil
}

// run scans, and writes the report.
func (s *scanning) run(ctx context.Context, out *output, args []string, work int64) (int, error) {
	s.report = s.writer(out)
	run := newRun("scan", masked(args, s.names), s.key, s.scanner, s.f.reveal)
	run.AsOf = s.global.asOf.text
	if err := s.report.Run(run); err != nil {
		return 0, err
	}
	if err := s.extra.run(run, args); err != nil {
		return 0, err
	}
	alarm := newAlarm(s.stderr, s.f.format.word == "text" && s.stderr.terminal && isTerminal(out.terminal))
	defer alarm.stop()
	s.o.Found = alarm.found
	defer s.watch(s.in.Read, work)()
	result, err := sweep.Run(ctx, s.in, s.scanner, s.report, s.o)
	if err != nil {
		return 0, err
	}
	if err := s.extra.commit(result.Summary); err != nil {
		return 0, err
	}
	if why := result.Summary.Stopped; why != "" && !isTerminal(out.terminal) { // where the report would say it
		s.stderr.errorf("%s: the report tells what was found until then", why)
	}
	return status(result.Failing > 0, !result.Summary.Complete), nil
}

// writer writes the report in the format that is wanted.
func (s *scanning) writer(out *output) report.Writer {
	switch all, reveal := s.f.all, s.f.reveal; s.f.format.word {
	case "jsonl":
		return report.NewJSONL(out)
	case "json":
		return report.NewJSON(out)
	case "csv":
		return report.NewCSV(out)
	case "parquet":
		return report.NewParquet(out)
	case "sarif":
		return report.NewSARIF(out, report.SARIFOptions{Rules: s.scanner.Rules(), All: all, Reveal: reveal})
	case "junit":
		return report.NewJUnit(out, report.JUnitOptions{FailOn: s.o.FailOn, All: all})
	case "html":
		return report.NewHTML(out, report.HTMLOptions{Rules: s.scanner.Rules(), All: all, Reveal: reveal})
	default:
		return report.NewText(out, report.TextOptions{Color: s.global.color(out.terminal), Width: columns(out.terminal), All: all, Reveal: reveal})
	}
}

// close removes what was begun and not completed.
func (s *scanning) close() {
	if s.extra != nil {
		s.extra.discard()
	}
}
