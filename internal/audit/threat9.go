package audit

import (
	"path"
	"slices"

	"github.com/valkeyfs/valkeyfs/internal/source"
)

// Unauthorized data modification.
var threat9 = []Check{
	{ID: "VFS-INTEG-001", Threat: 9, Severity: Critical, Title: "Logs hold what servers write, and nothing else", References: []string{"NIST 800-53 SI-7", "CWE-345", "ATT&CK T1098", "ATT&CK T1565.001"}, run: checkForeign},
	{ID: "VFS-INTEG-002", Threat: 9, Severity: High, Title: "Function libraries are known ones", References: []string{"NIST 800-53 SI-7", "NIST 800-53 CM-7", "STIG V-251208"}, run: checkFunctions},
	{ID: "VFS-INTEG-003", Threat: 9, Severity: Critical, Title: "Snapshots are not written where something runs them", References: []string{"NIST 800-53 SI-7", "STIG V-251219", "CWE-73", "ATT&CK T1053.003", "ATT&CK T1098.004"}, run: checkTarget},
	{ID: "VFS-INTEG-004", Threat: 9, Severity: Critical, Title: "No value is shaped to be run elsewhere", References: []string{"NIST 800-53 SI-7", "ATT&CK T1053.003", "ATT&CK T1098.004", "ATT&CK T1505.003"}, run: checkShapes},
	{ID: "VFS-INTEG-005", Threat: 9, Severity: High, Title: "Snapshots have a checksum, and it is right", References: []string{"NIST 800-53 SI-7", "CWE-354"}, run: checkChecksums},
	{ID: "VFS-INTEG-006", Threat: 9, Severity: Medium, Title: "The time of a log does not go back", References: []string{"NIST 800-53 SI-7"}, run: checkBackwards},
	{ID: "VFS-INTEG-007", Threat: 9, Severity: High, Title: "No log can be written by others, to be replayed", References: []string{"NIST 800-53 SI-7", "CWE-732"}, run: checkReplayable},
	{ID: "VFS-INTEG-009", Threat: 9, Severity: Medium, Title: "Nothing has changed but by the server's own work", References: []string{"NIST 800-53 SI-7", "ATT&CK T1565.001"}, run: checkBaseline},
	{ID: "VFS-INTEG-010", Threat: 9, Severity: Medium, Title: "No file of a log is missing", References: []string{"NIST 800-53 SI-7", "CWE-353"}, run: checkSequence},
	{ID: "VFS-INTEG-011", Threat: 9, Severity: High, Title: "Keys that are never to change have not changed", References: []string{"NIST 800-53 SI-7", "ATT&CK T1565.001"}, run: checkImmutable},
	{ID: "VFS-INTEG-008", Threat: 9, Title: "Applications validate what they write", Standing: "what applications check before they write shows in no file of the server", References: []string{"NIST 800-53 SI-10"}},
}

func checkForeign(s *Subject) []Answer {
	if a := s.content(); a != nil {
		return a
	}
	return s.ofData(seen(s.Data.Foreign, s.Data.More, "restore a verified backup; a server runs these without asking any ACL"), "no log has a command that no server writes there")
}

// functions returns the function libraries, of a running server or in the data.
func (s *Subject) functions() ([]Function, []Answer) {
	if s.Running != nil {
		if why := s.Running.denied["FUNCTION LIST"]; why != "" {
			return nil, unknown("FUNCTION LIST was refused: %s", why)
		}
		return s.Running.functions, nil
	}
	if a := s.content(); a != nil {
		return nil, a
	}
	return s.Data.Functions, nil
}

func checkFunctions(s *Subject) []Answer {
	functions, a := s.functions()
	if a != nil {
		return a
	}
	if len(functions) == 0 {
		return s.ofData(nil, "no function libraries")
	}
	if len(s.Options.Functions) == 0 {
		return unknown("function libraries there: %d; which are meant to be, --function SHA256 says (the first: %s)", len(functions), functions[0].SHA256)
	}
	var fs []Answer
	for _, f := range functions {
		if !slices.Contains(s.Options.Functions, f.SHA256) {
			fs = append(fs, fail(Place{File: f.File}, "FUNCTION DELETE it, or allow it by --function "+f.SHA256, "the function library at byte %d, SHA-256 %s, is not among those allowed", f.Offset, f.SHA256))
		}
	}
	return s.ofData(fs, "function libraries: %d, all known", len(functions))
}

func checkTarget(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	file, dir := s.Server.Conf.Get("dbfilename"), s.Server.Conf.Get("dir")
	what := takeover(s.Server.Conf.Dir, file.Text)
	where := file
	if what == "" {
		aof := s.Server.Conf.Get("appendfilename")
		if what = takeover(s.Server.Conf.Dir, aof.Text); what != "" {
			where = aof
		}
	}
	if what != "" {
		if where.Line == 0 {
			where = dir
		}
		return []Answer{fail(at(where), "dir /var/lib/valkey\ndbfilename dump.rdb", "snapshots or logs are written %s", what)}
	}
	return pass(at(dir), "dir and file names are ordinary ones")
}

func checkShapes(s *Subject) []Answer {
	if a := s.content(); a != nil {
		return a
	}
	return s.ofData(seen(s.Data.Shaped, s.Data.More, "look at the key and at who can write; compare with a verified backup"), "none")
}

func checkChecksums(s *Subject) []Answer {
	if a := s.content(); a != nil {
		return a
	}
	fs := seen(s.Data.Checksums, 0, "restore a verified backup")
	for _, x := range s.Data.Unchecked {
		a := fail(Place{File: x.File}, "rdbchecksum yes", "the snapshot has no checksum")
		switch {
		case s.Server == nil: // whether it should have one is not known
			a = a.severe(Medium)
		case s.Server.Conf.Get("rdbchecksum").Bool():
			a.Evidence += ", though rdbchecksum is on"
		default:
			a = a.severe(Low)
		}
		fs = append(fs, a)
	}
	return s.ofData(fs, "right wherever there is a snapshot")
}

func checkBackwards(s *Subject) []Answer {
	if a := s.content(); a != nil {
		return a
	}
	return s.ofData(seen(s.Data.Backwards, s.Data.More, "compare with a verified backup"), "it does not, where logs have times")
}

func checkReplayable(s *Subject) []Answer {
	files, a := s.dataFiles()
	if a != nil {
		return a
	}
	files = slices.DeleteFunc(files, s.snapshot)
	if len(files) == 0 {
		return pass(Place{File: s.Dir}, "snapshots lie there, and no log")
	}
	var fs []Answer
	for _, f := range files {
		if f.Mode.Perm()&0o022 != 0 {
			fs = append(fs, fail(Place{File: f.Path}, "chmod 0600 "+f.Path, "mode %04o: who writes to it has the server run any command when it starts, as no ACL is asked", f.Mode.Perm()))
		}
	}
	return orPass(fs, Place{File: s.Dir}, "only the owner can write to the %d data files", len(files))
}

// snapshot reports whether a file is read as a snapshot alone: behind one at the head
// of a log, or in the place of its base, commands may stand.
func (s *Subject) snapshot(f DataFile) bool {
	log := "appendonly.aof"
	if s.Server != nil {
		log = s.Server.Conf.Get("appendfilename").Text
	}
	return f.Kind == source.RDB && f.Role == source.NoRole && path.Base(f.Path) != log
}
