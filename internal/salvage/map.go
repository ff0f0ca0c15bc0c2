package salvage

import (
	"cmp"
	"fmt"
	"slices"
	"sort"

	"github.com/valkeyfs/valkeyfs/internal/rdbwrite"
	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Confidence says how far a record can be believed.
type Confidence string

// The confidences.
const (
	Intact     Confidence = "intact"     // a checksum vouches for every byte of it
	Unverified Confidence = "unverified" // it is whole and contradicts nothing
	Partial    Confidence = "partial"    // a part of its value was lost
)

// Map is what a reading found in a file: what can be believed, and what was lost.
type Map struct {
	Type     string           `json:"type"` // "salvage"
	Source   string           `json:"source"`
	Size     int64            `json:"size"` // bytes that were read
	Parts    []*Part          `json:"parts"`
	Keys     Counts           `json:"keys"`
	Presumed uint64           `json:"database_presumed,omitempty"` // of the keys, those that may be of another database
	Commands uint64           `json:"commands,omitempty"`          // of a log, whole ones
	Types    []TypeCount      `json:"types"`                       // of keys that are whole
	Damaged  int64            `json:"damaged_bytes"`               // of records that are damaged, in part or whole
	Damages  uint64           `json:"damages"`
	Torn     uint64           `json:"torn,omitempty"` // ends of a log as a crash leaves them
	Damage   []*report.Damage `json:"damage"`

	sizes  map[int32]*dbSize // by database
	logged int64             // databases that there must be for the commands of a log
}

// Intact reports whether nothing was lost, and no checksum failed.
func (m *Map) Intact() bool { return m.Damages == 0 }

// sound reports whether the clean file is the file as it is.
func (m *Map) sound() bool {
	for _, p := range m.Parts {
		if !p.log && p.Checksum != keyspace.ChecksumOK.String() {
			return false
		}
		for _, c := range p.cuts {
			if c.why != selected {
				return false
			}
		}
	}
	return m.Intact() && m.Torn == 0
}

// Counts are numbers of keys.
type Counts struct {
	Intact     uint64 `json:"intact"`
	Unverified uint64 `json:"unverified"`
	Partial    uint64 `json:"partial"`
}

// All is their sum.
func (c Counts) All() uint64 { return c.Intact + c.Unverified + c.Partial }

// TypeCount is a number of keys of a type in a database.
type TypeCount struct {
	DB   int32  `json:"db"`
	Name string `json:"type"`
	Keys uint64 `json:"keys"`
}

// dbSize is how many keys a clean file may have in a database: those that were found, and
// of them as many that expire as the file says.
type dbSize struct{ keys, expires uint64 }

// sizeOf is that of a database.
func (m *Map) sizeOf(db int32) *dbSize {
	s := m.sizes[db]
	if s == nil {
		s = &dbSize{}
		if len(m.sizes) < maxTypes {
			m.sizes[db] = s
		}
	}
	return s
}

// Part is a stretch of a file in one format: a snapshot, or commands.
type Part struct {
	Format   string `json:"format"` // "REDIS 11", "VALKEY 80", "RESP"
	From     int64  `json:"from"`   // behind its header
	To       int64  `json:"to"`     // before its end marker
	NoHead   bool   `json:"no_head,omitempty"`
	NoEnd    bool   `json:"no_end,omitempty"`
	Checksum string `json:"checksum"`           // its verdict
	Salvaged bool   `json:"salvaged,omitempty"` // it was made of what nothing vouched for

	version  rdbwrite.Version
	log      bool
	envelope bool // offsets are those of what an envelope holds
	cuts     []cut
	// superseded are records that lie in no cut and were taken back all the same.
	superseded map[int64]struct{}
}

// vouched reports whether a checksum vouches for the records.
func (p *Part) vouched() bool { return p.Checksum == keyspace.ChecksumOK.String() && !p.Salvaged }

// supersede notes a record, by its offset, that never was one.
func (p *Part) supersede(from int64) {
	if p.superseded == nil {
		p.superseded = map[int64]struct{}{}
	}
	if len(p.superseded) < maxCuts {
		p.superseded[from] = struct{}{}
	}
}

// A cut is a range that is not copied as it is. Those of a part are in order and
// may touch, but hold no part of each other once the survey is over.
type cut struct {
	from, to int64
	why      reason
	db       int32 // selected: the database
}

// reason says why a range is not copied.
type reason uint8

const (
	twice      reason = iota // it is a record whose key was there before
	lost                     // it could not be understood
	partial                  // nor could all of the record that begins there, but a part of it
	refused                  // it is a record with elements that a server refuses
	selected                 // it selects a database, or says how many keys are there or in a slot
	unbalanced               // a MULTI without EXEC or the reverse
)

// rank orders cuts that begin at one place: a database is selected before the record.
func (c cut) rank() int {
	if c.from == c.to {
		return -1
	}
	return int(c.why)
}

// rebuilt reports whether what could be had of the record is encoded anew.
func (r reason) rebuilt() bool { return r == partial || r == refused }

// maxCuts bounds the ranges of a file: 24 bytes each.
const maxCuts = 4 << 20

func (p *Part) cut(c cut) error {
	if len(p.cuts) >= maxCuts {
		return fmt.Errorf("more than %d ranges at offset %d: %w", maxCuts, c.from, keyspace.ErrLimit)
	}
	p.cuts = append(p.cuts, c)
	return nil
}

// retract takes back the cuts from an offset on.
func (p *Part) retract(from int64) {
	for n := len(p.cuts); n > 0 && p.cuts[n-1].from >= from; n-- {
		p.cuts = p.cuts[:n-1]
	}
}

// arrange puts the cuts in order and takes from each what lies in the one before.
func (p *Part) arrange() {
	slices.SortFunc(p.cuts, func(a, b cut) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.to, b.to))
	})
	end := p.From
	kept := p.cuts[:0]
	for _, c := range p.cuts {
		if c.to < end || c.from < end && c.why != lost {
			continue
		}
		c.from = max(c.from, end)
		end = c.to
		kept = append(kept, c)
	}
	p.cuts = kept
}

// at returns the cut that holds an offset, if any.
func (p *Part) at(offset int64) (cut, bool) {
	i := sort.Search(len(p.cuts), func(i int) bool { return p.cuts[i].to > offset })
	if i < len(p.cuts) && p.cuts[i].from <= offset {
		return p.cuts[i], true
	}
	return cut{}, false
}
