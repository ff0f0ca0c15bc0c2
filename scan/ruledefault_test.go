package scan

import (
	"math/rand/v2"
	"regexp/syntax"
	"strings"
	"testing"
)

// generate makes a string that a regex matches.
func generate(r *rand.Rand, re *syntax.Regexp, b *strings.Builder) {
	switch re.Op {
	case syntax.OpLiteral:
		for _, c := range re.Rune {
			b.WriteRune(c)
		}
	case syntax.OpCharClass:
		var set []rune // of printable ASCII, where the class has some
		for i := 0; i < len(re.Rune); i += 2 {
			for c := re.Rune[i]; c <= min(re.Rune[i+1], 0x7e); c++ {
				if c > ' ' {
					set = append(set, c)
				}
			}
		}
		if len(set) == 0 {
			set = re.Rune[:1]
		}
		b.WriteRune(set[r.IntN(len(set))])
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte(alnumAlphabet[r.IntN(len(alnumAlphabet))])
	case syntax.OpCapture:
		generate(r, re.Sub[0], b)
	case syntax.OpConcat:
		for _, s := range re.Sub {
			generate(r, s, b)
		}
	case syntax.OpAlternate:
		generate(r, re.Sub[r.IntN(len(re.Sub))], b)
	case syntax.OpQuest, syntax.OpStar:
	case syntax.OpPlus:
		generate(r, re.Sub[0], b)
	case syntax.OpRepeat:
		n := re.Min
		if n == 0 && re.Max != 0 {
			n = min(1, max(re.Max, 0))
		}
		for range n {
			generate(r, re.Sub[0], b)
		}
	}
}

// What the regex of a default rule, its filters and entropy included, makes a
// secret of is found as a value; that of a generic rule, in a field of its name.
func TestDefaultRulesFindTheirOwn(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 2))
	s := newTestScanner(t)
	set, err := defaultRules()
	if err != nil {
		t.Fatal(err)
	}
	tried, found := 0, 0
	var missed []string
	for _, rule := range set.rules {
		if rule.regex == nil || rule.silent {
			continue
		}
		tree, err := syntax.Parse(rule.regex.text, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		ok := false
		for range 12 { // filters refuse some: too regular, a placeholder
			var b strings.Builder
			generate(r, tree, &b)
			field := "note"
			if rule.generic {
				field = rule.keywords[0] + "_secret"
			}
			fs, _ := scanAll(t, s, hashKey("svc:1", field, b.String()))
			if ok = len(fs) > 0; ok {
				break
			}
		}
		if tried++; ok {
			found++
		} else {
			missed = append(missed, rule.id)
		}
	}
	t.Logf("%d of %d rules; none of: %s", found, tried, strings.Join(missed, " "))
	if found*100 < tried*minOwnPercent {
		t.Errorf("%d of %d rules find what their regex makes", found, tried)
	}
}

// minOwnPercent is what remains of the rules whose filters want more of a secret
// than their regex says.
const minOwnPercent = 90
