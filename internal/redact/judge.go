package redact

import "github.com/valkeyfs/valkeyfs/scan"

// judge finds the secrets that are known in values and in whatever the scanner takes
// out of them, where no rule would: behind an encoding that gives no name to them, or
// that we cannot make anew.
type judge struct {
	secrets *secrets
	asked   bool // there is something to be found; not changed while a scan runs
}

// Rules describes the one rule.
func (j *judge) Rules() []scan.RuleInfo {
	return []scan.RuleInfo{{ID: "known-secret", Description: "A secret that was found elsewhere",
		Category: scan.Credential, Severity: scan.High, Confidence: scan.Confirmed}}
}

// Judge finds all secrets in data.
func (j *judge) Judge(data []byte, found func(rule, from, to int)) error {
	if !j.asked {
		return nil
	}
	for at, n := j.secrets.next(data, 0); at >= 0; at, n = j.secrets.next(data, at+n) {
		found(0, at, at+n)
	}
	return nil
}
