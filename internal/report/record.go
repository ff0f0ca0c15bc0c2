package report

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/scan"
)

// A Writer writes the report of one scan. Run comes first, then File, Finding
// and Damage in the order of the input, Summary last. What a scan that was
// interrupted has written, with its Summary, is a valid report. A Writer is not
// safe for concurrent use.
type Writer interface {
	Run(*Run) error
	File(*File) error
	Finding(*scan.Finding) error
	Damage(*Damage) error
	Summary(*Summary) error
}

// An Explainer is a Writer that tells what was not reported, and why.
type Explainer interface {
	Writer
	Excluded(*scan.Exclusion) error
}

// A Suppressor is a Writer that tells apart findings that are known already. The
// others leave them out.
type Suppressor interface {
	Writer
	Suppressed(*scan.Finding, Suppression) error
}

// Suppression says why a finding is known.
type Suppression string

// The suppressions.
const (
	Baselined Suppression = "baseline" // it was there when the baseline was written
	Ignored   Suppression = "ignored"  // somebody said that it is to be ignored
)

// Run says how a scan was run: with the same run and the same input, the report
// is the same.
type Run struct {
	Type    string   `json:"type"` // "run"
	Tool    string   `json:"tool"`
	Version string   `json:"version"`
	Verb    string   `json:"verb"`
	Inputs  []string `json:"inputs"`
	AsOf    string   `json:"as_of,omitempty"` // RFC 3339; without it each file's own time counts
	IDKey   string   `json:"id_key"`          // path of the key behind ids, or why there is none that lasts
	KeyID   string   `json:"id_key_id"`       // tells one key from another without giving it away
	Rules   int      `json:"rules"`
	Reveal  bool     `json:"reveal"`
}

// File is one file of an input.
type File struct {
	Type    string    `json:"type"` // "file"
	Path    string    `json:"path"`
	PathB64 string    `json:"path_b64,omitempty"` // where the path is not UTF-8
	Kind    string    `json:"kind"`
	Role    string    `json:"role,omitempty"`
	Format  string    `json:"format,omitempty"`
	Layers  []string  `json:"layers,omitempty"`
	Size    int64     `json:"size"` // bytes on disk, or of a stream; -1 for a stream that was not read to its end
	Mode    string    `json:"mode,omitempty"`
	UID     *int      `json:"uid,omitempty"`
	GID     *int      `json:"gid,omitempty"`
	Links   uint64    `json:"links,omitempty"`
	MTime   time.Time `json:"mtime,omitzero"`
	ATime   time.Time `json:"atime,omitzero"`
	CTime   time.Time `json:"ctime,omitzero"`
	BTime   time.Time `json:"btime,omitzero"`
	Touched bool      `json:"atime_may_change,omitempty"` // O_NOATIME was refused
	Server  string    `json:"server,omitempty"`
	Version string    `json:"server_version,omitempty"`
	Saved   time.Time `json:"saved,omitzero"`
	AsOf    time.Time `json:"as_of,omitzero"`        // when expiries were judged
	Basis   string    `json:"as_of_basis,omitempty"` // where that time comes from: option, ctime, timestamp, none
	Target  string    `json:"target,omitempty"`

	Unresolved *Unresolved `json:"unresolved,omitempty"`
	Same       string      `json:"same_as,omitempty"`
	Skipped    string      `json:"skipped,omitempty"`
	Error      string      `json:"error,omitempty"`
	Next       string      `json:"next,omitempty"`
	SHA256     string      `json:"sha256,omitempty"`
	Unread     int64       `json:"unreadable_bytes,omitempty"` // zeros stand for them in sha256
}

// Unresolved counts keys and values written by logs whose state stays unknown, by reason.
type Unresolved struct {
	TooLarge  int64 `json:"too_large"` // of lists, streams and linked keys that do not fit in --max-mem
	Untracked int64 `json:"untracked"` // times that the track of a key was lost among renames and exchanges of elements
	Lost      int64 `json:"lost"`      // of lists and streams that take too long to follow, or depend on commands that name no elements
}

// Add adds what another file counts; nil counts nothing.
func (u *Unresolved) Add(more *Unresolved) {
	if more != nil {
		u.TooLarge += more.TooLarge
		u.Untracked += more.Untracked
		u.Lost += more.Lost
	}
}

// String says in a few words what could not be found out.
func (u *Unresolved) String() string {
	var parts []string
	if u.TooLarge > 0 {
		parts = append(parts, Count(uint64(u.TooLarge))+" keys and values did not fit in --max-mem")
	}
	if u.Lost > 0 {
		parts = append(parts, Count(uint64(u.Lost))+" cannot be followed")
	}
	if u.Untracked > 0 {
		parts = append(parts, "the track of a key was lost "+plural(uint64(u.Untracked), "time"))
	}
	return "what became of some values could not be found out, their state is unknown: " + strings.Join(parts, ", ")
}

// Damage is a range of an input that could not be understood, or the unfinished
// end that a crash leaves of a log, or a value that a limit kept from being
// scanned to its end.
type Damage struct {
	Type   string `json:"type"` // "damage", "torn" or "limit"
	Source string `json:"source"`
	Offset int64  `json:"offset"`
	Inner  *int64 `json:"inner,omitempty"` // offset in the decompressed data at Offset
	Length int64  `json:"length"`
	What   string `json:"what"`
	Reason string `json:"reason"`
	DB     *int32 `json:"db,omitempty"`  // of Key
	Key    string `json:"key,omitempty"` // of the record, where that could be read
	KeyB64 string `json:"key_b64,omitempty"`
	More   uint64 `json:"more,omitempty"` // further damage of the same input that is not listed
}

// NewDamage describes a Damage or Torn event.
func NewDamage(e *keyspace.Event) *Damage {
	d := &Damage{Type: "damage", Source: e.Pos.Source, Offset: e.Pos.Offset, Length: max(e.Length, 0), Reason: "unknown"}
	if e.Kind == keyspace.Torn {
		d.Type = "torn"
	}
	if len(e.Key) > 0 {
		d.SetKey(string(e.Key))
		d.DB = new(int32)
		*d.DB = e.DB
	}
	if e.Pos.Inner >= 0 {
		d.Inner = new(int64)
		*d.Inner = e.Pos.Inner
	}
	var format *keyspace.FormatError
	switch {
	case errors.As(e.Err, &format):
		d.What = format.What
		cause := format.Err
		for errors.As(cause, &format) { // its text holds a place, and so the name of a file
			cause = format.Err
		}
		d.Reason = cause.Error()
	case e.Err != nil:
		d.Reason = e.Err.Error()
	}
	return d
}

// SetKey sets Key and what belongs to it.
func (d *Damage) SetKey(key string) { d.Key, d.KeyB64 = key, Base64(key) }

// NewLimit describes what a limit stopped.
func NewLimit(e *scan.Exclusion) *Damage {
	what := e.Reason + " in " + e.KeyType + " " + quoted(e.Key)
	if e.Field != "" {
		what += ", field " + quoted(e.Field)
	}
	return &Damage{Type: "limit", Source: e.Source, Offset: e.Offset, What: what, Reason: "a limit stopped the decoding"}
}

// String says in a line where it is and why, fit for a terminal.
func (d *Damage) String() string { return Escape(d.Source) + " at " + d.Place() }

// Place is String without the source.
func (d *Damage) Place() string {
	line := fmt.Sprintf("byte %d", d.Offset)
	if d.Inner != nil {
		line += fmt.Sprintf(" (byte %d of the decompressed data)", *d.Inner)
	}
	if d.Length > 0 {
		line += ", " + plural(uint64(d.Length), "byte")
	}
	if d.What != "" {
		line += ": " + Escape(d.What)
	}
	line += ": " + Escape(d.Reason)
	if d.Key != "" {
		line += fmt.Sprintf(", of key %s in db %d", quoted(d.Key), *d.DB)
	}
	return line
}

// Summary ends a report.
type Summary struct {
	Type     string `json:"type"` // "summary"
	Complete bool   `json:"complete"`
	Stopped  string `json:"stopped,omitempty"` // why the scan ended early
	Damages  uint64 `json:"damages"`
	Torn     uint64 `json:"torn"`
	Limits   uint64 `json:"limits"` // names and values that a limit kept from being scanned to their end

	Findings   uint64            `json:"findings"`
	ByRule     map[string]uint64 `json:"by_rule"`
	ByCategory map[string]uint64 `json:"by_category"`
	BySeverity map[string]uint64 `json:"by_severity"`
	ByState    map[string]uint64 `json:"by_state"`
	Distinct   Distinct          `json:"distinct"`
	Groups     []*Group          `json:"groups"`

	Suppressed map[Suppression]uint64 `json:"suppressed,omitempty"` // known findings, which are counted nowhere else

	Unresolved Unresolved `json:"unresolved"`

	Files         uint64            `json:"files"`
	Keys          uint64            `json:"keys"`
	Values        uint64            `json:"values"`
	ValueBytes    int64             `json:"value_bytes"`
	BytesRead     int64             `json:"bytes_read"`
	NotUnderstood int64             `json:"bytes_not_understood"`
	RawBytes      int64             `json:"bytes_scanned_raw"` // of those and of unfinished ends of logs, scanned as they are
	Coverage      float64           `json:"coverage"`          // of all bytes, how much was understood
	Decoded       uint64            `json:"decoded"`
	DecodedBytes  int64             `json:"decoded_bytes"`
	Failures      map[string]uint64 `json:"decoder_failures"`
	Limited       map[string]uint64 `json:"decoder_limits"`
	Excluded      map[string]uint64 `json:"excluded"`
	Inputs        []Input           `json:"inputs"`
}

// Gaps says in a few words what a report that ran to its end does not cover.
func (s *Summary) Gaps() string {
	limits := "a limit stopped the decoding of " + plural(s.Limits, "value")
	places := plural(s.Damages, "place") + " could not be read"
	switch {
	case s.Limits == 0:
		return places
	case s.Damages == 0:
		return limits
	}
	return places + ", and " + limits
}

// Percent is the coverage in percent, floored, so that what is not all never reads
// as all.
func (s *Summary) Percent() float64 { return math.Floor(1e4*s.Coverage) / 100 }

// Distinct counts secrets, each once, wherever it stands.
type Distinct struct {
	Secrets    uint64            `json:"secrets"`
	Exact      bool              `json:"exact"` // false: at least so many
	ByRule     map[string]uint64 `json:"by_rule"`
	ByCategory map[string]uint64 `json:"by_category"`
}

// Input is one input as it was named.
type Input struct {
	Path   string `json:"path"`
	Files  uint64 `json:"files"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256,omitempty"` // of a single file
}

// Take copies what t has gathered; it is the last step before the summary is written.
func (s *Summary) Take(t *Tally) {
	s.Findings, s.ByRule, s.ByCategory, s.BySeverity, s.ByState = t.Findings, t.ByRule, t.ByCategory, t.BySeverity, t.ByState
	s.Distinct = t.Distinct()
	s.Groups = t.Groups()
	for _, m := range []*map[string]uint64{&s.ByRule, &s.ByCategory, &s.BySeverity, &s.ByState, &s.Failures, &s.Limited, &s.Excluded} {
		if *m == nil {
			*m = map[string]uint64{}
		}
	}
}

// Add adds what one scan counted. Its findings are counted by a Tally.
func (s *Summary) Add(st *scan.Stats) {
	s.Keys += st.Keys
	s.Values += st.Values
	s.ValueBytes += st.Bytes
	s.Decoded += st.Decoded
	s.DecodedBytes += st.DecodedBytes
	s.Limits += st.Stopped
	merge(&s.Failures, st.Failures)
	merge(&s.Limited, st.Limited)
	merge(&s.Excluded, st.Excluded)
}

func merge(to *map[string]uint64, from map[string]uint64) {
	for k, n := range from {
		if *to == nil {
			*to = map[string]uint64{}
		}
		(*to)[k] += n
	}
}

// Base64 returns s in base64 if it is not UTF-8, so that JSON does not lose its bytes.
func Base64(s string) string {
	if utf8.ValidString(s) {
		return ""
	}
	return base64.StdEncoding.EncodeToString([]byte(s))
}
