package salvage

import (
	"errors"
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
		s.limbo.open(s.recent[n:], at.to)
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

// limbo holds records that damage took back: where reading went on inside a record
// that had led over others, it may come upon them again, and then does not report
// them once more.
type limbo struct {
	records []record
	next    int64 // where the next record of the new way begins; -1: where it says
}

// open takes records that damage took back which ends at an offset.
func (l *limbo) open(records []record, next int64) {
	l.records = l.records[:0]
	for _, r := range records {
		if r.from >= next {
			l.records = append(l.records, r)
		}
	}
	l.next = next
}

// rejoin follows the new way: what it passed over in silence is what was read before.
func (s *survey) rejoin(e *keyspace.Event) {
	l := &s.limbo
	if len(l.records) == 0 {
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
		for _, r := range l.records {
			if r.from >= l.next {
				s.recent = append(s.recent, r)
			} else {
				s.p.supersede(r.from)
			}
		}
		l.records = l.records[:0]
	case e.Kind == keyspace.KeyEnd, e.Kind == keyspace.DB:
		l.next = at + e.Length
		if last := l.records[len(l.records)-1]; l.next >= last.to {
			for _, r := range l.records {
				s.p.supersede(r.from)
			}
			l.records = l.records[:0]
		}
	case e.Kind == keyspace.Aux, e.Kind == keyspace.Function, e.Kind == keyspace.Slot:
		l.next = -1
	}
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
