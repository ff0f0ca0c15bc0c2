package report

import (
	"cmp"
	"io"
	"strings"
)

// WriteSARIF writes the answers as SARIF 2.1.0: each question is a rule, what
// passes is of kind "pass" (3.27.9), and what is waived is suppressed.
func (c *Checks) WriteSARIF(w io.Writer) error {
	rules, index := c.sarifRules()
	byID := c.rules()
	results := []*sarifResult{}
	for i := range c.Results {
		x := &c.Results[i]
		r := x.sarif(ruleOf(byID, x.Rule))
		r.Index = index[x.Rule]
		results = append(results, r)
	}
	artifacts := []sarifArtifact{}
	for _, f := range c.Files {
		a := sarifArtifact{Location: uri(f.Path), Roles: []string{"analysisTarget"}}
		if f.SHA256 != "" {
			a.Hashes = map[string]string{"sha-256": f.SHA256}
		}
		artifacts = append(artifacts, a)
	}
	notes := []sarifNotification{}
	for _, n := range c.Notes {
		notes = append(notes, sarifNotification{Level: "note", Message: sarifMessage{Escape(n)}})
	}
	if !c.Complete {
		notes = append(notes, sarifNotification{Level: "error", Message: sarifMessage{"not everything that counts could be read"}})
	}
	return NewLines(w).Line(map[string]any{
		"$schema": sarifSchemaURI, "version": "2.1.0", "runs": []any{map[string]any{
			"tool":        map[string]any{"driver": sarifDriver(c.Version, rules)},
			"artifacts":   artifacts,
			"results":     results,
			"invocations": []any{map[string]any{"executionSuccessful": c.Complete, "toolExecutionNotifications": notes}},
			"properties":  map[string]any{"inputs": nonNil(c.Inputs), "complete": c.Complete},
		}},
	})
}

func (c *Checks) sarifRules() ([]sarifRule, map[string]int) {
	out, index := []sarifRule{}, map[string]int{}
	for _, r := range c.Rules {
		index[r.ID] = len(out)
		tags := append([]string{"security"}, r.References...)
		out = append(out, sarifRule{
			ID: r.ID, Name: strings.ReplaceAll(r.ID, "-", ""), Short: sarifMessage{r.Title}, Full: sarifMessage{cmp.Or(r.Description, r.Title)},
			Default:    sarifRuleConfig{level(r.Severity)},
			Properties: sarifRuleBag{Tags: tags, Precision: "high", Severity: securitySeverity(r.Severity)},
		})
	}
	return out, index
}

// sarifKinds are the words that SARIF has for a status.
var sarifKinds = map[CheckStatus]string{CheckPasses: "pass", CheckNA: "notApplicable", CheckUnknown: "open", CheckFails: "fail", CheckWaived: "fail"}

func (c *Check) sarif(r *CheckRule) *sarifResult {
	out := &sarifResult{
		Rule: c.Rule, Kind: sarifKinds[c.Status], Level: "none", Message: sarifMessage{c.sentence(r)}, Occurrences: 1,
		Fingerprints: map[string]string{"check/v1": Escape(c.Rule + ":" + c.Subject + ":" + c.File)}, Suppressions: []sarifSuppression{},
		Properties: map[string]any{"status": c.Status, "severity": c.severity(r), "group": r.Group},
	}
	if c.Status == CheckFails || c.Status == CheckWaived {
		out.Level = level(c.Severity)
		out.Rank = new(rank(c.Severity, 2))
	}
	if c.Status == CheckWaived {
		out.Suppressions = []sarifSuppression{{"external", "accepted", Escape(c.Waiver)}}
	}
	place := sarifPhysical{Artifact: uri(cmp.Or(c.File, c.Subject))}
	if c.Line > 0 {
		place.Region = &sarifRegion{Line: int64(c.Line)}
	}
	out.Locations = []sarifLocation{{Physical: place}}
	if c.Subject != "" {
		out.Locations[0].Logical = []sarifLogical{{Escape(c.Subject), Escape(c.Subject), "resource"}}
	}
	return out
}
