package report

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/valkeyfs/valkeyfs/scan"
)

// SARIFOptions say what SARIF holds.
type SARIFOptions struct {
	Rules  []scan.RuleInfo // all that were asked, in their order
	All    bool            // a result a finding instead of a result a group
	Reveal bool            // secrets stand whole
}

// sarif writes the Static Analysis Results Interchange Format, version 2.1.0
// (OASIS, errata 01). Section numbers below are those of the specification.
type sarif struct {
	l     *Lines
	o     SARIFOptions
	run   *Run
	files []sarifArtifact
	notes []sarifNotification
	cut   uint64 // notes that were left out
	pick  pick

	known map[Suppression]*Tally
}

// How much of what can be many SARIF lists.
const (
	maxArtifacts     = 10_000
	maxNotifications = 1000
)

// NewSARIF returns a Writer of SARIF to w. Its results are the groups, the
// gravest first, since code hosts cut what is beyond some thousands; a baseline's
// findings stand behind them as suppressed. All is written by Summary.
func NewSARIF(w io.Writer, o SARIFOptions) Writer {
	return &sarif{l: NewLines(w), o: o, known: map[Suppression]*Tally{}}
}

// The objects, with the members that are used.
type (
	sarifMessage struct {
		Text string `json:"text"`
	}
	sarifRule struct {
		ID         string          `json:"id"`
		Name       string          `json:"name"`
		Short      sarifMessage    `json:"shortDescription"`
		Full       sarifMessage    `json:"fullDescription"`
		Help       *sarifMessage   `json:"help,omitempty"`
		Default    sarifRuleConfig `json:"defaultConfiguration"`
		Properties sarifRuleBag    `json:"properties"`
	}
	sarifRuleConfig struct {
		Level string `json:"level"`
	}
	sarifRuleBag struct {
		Tags      []string `json:"tags"`
		Precision string   `json:"precision"`         // CodeQL's word for confidence
		Severity  string   `json:"security-severity"` // as of CVSS 3.1, in text
	}
	sarifArtifact struct {
		Location sarifURI          `json:"location"`
		Length   *int64            `json:"length,omitempty"`
		Hashes   map[string]string `json:"hashes,omitempty"`
		Roles    []string          `json:"roles"`
	}
	sarifURI struct {
		URI string `json:"uri"`
	}
	sarifNotification struct {
		Level     string          `json:"level"`
		Message   sarifMessage    `json:"message"`
		Locations []sarifLocation `json:"locations,omitempty"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
		Message  *sarifMessage  `json:"message,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifURI     `json:"artifactLocation"`
		Region   *sarifRegion `json:"region,omitempty"`
	}
	sarifRegion struct { // 3.30: a binary region, and in text files the line
		Line   int64  `json:"startLine,omitempty"`
		Offset *int64 `json:"byteOffset,omitempty"`
		Length *int64 `json:"byteLength,omitempty"`
	}
	sarifLogical struct {
		Name      string `json:"name"`
		Qualified string `json:"fullyQualifiedName"`
		Kind      string `json:"kind"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Status        string `json:"status"`
		Justification string `json:"justification"`
	}
	sarifResult struct {
		Rule         string             `json:"ruleId"`
		Index        int                `json:"ruleIndex"`
		Kind         string             `json:"kind,omitempty"` // default: fail
		Level        string             `json:"level"`
		Message      sarifMessage       `json:"message"`
		Locations    []sarifLocation    `json:"locations"`
		Related      []sarifLocation    `json:"relatedLocations,omitempty"`
		Occurrences  uint64             `json:"occurrenceCount"`
		Fingerprints map[string]string  `json:"partialFingerprints"`
		Rank         *float64           `json:"rank,omitempty"`
		Suppressions []sarifSuppression `json:"suppressions"` // 3.27.23: empty, it says that none is suppressed
		Properties   map[string]any     `json:"properties"`
	}
)

func (s *sarif) Run(r *Run) error {
	s.run = r
	return nil
}

func (s *sarif) File(f *File) error {
	if f.Error == "" && f.Skipped != "" || len(s.files) == maxArtifacts {
		return nil
	}
	a := sarifArtifact{Location: uri(f.Path), Roles: []string{"analysisTarget"}}
	if f.Size >= 0 {
		a.Length = &f.Size
	}
	if f.SHA256 != "" {
		a.Hashes = map[string]string{"sha-256": f.SHA256}
	}
	s.files = append(s.files, a)
	return nil
}

func (s *sarif) Damage(d *Damage) error {
	s.cut += d.More
	if len(s.notes) == maxNotifications {
		s.cut++
		return nil
	}
	level := "error"
	if d.Type == "torn" {
		level = "note"
	}
	s.notes = append(s.notes, sarifNotification{level, sarifMessage{d.Place()},
		[]sarifLocation{{Physical: sarifPhysical{uri(d.Source), region(d.Offset, d.Length)}}}})
	return nil
}

func (s *sarif) Finding(f *scan.Finding) error {
	if s.o.All {
		s.pick.add(f)
	}
	return nil
}

func (s *sarif) Suppressed(f *scan.Finding, why Suppression) error {
	if s.known[why] == nil {
		s.known[why] = &Tally{}
	}
	s.known[why].Add(f)
	return nil
}

func (s *sarif) Summary(sum *Summary) error {
	rules, index := s.rules(sum.Groups)
	if err := s.l.Raw(`{"$schema":"` + sarifSchemaURI + `","version":"2.1.0","runs":[{"tool":{"driver":`); err != nil {
		return err
	}
	if err := s.l.Line(sarifDriver(s.run.Version, rules)); err != nil {
		return err
	}
	if err := s.l.Raw("},\"redactionTokens\":[\"****\"],\"results\":[\n"); err != nil {
		return err
	}
	comma := ""
	write := func(r *sarifResult) error {
		if err := s.l.Raw(comma); err != nil {
			return err
		}
		comma = ","
		r.Index = index[r.Rule]
		return s.l.Line(r)
	}
	if err := s.results(sum, write); err != nil {
		return err
	}
	if err := s.l.Raw(`],"artifacts":`); err != nil {
		return err
	}
	if err := s.l.Line(nonNil(s.files)); err != nil {
		return err
	}
	if s.cut > 0 {
		s.notes = append(s.notes, sarifNotification{Level: "error", Message: sarifMessage{fmt.Sprintf("%s of damage are not listed", plural(s.cut, "range"))}})
	}
	if sum.Stopped != "" {
		s.notes = append(s.notes, sarifNotification{Level: "error", Message: sarifMessage{"incomplete: " + sum.Stopped}})
	}
	if listed := uint64(maxListed); s.o.All && s.pick.seen > listed {
		s.notes = append(s.notes, sarifNotification{Level: "warning", Message: sarifMessage{fmt.Sprintf("of %s findings the gravest %s are listed", Count(s.pick.seen), Count(listed))}})
	}
	if err := s.l.Raw(`,"invocations":[`); err != nil {
		return err
	}
	if err := s.l.Line(map[string]any{"executionSuccessful": sum.Stopped == "", "toolExecutionNotifications": nonNil(s.notes)}); err != nil {
		return err
	}
	if err := s.l.Raw(`],"properties":`); err != nil {
		return err
	}
	if err := s.l.Line(map[string]any{
		"inputs": s.run.Inputs, "complete": sum.Complete, "coverage": sum.Coverage, "keys": sum.Keys, "values": sum.Values, "bytesRead": sum.BytesRead,
		"findings": sum.Findings, "bySeverity": sum.BySeverity, "byCategory": sum.ByCategory, "distinctSecrets": sum.Distinct.Secrets,
		"idKey": s.run.KeyID, "secretsShown": s.o.Reveal,
	}); err != nil {
		return err
	}
	return s.l.Raw("}]}\n")
}

const sarifSchemaURI = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// sarifDriver describes this program (3.19).
func sarifDriver(version string, rules []sarifRule) map[string]any {
	return map[string]any{"name": "valkeyfs", "version": version, "informationUri": "https://github.com/valkeyfs/valkeyfs", "rules": rules}
}

// results writes all results, the gravest first, those that are known last.
func (s *sarif) results(sum *Summary, write func(*sarifResult) error) error {
	if s.o.All {
		for _, f := range s.pick.list(sum.Groups) {
			if err := write(s.single(f)); err != nil {
				return err
			}
		}
	} else {
		for _, g := range sum.Groups {
			if err := write(s.group(g)); err != nil {
				return err
			}
		}
	}
	for _, why := range []Suppression{Baselined, Ignored} {
		if s.known[why] == nil {
			continue
		}
		for _, g := range s.known[why].Groups() {
			r := s.group(g)
			r.Suppressions = []sarifSuppression{{"external", "accepted", string(why)}}
			if err := write(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// rules describes the rules, and says which place each has. A code host grades
// results by their rule alone, so a rule is as severe as the worst that it found.
func (s *sarif) rules(groups []*Group) ([]sarifRule, map[string]int) {
	worst := map[string]scan.Severity{}
	for _, g := range groups {
		worst[g.Rule] = max(worst[g.Rule], g.Severity)
	}
	out, index := make([]sarifRule, 0, len(s.o.Rules)), map[string]int{}
	for _, r := range s.o.Rules {
		if _, twice := index[r.ID]; twice {
			continue
		}
		index[r.ID] = len(out)
		severity, found := worst[r.ID]
		if !found {
			severity = r.Severity
		}
		description := cmp.Or(strings.TrimSuffix(r.Description, "."), r.ID)
		rule := sarifRule{
			ID: r.ID, Name: pascal(r.ID), Short: sarifMessage{description}, Full: sarifMessage{description + "."}, Default: sarifRuleConfig{level(r.Severity)},
			Properties: sarifRuleBag{Tags: []string{"security", r.Category.String()}, Precision: precision(r.Confidence), Severity: securitySeverity(severity)},
		}
		if r.Technique != "" {
			rule.Properties.Tags = append(rule.Properties.Tags, "ATT&CK/"+r.Technique)
		}
		if r.Next != "" {
			rule.Help = &sarifMessage{"What to do: " + r.Next + "."}
		}
		out = append(out, rule)
	}
	return out, index
}

func (s *sarif) group(g *Group) *sarifResult {
	r := s.result(g.Examples[0], g.Severity, g.Confidence)
	r.Occurrences = g.Count
	if g.Count > 1 {
		r.Message.Text = fmt.Sprintf("%s in %s, %s, %s: for example %s", plural(g.Count, "finding"), quoted(g.Pattern), g.Confidence, g.State, r.Message.Text)
		for _, f := range g.Examples[1:] {
			r.Related = append(r.Related, s.location(f, true))
		}
		r.Fingerprints = map[string]string{"valkeyfsGroup/v1": g.Fingerprint()}
	}
	r.Properties["keyPattern"] = Escape(g.Pattern)
	if g.Next != "" {
		r.Properties["next"] = g.Next
	}
	return r
}

// Fingerprint is the same for the same group in another report.
func (g *Group) Fingerprint() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q", g.Rule, g.Severity, g.State, g.Pattern))
	return hex.EncodeToString(sum[:16])
}

func (s *sarif) single(f *scan.Finding) *sarifResult { return s.result(f, f.Severity, f.Confidence) }

func (s *sarif) result(f *scan.Finding, severity scan.Severity, confidence scan.Confidence) *sarifResult {
	properties := map[string]any{
		"severity": severity, "confidence": confidence, "category": f.Category, "state": f.State, "id": f.ID,
	}
	for name, v := range map[string]string{"expiresAt": f.ExpiresAt, "writtenAt": f.WrittenAt, "framework": f.Framework, "technique": f.Technique} {
		if v != "" {
			properties[name] = Escape(v)
		}
	}
	if len(f.Chain) > 0 {
		properties["chain"] = f.Chain
	}
	if len(f.Proof) > 0 {
		properties["proof"] = f.Proof
	}
	if len(f.Also) > 0 {
		properties["also"] = f.Also
	}
	text := Escape(f.Secret) + " at " + place(f)
	if f.Framework != "" || len(f.Identity) > 0 {
		text += "; " + session(f)
	}
	return &sarifResult{
		Rule: f.Rule, Level: level(severity), Message: sarifMessage{text}, Locations: []sarifLocation{s.location(f, false)}, Occurrences: 1,
		Fingerprints: map[string]string{"valkeyfs/v1": f.Fingerprint}, Rank: new(rank(severity, confidence)), Suppressions: []sarifSuppression{}, Properties: properties,
	}
}

func (s *sarif) location(f *scan.Finding, related bool) sarifLocation {
	l := sarifLocation{Physical: sarifPhysical{uri(f.Source), region(f.Offset, f.Length)}}
	if n, err := strconv.ParseInt(f.Field, 10, 64); err == nil && n > 0 && f.KeyType == "text" {
		l.Physical.Region.Line = n
	}
	name := Escape(f.Key)
	qualified := name
	if f.DB >= 0 {
		qualified = fmt.Sprintf("db%d/%s", f.DB, name)
	}
	if f.Field != "" {
		qualified += "/" + Escape(f.Field)
	}
	l.Logical = []sarifLogical{{name, qualified, "member"}}
	if related {
		l.Message = &sarifMessage{Escape(f.Secret) + " at " + place(f)}
	}
	return l
}

// region is a stretch of bytes (3.30.11).
func region(offset, length int64) *sarifRegion {
	return &sarifRegion{Offset: new(max(offset, 0)), Length: new(max(length, 0))}
}

// uri writes a path as a URI reference (RFC 3986), whatever its bytes are.
func uri(path string) sarifURI {
	u := url.URL{Path: path}
	switch {
	case strings.HasPrefix(path, "/"):
		return sarifURI{"file://" + u.EscapedPath()}
	case strings.Contains(strings.SplitN(path, "/", 2)[0], ":"): // no scheme
		u.Path = "./" + path
	}
	return sarifURI{u.EscapedPath()}
}

// level is the word that SARIF has for a severity (3.27.10).
func level(s scan.Severity) string {
	switch s {
	case scan.Critical, scan.High:
		return "error"
	case scan.Medium:
		return "warning"
	}
	return "note"
}

// securitySeverity is a severity as code hosts read it: over 9.0 is critical,
// 7.0 to 8.9 high, 4.0 to 6.9 medium, below low (GitHub, "SARIF support for code
// scanning").
func securitySeverity(s scan.Severity) string {
	return [...]string{"0.1", "3.0", "5.5", "8.0", "9.5"}[s]
}

func precision(c scan.Confidence) string { return [...]string{"medium", "high", "very-high"}[c] }

// rank is a result's weight from 0 to 100 (3.27.25).
func rank(s scan.Severity, c scan.Confidence) float64 {
	return float64(20*int(s) + 6*int(c) + 8)
}

// pascal writes an id as a name that people read (3.49.7): aws-access-token, AwsAccessToken.
func pascal(id string) string {
	var b strings.Builder
	for part := range strings.FieldsFuncSeq(id, func(r rune) bool { return r == '-' || r == '_' || r == '.' || r == ' ' }) {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return cmp.Or(b.String(), id)
}

// nonNil is s, so that JSON has [] where nothing is.
func nonNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return slices.Clip(s)
}
