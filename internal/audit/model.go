package audit

import (
	"fmt"

	"github.com/valkeyfs/valkeyfs/internal/conf"
	"github.com/valkeyfs/valkeyfs/scan"
)

// CatalogueVersion changes when checks do.
const CatalogueVersion = "3"

// Severity is that of a scan's finding.
type Severity = scan.Severity

// The severities.
const (
	Info     = scan.Info
	Low      = scan.Low
	Medium   = scan.Medium
	High     = scan.High
	Critical = scan.Critical
)

// Status is what a check came to.
type Status string

// The statuses.
const (
	Pass    Status = "pass"
	Fail    Status = "fail"
	Unknown Status = "unknown" // the files cannot tell
	NA      Status = "na"      // does not apply
	Waived  Status = "waived"  // fails, and a waiver says why that is accepted
)

// Threats are the titles of the ten threats, from 1.
var Threats = [...]string{
	1:  "Unauthenticated access",
	2:  "Weak authentication",
	3:  "Network eavesdropping",
	4:  "Data persistence exposure",
	5:  "CONFIG command exposure",
	6:  "Resource exhaustion: memory",
	7:  "Resource exhaustion: connections",
	8:  "Slow commands",
	9:  "Unauthorized data modification",
	10: "Replication",
}

// Check is one question of the catalogue.
type Check struct {
	ID         string // VFS-AUTH-001
	Threat     int    // 1 to 10
	Title      string // what holds when it passes
	Severity   Severity
	References []string // mappings only: NIST 800-53 controls, STIG for Redis Enterprise 6.x, CWE, ATT&CK
	// Standing is set for a mitigation that no file can show: why. The check has
	// no run then, and is always unknown.
	Standing string

	run func(*Subject) []Answer
}

// Place is where something stands.
type Place struct {
	File string
	Line int // 0: the file as a whole
}

// Answer is one thing that a check has to say. A check that looks at several
// things may have several answers.
type Answer struct {
	Status   Status
	Severity Severity // of a failure
	rated    bool     // Severity is the answer's own, not the check's
	Place    Place
	Evidence string // never holds a secret
	Remedy   string // the line to write
}

func pass(at Place, evidence string, args ...any) []Answer {
	return []Answer{{Status: Pass, Place: at, Evidence: fmt.Sprintf(evidence, args...)}}
}

func fail(at Place, remedy, evidence string, args ...any) Answer {
	return Answer{Status: Fail, Place: at, Remedy: remedy, Evidence: fmt.Sprintf(evidence, args...)}
}

func (a Answer) severe(s Severity) Answer {
	a.Severity, a.rated = s, true
	return a
}

func unknown(why string, args ...any) []Answer {
	return []Answer{{Status: Unknown, Evidence: fmt.Sprintf(why, args...)}}
}

func na(why string, args ...any) []Answer {
	return []Answer{{Status: NA, Evidence: fmt.Sprintf(why, args...)}}
}

func at(v conf.Value) Place { return Place{v.File, v.Line} }

func atDirective(d conf.Directive) Place { return Place{d.File, d.Line} }

// orPass returns the failures, or where there are none that the check passes.
func orPass(failures []Answer, where Place, evidence string, args ...any) []Answer {
	if len(failures) > 0 {
		return failures
	}
	return pass(where, evidence, args...)
}

// Result is an answer with what it answers.
type Result struct {
	Check  *Check
	Server string // the configuration file or the directory that stands for it
	Answer
	Waiver string // the reason, if waived
}

// Catalogue returns all checks, by threat.
func Catalogue() []*Check {
	var all []*Check
	for _, list := range [][]Check{threat1, threat2, threat3, threat4, threat5, threat6, threat7, threat8, threat9, threat10} {
		for i := range list {
			all = append(all, &list[i])
		}
	}
	return all
}
