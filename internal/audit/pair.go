package audit

import (
	"slices"
	"strconv"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/acl"
)

// pair finds the primaries of replicas among the servers that are judged: the one
// that listens where replicaof says, or if there are but two, the other one.
func pair(subjects []*Subject) {
	for _, s := range subjects {
		if s.Server == nil || !s.Server.Replica() {
			continue
		}
		var others []*Subject
		for _, o := range subjects {
			if o != s && o.Server != nil && !o.Server.Replica() && !o.Server.Sentinel {
				others = append(others, o)
			}
		}
		if i := slices.IndexFunc(others, func(o *Subject) bool { return o.listensAt(s.primaryAddress()) }); i >= 0 {
			s.primary = others[i]
		} else if len(others) == 1 && len(subjects) == 2 {
			s.primary = others[0]
		}
	}
}

func (s *Subject) primaryAddress() (host string, port int64) {
	d, _ := s.Server.Conf.Last("replicaof")
	port, _ = strconv.ParseInt(d.Args[1], 10, 32)
	return d.Args[0], port
}

func (s *Subject) listensAt(host string, port int64) bool {
	return slices.ContainsFunc(s.Server.Listeners(), func(l Listener) bool { return l.Address == host && l.Port == port })
}

// checkPair compares a replica with its primary: who gets the one gets the data
// of the other.
func checkPair(s *Subject) []Answer {
	if a := s.asReplica(); a != nil {
		return a
	}
	p := s.primary
	if p == nil {
		return unknown("the primary is not among the servers that were judged")
	}
	d, _ := s.Server.Conf.Last("replicaof")
	var fs []Answer
	if s.Server.Open() && !p.Server.Open() {
		fs = append(fs, fail(s.defaultAt(), "the users of the primary", "the primary %s asks for a password, the replica does not", p.Name).severe(Critical))
	}
	if tls, plain := p.listens(); tls && !plain {
		if _, plain := s.listens(); plain {
			fs = append(fs, fail(at(s.Server.Conf.Get("port")), "port 0\ntls-port 6379", "the primary %s is reached by TLS only, the replica is not", p.Name))
		}
	}
	if more := moreRights(s.Server.Users, p.Server.Users); len(more) > 0 {
		fs = append(fs, fail(s.defaultAt(), "the users of the primary", "users have other passwords or more rights than on the primary %s: %s", p.Name, strings.Join(more, ", ")).severe(Medium))
	}
	fs = append(fs, s.follows(p)...)
	return orPass(fs, atDirective(d), "guarded as its primary %s", p.Name)
}

// listens reports how other hosts reach a server.
func (s *Subject) listens() (tls, plain bool) {
	for _, l := range s.Server.Listeners() {
		if !l.Loopback {
			tls, plain = tls || l.TLS, plain || !l.TLS
		}
	}
	return tls, plain
}

// maxNamed bounds the users that an answer names.
const maxNamed = 5

// moreRights names the users of a replica who may do there what they may not do
// on its primary.
func moreRights(replica, primary *acl.Users) []string {
	var names []string
	known := map[string]bool{} // the versions may differ
	for _, c := range primary.Table().Commands() {
		known[c] = true
	}
	for _, u := range replica.List {
		if !u.Enabled || len(names) == maxNamed {
			continue
		}
		o := primary.Get(u.Name)
		if o == nil {
			o = acl.NewUser(primary.Table(), u.Name)
		}
		if !o.Enabled || u.NoPass && !o.NoPass || !slices.Equal(hashes(u), hashes(o)) || slices.ContainsFunc(u.Commands(), func(c string) bool { return known[c] && !o.Allows(c) }) {
			names = append(names, clip(u.Name))
		}
	}
	return names
}

// follows compares the snapshots of both: a replica shares the replication id,
// and is not ahead of its primary by more than was written between two snapshots.
func (s *Subject) follows(p *Subject) []Answer {
	if s.Data == nil || p.Data == nil {
		return nil
	}
	for name, mine := range s.Data.Aux {
		for _, its := range p.Data.Aux {
			if a, b := mine["repl-id"], its["repl-id"]; a != "" && b != "" && a != b {
				return []Answer{fail(Place{File: name}, "find out what the replica followed when it saved", "the snapshots of replica and primary %s are of different histories (repl-id)", p.Name).severe(Medium)}
			}
		}
	}
	return nil
}
