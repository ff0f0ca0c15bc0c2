package sigma

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/valkeyfs/valkeyfs/scan"
)

// A Rule is one rule, compiled. It is safe for concurrent use.
type Rule struct {
	Title     string
	ID        string // as the rule gives it, "" if it does not
	Level     scan.Severity
	Status    string
	Technique string // of ATT&CK, from the tags
	File      string
	Line      int

	match predicate
}

// Matches reports whether a command does what the rule describes.
func (r *Rule) Matches(e *Event) bool { return r.match(e) }

// Bounds of a file of rules.
const (
	maxFile  = 4 << 20
	maxRules = 10_000
)

// ErrOther is the error of a rule that is for the logs of something else.
var ErrOther = errors.New("the rule is not for product valkey or redis")

// An errorAt is an error with its place in a file.
type errorAt struct {
	file string
	line int
	err  error
}

func (e *errorAt) Error() string { return fmt.Sprintf("%s:%d: %v", e.file, e.line, e.err) }
func (e *errorAt) Unwrap() error { return e.err }

// Parse reads the rules of a file, one a YAML document. An error says where in
// the file it is; errors.Is tells ErrOther apart.
func Parse(name string, text []byte) ([]*Rule, error) {
	if len(text) > maxFile {
		return nil, fmt.Errorf("%s: more than %d bytes", name, maxFile)
	}
	var out []*Rule
	dec := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var doc yaml.Node
		switch err := dec.Decode(&doc); {
		case err == io.EOF && len(out) == 0:
			return nil, &errorAt{name, 1, errors.New("no rule")}
		case err == io.EOF:
			return out, nil
		case err != nil:
			return nil, fmt.Errorf("%s: %s", name, strings.TrimPrefix(err.Error(), "yaml: "))
		case len(out) == maxRules:
			return nil, &errorAt{name, doc.Line, fmt.Errorf("more than %d rules", maxRules)}
		}
		p := parser{file: name}
		r := p.rule(doc.Content[0])
		if p.err != nil {
			return nil, p.err
		}
		out = append(out, r)
	}
}

// A parser reads one rule. The first error sticks.
type parser struct {
	file string
	err  error
}

func (p *parser) fail(n *yaml.Node, format string, args ...any) {
	p.failWith(n, fmt.Errorf(format, args...))
}

func (p *parser) failWith(n *yaml.Node, err error) {
	if p.err == nil {
		p.err = &errorAt{p.file, n.Line, err}
	}
}

// mapping calls each for the members of a mapping.
func (p *parser) mapping(n *yaml.Node, what string, each func(name string, key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		p.fail(n, "%s is not a mapping", what)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content) && p.err == nil; i += 2 {
		name := n.Content[i].Value
		if seen[name] {
			p.fail(n.Content[i], "%q stands twice", name)
			return
		}
		seen[name] = true
		each(name, n.Content[i], n.Content[i+1])
	}
}

func (p *parser) text(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode {
		p.fail(n, "%s is not a text", what)
	}
	return n.Value
}

// levels of Sigma as severities.
var levels = map[string]scan.Severity{"informational": scan.Info, "low": scan.Low, "medium": scan.Medium, "high": scan.High, "critical": scan.Critical}

// rule reads a document. Members that the specification does not know are its
// author's own, and say nothing about what matches.
func (p *parser) rule(n *yaml.Node) *Rule {
	r := &Rule{File: p.file, Line: n.Line, Level: scan.Medium}
	var source, detection *yaml.Node
	p.mapping(n, "the rule", func(name string, key, value *yaml.Node) {
		switch name {
		case "title":
			r.Title = p.text(value, name)
		case "id":
			r.ID = p.text(value, name)
		case "status":
			r.Status = p.text(value, name)
		case "level":
			level, ok := levels[p.text(value, name)]
			if !ok {
				p.fail(value, "unknown level %q", value.Value)
			}
			r.Level = level
		case "tags":
			r.Technique = p.technique(value)
		case "logsource":
			source = value
		case "detection":
			detection = value
		case "action", "correlation":
			p.fail(key, "%s: rules that refer to others are not supported", name)
		}
	})
	switch {
	case p.err != nil:
	case r.Title == "":
		p.fail(n, "no title")
	case source == nil:
		p.fail(n, "no logsource")
	case detection == nil:
		p.fail(n, "no detection")
	default:
		p.source(source)
		r.match = p.detection(detection)
	}
	return r
}

func (p *parser) source(n *yaml.Node) {
	product := ""
	p.mapping(n, "logsource", func(name string, _, value *yaml.Node) {
		if name == "product" {
			product = strings.ToLower(p.text(value, name))
		}
	})
	if product != "valkey" && product != "redis" {
		p.failWith(n, ErrOther)
	}
}

// technique returns the first technique among the tags: attack.t1053.003.
func (p *parser) technique(n *yaml.Node) string {
	if n.Kind != yaml.SequenceNode {
		p.fail(n, "tags is not a list")
		return ""
	}
	for _, tag := range n.Content {
		if id, is := strings.CutPrefix(strings.ToLower(p.text(tag, "a tag")), "attack.t"); is && isTechnique(id) {
			return "T" + id
		}
	}
	return ""
}

func isTechnique(id string) bool {
	number, sub, has := strings.Cut(id, ".")
	return len(number) == 4 && isDigits(number) && (!has || len(sub) == 3 && isDigits(sub))
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
