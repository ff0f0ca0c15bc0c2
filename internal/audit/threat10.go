package audit

import (
	"path"
	"slices"
	"strings"
)

// Replication.
var threat10 = []Check{
	{ID: "VFS-REPL-001", Threat: 10, Severity: High, Title: "Replicas are read-only", References: []string{"NIST 800-53 AC-6", "NIST 800-53 SI-7"}, run: checkReadOnly},
	{ID: "VFS-REPL-002", Threat: 10, Severity: Medium, Title: "Replicas authenticate to their primary", References: []string{"NIST 800-53 IA-3"}, run: checkPrimaryAuth},
	{ID: "VFS-REPL-003", Threat: 10, Severity: Medium, Title: "The user for replication can do nothing else", References: []string{"NIST 800-53 AC-6", "STIG V-251187"}, run: checkReplicationUser},
	{ID: "VFS-REPL-004", Threat: 10, Severity: High, Title: "The primary is not reached over a public network in clear", References: []string{"NIST 800-53 SC-8"}, run: checkPrimaryAddress},
	{ID: "VFS-REPL-005", Threat: 10, Severity: Medium, Title: "A cluster's peers are known, and have private addresses", References: []string{"NIST 800-53 SC-7"}, run: checkPeers},
	{ID: "VFS-REPL-006", Threat: 10, Severity: High, Title: "A sentinel's scripts cannot be changed", References: []string{"NIST 800-53 CM-5", "STIG V-251219", "CWE-732"}, run: checkSentinelScripts},
	{ID: "VFS-REPL-007", Threat: 10, Severity: Low, Title: "A primary that is alone takes no writes", References: []string{"NIST 800-53 SC-24"}, run: checkMinReplicas},
	{ID: "VFS-REPL-008", Threat: 10, Severity: Medium, Title: "Applications' users cannot change replication", References: []string{"NIST 800-53 AC-6", "STIG V-251188", "ATT&CK T1565"}, run: checkReplicaOf},
	{ID: "VFS-REPL-009", Threat: 10, Severity: Low, Title: "Replication is watched", References: []string{"NIST 800-53 SI-4"}, run: checkReplicationWatched},
	{ID: "VFS-REPL-010", Threat: 10, Severity: High, Title: "A replica is guarded as its primary is, and follows it", References: []string{"NIST 800-53 AC-3", "NIST 800-53 SI-7"}, run: checkPair},
	{ID: "VFS-REPL-011", Threat: 10, Severity: Medium, Title: "Replication is working", References: []string{"NIST 800-53 SI-4", "NIST 800-53 SC-24"}, run: checkLinks},
}

func (s *Subject) asReplica() []Answer {
	switch {
	case s.Server == nil:
		return unknown(noConf)
	case !s.Server.Replica():
		return na("no replica")
	}
	return nil
}

func checkReadOnly(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	v := s.Server.Conf.Get("replica-read-only")
	if v.Bool() {
		return pass(at(v), "replica-read-only yes")
	}
	a := fail(at(v), "replica-read-only yes", "replica-read-only no")
	if !s.Server.Replica() && !s.Server.Cluster() {
		a.Evidence += "; the server is no replica now"
		a = a.severe(Low)
	}
	return []Answer{a}
}

func checkPrimaryAuth(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	if !s.Server.Replica() && !s.Server.Cluster() {
		return na("neither replica nor node of a cluster")
	}
	v := s.Server.Conf.Get("primaryauth")
	if v.Text != "" {
		return pass(at(v), "primaryauth is set")
	}
	return []Answer{fail(at(v), "primaryauth PASSWORD", "primaryauth is not set: the primary asks for no password, or the replica cannot follow it")}
}

func checkReplicationUser(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	v := s.Server.Conf.Get("primaryuser")
	if v.Text == "" {
		if s.Server.Replica() || s.Server.Cluster() {
			return []Answer{fail(at(v), "primaryuser replica", "primaryuser is not set: replication uses the user default of the primary")}
		}
		return na("neither replica nor node of a cluster")
	}
	u := s.Server.Users.Get(v.Text)
	if u == nil {
		return unknown("what the user may do is said on the primary")
	}
	everyone := map[string]bool{"psync": true, "replconf": true, "ping": true, "sync": true}
	for _, c := range s.everyone() {
		everyone[c] = true
	}
	more := 0
	for _, c := range u.Commands() {
		if !everyone[c] {
			more++
		}
	}
	if more > 0 {
		return []Answer{fail(userPlace(s, u), "user "+clip(u.Name)+" -@all +psync +replconf +ping", "user %s can run %d commands beside those of replication", clip(u.Name), more)}
	}
	return pass(userPlace(s, u), "psync, replconf and ping only")
}

func checkPrimaryAddress(s *Subject) []Answer {
	if a := s.asReplica(); a != nil {
		return a
	}
	d, _ := s.Server.Conf.Last("replicaof")
	if s.Server.Conf.Get("tls-replication").Bool() {
		return pass(atDirective(d), "tls-replication yes")
	}
	switch public, known := publicAddress(d.Args[0]); {
	case public:
		return []Answer{fail(atDirective(d), "tls-replication yes", "the primary has a public address, and the link is not encrypted")}
	case !known:
		return unknown("the primary is named, not numbered")
	}
	return pass(atDirective(d), "the primary has a private address")
}

// peers are the other nodes of a cluster, as a node has them on disk.
type peers struct {
	file  string
	nodes []peer
	err   error
}

type peer struct {
	id, host string
	line     int
}

// readPeers reads nodes.conf (cluster_legacy.c, clusterGenNodeDescription: id,
// ip:port@bus[,hostname…], flags …).
func (s *Subject) readPeers() peers {
	if s.Server == nil || !s.Server.Cluster() {
		return peers{}
	}
	p := peers{file: s.path(s.Server.Conf.Get("cluster-config-file").Text)}
	text, err := s.FS.ReadFile(p.file, 16*maxText)
	p.err = err
	line := 0
	for l := range strings.Lines(string(text)) {
		line++
		f := strings.Fields(l)
		if len(f) < 8 || strings.Contains(f[2], "myself") {
			continue
		}
		address, _, _ := strings.Cut(f[1], "@")
		p.nodes = append(p.nodes, peer{f[0], address[:max(strings.LastIndexByte(address, ':'), 0)], line})
	}
	return p
}

func checkPeers(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	if !s.Server.Cluster() {
		return na("no node of a cluster")
	}
	p := s.peers
	if p.err != nil {
		return unknown("nodes.conf: %v", plainError(p.err))
	}
	var old *ServerBaseline
	var known []string
	if s.Options.Baseline != nil {
		if old = s.Options.Baseline.Servers[s.Name]; old != nil {
			known = slices.Sorted(slices.Values(old.Peers))
		}
	}
	const remedy = "CLUSTER FORGET it if it is unknown"
	var fs []Answer
	for _, n := range p.nodes {
		where := Place{p.file, n.line}
		if public, _ := publicAddress(n.host); public {
			fs = append(fs, fail(where, remedy, "a peer with a public address"))
		}
		if _, ok := slices.BinarySearch(known, n.id); old != nil && !ok {
			fs = append(fs, fail(where, remedy, "a peer that the baseline does not have"))
		}
	}
	if old == nil {
		return orPass(fs, Place{File: p.file}, "%d peers, none with a public address; which are meant to be there, --baseline says", len(p.nodes))
	}
	return orPass(fs, Place{File: p.file}, "%d peers, all of the baseline, none with a public address", len(p.nodes))
}

func checkSentinelScripts(s *Subject) []Answer {
	switch {
	case s.Server == nil:
		return unknown(noConf)
	case !s.Server.Sentinel:
		return na("no sentinel")
	}
	var fs []Answer
	for _, d := range s.Server.Conf.All("sentinel") {
		if len(d.Args) < 2 {
			continue
		}
		switch strings.ToLower(d.Args[0]) {
		case "deny-scripts-reconfig":
			if strings.EqualFold(d.Args[1], "no") {
				fs = append(fs, fail(atDirective(d), "sentinel deny-scripts-reconfig yes", "SENTINEL SET can name a script to run"))
			}
		case "notification-script", "client-reconfig-script":
			if len(d.Args) < 3 {
				continue
			}
			for name := d.Args[2]; path.IsAbs(name); name = path.Dir(name) {
				i, err := s.FS.Stat(name)
				if err == nil && i.Perm()&0o022 != 0 && !(i.Mode.IsDir() && i.Mode&sticky != 0) {
					fs = append(fs, fail(atDirective(d), "chmod go-w "+name, "%s has mode %04o", name, i.Perm()))
					break
				}
				if name == "/" {
					break
				}
			}
		}
	}
	return orPass(fs, Place{File: s.Name}, "SENTINEL SET cannot name scripts")
}

func checkMinReplicas(s *Subject) []Answer {
	switch {
	case s.Server == nil:
		return unknown(noConf)
	case s.Server.Replica() || s.Server.Sentinel:
		return na("no primary")
	}
	v := s.Server.Conf.Get("min-replicas-to-write")
	if v.Text != "0" {
		return pass(at(v), "min-replicas-to-write %s", v.Text)
	}
	return unknown("whether the primary has replicas its own files do not tell; with min-replicas-to-write 0 it takes writes alone")
}

func checkReplicaOf(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	var fs []Answer
	for _, u := range s.Server.Reachable() {
		if administrator(u) && !open(u) {
			continue
		}
		for _, c := range []string{"replicaof", "slaveof", "failover"} {
			if s.Server.Can(u, c) {
				fs = append(fs, fail(userPlace(s, u), "user "+clip(u.Name)+" -@admin", "user %s can run %s", clip(u.Name), strings.ToUpper(c)))
				break
			}
		}
	}
	return s.ofUsers(fs, s.defaultAt(), "for administrators only")
}
