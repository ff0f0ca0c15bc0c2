package sweep

import (
	"context"
	"hash/fnv"

	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/scan"
)

const (
	// maxRanges is how many ranges of a unit that were not understood are kept
	// apart. The last one grows to hold all that follow.
	maxRanges = 1 << 16
	// maxMet is how many findings of a unit are remembered to know them again in
	// what was not understood.
	maxMet = 1 << 18
)

// lose notes a range whose bytes will be scanned as they are.
func (m *meter) lose(e *keyspace.Event) {
	if m.match != nil || e.Length <= 0 || e.Pos.Inner >= 0 {
		return
	}
	r := source.Range{Path: e.Pos.Source, Offset: e.Pos.Offset, Length: e.Length, DB: e.DB}
	r.Key = append(r.Key, e.Key...)
	if n := len(m.ranges); n > 0 {
		last := &m.ranges[n-1]
		touches := r.Offset >= last.Offset && r.Offset <= last.Offset+last.Length && last.Key == nil && r.Key == nil
		if last.Path == r.Path && (touches || n == maxRanges) {
			from := min(last.Offset, r.Offset)
			last.Length = max(last.Offset+last.Length, r.Offset+r.Length) - from
			last.Offset = from
			return
		}
	}
	if len(m.ranges) < maxRanges {
		m.ranges = append(m.ranges, r)
	}
}

// met remembers the findings of a unit: where each secret was found last.
type met map[uint64]int64

func metKey(f *scan.Finding) uint64 {
	h := fnv.New64a()
	h.Write([]byte(f.ID))
	h.Write([]byte(f.Source))
	return h.Sum64()
}

func (m met) note(f *scan.Finding) {
	if len(m) < maxMet {
		m[metKey(f)] = f.Offset
	}
}

// remains scans the bytes of what was not understood as they are. What was found
// there before, since a part of it was understood, is not reported again.
func (s *sweep) remains(ctx context.Context, u *source.Unit, ranges []source.Range) (scan.Stats, error) {
	type place struct {
		source string
		offset int64
	}
	end := map[place]int64{}
	for _, r := range ranges {
		at := place{r.Path, r.Offset}
		end[at] = max(end[at], r.Offset+r.Length)
	}
	seq := func(yield func(*keyspace.Event, error) bool) {
		for e, err := range u.Remains(ctx, ranges) {
			if err == nil && e.Kind == keyspace.End {
				s.sum.RawBytes += e.Length
			}
			if !yield(e, err) {
				return
			}
		}
	}
	return s.scanner.Scan(ctx, seq, func(f *scan.Finding) error {
		at, seen := s.met[metKey(f)]
		if seen && at >= f.RecordOffset && at < end[place{f.Source, f.RecordOffset}] {
			return nil
		}
		if f.Where == scan.WhereKey {
			s.met.note(f) // it stands in the range, too
		} else {
			f.Where = scan.WhereValue
		}
		return s.found(f)
	})
}
