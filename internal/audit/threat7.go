package audit

// Resource exhaustion: connections.
var threat7 = []Check{
	{ID: "VFS-CONN-001", Threat: 7, Severity: Medium, Title: "The unit's limit of files allows maxclients", References: []string{"NIST 800-53 SC-5", "CWE-770"}, run: checkFiles},
	{ID: "VFS-CONN-002", Threat: 7, Severity: Medium, Title: "Idle clients are disconnected", References: []string{"NIST 800-53 AC-12", "NIST 800-53 SC-5"}, run: checkTimeout},
	{ID: "VFS-CONN-003", Threat: 7, Severity: Low, Title: "Dead connections are noticed", References: []string{"NIST 800-53 SC-5"}, run: checkKeepalive},
	{ID: "VFS-CONN-004", Threat: 7, Severity: Low, Title: "Connections of one address are limited", References: []string{"NIST 800-53 SC-5", "STIG V-251183", "ATT&CK T1499"}, run: checkPerAddress},
	{ID: "VFS-CONN-005", Threat: 7, Severity: Medium, Title: "Connections are limited", References: []string{"NIST 800-53 SC-5", "STIG V-251183"}, run: checkMaxClients},
	{ID: "VFS-CONN-006", Threat: 7, Severity: Low, Title: "Clients pool their connections", References: []string{"NIST 800-53 SC-5"}, run: checkPooling},
	{ID: "VFS-CONN-007", Threat: 7, Severity: Medium, Title: "Connections are far from their limit", References: []string{"NIST 800-53 SC-5", "NIST 800-53 SI-4"}, run: checkConnections},
}

// reservedFiles is server.h, CONFIG_MIN_RESERVED_FDS.
const reservedFiles = 32

func checkFiles(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	if s.Unit == nil {
		return unknown("no unit that starts the server was found")
	}
	v := s.Server.Conf.Get("maxclients")
	n, ok := v.Int()
	files, where, known := s.Unit.Files()
	if files < 0 && known {
		return pass(where, "LimitNOFILE=infinity")
	}
	if !ok || !known {
		return unknown("LimitNOFILE is not set: the system's default decides, which the server raises as far as it may")
	}
	if files < n+reservedFiles {
		return []Answer{fail(where, "LimitNOFILE="+itoa(n+reservedFiles), "LimitNOFILE=%d is less than maxclients %d and %d files of the server's own", files, n, reservedFiles)}
	}
	return pass(where, "LimitNOFILE=%d, maxclients %d", files, n)
}

func checkTimeout(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	v := s.Server.Conf.Get("timeout")
	n, ok := v.Int()
	switch {
	case !ok:
		return unknown("timeout cannot be understood")
	case n > 0:
		return pass(at(v), "timeout %d", n)
	case !s.Server.Public():
		return na("the server listens on this host only")
	}
	return []Answer{fail(at(v), "timeout 300", "timeout 0: idle clients of other hosts stay connected for ever")}
}

func checkKeepalive(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	v := s.Server.Conf.Get("tcp-keepalive")
	if n, ok := v.Int(); !ok || n == 0 {
		return []Answer{fail(at(v), "tcp-keepalive 300", "tcp-keepalive 0")}
	}
	return pass(at(v), "tcp-keepalive %s", v.Text)
}

func checkPerAddress(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	if !s.Server.Public() {
		return na("the server listens on this host only")
	}
	if s.host.firewall == nil {
		return unknown("no firewall rules were found")
	}
	for _, l := range s.Server.Listeners() {
		v := s.host.firewall.Port(l.Port)
		if v.Limited == nil {
			return []Answer{fail(v.At, "nft add rule inet filter input tcp dport "+itoa(l.Port)+" ct count over 50 drop", "no rule limits the connections to port %d", l.Port)}
		}
	}
	return pass(Place{File: s.host.firewall.Files[0]}, "the rules limit connections")
}

func checkMaxClients(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	v := s.Server.Conf.Get("maxclients")
	n, ok := v.Int()
	if !ok {
		return unknown("maxclients cannot be understood")
	}
	// The default is as reasonable a limit as any; far above it, each client's
	// buffers alone exhaust the memory.
	if n > 100_000 {
		return []Answer{fail(at(v), "maxclients 10000", "maxclients %d", n)}
	}
	return pass(at(v), "maxclients %d", n)
}
