package audit

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Policy says what is meant to hold of the data.
type Policy struct {
	immutable []*regexp.Regexp
	texts     []string
}

// maxPatterns bounds the patterns of a policy.
const maxPatterns = 1000

// ParsePolicy reads a policy: YAML, with the patterns of keys that are never to
// change, as KEYS takes them, below "immutable".
func ParsePolicy(text []byte) (*Policy, error) {
	var file struct {
		Immutable []string `yaml:"immutable"`
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if dec.Decode(&file) != nil || len(file.Immutable) == 0 || len(file.Immutable) > maxPatterns {
		return nil, errors.New("not a policy: a list of patterns below \"immutable\" is needed")
	}
	p := &Policy{texts: file.Immutable}
	for _, pattern := range file.Immutable {
		re, err := regexp.Compile(globExpression(pattern))
		if err != nil {
			return nil, errors.New("not a pattern of keys: " + clip(pattern))
		}
		p.immutable = append(p.immutable, re)
	}
	return p, nil
}

// globExpression is a pattern of the server (util.c, stringmatchlen) as a regular
// expression over bytes.
func globExpression(pattern string) string {
	var b strings.Builder
	b.WriteString(`(?s)^`)
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; c {
		case '*':
			b.WriteString(`.*`)
		case '?':
			b.WriteString(`.`)
		case '[':
			end := strings.IndexByte(pattern[i:], ']')
			if end < 0 {
				b.WriteString(`\[`)
				continue
			}
			class := strings.ReplaceAll(pattern[i+1:i+end], `[`, `\[`)
			b.WriteString("[" + class + "]")
			i += end
		case '\\':
			if i+1 < len(pattern) {
				i++
			}
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	return b.String() + `$`
}

func (p *Policy) covers(key []byte) bool {
	return slices.ContainsFunc(p.immutable, func(re *regexp.Regexp) bool { return re.Match(key) })
}

// maxImmutable bounds the keys that are kept track of.
const maxImmutable = 100_000

// immutables are the keys that a policy covers, as the data have them.
type immutables struct {
	policy *Policy
	salt   []byte
	// Digests are those of keys in snapshots, by that of database and name.
	Digests map[string]string
	Changes []Sighting // logs that change one that was there
	Cut     bool       // there are more than are kept track of

	seen    map[string]bool
	id      string // of the key at hand, "" if it is not covered
	value   hash.Hash
	element hash.Hash
	sum     [sha256.Size]byte // of elements whose order means nothing
}

func newImmutables(p *Policy, salt []byte) *immutables {
	return &immutables{policy: p, salt: salt, Digests: map[string]string{}, seen: map[string]bool{}}
}

func (m *immutables) hash() hash.Hash { return hmac.New(sha256.New, m.salt) }

func (m *immutables) name(db int32, key []byte) string {
	h := m.hash()
	number(h, uint64(db))
	h.Write(key)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func number(h hash.Hash, n uint64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	h.Write(b[:])
}

// snapshot takes the events of a snapshot.
func (m *immutables) snapshot(e *keyspace.Event) {
	switch {
	case e.Kind == keyspace.Key:
		if m.id = ""; m.policy.covers(e.Key) {
			if len(m.Digests) >= maxImmutable {
				m.Cut = true
				return
			}
			m.id, m.value, m.sum = m.name(e.DB, e.Key), m.hash(), [sha256.Size]byte{}
			m.seen[m.id] = true
			number(m.value, uint64(e.Type))
			number(m.value, uint64(e.Expire))
		}
	case m.id == "":
	case e.Kind == keyspace.Element:
		m.add(e)
	case e.Kind == keyspace.KeyEnd:
		m.value.Write(m.sum[:])
		m.Digests[m.id] = hex.EncodeToString(m.value.Sum(nil)[:16])
		m.id = ""
	}
}

// add takes one element. Members and fields stand in any order, those of lists
// and streams in their own.
func (m *immutables) add(e *keyspace.Event) {
	if e.Part.Begins() {
		m.element = m.hash()
		number(m.element, e.ID.MS)
		number(m.element, e.ID.Seq)
		number(m.element, uint64(len(e.Field)))
		m.element.Write(e.Field)
	}
	m.element.Write(e.Value)
	if !e.Part.Ends() {
		return
	}
	number(m.element, math.Float64bits(e.Score))
	if e.Type == keyspace.Hash {
		number(m.element, uint64(e.Expire))
	}
	sum := m.element.Sum(nil)
	if e.Type == keyspace.Set || e.Type == keyspace.Hash || e.Type == keyspace.SortedSet {
		for i, b := range sum {
			m.sum[i] ^= b
		}
		return
	}
	m.value.Write(sum)
}

// log takes the events of a log, and returns what changes a key that is there.
func (m *immutables) log(e *keyspace.Event) string {
	switch e.Kind {
	case keyspace.Key:
		if e.Op == keyspace.OpNone || !m.policy.covers(e.Key) {
			return ""
		}
		id := m.name(e.DB, e.Key)
		if m.seen[id] {
			return "a log writes to a key that is never to change"
		}
		if m.Cut = m.Cut || len(m.seen) >= maxImmutable; !m.Cut {
			m.seen[id] = true
		}
	case keyspace.Delete, keyspace.Expire, keyspace.Rename:
		if m.policy.covers(e.Key) {
			return "a log deletes from a key that is never to change, or has it expire or renamed"
		}
	case keyspace.Flush:
		if len(m.seen) > 0 {
			return "a log flushes keys that are never to change"
		}
	}
	return ""
}

func checkImmutable(s *Subject) []Answer {
	if s.Options.Policy == nil {
		return unknown("no policy says which keys are never to change (--policy)")
	}
	if a := s.content(); a != nil {
		return a
	}
	m := s.Data.Immutable
	fs := seen(m.Changes, 0, "restore a verified backup; find out who can write")
	compared := 0
	if b := s.Options.Baseline; b != nil && b.Servers[s.Name] != nil {
		old := b.Servers[s.Name].Immutable
		changed, gone := 0, 0
		for _, id := range slices.Sorted(maps.Keys(old)) {
			compared++
			switch now, ok := m.Digests[id]; {
			case ok && now != old[id]:
				changed++
			case !ok && !m.seen[id] && s.Data.Lost == 0:
				gone++
			}
		}
		if changed+gone > 0 {
			fs = append(fs, fail(Place{File: s.Dir}, "valkeyfs diff with a verified backup", "of %d keys that are never to change, %d have changed since the baseline and %d are gone", compared, changed, gone))
		}
	}
	switch {
	case len(fs) > 0:
		return fs
	case s.Data.Lost > 0:
		return unknown(notAll)
	case m.Cut:
		return unknown("more than %d keys match the policy; none of those looked at has changed", maxImmutable)
	case compared == 0:
		return unknown("%d keys match the policy; whether snapshots changed them only a baseline tells that was written with it", len(m.seen))
	}
	return pass(Place{File: s.Dir}, "%d keys, none has changed", compared)
}
