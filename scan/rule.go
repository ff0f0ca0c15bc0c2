package scan

import (
	"regexp/syntax"
	"strings"
	"sync"
	"unicode/utf8"

	re2 "github.com/wasilibs/go-re2"
	re2x "github.com/wasilibs/go-re2/experimental"
)

// RuleInfo describes a rule to those who read its findings.
type RuleInfo struct {
	ID          string     `json:"id"`
	Description string     `json:"description"`
	Category    Category   `json:"category"`
	Severity    Severity   `json:"severity"`
	Confidence  Confidence `json:"confidence"`
	Technique   string     `json:"technique,omitempty"` // of ATT&CK, for artefacts
	Next        string     `json:"next,omitempty"`      // how to revoke what it finds
}

// A rule recognises one kind of secret. It is asked only where one of its
// keywords stands: a family's rule calls find, a rule file's runs its regex.
type rule struct {
	id          string
	description string
	next        string
	technique   string // of ATT&CK, for artefacts
	category    Category
	severity    Severity
	confidence  Confidence

	// rank decides between rules that claim the same bytes: what knows the
	// format of one issuer outranks what knows a syntax, and that outranks what
	// goes by a name.
	rank rank

	keywords []string // folded to lower case; digits(n) stands for digits
	find     finder   // of a family
	names    []string // words of names that lead to it, and what its values look like
	shape    func([]byte) bool

	// What follows is of rule files.
	regex       *pattern
	secretGroup int
	minEntropy  float64
	minLength   int      // of a match
	minSecret   int      // of its secret
	maxLength   int      // of a match, -1 if unbounded
	path        *pattern // of the key and field
	filters     []*filter
	allow       []*allowlist
	components  []component
	silent      bool // only ever a component of another rule
	generic     bool // its keywords are ordinary words: wants a credential-like name

	public  bool // an identifier that may be shown whole
	judged  bool // a judge reports what it finds
	curated bool // of the default set: placeholders and examples are left out
	set     *ruleSet
	index   int
}

// rank orders rules that claim the same bytes.
type rank uint8

const (
	rankData   rank = iota // personal data: digits and addresses stand in tokens, too
	rankName               // a value whose name says what it is
	rankSyntax             // a URL with a password, a JWT
	rankFile               // a rule of a rule file
	rankFormat             // the format of one issuer
	rankProof              // a structure that nothing else has
)

// A finder looks at what stands around a keyword, f.data[from:to], and reports
// matches to w. It must look at no more than a bounded stretch of data around
// the keyword: hostile values consist of keywords.
type finder func(w *worker, r *rule, f *fragment, from, to int)

// A pattern is a regular expression that is compiled when it is first used.
// RE2 matches in linear time. It is safe for concurrent use.
type pattern struct {
	text string
	part string // in lower case: in all that matches, in any case; may be empty
	once sync.Once
	re   *re2.Regexp
}

// newPattern checks the syntax without compiling.
func newPattern(text string) (*pattern, *syntax.Regexp, error) {
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, nil, err
	}
	return &pattern{text: text, part: literalPart(tree)}, tree, nil
}

// compile makes errors that only RE2 sees (size, unsupported syntax) appear.
func (p *pattern) compile() error {
	re, err := compileRE2(p.text)
	if err != nil {
		return err
	}
	p.once.Do(func() { p.re = re })
	return nil
}

// compileRE2 reads the text as bytes where the pattern allows it: values are
// bytes, and in UTF-8 mode not even a negated class matches an invalid one.
func compileRE2(text string) (*re2.Regexp, error) {
	for i := range len(text) {
		if text[i] >= 0x80 {
			return re2.Compile(text)
		}
	}
	return re2x.CompileLatin1(text)
}

func (p *pattern) get() *re2.Regexp {
	p.once.Do(func() {
		re, err := compileRE2(p.text)
		if err != nil {
			re = re2.MustCompile(`[^\x00-\x{10FFFF}]`) // matches nothing; rule files are compiled when they are read
		}
		p.re = re
	})
	return p.re
}

// match reports whether the pattern matches somewhere in data.
func (p *pattern) match(data []byte) bool { return hasFold(data, p.part) && p.get().Match(data) }

// literalPart returns the longest text, in lower case, that it sees in all that a
// regex matches.
func literalPart(re *syntax.Regexp) string {
	switch re.Op {
	case syntax.OpCapture, syntax.OpPlus:
		return literalPart(re.Sub[0])
	case syntax.OpConcat:
		longest := ""
		for _, s := range re.Sub {
			if part := literalPart(s); len(part) > len(longest) {
				longest = part
			}
		}
		return longest
	case syntax.OpLiteral:
		part := make([]byte, 0, len(re.Rune))
		for _, r := range re.Rune {
			// Of letters of ASCII, k and s have other forms in Unicode.
			if r >= utf8.RuneSelf || re.Flags&syntax.FoldCase != 0 && strings.ContainsRune("kKsS", r) {
				return ""
			}
			part = append(part, lower(byte(r)))
		}
		return string(part)
	}
	return ""
}

// maxBound is where a regex counts as unbounded.
const maxBound = 1 << 16

// bounds returns the least and the greatest length in bytes of what a regex
// matches; the greatest is -1 if there is none, or it is beyond maxBound.
func bounds(re *syntax.Regexp) (least, most int) {
	switch re.Op {
	case syntax.OpLiteral:
		n := 0
		for _, r := range re.Rune {
			n += runeLen(r)
		}
		return len(re.Rune), n
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1, 4
	case syntax.OpCapture:
		return bounds(re.Sub[0])
	case syntax.OpStar:
		return 0, -1
	case syntax.OpPlus:
		least, _ = bounds(re.Sub[0])
		return least, -1
	case syntax.OpQuest:
		_, most = bounds(re.Sub[0])
		return 0, most
	case syntax.OpRepeat:
		l, m := bounds(re.Sub[0])
		if least = l * re.Min; re.Max < 0 || m < 0 || m*re.Max > maxBound {
			return least, -1
		}
		return least, m * re.Max
	case syntax.OpConcat:
		for _, s := range re.Sub {
			l, m := bounds(s)
			least += l
			if m < 0 || most < 0 || most+m > maxBound {
				most = -1
			} else {
				most += m
			}
		}
		return least, most
	case syntax.OpAlternate:
		least = -1
		for _, s := range re.Sub {
			l, m := bounds(s)
			if least < 0 || l < least {
				least = l
			}
			if m < 0 || most < 0 {
				most = -1
			} else {
				most = max(most, m)
			}
		}
		return max(least, 0), most
	}
	return 0, 0 // assertions, empty
}

// minSecretLen returns the least length of what group n of a regex matches; of
// the shortest group if n is 0, of all of it if there are none.
func minSecretLen(re *syntax.Regexp, n int) int {
	least := -1
	var visit func(*syntax.Regexp)
	visit = func(re *syntax.Regexp) {
		if re.Op == syntax.OpCapture && (n == 0 || re.Cap == n) {
			if l, _ := bounds(re.Sub[0]); least < 0 || l < least {
				least = l
			}
		}
		for _, s := range re.Sub {
			visit(s)
		}
	}
	visit(re)
	if least < 0 {
		least, _ = bounds(re)
	}
	return least
}

func runeLen(r rune) int {
	if r < 0x80 {
		return 1
	}
	return 4
}
