package generated

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"

	"github.com/betterleaks/betterleaks/config"
	"github.com/pelletier/go-toml/v2"

	"github.com/valkeyfs/valkeyfs/internal/fixtures"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// match makes a string that a regex matches, as far as assertions do not forbid it.
func (m maker) match(re *syntax.Regexp, b *strings.Builder) {
	switch re.Op {
	case syntax.OpLiteral:
		for _, c := range re.Rune {
			b.WriteRune(c)
		}
	case syntax.OpCharClass:
		b.WriteRune(m.among(re.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteString(m.pick(m.From(fixtures.Alphanum, 1), m.From(" =:_-", 1)))
	case syntax.OpCapture:
		m.match(re.Sub[0], b)
	case syntax.OpConcat:
		for _, s := range re.Sub {
			m.match(s, b)
		}
	case syntax.OpAlternate:
		m.match(re.Sub[m.IntN(len(re.Sub))], b)
	case syntax.OpQuest:
		m.times(re.Sub[0], m.IntN(2), b)
	case syntax.OpStar:
		m.times(re.Sub[0], m.IntN(3), b)
	case syntax.OpPlus:
		m.times(re.Sub[0], 1+m.IntN(24), b)
	case syntax.OpRepeat:
		most := re.Max
		if most < 0 {
			most = re.Min + 24
		}
		if re.Min == 0 && most > 3 {
			most = 3 // what stands between a name and its value
		}
		m.times(re.Sub[0], re.Min+m.IntN(most-re.Min+1), b)
	}
}

func (m maker) times(re *syntax.Regexp, n int, b *strings.Builder) {
	for range n {
		m.match(re, b)
	}
}

// among picks a character of a class: a printable one of ASCII, where it has any.
func (m maker) among(class []rune) rune {
	var set []rune
	for i := 0; i < len(class); i += 2 {
		for c := class[i]; c <= min(class[i+1], 0x7e); c++ {
			if c > ' ' {
				set = append(set, c)
			}
		}
	}
	if len(set) == 0 {
		return class[0]
	}
	return set[m.IntN(len(set))]
}

// A defaultRule is what the test reads of a rule of the default set.
type defaultRule struct {
	ID          string
	Regex       string
	Path        string
	SecretGroup int
	Keywords    []string
	SkipReport  bool
}

// made is a string that a rule's regex matches, and the secret in it.
type made struct {
	rule         *defaultRule
	text, secret string
	key          string
}

// perRule is how many strings are made of a rule's regex, under each kind of name. The
// filters of a rule refuse some: a placeholder, an empty value, too regular a text.
const perRule = 96

// make makes strings for r; the regex itself says what the secret is.
func (r *defaultRule) make(t *testing.T, m maker) []made {
	tree, err := syntax.Parse(r.Regex, syntax.Perl)
	if err != nil {
		t.Fatal(err)
	}
	re := regexp.MustCompile(r.Regex)
	var all []made
	for tries := 0; len(all) < perRule && tries < 200*perRule; tries++ {
		var b strings.Builder
		m.match(tree, &b)
		found := re.FindStringSubmatch(b.String())
		if found == nil {
			continue
		}
		secret := found[r.SecretGroup]
		for _, g := range found[1:] {
			if r.SecretGroup == 0 && g != "" {
				secret = g
				break
			}
		}
		all = append(all, made{rule: r, text: b.String(), secret: secret})
	}
	if len(all) == 0 {
		t.Errorf("%s: no string could be made of its regex", r.ID)
	}
	return all
}

// notFound are the rules that need not find what their regex makes, and why.
var notFound = map[string]string{
	"private-key":            "what its regex allows between the lines is no base64, and so no key",
	"generic-credential-uri": "its regex allows bytes in the password that a URL has none of, quotes and brackets",
}

// TestDefaultRules: what the regex of a default rule makes is found as a value of a
// snapshot, at least where the key or the field bears the word that the rule goes by.
func TestDefaultRules(t *testing.T) {
	var set struct{ Rules []*defaultRule }
	if err := toml.Unmarshal([]byte(config.DefaultConfig), &set); err != nil {
		t.Fatal(err)
	}
	seed := number(t, "VALKEYFS_SEED", rand.Uint64())
	t.Logf("VALKEYFS_SEED=%d", seed)
	m := maker{fixtures.Random{Rand: rand.New(rand.NewPCG(seed, 3))}}
	s := newStore(t, servertest.Find(t, servertest.Required[0]))

	var bare, named []made
	tried := 0
	for _, r := range set.Rules {
		if r.Regex == "" || r.SkipReport {
			continue
		}
		tried++
		for i, x := range r.make(t, m) {
			x.key = fmt.Sprintf("app:%d:%d", tried, i)
			s.send(t, "HSET", x.key, "note", x.text)
			bare = append(bare, x)
			x.key = fmt.Sprintf("app:%d:%d:named", tried, i)
			if r.Path != "" {
				path, err := syntax.Parse(r.Path, syntax.Perl)
				if err != nil {
					t.Fatal(err)
				}
				var b strings.Builder
				m.match(path, &b)
				x.key += "/" + b.String()
				s.send(t, "SET", x.key, x.text)
			} else {
				if strings.HasPrefix(r.ID, "generic-") { // what names the secret is the field
					x.text = x.secret
				}
				s.send(t, "HSET", x.key, r.Keywords[0]+"_secret", x.text)
			}
			named = append(named, x)
		}
	}
	s.flush(t)
	s.Must(t, "SAVE")
	s.Stop(t)
	found := scan(t, filepath.Join(s.Dir, "dump.rdb"))

	hits := func(all []made) (strings int, rules map[string]bool) {
		rules = map[string]bool{}
		for _, x := range all {
			if x.isFound(found[x.key]) {
				strings++
				rules[x.rule.ID] = true
			}
		}
		return strings, rules
	}
	n, byForm := hits(bare)
	t.Logf("under a name that says nothing: %d of %d rules, %d of %d strings", len(byForm), tried, n, len(bare))
	n, byName := hits(named)
	t.Logf("under the rule's own word: %d of %d rules, %d of %d strings", len(byName), tried, n, len(named))
	maps.Copy(byName, byForm)
	var missed []string
	for _, r := range set.Rules {
		if r.Regex != "" && !r.SkipReport && !byName[r.ID] {
			missed = append(missed, r.ID)
			if _, known := notFound[r.ID]; !known {
				t.Errorf("%s does not find what its regex makes", r.ID)
			}
		}
	}
	t.Logf("either: %d of %d; not: %v", len(byName), tried, missed)
}

// isFound reports whether one of the findings is the secret, or the part of it
// that a more special rule takes for the secret.
func (x *made) isFound(fs []finding) bool {
	return slices.ContainsFunc(fs, func(f finding) bool {
		return f.Category != "pii" && (strings.Contains(f.Secret, x.secret) || strings.Contains(x.secret, f.Secret))
	})
}
