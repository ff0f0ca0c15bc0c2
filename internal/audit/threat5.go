package audit

import (
	"path"
	"strconv"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/acl"
)

// CONFIG command exposure.
var threat5 = []Check{
	{ID: "VFS-CONF-001", Threat: 5, Severity: High, Title: "CONFIG is for administrators", References: []string{"NIST 800-53 AC-6", "STIG V-251188", "STIG V-251235", "CWE-200", "ATT&CK T1552.001"}, run: checkConfigUsers},
	{ID: "VFS-CONF-002", Threat: 5, Severity: High, Title: "Protected settings cannot be changed at run time", References: []string{"NIST 800-53 CM-5", "STIG V-251209", "ATT&CK T1053.003"}, run: checkEnabled("enable-protected-configs", High)},
	{ID: "VFS-CONF-003", Threat: 5, Severity: Critical, Title: "Modules cannot be loaded at run time", References: []string{"NIST 800-53 CM-7", "STIG V-251210", "ATT&CK T1129"}, run: checkEnabled("enable-module-command", Critical)},
	{ID: "VFS-CONF-004", Threat: 5, Severity: High, Title: "DEBUG is switched off", References: []string{"NIST 800-53 CM-7", "STIG V-251217"}, run: checkEnabled("enable-debug-command", High)},
	{ID: "VFS-CONF-005", Threat: 5, Severity: High, Title: "The configuration is for the server only", References: []string{"NIST 800-53 AC-3", "STIG V-251209", "CWE-732", "ATT&CK T1552.001"}, run: checkConfModes},
	{ID: "VFS-CONF-006", Threat: 5, Severity: Low, Title: "The configuration file is not what CONFIG REWRITE wrote", References: []string{"NIST 800-53 CM-6"}, run: checkRewritten},
	{ID: "VFS-CONF-007", Threat: 5, Severity: Critical, Title: "Modules' files cannot be replaced", References: []string{"NIST 800-53 SI-7", "STIG V-251210", "CWE-732"}, run: checkModules},
	{ID: "VFS-CONF-008", Threat: 5, Severity: Low, Title: "The running server is as its files say", References: []string{"NIST 800-53 CM-6", "STIG V-251209", "ATT&CK T1053.003", "ATT&CK T1098"}, run: checkDifference},
}

func checkConfigUsers(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	if name, d := s.Server.Conf.Renamed("config"); d != nil {
		if name == "" {
			return pass(atDirective(*d), "CONFIG is taken away by rename-command")
		}
	}
	var fs []Answer
	for _, u := range s.Server.Reachable() {
		var can []string
		for _, c := range []string{"config|get", "config|set", "config|rewrite"} {
			if s.Server.Can(u, c) {
				can = append(can, strings.ToUpper(strings.ReplaceAll(c, "|", " ")))
			}
		}
		// Reading the configuration alone is what an auditor needs.
		if len(can) == 0 || len(can) == 1 && can[0] == "CONFIG GET" && !mayWrite(u) || administrator(u) && !open(u) {
			continue
		}
		fs = append(fs, fail(userPlace(s, u), "user "+clip(u.Name)+" -@admin -@dangerous", "user %s can run %s beside the commands of an application", clip(u.Name), strings.Join(can, ", ")))
	}
	return s.ofUsers(fs, s.defaultAt(), "CONFIG is for administrators and auditors only")
}

// administrator reports whether a user is there to administer: it may do all, and
// is not the user that every client is.
func administrator(u *acl.User) bool { return u.Name != "default" && u.AllowsAll() }

func mayWrite(u *acl.User) bool { return len(u.Category("write")) > 0 }

// checkEnabled judges one of the enable-…-command settings.
func checkEnabled(name string, worst Severity) func(*Subject) []Answer {
	return func(s *Subject) []Answer {
		if s.Server == nil {
			return unknown(noConf)
		}
		v := s.Server.Conf.Get(name)
		switch {
		case !v.OK:
			return na("%s has no %s", s.Server.Version, name)
		case v.Is("no"):
			return pass(at(v), "%s no", name)
		case v.Is("local"):
			return []Answer{fail(at(v), name+" no", "%s local: whoever gets onto the host can", name).severe(Medium)}
		}
		return []Answer{fail(at(v), name+" no", "%s %s", name, clip(v.Text)).severe(worst)}
	}
}

func checkConfModes(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	if len(s.Server.Conf.Files) == 0 {
		return na("no configuration file")
	}
	var files []string
	for _, f := range s.Server.Conf.Files {
		files = append(files, f.Path)
	}
	if s.Server.ACLFile != "" {
		files = append(files, s.Server.ACLFile)
	}
	var fs []Answer
	for _, name := range files {
		info, err := s.FS.Stat(name)
		if err != nil {
			continue // among the problems
		}
		where := Place{File: name}
		switch mode := info.Perm(); {
		case mode&0o002 != 0:
			fs = append(fs, fail(where, "chmod 0640 "+name, "mode %04o: everyone can change it", mode).severe(Critical))
		case mode&0o004 != 0:
			fs = append(fs, fail(where, "chmod 0640 "+name, "mode %04o: everyone can read it", mode))
		case mode&0o020 != 0 && info.GID != 0:
			fs = append(fs, fail(where, "chmod 0640 "+name, "mode %04o: the group can change it", mode).severe(Medium))
		}
	}
	return orPass(fs, Place{File: s.Name}, "%d files that others cannot read", len(files))
}

func checkRewritten(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	if len(s.Server.Conf.Files) == 0 {
		return na("no configuration file")
	}
	if s.Server.Sentinel {
		return na("sentinels write their file themselves")
	}
	if n := s.Server.Conf.Generated; n > 0 {
		return []Answer{fail(Place{s.Name, n}, "compare with the file as it was deployed", "what follows was written by CONFIG REWRITE: settings were changed at run time")}
	}
	return pass(Place{File: s.Name}, "no trace of CONFIG REWRITE")
}

func checkModules(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	var fs []Answer
	n := 0
	for _, d := range s.Server.Conf.All("loadmodule") {
		if len(d.Args) == 0 {
			continue
		}
		n++
		file := s.path(d.Args[0])
		info, err := s.FS.Stat(file)
		if err != nil {
			return unknown("loadmodule: %v", err)
		}
		for name := info.Path; ; name = path.Dir(name) {
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
	if n == 0 {
		return na("no modules")
	}
	return orPass(fs, Place{File: s.Name}, "%d modules that only root can replace", n)
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
