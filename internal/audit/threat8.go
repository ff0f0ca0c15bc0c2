package audit

import (
	"strings"
	"time"
)

// Slow commands.
var threat8 = []Check{
	{ID: "VFS-SLOW-001", Threat: 8, Severity: Medium, Title: "KEYS, FLUSHALL and FLUSHDB are for administrators", References: []string{"NIST 800-53 AC-6", "NIST 800-53 SC-5", "STIG V-251188", "ATT&CK T1485"}, run: checkSlowUsers},
	{ID: "VFS-SLOW-002", Threat: 8, Severity: Medium, Title: "The slow log is kept", References: []string{"NIST 800-53 AU-12", "STIG V-251190"}, run: checkSlowlog},
	{ID: "VFS-SLOW-009", Threat: 8, Severity: Low, Title: "The slow log is for administrators and monitoring", References: []string{"NIST 800-53 AU-9", "NIST 800-53 AC-6", "CWE-532"}, run: checkSlowlogUsers},
	{ID: "VFS-SLOW-003", Threat: 8, Severity: Low, Title: "Latency is monitored", References: []string{"NIST 800-53 AU-12"}, run: checkLatency},
	{ID: "VFS-SLOW-004", Threat: 8, Severity: High, Title: "Nobody has flushed the data", References: []string{"NIST 800-53 AU-6", "ATT&CK T1485"}, run: checkFlushes},
	{ID: "VFS-SLOW-005", Threat: 8, Severity: Medium, Title: "No renamed command breaks the log", References: []string{"NIST 800-53 CM-6"}, run: checkRenames},
	{ID: "VFS-SLOW-006", Threat: 8, Severity: Low, Title: "Deleting does not block", References: []string{"NIST 800-53 SC-5"}, run: checkLazyFree},
	{ID: "VFS-SLOW-007", Threat: 8, Severity: Low, Title: "Functions call no slow commands", References: []string{"NIST 800-53 SC-5"}, run: checkSlowFunctions},
	{ID: "VFS-SLOW-008", Threat: 8, Severity: Medium, Title: "Nobody calls slow commands", References: []string{"NIST 800-53 AU-6", "ATT&CK T1485"}, run: checkSlowCalls},
}

func checkSlowUsers(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	var fs []Answer
	for _, u := range s.Server.Reachable() {
		if administrator(u) && !open(u) {
			continue
		}
		var can []string
		for _, c := range []string{"keys", "flushall", "flushdb"} {
			if s.Server.Can(u, c) {
				can = append(can, c)
			}
		}
		if len(can) > 0 {
			fs = append(fs, fail(userPlace(s, u), "user "+clip(u.Name)+" -"+strings.Join(can, " -"), "user %s can run %s", clip(u.Name), strings.ToUpper(strings.Join(can, ", "))))
		}
	}
	return s.ofUsers(fs, s.defaultAt(), "for administrators only")
}

func checkSlowlog(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	slower, length := s.Server.Conf.Get("slowlog-log-slower-than"), s.Server.Conf.Get("slowlog-max-len")
	switch {
	case strings.HasPrefix(slower.Text, "-"):
		return []Answer{fail(at(slower), "slowlog-log-slower-than 10000", "slowlog-log-slower-than %s: nothing is logged", slower.Text)}
	case length.Text == "0":
		return []Answer{fail(at(length), "slowlog-max-len 128", "slowlog-max-len 0: nothing is kept")}
	}
	return pass(at(slower), "from %s µs on, %s entries", slower.Text, length.Text)
}

// checkSlowlogUsers: the slow log has the arguments of everyone's commands, and
// whoever may empty it hides their own. Reading it alone is what monitoring needs.
func checkSlowlogUsers(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	var fs []Answer
	for _, u := range s.Server.Reachable() {
		var can []string
		if s.Server.Can(u, "slowlog|get") && mayWrite(u) {
			can = append(can, "read")
		}
		if s.Server.Can(u, "slowlog|reset") {
			can = append(can, "empty")
		}
		if len(can) == 0 || administrator(u) && !open(u) {
			continue
		}
		fs = append(fs, fail(userPlace(s, u), "user "+clip(u.Name)+" -slowlog", "user %s can %s the slow log, in which the arguments of others' commands stand", clip(u.Name), strings.Join(can, " and ")))
	}
	return s.ofUsers(fs, s.defaultAt(), "only administrators, and who changes no data, can read the slow log")
}

func checkLatency(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	v := s.Server.Conf.Get("latency-monitor-threshold")
	if v.Text == "0" {
		return []Answer{fail(at(v), "latency-monitor-threshold 100", "latency-monitor-threshold 0")}
	}
	return pass(at(v), "latency-monitor-threshold %s", v.Text)
}

// content answers where the data were not read, nil where they were.
func (s *Subject) content() []Answer {
	if s.Options.SkipData {
		return unknown("the data were not read")
	}
	_, a := s.dataFiles()
	return a
}

// seen turns sightings into failures, a few of each kind.
func seen(list []Sighting, more int, remedy string) []Answer {
	var fs []Answer
	for i, x := range list {
		if i == 5 {
			fs = append(fs, fail(Place{File: x.File}, remedy, "%d more, from byte %d on", len(list)-i+more, x.Offset))
			break
		}
		when := ""
		if !x.Time.IsZero() {
			when = ", " + x.Time.Format(time.RFC3339)
		}
		fs = append(fs, fail(Place{File: x.File}, remedy, "%s at byte %d%s", x.What, x.Offset, when))
	}
	return fs
}

func checkFlushes(s *Subject) []Answer {
	if a := s.content(); a != nil {
		return a
	}
	return s.ofData(seen(s.Data.Flushes, s.Data.More, "valkeyfs scan shows what was deleted; who did it no file says"), "no log has a FLUSHALL or FLUSHDB")
}

func checkRenames(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	ds := s.Server.Conf.All("rename-command")
	if len(ds) == 0 {
		return na("no command is renamed")
	}
	if !s.Server.Conf.Get("appendonly").Bool() && !s.Server.Replica() {
		return pass(atDirective(ds[0]), "no log, no replication")
	}
	var fs []Answer
	for _, d := range ds {
		if len(d.Args) != 2 {
			continue
		}
		switch name := strings.ToLower(d.Args[0]); name {
		case "config", "keys", "debug", "shutdown", "save", "bgsave", "bgrewriteaof", "monitor", "slowlog", "client", "acl", "module", "latency", "info", "eval", "evalsha":
		default:
			fs = append(fs, fail(atDirective(d), "user … -"+clip(name)+" in an ACL instead", "%s is renamed: a log or a replication stream that has it under either name is not understood by servers without the rename", clip(name)))
		}
	}
	return orPass(fs, atDirective(ds[0]), "no command that reaches a log is renamed")
}

func checkLazyFree(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	var off []string
	where := Place{File: s.Name}
	for _, name := range []string{"lazyfree-lazy-eviction", "lazyfree-lazy-expire", "lazyfree-lazy-user-del", "lazyfree-lazy-user-flush"} {
		if v := s.Server.Conf.Get(name); v.OK && !v.Bool() {
			if off = append(off, name); v.Line > 0 {
				where = at(v)
			}
		}
	}
	if len(off) > 0 {
		return []Answer{fail(where, strings.Join(off, " yes\n")+" yes", "off: %s", strings.Join(off, ", "))}
	}
	return pass(where, "freeing happens in the background")
}

func checkSlowFunctions(s *Subject) []Answer {
	functions, a := s.functions()
	if a != nil {
		return a
	}
	var fs []Answer
	for _, f := range functions {
		if len(f.Calls) > 0 {
			fs = append(fs, fail(Place{File: f.File}, "SCAN and UNLINK instead", "the function library at byte %d calls %s", f.Offset, strings.Join(f.Calls, ", ")))
		}
	}
	return s.ofData(fs, "function libraries: %d", len(functions))
}
