package audit

import (
	"path"
	"slices"
	"strings"
)

// Unauthenticated access.
var threat1 = []Check{
	{ID: "VFS-AUTH-001", Threat: 1, Severity: High, Title: "A client that does not authenticate gets nothing", References: []string{"NIST 800-53 AC-3", "STIG V-251222", "CWE-306", "ATT&CK T1190"}, run: checkOpen},
	{ID: "VFS-AUTH-002", Threat: 1, Severity: Critical, Title: "requirepass is not overruled", References: []string{"NIST 800-53 AC-3", "STIG V-251222", "CWE-306"}, run: checkShadowed},
	{ID: "VFS-AUTH-003", Threat: 1, Severity: High, Title: "The server listens on named addresses only", References: []string{"NIST 800-53 SC-7", "STIG V-251215", "STIG V-251220", "CWE-1327"}, run: checkBind},
	{ID: "VFS-AUTH-004", Threat: 1, Severity: Medium, Title: "Protected mode is on", References: []string{"NIST 800-53 SC-7", "STIG V-251220"}, run: checkProtected},
	{ID: "VFS-AUTH-005", Threat: 1, Severity: High, Title: "A sentinel asks for a password", References: []string{"NIST 800-53 AC-3", "STIG V-251222", "CWE-306"}, run: checkSentinel},
	{ID: "VFS-AUTH-006", Threat: 1, Severity: Medium, Title: "The Unix socket is not for everyone", References: []string{"NIST 800-53 AC-3", "STIG V-251247", "CWE-732"}, run: checkSocket},
	{ID: "VFS-AUTH-007", Threat: 1, Severity: High, Title: "No command line overrules the configuration file", References: []string{"NIST 800-53 CM-6", "STIG V-251214"}, run: checkOverrides},
	{ID: "VFS-AUTH-008", Threat: 1, Severity: High, Title: "No container publishes the port to everyone", References: []string{"NIST 800-53 SC-7", "STIG V-251220", "ATT&CK T1190"}, run: checkPublished},
	{ID: "VFS-AUTH-009", Threat: 1, Severity: Medium, Title: "A firewall admits named sources only", References: []string{"NIST 800-53 SC-7", "STIG V-251220"}, run: checkFirewall},
	{ID: "VFS-AUTH-010", Threat: 1, Severity: Medium, Title: "The server starts with these files", References: []string{"NIST 800-53 CM-6", "STIG V-251240"}, run: checkStarts},
	{ID: "VFS-AUTH-011", Threat: 1, Severity: High, Title: "No client of another host is connected without authentication", References: []string{"NIST 800-53 AC-3", "NIST 800-53 SI-4", "CWE-306"}, run: checkStrangers},
}

// inside reports whether a Compose file keeps a server to the host's own
// containers. In a cluster of Kubernetes, every pod reaches every other.
func (s *Subject) inside() bool {
	return s.Container != nil && s.Container.Kind == "compose" && !slices.ContainsFunc(s.Container.Published, func(p published) bool { return p.everywhere })
}

func (s *Subject) defaultAt() Place {
	d := s.Server.Default()
	if d.File != "" {
		return Place{d.File, d.Line}
	}
	if s.Server.ACLFile != "" {
		return Place{File: s.Server.ACLFile}
	}
	return Place{File: s.Name}
}

func checkOpen(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	if s.Server.Users.DefaultUnread {
		return unknown(noDefault)
	}
	where := s.defaultAt()
	if !s.Server.Open() {
		if d := s.Server.Default(); d.Enabled {
			return pass(where, "the user default has a password")
		}
		return pass(where, "the user default is off")
	}
	can := "without any command"
	if n := len(s.Server.Default().Commands()); s.Server.Default().AllowsAll() {
		can = "and all commands"
	} else if n > 0 {
		can = "and some commands"
	}
	a := fail(where, "user default off", "the user default is on without a password, %s", can)
	switch {
	case !s.Server.Public() && s.Container == nil:
		a.Evidence += "; on this host only"
	case s.Server.Protected():
		a.Evidence += "; protected mode turns away all but this host"
	case s.inside():
		a.Evidence += "; in reach of other containers"
	default:
		a.Evidence += "; from other hosts, too"
		a = a.severe(Critical)
	}
	return []Answer{a}
}

func checkShadowed(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	d, ok := s.Server.Conf.Last("requirepass")
	if !ok || len(d.Args) != 1 || d.Args[0] == "" {
		return na("requirepass is not set")
	}
	if s.Server.Users.DefaultUnread {
		return unknown(noDefault)
	}
	if s.Server.Open() {
		by := "a \"user default\" line"
		if s.Server.ACLFile != "" {
			by = "the ACL file, which does not ask the user default for a password"
		}
		return []Answer{fail(atDirective(d), "user default off", "requirepass is set, and has no effect: overruled by %s", by)}
	}
	if s.Server.ACLFile != "" || s.Server.Default().Line != d.Line {
		return pass(s.defaultAt(), "requirepass is overruled by another definition of the user default, which is not open")
	}
	return pass(atDirective(d), "requirepass is what counts")
}

func checkBind(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	if s.Container != nil {
		return na("inside a container the addresses that are published count")
	}
	v := s.Server.Conf.Get("bind")
	ls := s.Server.Listeners()
	for _, l := range ls {
		if everywhere(l.Address) {
			what := "bind names all interfaces: " + l.Address
			if !v.Set {
				what = "bind is not set: the server listens on all interfaces"
			}
			a := fail(at(v), "bind 127.0.0.1 -::1", "%s", what)
			if s.Server.Protected() {
				a = a.severe(Medium)
			}
			return []Answer{a}
		}
	}
	if len(ls) == 0 {
		return pass(at(s.Server.Conf.Get("port")), "the server does not listen on TCP")
	}
	return pass(at(v), "bind %s", v.Text)
}

func checkProtected(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	v := s.Server.Conf.Get("protected-mode")
	on := v.Bool() && (v.Set || !s.Server.Sentinel && !s.Server.Image)
	switch {
	case on:
		return pass(at(v), "protected-mode yes")
	case s.Server.Users.DefaultUnread:
		return unknown(noDefault)
	case !s.Server.Open():
		return pass(at(v), "protected mode is off, and the user default is not open")
	}
	a := fail(at(v), "protected-mode yes", "protected mode is off, and the user default has no password")
	if s.Server.Public() {
		a = a.severe(High)
	}
	return []Answer{a}
}

func checkSentinel(s *Subject) []Answer {
	switch {
	case s.Server == nil:
		return unknown(noConf)
	case !s.Server.Sentinel:
		return na("no sentinel")
	case s.Server.Users.DefaultUnread:
		return unknown(noDefault)
	case s.Server.Open():
		return []Answer{fail(s.defaultAt(), "requirepass PASSWORD", "the sentinel asks for no password; whoever reaches it can name another primary")}
	}
	return pass(s.defaultAt(), "the sentinel asks for a password")
}

func checkSocket(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	v := s.Server.Conf.Get("unixsocket")
	if v.Text == "" {
		return na("no Unix socket")
	}
	p := s.Server.Conf.Get("unixsocketperm")
	mode, _ := p.Octal()
	if mode == 0 {
		return unknown("unixsocketperm is not set: the umask decides")
	}
	if mode&0o006 != 0 {
		return []Answer{fail(at(p), "unixsocketperm 770", "unixsocketperm %o admits every local user", mode)}
	}
	return pass(at(p), "unixsocketperm %o", mode)
}

func checkOverrides(s *Subject) []Answer {
	if s.Unit == nil && s.Container == nil {
		return unknown("no unit or manifest that starts the server was found")
	}
	if s.Server == nil {
		return unknown(noConf)
	}
	from := ""
	if s.Unit != nil {
		from = s.Unit.File
	} else {
		from = s.Container.File
	}
	// These make a server more open than its file says.
	var fs []Answer
	for _, d := range s.Server.Conf.Directives {
		if d.File != from || d.Line != 0 || d.File == s.Server.Conf.Path {
			continue
		}
		switch d.Name {
		case "bind", "protected-mode", "port", "tls-port", "requirepass", "aclfile", "user", "dir", "dbfilename", "enable-debug-command", "enable-module-command", "enable-protected-configs":
			fs = append(fs, fail(Place{File: from}, "put it into the configuration file", "the command line sets %s", d.Name))
		}
	}
	return orPass(fs, Place{File: from}, "the command line sets nothing that matters here")
}

func checkPublished(s *Subject) []Answer {
	c := s.Container
	if c == nil {
		return na("no container")
	}
	var fs []Answer
	for _, p := range c.Published {
		if !p.everywhere {
			continue
		}
		remedy := "publish it on 127.0.0.1, or not at all"
		if c.Kind != "compose" {
			remedy = "type: ClusterIP, and a NetworkPolicy; no hostPort"
		}
		a := fail(p.Place, remedy, "%s %s publishes %s to every interface", c.Kind, c.Name, p.text)
		if s.Server != nil && s.Server.Open() {
			a = a.severe(Critical)
		}
		fs = append(fs, a)
	}
	return orPass(fs, c.Place, "no port is published to every interface")
}

func checkFirewall(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	if s.Container != nil && s.Container.Kind != "compose" && s.Container.Kind != "Service" {
		return s.checkPolicies()
	}
	if s.Unit != nil {
		if deny, where := s.Unit.Get("IPAddressDeny"); deny == "any" {
			return pass(where, "the unit has IPAddressDeny=any")
		}
	}
	if !s.Server.Public() {
		return na("the server listens on this host only")
	}
	if s.host.firewall == nil {
		return unknown("no firewall rules were found")
	}
	var fs []Answer
	guard := Place{}
	for _, l := range s.Server.Listeners() {
		if l.Loopback {
			continue
		}
		v := s.host.firewall.Port(l.Port)
		switch {
		case v.Open:
			fs = append(fs, fail(v.At, "admit port "+itoa(l.Port)+" from the clients' addresses only", "port %d is admitted from everywhere", l.Port))
		case v.Guarded:
			guard = v.At
		default:
			return unknown("the rules in %s do not refuse by default", path.Dir(v.At.File))
		}
	}
	return orPass(fs, guard, "refused by default, admitted from named sources")
}

func checkStarts(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	var fs []Answer
	for _, p := range s.Server.Problems {
		if p.Fatal {
			fs = append(fs, fail(Place{p.File, p.Line}, "correct the line", "the server refuses to start: %s", p.What))
		}
	}
	if len(fs) == 0 && len(s.Server.Problems) > 0 {
		p := s.Server.Problems[0]
		return []Answer{{Status: Unknown, Place: Place{p.File, p.Line}, Evidence: p.What}}
	}
	return orPass(fs, Place{File: s.Name}, "nothing that %s refuses", strings.ReplaceAll(s.Server.Version.String(), "-", " "))
}
