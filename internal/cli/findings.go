package cli

import (
	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/internal/sweep"
	"github.com/valkeyfs/valkeyfs/scan"
)

// reveal has nothing masked any more, if on is set.
func (a *app) reveal(on bool) {
	if on {
		a.names, a.stderr.names = nil, nil
	}
}

// newRun is the first line of a report of findings.
func newRun(verb string, inputs []string, key *idKey, s *scan.Scanner, reveal bool) *report.Run {
	return &report.Run{Tool: "valkeyfs", Version: version(), Verb: verb, Inputs: inputs, IDKey: key.name, KeyID: key.id(), Rules: len(s.Rules()), Reveal: reveal}
}

// nextSteps says how to revoke what a rule finds.
func nextSteps(s *scan.Scanner) func(rule string) string {
	next := map[string]string{}
	for _, r := range s.Rules() {
		next[r.ID] = r.Next
	}
	return func(rule string) string { return next[rule] }
}

func masked(paths []string, names *sweep.Names) []string {
	out := make([]string, len(paths))
	for i, p := range paths {
		out[i] = names.Mask(p)
	}
	return out
}
