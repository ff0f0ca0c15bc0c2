//go:build yara

package yara

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	engine "github.com/hillu/go-yara/v4"

	"github.com/valkeyfs/valkeyfs/scan"
)

// Available reports whether this build has the engine.
const Available = true

// maxTime bounds what one value costs. Rules that reach it on a value of a few
// megabytes are broken.
const maxTime = time.Minute

// judge is compiled rules. It is safe for concurrent use.
type judge struct {
	rules *engine.Rules
	infos []scan.RuleInfo
	place map[string]int // by identifier
}

// Load compiles the rules of files, all in one namespace. They include no others.
func Load(paths []string) (scan.ValueJudge, error) {
	c, err := engine.NewCompiler()
	if err != nil {
		return nil, err
	}
	defer c.Destroy()
	c.DisableIncludes()
	for _, path := range paths {
		if err := add(c, path); err != nil {
			return nil, err
		}
	}
	rules, err := c.GetRules()
	if err != nil {
		return nil, err
	}
	j := &judge{rules: rules, place: map[string]int{}}
	for _, r := range rules.GetRules() {
		if !r.IsPrivate() {
			j.infos = append(j.infos, describe(&r))
		}
	}
	if len(j.infos) == 0 {
		return nil, fmt.Errorf("%s: no rule", strings.Join(paths, ", "))
	}
	slices.SortFunc(j.infos, func(a, b scan.RuleInfo) int { return cmp.Compare(a.ID, b.ID) })
	for i, info := range j.infos {
		j.place[strings.TrimPrefix(info.ID, prefix)] = i
	}
	return j, nil
}

func add(c *engine.Compiler, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	err = c.AddFile(file, "")
	if len(c.Errors) > 0 {
		m := c.Errors[0]
		return fmt.Errorf("%s:%d: %s", path, m.Line, m.Text)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// prefix is that of rule ids in findings.
const prefix = "yara-"

var technique = regexp.MustCompile(`^T[0-9]{4}([._][0-9]{3})?$`)

// describe takes from a rule's metadata what findings say: description, severity
// (a word, or a score up to 100) and the technique of ATT&CK, which a tag may
// name as well.
func describe(r *engine.Rule) scan.RuleInfo {
	info := scan.RuleInfo{ID: prefix + r.Identifier(), Description: "YARA rule " + r.Identifier(), Category: scan.Artefact, Severity: scan.High, Confidence: scan.Likely}
	for _, m := range r.Metas() {
		text, _ := m.Value.(string)
		switch name := strings.ToLower(m.Identifier); {
		case name == "description" && text != "":
			info.Description = text
		case name == "severity" && text != "":
			_ = info.Severity.UnmarshalText([]byte(strings.ToLower(text))) // another word says nothing
		case name == "score":
			if n, ok := m.Value.(int); ok {
				info.Severity = byScore(n)
			}
		case technique.MatchString(text):
			info.Technique = strings.ReplaceAll(text, "_", ".")
		}
	}
	for _, tag := range r.Tags() {
		if info.Technique == "" && technique.MatchString(tag) {
			info.Technique = strings.ReplaceAll(tag, "_", ".")
		}
	}
	return info
}

// byScore grades a score.
func byScore(n int) scan.Severity {
	switch {
	case n >= 90:
		return scan.Critical
	case n >= 70:
		return scan.High
	case n >= 50:
		return scan.Medium
	case n >= 25:
		return scan.Low
	}
	return scan.Info
}

// Rules describes the rules.
func (j *judge) Rules() []scan.RuleInfo { return j.infos }

// Judge asks the engine. Of a rule's strings the first to stand in data says
// where the match is; a rule without any matches all of it.
func (j *judge) Judge(data []byte, found func(rule, from, to int)) error {
	var matches engine.MatchRules
	err := j.rules.ScanMem(data, engine.ScanFlagsFastMode, maxTime, &matches)
	type match struct{ rule, from, to int }
	var out []match
	for _, m := range matches {
		rule, ok := j.place[m.Rule]
		if !ok {
			continue
		}
		at := match{rule, 0, len(data)}
		for i, s := range m.Strings {
			from := int(min(s.Offset, uint64(len(data))))
			if i == 0 || from < at.from {
				at.from, at.to = from, min(len(data), from+len(s.Data))
			}
		}
		out = append(out, at)
	}
	slices.SortFunc(out, func(a, b match) int { return cmp.Compare(a.rule, b.rule) })
	for _, m := range out {
		found(m.rule, m.from, m.to)
	}
	if err != nil {
		return errors.Join(errors.New("the engine gave up"), err)
	}
	return nil
}
