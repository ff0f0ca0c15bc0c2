package scan

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// A RuleFile is a file of rules in the TOML dialect of gitleaks or betterleaks.
// Every field is honoured, and a file with an unknown one is refused; "validate"
// is the one exception: it would ask a service, and this package never opens a
// connection. Paths are matched against "key" or "key/field".
type RuleFile struct {
	Name string // for messages
	Text []byte
}

// ruleFileTOML holds the fields of both dialects.
type ruleFileTOML struct {
	Title                 string          `toml:"title"`
	Description           string          `toml:"description"`
	MinVersion            string          `toml:"minVersion"`
	BetterleaksMinVersion string          `toml:"betterleaksMinVersion"`
	Extend                extendTOML      `toml:"extend"`
	Prefilter             string          `toml:"prefilter"`
	Filter                string          `toml:"filter"`
	Rules                 []ruleTOML      `toml:"rules"`
	AllowList             *allowlistTOML  `toml:"allowlist"`
	Allowlists            []allowlistTOML `toml:"allowlists"`
}

type extendTOML struct {
	Path          string   `toml:"path"`
	URL           string   `toml:"url"`
	UseDefault    bool     `toml:"useDefault"`
	DisabledRules []string `toml:"disabledRules"`
}

type ruleTOML struct {
	ID              string           `toml:"id"`
	Description     string           `toml:"description"`
	Path            string           `toml:"path"`
	Regex           string           `toml:"regex"`
	SecretGroup     int              `toml:"secretGroup"`
	Entropy         float64          `toml:"entropy"`
	Keywords        []string         `toml:"keywords"`
	Tags            []string         `toml:"tags"`
	Specificity     *int             `toml:"specificity"`
	Confidence      string           `toml:"confidence"`
	SkipReport      bool             `toml:"skipReport"`
	TokenEfficiency bool             `toml:"tokenEfficiency"`
	Validate        string           `toml:"validate"`
	Filter          string           `toml:"filter"`
	AllowList       *allowlistTOML   `toml:"allowlist"`
	Allowlists      []allowlistTOML  `toml:"allowlists"`
	Components      *[]componentTOML `toml:"components"`
	Required        []requiredTOML   `toml:"required"`
}

// A ruleSet is what rule files add up to.
type ruleSet struct {
	rules     []*rule
	filters   []*filter // for every rule
	prefilter *filter   // on the place alone
}

const maxExtends = 2 // as gitleaks: a file, what it extends, and what that extends

// parseRules reads a rule file. open gives the text of a file that it extends
// by path; nil refuses. Errors name the file and the rule.
func parseRules(file RuleFile, open func(path string) ([]byte, error)) (*ruleSet, error) {
	return parseRuleFile(file, open, 0)
}

func parseRuleFile(file RuleFile, open func(path string) ([]byte, error), depth int) (*ruleSet, error) {
	set, err := parseRuleText(file, open, depth)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file.Name, err)
	}
	return set, nil
}

func parseRuleText(file RuleFile, open func(path string) ([]byte, error), depth int) (*ruleSet, error) {
	var raw ruleFileTOML
	dec := toml.NewDecoder(bytes.NewReader(file.Text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&raw); err != nil {
		return nil, describe(err)
	}
	set := new(ruleSet)
	if err := set.extend(&raw, open, depth); err != nil {
		return nil, err
	}
	base := len(set.rules)
	for i := range raw.Rules {
		r, err := raw.Rules[i].rule()
		if err != nil {
			return nil, fmt.Errorf("rule %d (%s): %w", i+1, raw.Rules[i].ID, err)
		}
		if k := set.find(r.id); k >= 0 {
			if k >= base {
				return nil, fmt.Errorf("rule %d: the id %s is used twice", i+1, r.id)
			}
			r.inherit(set.rules[k], &raw.Rules[i])
			set.rules[k] = r
			continue
		}
		if r.regex == nil && r.path == nil {
			return nil, fmt.Errorf("rule %d (%s): neither a regex nor a path", i+1, r.id)
		}
		set.rules = append(set.rules, r)
	}
	if err := set.allowlists(&raw); err != nil {
		return nil, err
	}
	if raw.Filter != "" {
		set.filters = append(set.filters, &filter{text: raw.Filter})
	}
	if raw.Prefilter != "" {
		set.prefilter = &filter{text: raw.Prefilter}
	}
	return set, set.link()
}

// describe keeps what a TOML error says and leaves out the text of the file.
func describe(err error) error {
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) && len(strict.Errors) > 0 {
		e := strict.Errors[0]
		row, _ := e.Position()
		return fmt.Errorf("line %d: unknown field %q", row, strings.Join(e.Key(), "."))
	}
	var decode *toml.DecodeError
	if errors.As(err, &decode) {
		row, col := decode.Position()
		return fmt.Errorf("line %d, column %d: %s", row, col, strings.TrimPrefix(decode.Error(), "toml: "))
	}
	return err
}

func (set *ruleSet) find(id string) int {
	return slices.IndexFunc(set.rules, func(r *rule) bool { return r.id == id })
}

func (set *ruleSet) extend(raw *ruleFileTOML, open func(string) ([]byte, error), depth int) error {
	x := raw.Extend
	var base *ruleSet
	switch {
	case x.URL != "":
		return errors.New("extend.url: nothing is fetched over the network")
	case x.Path != "" && x.UseDefault:
		return errors.New("extend: both path and useDefault")
	case depth == maxExtends && (x.UseDefault || x.Path != ""):
		return errors.New("extend: nested too deeply")
	case x.UseDefault:
		d, err := defaultRules()
		if err != nil {
			return err
		}
		base = d
	case x.Path != "":
		if open == nil {
			return errors.New("extend.path: no files can be opened here")
		}
		text, err := open(x.Path)
		if err != nil {
			return fmt.Errorf("extend.path: %w", err)
		}
		if base, err = parseRuleFile(RuleFile{x.Path, text}, open, depth+1); err != nil {
			return err
		}
	default:
		if len(x.DisabledRules) > 0 {
			return errors.New("extend.disabledRules: nothing is extended")
		}
		return nil
	}
	for _, id := range x.DisabledRules {
		if base.find(id) < 0 {
			return fmt.Errorf("extend.disabledRules: no rule %q", id)
		}
	}
	set.filters, set.prefilter = base.filters, base.prefilter
	for _, r := range base.rules {
		if !slices.Contains(x.DisabledRules, r.id) {
			set.rules = append(set.rules, r)
		}
	}
	return nil
}

// link finds the rules that components name.
func (set *ruleSet) link() error {
	for _, r := range set.rules {
		for i := range r.components {
			k := set.find(r.components[i].id)
			if k < 0 {
				return fmt.Errorf("rule %s: no component rule %q", r.id, r.components[i].id)
			}
			r.components[i].rule = set.rules[k]
		}
	}
	return nil
}

func (raw *ruleTOML) rule() (*rule, error) {
	if raw.ID == "" {
		return nil, errors.New("no id")
	}
	r := &rule{
		id: raw.ID, description: raw.Description, rank: rankFile,
		secretGroup: raw.SecretGroup, minEntropy: raw.Entropy, silent: raw.SkipReport,
		maxLength: -1,
	}
	r.classify()
	if raw.SecretGroup < 0 || math.IsNaN(raw.Entropy) {
		return nil, errors.New("secretGroup or entropy out of range")
	}
	switch raw.Confidence {
	case "", "high":
		r.confidence = Likely
	case "medium", "low":
		r.confidence = Possible
	default:
		return nil, fmt.Errorf("unknown confidence %q", raw.Confidence)
	}
	if raw.Specificity != nil && *raw.Specificity < defaultSpecificity {
		r.rank = rankName
	}
	if raw.Regex != "" {
		p, tree, err := newPattern(raw.Regex)
		if err != nil {
			return nil, fmt.Errorf("regex: %w", err)
		}
		if tree.MaxCap() < r.secretGroup {
			return nil, fmt.Errorf("secretGroup %d, but the regex has %d groups", r.secretGroup, tree.MaxCap())
		}
		r.regex = p
		r.minLength, r.maxLength = bounds(tree)
		r.minSecret = minSecretLen(tree, r.secretGroup)
	}
	if raw.Path != "" {
		p, _, err := newPattern(raw.Path)
		if err != nil {
			return nil, fmt.Errorf("path: %w", err)
		}
		r.path = p
	}
	for _, k := range raw.Keywords {
		if k = strings.ToLower(k); k == "" || strings.IndexByte(k, separator) >= 0 || strings.IndexByte(k, digitMark) >= 0 {
			return nil, errors.New("an empty keyword, or one with a control character")
		}
		r.keywords = append(r.keywords, k)
		r.generic = r.generic || genericKeywords[k] && r.path == nil
	}
	if raw.TokenEfficiency {
		r.filters = append(r.filters, &filter{text: `failsTokenEfficiency(finding["secret"])`})
	}
	if raw.Filter != "" {
		r.filters = append(r.filters, &filter{text: raw.Filter})
	}
	lists := raw.Allowlists
	if raw.AllowList != nil {
		if len(lists) > 0 {
			return nil, errors.New("both allowlist and allowlists")
		}
		lists = []allowlistTOML{*raw.AllowList}
	}
	for i := range lists {
		if len(lists[i].TargetRules) > 0 {
			return nil, errors.New("targetRules in a rule's own allowlist")
		}
		a, err := lists[i].allowlist()
		if err != nil {
			return nil, err
		}
		if a != nil {
			r.allow = append(r.allow, a)
		}
	}
	return r, raw.componentsOf(r)
}

// defaultSpecificity is DefaultRuleSpecificity of betterleaks' config package;
// rules below it give way to others.
const defaultSpecificity = 100

// inherit fills what an extending rule leaves open from the one it extends.
func (r *rule) inherit(base *rule, raw *ruleTOML) {
	if raw.Description == "" {
		r.description = base.description
	}
	if raw.Entropy == 0 {
		r.minEntropy = base.minEntropy
	}
	if raw.SecretGroup == 0 {
		r.secretGroup = base.secretGroup
	}
	if raw.Regex == "" {
		r.regex, r.minLength, r.maxLength, r.minSecret = base.regex, base.minLength, base.maxLength, base.minSecret
	}
	if raw.Path == "" {
		r.path = base.path
	}
	if raw.Confidence == "" {
		r.confidence = base.confidence
	}
	if raw.Filter == "" {
		r.filters = append(r.filters, base.filters...)
	}
	if raw.Components == nil && raw.Required == nil {
		r.components = slices.Clone(base.components)
	}
	r.keywords = append(slices.Clone(base.keywords), r.keywords...)
	r.allow = append(slices.Clone(base.allow), r.allow...)
	r.generic = r.generic || base.generic
	r.category, r.severity, r.public = base.category, base.severity, base.public
}

// compile compiles the regexes and filters of every rule, so that the first bad one is
// an error now and not a rule that never matches.
func (set *ruleSet) compile() error {
	for _, r := range set.rules {
		if err := r.compile(); err != nil {
			return fmt.Errorf("rule %s: %w", r.id, err)
		}
	}
	for _, f := range set.filters {
		if err := f.compile(); err != nil {
			return err
		}
	}
	if set.prefilter != nil {
		if err := set.prefilter.compile(); err != nil {
			return fmt.Errorf("pre%w", err)
		}
	}
	return nil
}

func (r *rule) compile() error {
	for _, p := range []*pattern{r.regex, r.path} {
		if p != nil {
			if err := p.compile(); err != nil {
				return err
			}
		}
	}
	for _, f := range r.filters {
		if err := f.compile(); err != nil {
			return err
		}
	}
	return nil
}
