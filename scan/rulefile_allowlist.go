package scan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

type allowlistTOML struct {
	Description string   `toml:"description"`
	Condition   string   `toml:"condition"`
	Commits     []string `toml:"commits"`
	Paths       []string `toml:"paths"`
	RegexTarget string   `toml:"regexTarget"`
	Regexes     []string `toml:"regexes"`
	StopWords   []string `toml:"stopwords"`
	TargetRules []string `toml:"targetRules"` // of the file's own allowlists only
}

// An allowlist names matches that are none.
type allowlist struct {
	all     bool // every given check must agree, not just one
	target  string
	paths   *regexSet
	regexes *regexSet
	words   *wordSet
}

// allows reports whether the match is one of the listed.
func (a *allowlist) allows(s *subject) bool {
	agree, given := 0, 0
	check := func(isGiven bool, ok func() bool) {
		if isGiven {
			given++
			if ok() {
				agree++
			}
		}
	}
	check(a.paths != nil, func() bool { return a.paths.match([]byte(s.path)) })
	check(a.regexes != nil, func() bool {
		switch a.target {
		case "match":
			return a.regexes.match(s.match)
		case "line":
			from, to := s.line()
			return a.regexes.match(s.text[from:to])
		}
		return a.regexes.match(s.secret)
	})
	check(a.words != nil, func() bool { return a.words.match(s.secret) })
	if a.all {
		return given > 0 && agree == given
	}
	return agree > 0
}

// allowlists attaches the file's own allowlists: to the rules they target, or
// to every rule.
func (set *ruleSet) allowlists(raw *ruleFileTOML) error {
	lists := raw.Allowlists
	if raw.AllowList != nil {
		if len(lists) > 0 {
			return errors.New("both allowlist and allowlists")
		}
		lists = []allowlistTOML{*raw.AllowList}
	}
	for i := range lists {
		a, err := lists[i].allowlist()
		if err != nil {
			return fmt.Errorf("allowlist %d: %w", i+1, err)
		}
		targets := lists[i].TargetRules
		for _, id := range targets {
			if set.find(id) < 0 {
				return fmt.Errorf("allowlist %d: no rule %q", i+1, id)
			}
		}
		if a == nil {
			continue
		}
		for k, r := range set.rules {
			if len(targets) == 0 || slices.Contains(targets, r.id) {
				c := *r
				c.allow = append(slices.Clone(r.allow), a)
				set.rules[k] = &c
			}
		}
	}
	return nil
}

func (raw *allowlistTOML) allowlist() (*allowlist, error) {
	a := &allowlist{target: raw.RegexTarget}
	switch strings.ToUpper(raw.Condition) {
	case "AND", "&&":
		a.all = true
	case "", "OR", "||":
	default:
		return nil, fmt.Errorf("unknown condition %q", raw.Condition)
	}
	switch raw.RegexTarget {
	case "", "secret", "match", "line":
	default:
		return nil, fmt.Errorf("unknown regexTarget %q", raw.RegexTarget)
	}
	if len(raw.Commits)+len(raw.Paths)+len(raw.Regexes)+len(raw.StopWords) == 0 {
		return nil, errors.New("no checks")
	}
	var err error
	if len(raw.Paths) > 0 {
		if a.paths, err = newRegexSet(raw.Paths); err != nil {
			return nil, fmt.Errorf("paths: %w", err)
		}
	}
	if len(raw.Regexes) > 0 {
		if a.regexes, err = newRegexSet(raw.Regexes); err != nil {
			return nil, fmt.Errorf("regexes: %w", err)
		}
	}
	if len(raw.StopWords) > 0 {
		a.words = newWordSet(raw.StopWords)
	}
	if len(raw.Commits) > 0 {
		if a.all {
			return nil, nil // a keyspace has no commits: the condition can never hold
		}
		if a.paths == nil && a.regexes == nil && a.words == nil {
			return nil, nil
		}
	}
	return a, nil
}
