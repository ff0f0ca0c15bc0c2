package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Baseline is what was read at a time when all was known to be well: by name of
// a server, to compare with later.
type Baseline struct {
	Format  string                     `json:"format"`
	Servers map[string]*ServerBaseline `json:"servers"`
	Salt    []byte                     `json:"salt,omitempty"` // of the digests of keys

	// Signed says that its signature was checked by a key that the caller trusts.
	Signed bool `json:"-"`
}

const baselineFormat = "valkeyfs-audit-baseline/1"

// ServerBaseline is what is kept of one server.
type ServerBaseline struct {
	Files     map[string]string            `json:"files"`               // configuration and ACL files: SHA-256
	Functions []string                     `json:"functions"`           // SHA-256 of function libraries, sorted
	Aux       map[string]map[string]string `json:"aux"`                 // of snapshots, by path: see auxKept
	Immutable map[string]string            `json:"immutable,omitempty"` // digests of keys that are never to change, by that of their name
	Peers     []string                     `json:"peers,omitempty"`     // ids of a cluster's other nodes, sorted
}

// auxKept are the aux fields that a snapshot shares with those before and after
// it (rdb.c, rdbSaveInfoAuxFields).
var auxKept = []string{"redis-ver", "valkey-ver", "ctime", "repl-id", "repl-offset", "repl-stream-db"}

// NewBaseline records what a report has read.
func NewBaseline(r *Report) *Baseline {
	b := &Baseline{Format: baselineFormat, Servers: map[string]*ServerBaseline{}}
	for _, s := range r.Servers {
		b.Servers[s.Name] = s.baseline()
		if s.Options.Policy != nil {
			b.Salt = s.Options.salt()
		}
	}
	return b
}

func (s *Subject) baseline() *ServerBaseline {
	b := &ServerBaseline{Files: map[string]string{}, Functions: []string{}, Aux: map[string]map[string]string{}}
	if s.Server != nil {
		for _, f := range s.Server.Conf.Files {
			b.Files[f.Path] = f.SHA256
		}
		if s.Server.ACLFile != "" {
			b.Files[s.Server.ACLFile] = s.Server.Users.SHA256
		}
	}
	for _, p := range s.peers.nodes {
		b.Peers = append(b.Peers, p.id)
	}
	slices.Sort(b.Peers)
	if s.Data != nil {
		for _, f := range s.Data.Functions {
			b.Functions = append(b.Functions, f.SHA256)
		}
		slices.Sort(b.Functions)
		maps.Copy(b.Aux, s.Data.Aux)
		if s.Data.Immutable != nil {
			b.Immutable = s.Data.Immutable.Digests
		}
	}
	return b
}

// Write writes the baseline as JSON.
func (b *Baseline) Write(w io.Writer) error {
	text, err := json.MarshalIndent(b, "", " ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

// ParseBaseline reads what Write wrote.
func ParseBaseline(text []byte) (*Baseline, error) {
	b := &Baseline{}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(b); err != nil || b.Format != baselineFormat {
		return nil, errors.New("not a baseline of an audit")
	}
	return b, nil
}

// checkBaseline compares with the baseline. That something has changed is told as
// such; a replication history that goes back or is another one is a failure.
func checkBaseline(s *Subject) []Answer {
	if s.Options.Baseline == nil {
		return unknown("there is no baseline to compare with (--baseline)")
	}
	old := s.Options.Baseline.Servers[s.Name]
	if old == nil {
		return unknown("the baseline does not know this server")
	}
	now := s.baseline()
	var fs []Answer
	if !s.Options.Baseline.Signed {
		fs = unknown("the baseline's signature was not checked (--sign-pub): against who can write it, it proves nothing")
	}
	changed := func(file, what string, args ...any) {
		fs = append(fs, fail(Place{File: file}, "if the change is meant, a new baseline", what, args...).severe(Info))
	}
	for _, name := range slices.Sorted(maps.Keys(now.Files)) {
		switch was, ok := old.Files[name]; {
		case !ok:
			changed(name, "changed: the file is new")
		case was != now.Files[name]:
			changed(name, "changed: the file is another")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(old.Files)) {
		if _, ok := now.Files[name]; !ok {
			changed(name, "changed: the file is gone, or no longer read")
		}
	}
	switch {
	case s.Options.SkipData:
		return orPass(fs, Place{File: s.Name}, "the files are as they were; the data were not read")
	case s.Data == nil && len(old.Functions)+len(old.Aux) > 0, s.Data != nil && s.Data.Lost > 0:
		fs = append(fs, unknown(notAll)...)
	default:
		for _, sum := range old.Functions {
			if !slices.Contains(now.Functions, sum) {
				changed(s.Dir, "changed: a function library is gone, SHA-256 %s", sum)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(old.Aux)) {
			if now.Aux[name] == nil {
				changed(name, "changed: the snapshot is gone")
			}
		}
	}
	for _, sum := range now.Functions {
		if !slices.Contains(old.Functions, sum) {
			changed(s.Dir, "changed: a function library is new, SHA-256 %s", sum)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(now.Aux)) {
		if was := old.Aux[name]; was != nil {
			fs = append(fs, jumps(name, was, now.Aux[name])...)
		}
	}
	return orPass(fs, Place{File: s.Name}, "as it was, or further on")
}

// maxStream is how many bytes of replication stream a second are believed: the
// 10 Gbit/s of a fast link, which no server with one thread for commands fills.
const maxStream = 1_250_000_000

// jumps compares two snapshots of one place: time and replication offset go
// forward, not faster than a server writes, and the replication id stays. How far
// the offset has gone is told.
func jumps(name string, was, is map[string]string) []Answer {
	var fs []Answer
	say := func(severity Severity, remedy, what string, args ...any) {
		fs = append(fs, fail(Place{File: name}, remedy, what, args...).severe(severity))
	}
	const which = "find out which snapshot this is"
	seconds, timed := gone("ctime", was, is)
	if timed && seconds < 0 {
		say(Medium, which, "the time of the snapshot goes back, from %s to %s", was["ctime"], is["ctime"])
	}
	switch bytes, known := gone("repl-offset", was, is); {
	case was["repl-id"] != is["repl-id"]:
		if was["repl-id"] != "" && is["repl-id"] != "" {
			say(Medium, "find out whether the server was restarted, or made a replica", "the replication id is another: another history")
		}
	case !known || bytes == 0:
	case bytes < 0:
		say(Medium, which, "the replication offset goes back, from %s to %s", was["repl-offset"], is["repl-offset"])
	case timed && bytes/maxStream > max(seconds, 0):
		say(Medium, which, "the replication offset leaps, from %s to %s in %d seconds: no server writes as fast", was["repl-offset"], is["repl-offset"], seconds)
	default:
		say(Info, "if as much was written, a new baseline", "changed: the replication offset went from %s to %s, by %d bytes", was["repl-offset"], is["repl-offset"], bytes)
	}
	for _, key := range []string{"redis-ver", "valkey-ver"} {
		if was[key] != is[key] && !strings.HasPrefix(is[key], was[key]+".") {
			say(Info, "if the server was upgraded, a new baseline", "changed: %s was %q and is %q", key, clip(was[key]), clip(is[key]))
		}
	}
	return fs
}

// gone returns by how much a number of a snapshot has grown since another, and
// whether both have it. They are what a hostile file says: no sum overflows.
func gone(key string, was, is map[string]string) (by int64, ok bool) {
	a, e1 := strconv.ParseInt(was[key], 10, 64)
	b, e2 := strconv.ParseInt(is[key], 10, 64)
	if e1 != nil || e2 != nil || a < 0 || b < 0 {
		return 0, false
	}
	return b - a, true
}

// salt is what digests of keys are made with.
func (o *Options) salt() []byte {
	if o.Baseline != nil && len(o.Baseline.Salt) > 0 {
		return o.Baseline.Salt
	}
	return o.Salt
}
