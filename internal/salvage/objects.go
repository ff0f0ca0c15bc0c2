package salvage

import (
	"bytes"
	"context"
	"io"

	"github.com/valkeyfs/valkeyfs/internal/export"
	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/internal/sweep"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// objects writes the keys of the file that m is the map of as JSON lines, each
// with its confidence, and its damage where it stands.
func objects(ctx context.Context, src Source, m *Map, w io.Writer, names *sweep.Names) error {
	s := &sieve{m: m}
	damaged := func(e *keyspace.Event) []byte {
		d := report.NewDamage(e)
		d.Source, d.What = names.Mask(d.Source), names.Mask(d.What)
		var b bytes.Buffer
		if err := report.NewLines(&b).Line(d); err != nil {
			return []byte("{}") // of strings and numbers there is no error
		}
		return bytes.TrimSpace(b.Bytes())
	}
	return export.Run(ctx, s.events(src.Events(ctx)), w, export.Options{Format: export.JSONL, Confidence: s.confidence, Damaged: damaged})
}

// sieve passes on what of a file's events can be believed.
type sieve struct {
	m    *Map
	part int
	p    *Part
	cut  cut
	in   bool // the record at hand lies in a cut
	drop bool // it was taken back
}

func (s *sieve) events(seq keyspace.Seq) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		for e, err := range seq {
			if err == nil && !s.passes(e) {
				continue
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

func (s *sieve) passes(e *keyspace.Event) bool {
	if e.Kind == keyspace.Header || s.p == nil {
		if s.part == len(s.m.Parts) {
			return true
		}
		s.p = s.m.Parts[s.part]
		s.part++
		s.drop = false
	}
	switch e.Kind {
	case keyspace.Key:
		s.cut, s.in = s.p.at(e.Record)
		_, s.drop = s.p.superseded[e.Record]
		s.drop = s.drop || s.in && !s.p.log && (s.cut.why == lost || s.cut.why == partial && s.cut.from != e.Record)
	case keyspace.Element:
		if s.in && !s.p.log && s.cut.why == partial && s.p.beyond(e, s.cut) {
			return false
		}
	case keyspace.Damage, keyspace.Torn, keyspace.End:
		s.drop = false
	}
	return !s.drop
}

// confidence is that of the key that e begins.
func (s *sieve) confidence(e *keyspace.Event) string {
	c := Unverified
	switch {
	case s.p == nil:
	case s.in && (s.cut.why == lost || s.cut.why == partial):
		c = Partial
	case s.p.vouched():
		c = Intact
	}
	return string(c)
}
