// Package sweep scans inputs: it takes their units one after another, has each
// scanned, and writes what was found, what each file is and what could not be
// read into a report.
package sweep

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/scan"
)

// Options say what of the inputs is scanned and what of the findings counts.
type Options struct {
	// Match is asked about each key; what belongs to no key is then left out.
	// Nil scans all.
	Match func(*keyspace.Event) bool
	// MinSeverity and Categories select findings. No categories: all.
	MinSeverity scan.Severity
	Categories  []scan.Category
	// FailOn is the least severity that Result.Failing counts.
	FailOn scan.Severity
	// Known are the findings that need not be reported again; nil: none. They are
	// counted apart, and a Writer that is a [report.Suppressor] is given them.
	Known *Known
	// Each is called for each finding that was selected, known ones and why they
	// are included, before names of files are masked in it; nil: nobody.
	Each func(*scan.Finding, report.Suppression) error
	// Found is called for each finding that is reported, before it is.
	Found func(*scan.Finding)
	// Names masks the names of files; nil masks nothing.
	Names *Names
	// Next says how to revoke what a rule finds; nil or "": nobody knows.
	Next func(rule string) string
}

// Result is how a sweep ended.
type Result struct {
	Summary *report.Summary
	Failing uint64 // findings of at least FailOn
}

// maxDamage is how many damaged ranges of a unit are reported one by one.
const maxDamage = 1000

type sweep struct {
	o       Options
	scanner *scan.Scanner
	w       report.Writer
	sum     *report.Summary
	tally   report.Tally
	failing uint64
	met     met // findings of the unit at hand

	dirs     map[string]bool // whose names were looked at
	unopened int64           // bytes of files that could not be opened
}

// Run scans all units of in and writes to w, Run excepted, which the caller has
// written. If ctx ends early, the summary says so, and there is no error; an
// error is one of writing, or of the work itself, and then there is no summary.
func Run(ctx context.Context, in *source.Inputs, scanner *scan.Scanner, w report.Writer, o Options) (*Result, error) {
	s := &sweep{o: o, scanner: scanner, w: w, sum: &report.Summary{Complete: true}}
	err := s.units(ctx, in)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		s.sum.Complete = false
		s.sum.Stopped = "the scan was interrupted"
		err = nil
	}
	if err != nil {
		return nil, err
	}
	if s.sum.Damages+s.sum.Limits > 0 {
		s.sum.Complete = false
	}
	s.sum.Coverage = coverage(s.sum, s.unopened)
	s.sum.Take(&s.tally)
	if o.Next != nil {
		for _, g := range s.sum.Groups {
			g.Next = o.Next(g.Rule)
		}
	}
	return &Result{Summary: s.sum, Failing: s.failing}, w.Summary(s.sum)
}

// coverage is the part of all bytes that was understood. Of what was there, the
// files that could not be opened count, too.
func coverage(sum *report.Summary, unopened int64) float64 {
	all := sum.BytesRead + unopened
	switch {
	case all > 0:
		return max(0, float64(sum.BytesRead-sum.NotUnderstood)/float64(all))
	case sum.Damages > 0:
		return 0
	}
	return 1
}

func (s *sweep) units(ctx context.Context, in *source.Inputs) error {
	for u, err := range in.Units(ctx) {
		if err != nil {
			return err
		}
		if err := s.unit(ctx, u); err != nil {
			return err
		}
	}
	return nil
}

func (s *sweep) unit(ctx context.Context, u *source.Unit) error {
	events := &meter{match: s.o.Match}
	var stopped []*report.Damage
	scanned := func(stats scan.Stats, err error) error {
		s.sum.Add(&stats)
		stopped = append(stopped, limits(&stats)...)
		if err != nil && ctx.Err() == nil { // otherwise the summary tells
			return err
		}
		return nil
	}
	s.met = met{}
	seq := mentions(events.seq(u.Events(ctx)))
	if u.Readable() {
		if err := scanned(s.scanner.Scan(ctx, seq, func(f *scan.Finding) error {
			s.met.note(f)
			return s.found(f)
		})); err != nil {
			return err
		}
		if len(events.ranges) > 0 {
			if err := scanned(s.remains(ctx, u, events.ranges)); err != nil {
				return err
			}
		}
	} else {
		for _, err := range seq { // nothing but what is damaged or missing
			if err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
	if ctx.Err() != nil {
		events.read += events.reached
		s.unopened += unread(u, events.read)
	}
	s.sum.BytesRead += events.read
	s.sum.NotUnderstood += events.lost
	for _, d := range append(events.damage, stopped...) {
		s.o.Names.Damage(d)
		if err := s.w.Damage(d); err != nil {
			return err
		}
	}
	s.sum.Damages += events.damages
	s.sum.Torn += events.torn
	if err := u.Close(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	for _, f := range u.Files {
		if err := s.filename(ctx, f); err != nil {
			return err
		}
		if err := s.file(f); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// unread is how many bytes of a unit were not read when so many were: at least
// one, if that is not known.
func unread(u *source.Unit, read int64) int64 {
	all := int64(0)
	for _, f := range u.Files {
		if len(f.Layers) == 0 {
			all += max(f.Size, 0)
		}
	}
	return max(all-read, 1)
}

func (s *sweep) found(f *scan.Finding) error {
	if f.KeyType == "text" {
		f.Where = scan.WhereValue // a line, or what reads as text among damage
	}
	if f.Severity < s.o.MinSeverity || len(s.o.Categories) > 0 && !slices.Contains(s.o.Categories, f.Category) {
		return nil
	}
	why := s.o.Known.Why(f)
	if s.o.Each != nil {
		if err := s.o.Each(f, why); err != nil {
			return err
		}
	}
	f.Source = s.o.Names.Mask(f.Source)
	if why != "" {
		if s.sum.Suppressed == nil {
			s.sum.Suppressed = map[report.Suppression]uint64{}
		}
		s.sum.Suppressed[why]++
		if w, ok := s.w.(report.Suppressor); ok {
			return w.Suppressed(f, why)
		}
		return nil
	}
	if s.o.Found != nil {
		s.o.Found(f)
	}
	if f.Severity >= s.o.FailOn {
		s.failing++
	}
	s.tally.Add(f)
	return s.w.Finding(f)
}

func (s *sweep) file(f *source.File) error {
	s.sum.Files++
	path := s.o.Names.Mask(f.Input)
	i := slices.IndexFunc(s.sum.Inputs, func(in report.Input) bool { return in.Path == path })
	if i < 0 {
		i = len(s.sum.Inputs)
		s.sum.Inputs = append(s.sum.Inputs, report.Input{Path: path})
	}
	if f.Err != nil {
		s.unopened += max(f.Size, 1) // also where the size is not known, so that the whole is not covered
	}
	in := &s.sum.Inputs[i]
	in.Files++
	in.Bytes += max(f.Size, 0)
	if f.Path == f.Input {
		in.SHA256 = f.SHA256
	}
	r := Record(f, s.o.Names)
	s.sum.Unresolved.Add(r.Unresolved)
	return s.w.File(r)
}

// Record is what a report says of a file. names masks names; nil masks nothing.
func Record(f *source.File, names *Names) *report.File {
	path := names.Mask(f.Path)
	r := &report.File{
		Path: path, PathB64: report.Base64(path), Kind: string(f.Kind), Role: string(f.Role), Format: f.Format, Layers: f.Layers, Size: f.Size,
		Links: f.Links, MTime: f.Modified.UTC(), ATime: f.Accessed.UTC(), CTime: f.Changed.UTC(), BTime: f.Born.UTC(), Touched: f.Touched,
		Server: f.Server, Version: f.Version, Saved: f.Saved, AsOf: f.AsOf, Basis: f.Basis, Target: names.Mask(f.Target), Same: names.Mask(f.Same), Skipped: f.Skipped, Next: f.Next,
		SHA256: f.SHA256, Unread: f.Unread,
	}
	if !f.Streamed() && (f.Mode != 0 || f.Links > 0) {
		r.Mode = f.Mode.String()
		r.UID, r.GID = &f.UID, &f.GID
	}
	if u := report.Unresolved(f.Unresolved); u != (report.Unresolved{}) {
		r.Unresolved = &u
	}
	if f.Err != nil {
		r.Error = names.Mask(f.Err.Error())
	}
	return r
}

// meter notes on the way what a scan does not look at. It is used by the
// goroutine that ranges over the events, and read when that has ended.
type meter struct {
	match   func(*keyspace.Event) bool
	read    int64  // bytes of files that came to their end
	reached int64  // of the file that did not
	ended   string // the file that came to its end last
	length  int64  // its bytes
	lost    int64  // bytes that were not understood
	damages uint64
	torn    uint64
	damage  []*report.Damage
	ranges  []source.Range // to be scanned as they are
}

func (m *meter) seq(events keyspace.Seq) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		skip := m.match != nil // up to the first key, and where a key does not match
		for e, err := range events {
			if err == nil {
				m.reached = e.Record - m.counted(e.Pos.Source)
				switch e.Kind {
				case keyspace.End:
					m.end(e)
					if e.Count > 0 {
						m.trailing(e)
					}
				case keyspace.Damage, keyspace.Torn:
					m.note(e)
				case keyspace.Key:
					skip = m.match != nil && (e.Key == nil || !m.match(e))
					if skip {
						continue
					}
				case keyspace.Rename, keyspace.Delete, keyspace.Expire:
					if m.match != nil && !m.either(e) {
						continue
					}
				case keyspace.Header, keyspace.Aux, keyspace.DB, keyspace.Slot, keyspace.Function, keyspace.Flush, keyspace.SwapDB, keyspace.Command:
					if m.match != nil { // belongs to no key
						continue
					}
				default: // part of the key before it
					if skip {
						continue
					}
				}
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// end counts a file that came to its end, where a log has two: that of the snapshot
// at its head, and its own, which counts the snapshot, too.
func (m *meter) end(e *keyspace.Event) {
	n := e.Length + e.Count
	m.read += n - m.counted(e.Pos.Source)
	m.reached, m.ended, m.length = 0, e.Pos.Source, n
}

// counted is how many bytes of a file are in read already.
func (m *meter) counted(file string) int64 {
	if file == m.ended {
		return m.length
	}
	return 0
}

// either reports whether the key that e names matches, or, of a Rename, its new name.
func (m *meter) either(e *keyspace.Event) bool {
	if m.match(e) {
		return true
	}
	if e.Kind != keyspace.Rename {
		return false
	}
	to := *e
	to.Key, to.DB = e.Value, int32(e.Index)
	return m.match(&to)
}

// trailing notes bytes that follow the end of a snapshot: nobody looked at them.
func (m *meter) trailing(e *keyspace.Event) {
	d := *e
	d.Kind, d.Length = keyspace.Damage, e.Count
	if d.Pos.Inner >= 0 {
		d.Pos.Inner = e.Length
	} else {
		d.Pos.Offset = e.Length
	}
	d.Err = &keyspace.FormatError{Pos: d.Pos, What: "bytes behind the end marker", Err: keyspace.ErrUnsupported}
	m.note(&d)
}

func (m *meter) note(e *keyspace.Event) {
	m.lose(e)
	if e.Kind == keyspace.Torn {
		m.torn++
	} else {
		m.damages++
		m.lost += max(e.Length, 0)
	}
	if len(m.damage) < maxDamage {
		m.damage = append(m.damage, report.NewDamage(e))
		return
	}
	m.damage[maxDamage-1].More++
}

// limits lists the values that a limit kept from being scanned to their end.
func limits(st *scan.Stats) []*report.Damage {
	var out []*report.Damage
	for _, e := range st.Stops {
		out = append(out, report.NewLimit(e))
	}
	if len(out) > 0 {
		out[len(out)-1].More = st.Stopped - uint64(len(out))
	}
	return out
}

// Describe says in a few lines what lies in the inputs.
func Describe(s *source.Survey, names *Names) []string {
	var kinds []string
	for _, k := range s.Kinds {
		kinds = append(kinds, report.Count(uint64(k.Files))+" "+string(k.Kind))
	}
	first := report.Bytes(s.Bytes) + " in " + plural(s.Files, "file")
	if len(kinds) > 0 {
		first += ": " + strings.Join(kinds, ", ")
	}
	if s.Cut {
		first = "so far " + first + " …"
	}
	lines := []string{first}
	for _, sn := range s.Snapshots {
		l := report.Escape(names.Mask(sn.Path)) + ": " + string(sn.Kind)
		if sn.Size >= 0 {
			l += ", " + report.Bytes(sn.Size)
		}
		if sn.Server != "" {
			l += ", " + sn.Server + " " + report.Escape(sn.Version)
		}
		if !sn.Saved.IsZero() {
			l += ", saved " + sn.Saved.Format("2006-01-02 15:04:05 UTC")
		}
		lines = append(lines, l)
	}
	return lines
}

func plural(n int, noun string) string {
	s := report.Count(uint64(n)) + " " + noun
	if n != 1 {
		s += "s"
	}
	return s
}
