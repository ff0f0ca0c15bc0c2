package audit

import (
	"strconv"
	"strings"
)

// Resource exhaustion: memory.
var threat6 = []Check{
	{ID: "VFS-MEM-001", Threat: 6, Severity: High, Title: "Memory is limited", References: []string{"NIST 800-53 SC-5", "CWE-770", "ATT&CK T1499"}, run: checkMaxMemory},
	{ID: "VFS-MEM-002", Threat: 6, Severity: Medium, Title: "The limit leaves room for the host", References: []string{"NIST 800-53 SC-5"}, run: checkMemoryRoom},
	{ID: "VFS-MEM-003", Threat: 6, Severity: Medium, Title: "What happens at the limit fits the data", References: []string{"NIST 800-53 SC-5"}, run: checkPolicy},
	{ID: "VFS-MEM-004", Threat: 6, Severity: Low, Title: "Clients' buffers are limited", References: []string{"NIST 800-53 SC-5", "CWE-770"}, run: checkBuffers},
	{ID: "VFS-MEM-005", Threat: 6, Severity: Low, Title: "The kernel lets a save fork", References: []string{"NIST 800-53 SC-5"}, run: checkOvercommit},
	{ID: "VFS-MEM-006", Threat: 6, Severity: Low, Title: "No key is so large that it blocks the server", References: []string{"NIST 800-53 SC-5"}, run: checkBigKeys},
	{ID: "VFS-MEM-009", Threat: 6, Severity: Medium, Title: "Memory in use is far from its limit", References: []string{"NIST 800-53 SC-5", "NIST 800-53 SI-4"}, run: checkMemoryUse},
	{ID: "VFS-MEM-007", Threat: 6, Title: "Applications limit what they insert", Standing: "limits inside applications show in no file of the server", References: []string{"NIST 800-53 SC-5"}},
	{ID: "VFS-MEM-008", Threat: 6, Severity: Low, Title: "Memory use is watched", References: []string{"NIST 800-53 SI-4"}, run: checkMemoryWatched},
}

func checkMaxMemory(s *Subject) []Answer {
	switch {
	case s.Server == nil:
		return unknown(noConf)
	case s.Server.Sentinel:
		return na("a sentinel keeps no data")
	}
	v := s.Server.Conf.Get("maxmemory")
	n, ok := v.Memory()
	switch {
	case !ok:
		return unknown("maxmemory cannot be understood")
	case n > 0:
		return pass(at(v), "maxmemory %s", v.Text)
	}
	a := fail(at(v), "maxmemory 2gb", "maxmemory 0: as much as the host has")
	if s.Container != nil && s.Container.MemoryLimit || s.unitMemory() > 0 {
		a.Evidence += "; the service's own limit would end the server"
		a = a.severe(Medium)
	}
	return []Answer{a}
}

// unitMemory returns MemoryMax of the unit in bytes, 0 without one.
func (s *Subject) unitMemory() uint64 {
	if s.Unit == nil {
		return 0
	}
	v, _ := s.Unit.Get("MemoryMax")
	if v == "" {
		return 0
	}
	// systemd.resource-control(5): K, M, G, T to the base 1024.
	shift := strings.IndexByte("KMGT", v[len(v)-1]) + 1
	n, err := strconv.ParseUint(strings.TrimRight(v, "KMGT"), 10, 44)
	if err != nil || n > 1<<44>>(10*shift) {
		return 0
	}
	return n << (10 * shift)
}

func checkMemoryRoom(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	v := s.Server.Conf.Get("maxmemory")
	limit, ok := v.Memory()
	if !ok || limit == 0 {
		return na("maxmemory is not set")
	}
	total, where := s.unitMemory(), "MemoryMax of the unit"
	if total == 0 {
		text, err := s.FS.ReadFile("/proc/meminfo", maxText)
		if err != nil {
			return unknown("neither MemoryMax of a unit nor /proc/meminfo tells how much memory there is")
		}
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			if len(f) == 3 && f[0] == "MemTotal:" {
				kb, _ := strconv.ParseUint(f[1], 10, 50)
				total, where = kb<<10, "the host's memory"
			}
		}
	}
	if total == 0 {
		return unknown("how much memory there is is not known")
	}
	// A save copies what is written meanwhile; buffers come on top.
	if limit > total/5*4 {
		return []Answer{fail(at(v), "a smaller maxmemory, or more memory", "maxmemory is %d%% of %s", limit*100/total, where)}
	}
	return pass(at(v), "maxmemory is %d%% of %s", limit*100/total, where)
}

func checkPolicy(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	limit, v := s.Server.Conf.Get("maxmemory"), s.Server.Conf.Get("maxmemory-policy")
	if n, ok := limit.Memory(); !ok || n == 0 {
		return na("maxmemory is not set: the policy has no effect")
	}
	all := strings.HasPrefix(strings.ToLower(v.Text), "allkeys-")
	switch {
	case all && s.Server.Conf.Get("appendonly").Bool():
		return []Answer{fail(at(v), "maxmemory-policy volatile-lru", "%s evicts any key of a data set that a log is kept of", v.Text)}
	case v.Is("noeviction") && !s.Server.Persists():
		return []Answer{fail(at(v), "maxmemory-policy allkeys-lru", "noeviction on a server that saves nothing: writes fail at the limit")}
	}
	return pass(at(v), "maxmemory-policy %s", v.Text)
}

func checkBuffers(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	if v := s.Server.Conf.Get("maxmemory-clients"); v.OK && v.Text != "0" {
		return pass(at(v), "maxmemory-clients %s", v.Text)
	}
	where := Place{File: s.Name}
	for _, d := range s.Server.Conf.All("client-output-buffer-limit") {
		for i := 0; i+3 < len(d.Args); i += 4 {
			if strings.EqualFold(d.Args[i], "normal") {
				where = atDirective(d)
				if d.Args[i+1] != "0" {
					return pass(where, "output buffers of normal clients are limited")
				}
			}
		}
	}
	if s.Server.Version.Before(7, 0) {
		return []Answer{fail(where, "client-output-buffer-limit normal 256mb 64mb 60", "buffers of normal clients are not limited")}
	}
	return []Answer{fail(where, "maxmemory-clients 5%", "buffers of normal clients are not limited")}
}

func checkOvercommit(s *Subject) []Answer {
	text, err := s.FS.ReadFile("/proc/sys/vm/overcommit_memory", 64)
	if err != nil {
		return unknown("/proc/sys/vm/overcommit_memory does not tell: only a running host does")
	}
	where := Place{File: "/proc/sys/vm/overcommit_memory"}
	if strings.TrimSpace(string(text)) != "1" {
		return []Answer{fail(where, "sysctl vm.overcommit_memory=1", "vm.overcommit_memory is %s", strings.TrimSpace(string(text)))}
	}
	return pass(where, "vm.overcommit_memory=1")
}

func checkBigKeys(s *Subject) []Answer {
	if a := s.content(); a != nil {
		return a
	}
	var fs []Answer
	for _, b := range []struct {
		bigKeys
		evidence string
	}{{s.Data.Big, "keys of over a million elements: %d, the largest with %d, at byte %d"}, {s.Data.Heavy, "keys of over 64 MiB: %d, the largest with %d bytes, at byte %d"}} {
		if b.count > 0 {
			fs = append(fs, fail(Place{File: b.at.File}, "valkeyfs memory "+b.at.File, b.evidence, b.count, b.most, b.at.Offset))
		}
	}
	return s.ofData(fs, "no key of over a million elements or 64 MiB")
}
