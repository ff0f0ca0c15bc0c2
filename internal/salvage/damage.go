package salvage

import (
	"errors"
	"math"
	"slices"

	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

const (
	// maxGaps is how many ranges that the medium did not deliver are remembered.
	maxGaps = 256
	// maxListed is how many damaged ranges a map lists one by one.
	maxListed = 10_000
)

// damage takes a range that was not understood.
func (s *survey) damage(e *keyspace.Event) error {
	at := span{offsetOf(e), offsetOf(e) + max(e.Length, 0)}
	s.list(e)
	if e.Kind == keyspace.Damage {
		s.damaged = e.Err
	}
	var gap *keyspace.GapError
	switch {
	case errors.As(e.Err, &gap) || isRead(e.Err):
		return s.gap(at)
	case errors.Is(e.Err, keyspace.ErrChecksum):
		s.inside = false
		return nil
	}
	begun := s.inside && s.some && !s.p.log && s.open.from == at.from
	if n := s.since(at.from); !s.inside && !s.p.log && n < len(s.recent) && s.recent[n].from == at.from && s.recent[n].to < at.to {
		begun, s.open = true, s.recent[n] // it ends too early
	}
	s.inside = false
	s.rejoin(e)
	n := s.since(at.from)
	if s.p.log {
		s.m.Commands -= min(s.m.Commands, uint64(len(s.recent)-n))
	}
	if !s.p.log && n < len(s.recent) {
		s.limbo.open(s.recent[n:], s.p.cuts, at.to)
	}
	s.recent = s.recent[:n]
	if s.multi.open {
		if at.from <= s.multi.from {
			s.multi.open, s.m.Commands = false, s.multi.commands
		} else if err := s.balance(); err != nil {
			return err
		}
	}
	s.p.retract(at.from)
	s.db = -1
	if begun {
		return s.part(s.open, at.to)
	}
	return s.p.cut(cut{from: at.from, to: at.to, why: lost})
}

// since returns how many of the recent records begin before an offset.
func (s *survey) since(offset int64) int {
	n := len(s.recent)
	for n > 0 && s.recent[n-1].from >= offset {
		n--
	}
	return n
}

// limbo holds records that damage took back, and cuts: where reading went on inside a
// record that had led over others, it may come upon them again, and then does not report
// them once more.
type limbo struct {
	records []record
	cuts    []cut
	next    int64 // where the next record of the new way begins; -1: where it says
}

// open takes records that damage took back which ends at an offset, and the cuts behind it.
func (l *limbo) open(records []record, cuts []cut, next int64) {
	l.close()
	for _, r := range records {
		if r.from >= next {
			l.records = append(l.records, r)
		}
	}
	n := len(cuts)
	for n > 0 && cuts[n-1].from >= next {
		n--
	}
	l.cuts = append(l.cuts, cuts[n:]...)
	l.next = next
}

func (l *limbo) close() { l.records, l.cuts = l.records[:0], l.cuts[:0] }

// empty reports whether there is nothing to come upon.
func (l *limbo) empty() bool { return len(l.records)+len(l.cuts) == 0 }

// end is where the last of it ends.
func (l *limbo) end() (end int64) {
	if n := len(l.records); n > 0 {
		end = l.records[n-1].to
	}
	if n := len(l.cuts); n > 0 {
		end = max(end, l.cuts[n-1].to)
	}
	return end
}

// rejoin follows the new way: what it passed over in silence is what was read before.
func (s *survey) rejoin(e *keyspace.Event) {
	l := &s.limbo
	if l.empty() {
		return
	}
	at := e.Record
	if e.Kind == keyspace.End {
		at = offsetOf(e)
	}
	if l.next < 0 {
		l.next = at
	}
	switch {
	case at > l.next:
		s.restore()
	case e.Kind == keyspace.KeyEnd, e.Kind == keyspace.DB, e.Kind == keyspace.Slot:
		if l.next = at + e.Length; l.next >= l.end() {
			for _, r := range l.records {
				s.p.supersede(r.from)
			}
			l.close()
		}
	case e.Kind == keyspace.Aux, e.Kind == keyspace.Function:
		l.next = -1
	}
}

// restore takes again what was read of the earlier way from where the new one comes upon
// it. Keys there are in the database that is selected by then.
func (s *survey) restore() {
	l, cuts := &s.limbo, s.limbo.cuts
	upTo := func(offset int64) {
		for ; len(cuts) > 0 && cuts[0].from <= offset; cuts = cuts[1:] {
			if c := cuts[0]; c.from >= l.next {
				s.p.cuts = append(s.p.cuts, c)
				if c.why == selected {
					s.db = c.db
				}
			}
		}
	}
	for _, r := range l.records {
		if r.from < l.next {
			s.p.supersede(r.from)
			continue
		}
		upTo(r.from)
		switch {
		case s.db < 0: // the new way has no key
			s.db = r.key.db
			s.p.cuts = append(s.p.cuts, cut{r.from, r.from, selected, s.db})
		case s.db != r.key.db:
			r.key.db, r.presumed = s.db, true
		}
		s.recent = append(s.recent, r)
	}
	upTo(math.MaxInt64)
	l.close()
	s.db = -1
}

// isRead reports whether damage is of the medium, which leaves zeros in the place
// of a range, and not of what was read.
func isRead(err error) bool {
	var f *keyspace.FormatError
	return errors.As(err, &f) && !keyspace.Incomplete(f.Err)
}

// gap notes a range of zeros that stand for what could not be read, in records
// before or behind it.
func (s *survey) gap(at span) error {
	if len(s.gaps) == maxGaps {
		s.gaps = s.gaps[1:]
	}
	s.gaps = append(s.gaps, at)
	for i := len(s.recent) - 1; i >= 0 && s.recent[i].to > at.from; i-- {
		if r := s.recent[i]; r.meets(at) {
			s.recent = slices.Delete(s.recent, i, i+1)
			if s.p.log {
				s.m.Commands--
				return s.p.cut(cut{from: r.from, to: r.to, why: lost})
			}
			return s.part(r, r.to)
		}
	}
	return nil
}

// part notes a record of which a part is there, and where the next one begins.
func (s *survey) part(r record, next int64) error {
	s.m.Keys.Partial++
	s.m.sizeOf(r.key.db).keys++
	s.presume(&r)
	r.to = next
	if err := s.note(&r, true); err != nil {
		return err
	}
	return s.p.cut(cut{from: r.from, to: next, why: partial})
}

// list describes damage for the report.
func (s *survey) list(e *keyspace.Event) {
	if e.Kind == keyspace.Torn {
		s.m.Torn++
	} else {
		s.m.Damages++
	}
	if len(s.m.Damage) >= maxListed {
		s.m.Damage[maxListed-1].More++
		return
	}
	d := report.NewDamage(e)
	if s.inside && d.Key == "" && s.open.from == offsetOf(e) && len(e.Key) > 0 {
		d.SetKey(string(e.Key))
	}
	s.names.Damage(d)
	s.m.Damage = append(s.m.Damage, d)
}
