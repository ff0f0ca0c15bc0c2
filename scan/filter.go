package scan

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"
)

// A filter is an expression of the betterleaks dialect that is true where a
// match is to be dropped. It sees the match as finding, its place as
// attributes, and the functions of filterFunctions, bare or behind "filter.". It is
// compiled when it is first used, and is safe for concurrent use.
type filter struct {
	text    string
	once    sync.Once
	program *vm.Program
	err     error
}

// filterFunctions are the functions of the dialect that need no network, with
// the position of their list of patterns or words, which must be constant.
var filterFunctions = map[string]int{
	"matchesAny":           1,
	"findMatch":            1,
	"containsAny":          1,
	"entropy":              -1,
	"tokenRatio":           -1,
	"failsTokenEfficiency": -1,
	"setConfidence":        -1,
}

// filterBuiltins are the functions of the expression language that filters may
// use. Everything else is refused: some of them loop or allocate at will.
var filterBuiltins = []string{"len", "max", "min", "split", "join", "lower", "upper", "trim", "hasPrefix", "hasSuffix", "int", "float", "string"}

// A subject is the match that filters judge.
type subject struct {
	rule   *rule
	secret []byte
	match  []byte
	text   []byte // what surrounds the match
	from   int    // of the match in text
	to     int
	path   string
}

// filterEnv holds what one worker's evaluations see. It is not safe for
// concurrent use.
type filterEnv struct {
	vars  map[string]any
	level string // what setConfidence was told
}

func newFilterEnv() *filterEnv {
	e := new(filterEnv)
	funcs := map[string]any{
		"matchesAny":           matchesAny,
		"findMatch":            findMatch,
		"containsAny":          containsAny,
		"entropy":              func(s string) float64 { return entropy([]byte(s)) },
		"tokenRatio":           func(s string) float64 { return wordiness([]byte(s)) },
		"failsTokenEfficiency": func(s string) bool { return readable([]byte(s)) },
		"setConfidence":        func(level string) string { e.level = level; return level },
	}
	e.vars = map[string]any{"filter": funcs, "finding": emptyFinding(), "attributes": map[string]string{}}
	for name, f := range funcs {
		e.vars[name] = f
	}
	return e
}

func emptyFinding() map[string]any {
	return map[string]any{
		"secret": "", "match": "", "line": "", "rule_id": "", "description": "", "context": "", "entropy": "",
		"fragment_raw": "", "match_start_idx": 0, "match_end_idx": 0, "match_line_start_idx": 0, "match_line_end_idx": 0,
	}
}

// compile makes errors appear: unknown functions and variables, and patterns that are
// no regular expressions.
func (f *filter) compile() error {
	f.once.Do(func() {
		check := new(filterChecker)
		f.program, f.err = expr.Compile(f.text, expr.Env(newFilterEnv().vars), expr.AsBool(), expr.Patch(check))
		if check.err != nil {
			f.err = check.err
		}
		if f.err != nil {
			f.err = fmt.Errorf("filter: %w", f.err)
		}
	})
	return f.err
}

// drops reports whether s is to be dropped. A filter that fails at run time
// drops nothing: a finding too many is better than a secret unseen.
func (f *filter) drops(e *filterEnv, s *subject) bool {
	if f.compile() != nil {
		return false // rule files are compiled when they are read
	}
	finding := e.vars["finding"].(map[string]any)
	lineFrom, lineTo := s.line()
	finding["secret"], finding["match"] = string(s.secret), string(s.match)
	finding["line"] = string(s.text[lineFrom:lineTo])
	finding["rule_id"], finding["description"] = s.rule.id, s.rule.description
	finding["fragment_raw"] = string(s.text)
	finding["match_start_idx"], finding["match_end_idx"] = s.from, s.to
	finding["match_line_start_idx"], finding["match_line_end_idx"] = lineFrom, lineTo
	e.vars["attributes"] = map[string]string{"path": s.path}
	drop, err := expr.Run(f.program, e.vars)
	yes, ok := drop.(bool)
	return err == nil && ok && yes
}

// line returns the bounds of the lines in which the match stands.
func (s *subject) line() (from, to int) {
	for from = s.from; from > 0 && s.text[from-1] != '\n'; from-- {
	}
	for to = s.to; to < len(s.text) && s.text[to] != '\n'; to++ {
	}
	return from, to
}

// filterChecker refuses what filters may not call, and compiles their constant
// lists once.
type filterChecker struct{ err error }

// Visit implements ast.Visitor.
func (c *filterChecker) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.BuiltinNode:
		if !slices.Contains(filterBuiltins, n.Name) {
			c.fail("function %s is not available", n.Name)
		}
	case *ast.PredicateNode:
		c.fail("predicates are not available")
	case *ast.CallNode:
		name := calleeName(n.Callee)
		list, known := filterFunctions[name]
		if !known {
			c.fail("function %s is not available", name)
			return
		}
		if list < 0 {
			return
		}
		if len(n.Arguments) != 2 {
			c.fail("%s takes two arguments", name)
			return
		}
		words, ok := constantStrings(n.Arguments[list])
		if !ok {
			c.fail("the patterns of %s must be constant", name)
			return
		}
		if name == "containsAny" {
			ast.Patch(&n.Arguments[list], &ast.ConstantNode{Value: newWordSet(words)})
			return
		}
		set, err := newRegexSet(words)
		if err != nil {
			c.fail("%s: %v", name, err)
			return
		}
		ast.Patch(&n.Arguments[list], &ast.ConstantNode{Value: set})
	}
}

func (c *filterChecker) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
}

func calleeName(n ast.Node) string {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return n.Value
	case *ast.MemberNode:
		if base, ok := n.Node.(*ast.IdentifierNode); ok && base.Value == "filter" {
			if p, ok := n.Property.(*ast.StringNode); ok {
				return p.Value
			}
		}
	}
	return "(computed)"
}

func constantStrings(n ast.Node) ([]string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return []string{n.Value}, true
	case *ast.ArrayNode:
		var out []string
		for _, e := range n.Nodes {
			s, ok := e.(*ast.StringNode)
			if !ok {
				return nil, false
			}
			out = append(out, s.Value)
		}
		return out, true
	}
	return nil, false
}

// A regexSet matches where any of its patterns does.
type regexSet struct{ re *regexp.Regexp }

func newRegexSet(patterns []string) (*regexSet, error) {
	parts := make([]string, len(patterns))
	for i, p := range patterns {
		if _, err := regexp.Compile(p); err != nil {
			return nil, err
		}
		parts[i] = "(?:" + p + ")"
	}
	if len(parts) == 0 {
		return &regexSet{}, nil
	}
	re, err := regexp.Compile(strings.Join(parts, "|"))
	if err != nil {
		return nil, err
	}
	return &regexSet{re}, nil
}

func (s *regexSet) match(b []byte) bool { return s.re != nil && s.re.Match(b) }

// A wordSet matches where any of its words stands, in any case. Its automaton is
// built when it is first asked: most commands never ask.
type wordSet struct{ matcher func() *matcher }

func newWordSet(words []string) *wordSet {
	return &wordSet{sync.OnceValue(func() *matcher {
		words := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "" || strings.IndexByte(w, separator) >= 0 })
		if len(words) == 0 {
			return nil
		}
		m, err := newMatcher(words)
		if err != nil {
			return nil
		}
		return m
	})}
}

func (s *wordSet) match(b []byte) bool {
	m := s.matcher()
	return m != nil && m.any(b)
}

func matchesAny(s string, patterns any) bool {
	set, ok := patterns.(*regexSet)
	return ok && set.match([]byte(s))
}

func findMatch(s string, pattern any) string {
	set, ok := pattern.(*regexSet)
	if !ok || set.re == nil {
		return ""
	}
	return set.re.FindString(s)
}

func containsAny(s string, words any) bool {
	set, ok := words.(*wordSet)
	return ok && set.match([]byte(s))
}
