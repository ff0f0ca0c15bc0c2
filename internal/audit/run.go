package audit

import (
	"context"
	"errors"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/conf"
	"github.com/valkeyfs/valkeyfs/internal/hostfs"
	"github.com/valkeyfs/valkeyfs/scan"
)

// Options say how servers are judged.
type Options struct {
	// Version is the servers' version; zero: what the files say, else the newest
	// that is known.
	Version conf.Version
	// Now is when certificates and waivers are judged; zero: they are not.
	Now time.Time
	// SkipData leaves the content of snapshots and logs unread.
	SkipData bool
	// Functions are the SHA-256 of function libraries that are meant to be there.
	Functions []string
	// Profiles say what the servers are for; none: what the files say.
	Profiles []Profile
	// Waivers accept failures.
	Waivers []Waiver
	// MinSeverity leaves out failures below it.
	MinSeverity scan.Severity
	// Baseline is what was read when all was well; nil: there is none.
	Baseline *Baseline
	// Policy says which keys are never to change; nil: none does.
	Policy *Policy
	// Salt keys the digests of a new baseline; those of Baseline are compared by
	// its own.
	Salt []byte
	// Backups is where sealed backups lie; "": not known.
	Backups string
	// Live is a running server, which is judged, too, and compared with the files.
	Live *Live
}

// Report is what came of it.
type Report struct {
	Servers  []*Subject
	Files    []conf.File // that were read, with their hashes
	Results  []Result    // by server, then as the catalogue has them
	Counts   map[Status]int
	Assumed  []string // what was taken for granted, and for which server
	Problems []conf.Problem
	// Incomplete says that something could not be read that counts.
	Incomplete bool
}

// ErrNothing says that no server was found.
var ErrNothing = errors.New("no configuration, manifest or data directory of a server was found")

// Run finds the servers that lie at paths (none: in the usual places) and judges
// each by every check. The error is the context's, or for a path that is not
// there.
func Run(ctx context.Context, fs *hostfs.FS, paths []string, o *Options) (*Report, error) {
	f := &finder{ctx: ctx, fs: fs, o: o}
	if err := f.find(paths); err != nil {
		return nil, err
	}
	for _, s := range f.subjects {
		s.readData(ctx)
		s.peers = s.readPeers()
		if o.Backups != "" {
			s.Backups = readBackups(ctx, fs, o.Backups, s.Dir)
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	pair(f.subjects)
	r := &Report{Servers: f.subjects, Counts: map[Status]int{}, Assumed: f.assumed}
	for _, s := range f.subjects {
		r.readFrom(s)
		r.judge(s)
	}
	return r, nil
}

// readFrom notes what was read of a server, and what could not be.
func (r *Report) readFrom(s *Subject) {
	r.Incomplete = r.Incomplete || s.DataError != nil || s.Data != nil && s.Data.Damages > 0
	if s.Server == nil {
		return
	}
	r.Files = append(r.Files, s.Server.Conf.Files...)
	if s.Server.ACLFile != "" && s.Server.Users.SHA256 != "" {
		r.Files = append(r.Files, conf.File{Path: s.Server.ACLFile, SHA256: s.Server.Users.SHA256})
	}
	r.Problems = append(r.Problems, s.Server.Problems...)
	for _, p := range s.Server.Problems {
		r.Incomplete = r.Incomplete || !p.Fatal
	}
}

// judge answers every check for a server.
func (r *Report) judge(s *Subject) {
	for _, c := range Catalogue() {
		for _, a := range s.answer(c) {
			res := Result{Check: c, Server: s.Name, Answer: a}
			if res.Status == Fail && !res.rated {
				res.Severity = c.Severity
			}
			if w := s.Options.waiver(&res); w != nil {
				res.Status, res.Waiver = Waived, w.Reason
			}
			if res.Status == Fail && res.Severity < s.Options.MinSeverity {
				continue
			}
			r.Counts[res.Status]++
			r.Results = append(r.Results, res)
		}
	}
}

func (s *Subject) answer(c *Check) []Answer {
	if why := s.leftOut(c); why != "" {
		return na("%s", why)
	}
	if c.run == nil {
		return unknown("%s", c.Standing)
	}
	answers := c.run(s)
	if len(answers) == 0 {
		return unknown("the check has nothing to say")
	}
	return answers
}
