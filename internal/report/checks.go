package report

import "github.com/valkeyfs/valkeyfs/scan"

// CheckStatus is what came of a check.
type CheckStatus string

// The statuses.
const (
	CheckFails   CheckStatus = "fail"
	CheckUnknown CheckStatus = "unknown" // what was at hand does not say
	CheckWaived  CheckStatus = "waived"  // it fails, and somebody has accepted that
	CheckNA      CheckStatus = "na"      // it does not apply
	CheckPasses  CheckStatus = "pass"
)

// checkStatuses are all of them, in the order in which they matter.
var checkStatuses = []CheckStatus{CheckFails, CheckUnknown, CheckWaived, CheckNA, CheckPasses}

// CheckRule is a question that is asked of each subject.
type CheckRule struct {
	ID          string
	Title       string // what holds when it passes
	Description string
	Group       string // what it guards against: a suite, a bar of a chart
	Severity    scan.Severity
	References  []string
}

// Check is an answer to a CheckRule.
type Check struct {
	Rule     string // ID
	Status   CheckStatus
	Severity scan.Severity // of a failure
	Subject  string        // what was judged: a server
	File     string        // where it stands; "" if nowhere
	Line     int           // 0: the file as a whole
	Evidence string        // holds no secret
	Remedy   string        // what to write instead
	Waiver   string        // why it is accepted
}

// Checks is the report of an audit: questions and answers. Its writers take all
// of it at once, for there are no more answers than questions a subject.
type Checks struct {
	Verb     string
	Version  string
	Inputs   []string
	Rules    []CheckRule // in the order of the catalogue
	Results  []Check     // in the order in which they are listed
	Files    []CheckFile // that were read
	Notes    []string    // what was taken for granted, or could not be read
	Complete bool
}

// CheckFile is a file that was read.
type CheckFile struct{ Path, SHA256 string }

// rules returns the rules by id.
func (c *Checks) rules() map[string]*CheckRule {
	out := make(map[string]*CheckRule, len(c.Rules))
	for i := range c.Rules {
		out[c.Rules[i].ID] = &c.Rules[i]
	}
	return out
}

// rule returns a rule, or for an answer without one what its id says.
func ruleOf(rules map[string]*CheckRule, id string) *CheckRule {
	if r := rules[id]; r != nil {
		return r
	}
	return &CheckRule{ID: id, Title: id}
}

// sentence says in a line what came of a check.
func (c *Check) sentence(r *CheckRule) string {
	s := c.Evidence
	if s == "" {
		s = r.Title
	}
	if c.Remedy != "" && c.Status == CheckFails {
		s += ". Remedy: " + c.Remedy
	}
	if c.Waiver != "" {
		s += ". Waived: " + c.Waiver
	}
	return Escape(s)
}

// severity is that of the failure, else of the question.
func (c *Check) severity(r *CheckRule) scan.Severity {
	if c.Status == CheckFails || c.Status == CheckWaived {
		return c.Severity
	}
	return r.Severity
}
