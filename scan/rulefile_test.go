package scan

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// The default rules load, and every regex of theirs compiles.
func TestDefaultRules(t *testing.T) {
	set, err := defaultRules()
	if err != nil {
		t.Fatal(err)
	}
	if err := set.compile(); err != nil {
		t.Fatal(err)
	}
	if len(set.rules) < 350 {
		t.Errorf("only %d rules", len(set.rules))
	}
	for id := range superseded {
		if set.find(id) >= 0 {
			t.Errorf("%s is still there", id)
		}
	}
}

// Rules that take another's place bear its name.
func TestSupersededRulesHaveSuccessors(t *testing.T) {
	other := map[string]string{"generic-credential-uri": "connection-string", "jwt-base64": "jwt"}
	s := newTestScanner(t)
	for id := range superseded {
		if next, ok := other[id]; ok {
			id = next
		}
		if s.byID[id] == nil {
			t.Errorf("no rule %s", id)
		}
	}
}

func TestRuleFileRefused(t *testing.T) {
	rule := "[[rules]]\nid = \"a\"\nregex = '''x'''\n"
	for name, text := range map[string]string{
		"no TOML":              "[[rules",
		"unknown field":        rule + "severity = \"high\"\n",
		"unknown top field":    "colour = 1\n" + rule,
		"unknown table":        rule + "[rules.valkey]\nkey = \"x\"\n",
		"wrong type":           "[[rules]]\nid = 7\n",
		"no id":                "[[rules]]\nregex = '''x'''\n",
		"no regex":             "[[rules]]\nid = \"a\"\n",
		"bad regex":            "[[rules]]\nid = \"a\"\nregex = '''(x'''\n",
		"look-ahead":           "[[rules]]\nid = \"a\"\nregex = '''x(?=y)'''\n",
		"bad path":             rule + "path = '''['''\n",
		"group out of range":   rule + "secretGroup = 2\n",
		"negative group":       rule + "secretGroup = -1\n",
		"empty keyword":        rule + "keywords = [\"\"]\n",
		"same id twice":        rule + rule,
		"unknown confidence":   rule + "confidence = \"sure\"\n",
		"empty allowlist":      rule + "[[rules.allowlists]]\ndescription = \"x\"\n",
		"bad allowlist":        rule + "[[rules.allowlists]]\nregexes = ['''(''']\n",
		"unknown condition":    rule + "[[rules.allowlists]]\ncondition = \"XOR\"\nstopwords = [\"a\"]\n",
		"unknown target":       rule + "[[rules.allowlists]]\nregexTarget = \"file\"\nregexes = ['''a''']\n",
		"both allowlists":      "[allowlist]\nstopwords = [\"a\"]\n[[allowlists]]\nstopwords = [\"a\"]\n" + rule,
		"target not there":     "[[allowlists]]\ntargetRules = [\"b\"]\nstopwords = [\"a\"]\n" + rule,
		"unknown function":     rule + "filter = '''shell(\"x\")'''\n",
		"unknown namespaced":   rule + "filter = '''filter.shell(\"x\")'''\n",
		"http":                 rule + "filter = '''http.get(\"x\").status == 200'''\n",
		"unknown variable":     rule + "filter = '''secret == \"x\"'''\n",
		"bad filter regex":     rule + "filter = '''matchesAny(finding[\"secret\"], [\"(\"])'''\n",
		"computed patterns":    rule + "filter = '''matchesAny(finding[\"secret\"], [finding[\"line\"]])'''\n",
		"loop":                 rule + "filter = '''len(map(1..1000000000, # * 2)) > 0'''\n",
		"required not there":   rule + "[[rules.required]]\nid = \"b\"\n",
		"component not there":  rule + "components = [{id = \"b\"}]\n",
		"component distance":   rule + "components = [{id = \"a\", within = \"near\"}]\n",
		"url":                  "[extend]\nurl = \"https://x.test/rules.toml\"\n",
		"path and default":     "[extend]\npath = \"x\"\nuseDefault = true\n",
		"disabled for nothing": "[extend]\ndisabledRules = [\"x\"]\n",
		"disabled not there":   "[extend]\nuseDefault = true\ndisabledRules = [\"x\"]\n",
		"path not opened":      "[extend]\npath = \"x\"\n",
	} {
		_, err := New(Config{Rules: []RuleFile{{Name: "my.toml", Text: []byte(text)}}})
		if err == nil {
			t.Errorf("%s: accepted", name)
		} else if !strings.HasPrefix(err.Error(), "my.toml: ") {
			t.Errorf("%s: the error does not name the file: %v", name, err)
		}
	}
}

// userRules scans with a rule file alone.
func userRules(t *testing.T, text string, events []keyspace.Event) []*Finding {
	t.Helper()
	s, err := New(Config{Workers: 1, Reveal: true, NoDefaultRules: true, Rules: []RuleFile{{Name: "my.toml", Text: []byte(text)}}})
	if err != nil {
		t.Fatal(err)
	}
	found, _ := scanAll(t, s, events)
	return found
}

func secretsOf(fs []*Finding) string {
	var out []string
	for _, f := range fs {
		out = append(out, f.Rule+"="+f.Secret)
	}
	return strings.Join(out, " ")
}

func TestRuleFileHonoured(t *testing.T) {
	const rule = "[[rules]]\nid = \"acme\"\nregex = '''acme_([a-z0-9]{8})'''\n"
	for _, c := range []struct{ name, text, value, want string }{
		{"first group", rule, "x acme_abcd1234 y", "acme=abcd1234"},
		{"whole match", "[[rules]]\nid = \"acme\"\nregex = '''acme_[a-z0-9]{8}'''\n", "acme_abcd1234", "acme=acme_abcd1234"},
		{"group", "[[rules]]\nid = \"acme\"\nregex = '''(acme)_([a-z0-9]{8})'''\nsecretGroup = 2\n", "acme_abcd1234", "acme=abcd1234"},
		{"first group that matched", "[[rules]]\nid = \"acme\"\nregex = '''acme_(?:([0-9]{8})|([a-z]{8}))'''\n", "acme_abcdefgh", "acme=abcdefgh"},
		{"keyword there", rule + "keywords = [\"ACME\"]\n", "acme_abcd1234", "acme=abcd1234"},
		{"keyword elsewhere in the value", rule + "keywords = [\"corp\"]\n", "corp: acme_abcd1234", "acme=abcd1234"},
		{"keyword missing", rule + "keywords = [\"other\"]\n", "acme_abcd1234", ""},
		{"entropy", rule + "entropy = 2.5\n", "acme_aaaa1111 acme_abcd1234", "acme=abcd1234"},
		{"end of the value", "[[rules]]\nid = \"acme\"\nregex = '''acme_[a-z]+$'''\n", "acme_abc", "acme=acme_abc"},
		{"stopword", rule + "[[rules.allowlists]]\nstopwords = [\"BCD\"]\n", "acme_abcd1234 acme_xxcd1234", "acme=xxcd1234"},
		{"old allowlist", rule + "[rules.allowlist]\nregexes = ['''^abc''']\n", "acme_abcd1234 acme_xxcd1234", "acme=xxcd1234"},
		{"allowlist of the match", rule + "[[rules.allowlists]]\nregexTarget = \"match\"\nregexes = ['''^acme_abc''']\n", "acme_abcd1234", ""},
		{"allowlist of the line", rule + "[[rules.allowlists]]\nregexTarget = \"line\"\nregexes = ['''# test''']\n", "acme_abcd1234 # test\nacme_xxcd1234", "acme=xxcd1234"},
		{"allowlist with and", rule + "[[rules.allowlists]]\ncondition = \"AND\"\nregexes = ['''^a''']\nstopwords = [\"99\"]\n", "acme_abcd1234 acme_abcd9999", "acme=abcd1234"},
		{"allowlist of paths", rule + "[[rules.allowlists]]\npaths = ['''^app:''']\n", "acme_abcd1234", ""},
		{"allowlist of commits", rule + "[[rules.allowlists]]\ncommits = [\"abc\"]\n", "acme_abcd1234", "acme=abcd1234"},
		{"global allowlist", "[allowlist]\nstopwords = [\"bcd\"]\n" + rule, "acme_abcd1234", ""},
		{"targeted allowlist", "[[allowlists]]\ntargetRules = [\"acme\"]\nstopwords = [\"bcd\"]\n" + rule, "acme_abcd1234", ""},
		{"path", rule + "path = '''^app:\\d+$'''\n", "acme_abcd1234", "acme=abcd1234"},
		{"other path", rule + "path = '''\\.env$'''\n", "acme_abcd1234", ""},
		{"path alone", "[[rules]]\nid = \"backup\"\npath = '''^app:'''\n", "x", "backup=app:17"},
		{"filter", rule + "filter = '''entropy(finding[\"secret\"]) < 2.5 || filter.containsAny(finding[\"secret\"], [\"zz\"])'''\n", "acme_aaaa1111 acme_abcd1234 acme_zzcd1234", "acme=abcd1234"},
		{"filter of the surroundings", rule + "filter = '''filter.matchesAny(finding[\"fragment_raw\"][0:finding[\"match_start_idx\"]], [\"test $\"])'''\n", "test acme_abcd1234", ""},
		{"file's filter", "filter = '''matchesAny(finding[\"secret\"], [`^ab`])'''\n" + rule, "acme_abcd1234", ""},
		{"file's prefilter", "prefilter = '''matchesAny(attributes[\"path\"], [`^app:`])'''\n" + rule, "acme_abcd1234", ""},
		{"validate is not run", rule + "validate = '''http.get(\"https://x.test\").status == 200'''\n", "acme_abcd1234", "acme=abcd1234"},
		{"not reported", rule + "skipReport = true\n", "acme_abcd1234", ""},
		{"in JSON", rule, `{"a": ["acme_abcd1234"]}`, "acme=abcd1234"},
		{"assignment in JSON", "[[rules]]\nid = \"acme\"\nregex = '''acme_key\\s*[=:]\\s*[\"']?([a-z0-9]{8})'''\nkeywords = [\"acme\"]\n", `{"acme_key": "abcd1234"}`, "acme=abcd1234"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := secretsOf(userRules(t, c.text, stringKey("app:17", c.value))); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// Components and required rules: without them a finding is only possible.
func TestRuleFileComponents(t *testing.T) {
	const rules = "[[rules]]\nid = \"secret\"\nregex = '''sec_[a-z0-9]{8}'''\n%s\n[[rules]]\nid = \"id\"\nregex = '''id_[0-9]{4}'''\nskipReport = true\n"
	for _, how := range []string{`components = [{id = "id", within = "5L"}]`, "[[rules.required]]\nid = \"id\"\nwithinLines = 5\n"} {
		text := strings.Replace(rules, "%s", how, 1)
		for value, want := range map[string]Confidence{"id_1234 sec_abcd1234": Likely, "sec_abcd1234": Possible} {
			found := userRules(t, text, stringKey("k", value))
			if len(found) != 1 || found[0].Confidence != want {
				t.Errorf("%s in %q: found %s", how, value, brief(found))
			}
		}
	}
}

func TestRuleFileExtends(t *testing.T) {
	files := map[string]string{
		"base.toml":  "[[rules]]\nid = \"a\"\nregex = '''aa_[0-9]{4}'''\nentropy = 0.5\n[[rules]]\nid = \"b\"\nregex = '''bb_[0-9]{4}'''\n",
		"mid.toml":   "[extend]\npath = \"base.toml\"\n",
		"deep.toml":  "[extend]\npath = \"mid2.toml\"\n",
		"mid2.toml":  "[extend]\npath = \"mid.toml\"\n",
		"cycle.toml": "[extend]\npath = \"cycle.toml\"\n",
	}
	open := func(name string) ([]byte, error) {
		if text, ok := files[name]; ok {
			return []byte(text), nil
		}
		return nil, errors.New("not there")
	}
	scan := func(text string) (string, error) {
		s, err := New(Config{Workers: 1, Reveal: true, NoDefaultRules: true, OpenRules: open, Rules: []RuleFile{{"my.toml", []byte(text)}}})
		if err != nil {
			return "", err
		}
		found, _ := scanAll(t, s, stringKey("k", "aa_1234 bb_1234 cc_1234"))
		return secretsOf(found), nil
	}
	for name, c := range map[string]struct{ text, want string }{
		"all":        {"[extend]\npath = \"base.toml\"\n[[rules]]\nid = \"c\"\nregex = '''cc_[0-9]{4}'''\n", "a=aa_1234 b=bb_1234 c=cc_1234"},
		"less one":   {"[extend]\npath = \"base.toml\"\ndisabledRules = [\"a\"]\n", "b=bb_1234"},
		"changed":    {"[extend]\npath = \"base.toml\"\n[[rules]]\nid = \"a\"\nregex = '''cc_[0-9]{4}'''\n", "b=bb_1234 a=cc_1234"},
		"over two":   {"[extend]\npath = \"mid.toml\"\n", "a=aa_1234 b=bb_1234"},
		"allowlist":  {"[extend]\npath = \"base.toml\"\n[[rules]]\nid = \"a\"\n[[rules.allowlists]]\nregexes = ['''aa''']\n", "b=bb_1234"},
		"by default": {"[extend]\nuseDefault = true\n", ""},
	} {
		if got, err := scan(c.text); err != nil || got != c.want {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, c.want)
		}
	}
	for _, path := range []string{"deep.toml", "cycle.toml", "missing.toml"} {
		if _, err := scan("[extend]\npath = \"" + path + "\"\n"); err == nil {
			t.Errorf("extending %s was accepted", path)
		}
	}
}

// A rule that wants its vendor's name beside the value gets it from the names
// around the value.
func TestNamesReachRules(t *testing.T) {
	key := random("datadog", 40, hexAlphabet)
	s := newTestScanner(t)
	for name, events := range map[string][]keyspace.Event{
		"field":      hashKey("cfg:1", "datadog_app_key", key),
		"JSON":       stringKey("cfg:1", `{"datadog": {"app_key": "`+key+`"}}`),
		"text":       stringKey("cfg:1", "DATADOG_APP_KEY="+key),
		"key":        stringKey("cfg:datadog_app_key", key),
		"php":        stringKey("cfg:1", wrapPHP("datadog_app_key", key)),
		"whole path": hashKey("cfg:datadog", "app_key", key),
	} {
		found, _ := scanAll(t, s, events)
		if len(found) != 1 || found[0].Secret != key || !strings.HasPrefix(found[0].Rule, "datadog-") {
			t.Errorf("%s: found %s", name, brief(found))
		}
	}
}

// A pattern of paths is asked only where a text stands that it must find.
func TestLiteralPart(t *testing.T) {
	for text, want := range map[string]string{
		`(?i)(?:^|\/)[^\/]+\.p(?:12|fx)$`: ".p", `a(bcd)+e`: "bcd", `(?i)pass`: "", `pass`: "pass", `ab|cd`: "", `(abc)?`: "", `(?i)x\.Token`: "", `(?i)x\.TOPEN`: "x.topen", `caf\x{e9}`: "", `x*yz{2}`: "y",
	} {
		p, _, err := newPattern(text)
		if err != nil {
			t.Fatal(err)
		}
		if p.part != want {
			t.Errorf("%s: %q, want %q", text, p.part, want)
		}
	}
	p, _, err := newPattern(`(?i)[^/]+\.p(?:12|fx)$`)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{"a/b.P12": true, "b.pfx": true, "b.px": false, "..p12": true, ".p12": false, "bp12": false, "": false} {
		if p.match([]byte(path)) != want {
			t.Errorf("%s: %v", path, !want)
		}
	}
}

// What a pattern is asked for its literal's sake, and what it matches, are the same.
func TestLiteralPartIsRequired(t *testing.T) {
	atoms := []string{"ab", "K", "s", ".p", `\.`, "/", "é", "[kK]", "[ab]", "[^a]", `\d`, "^", "$", `\b`, "(?i)", "(?-i)", "(?i:ok)", `\Qa.b\E`, "(", ")", "|", "*", "?", "+", "{0}", "{2}"}
	texts := []string{"a", "B", "ab", "k", "S", "\u212a", "ſ", "é", ".P", "/", "\n", "\xff", "1", "OK", "a.b"}
	r := rand.New(rand.NewPCG(1, 2))
	some := func(of []string) (s string) {
		for range r.IntN(8) {
			s += of[r.IntN(len(of))]
		}
		return s
	}
	asked := 0
	for range 3000 {
		p, _, err := newPattern(some(atoms))
		if err != nil || p.part == "" || p.compile() != nil {
			continue
		}
		for range 40 {
			if path := []byte(some(texts)); p.get().Match(path) {
				if asked++; !p.match(path) {
					t.Fatalf("%s, which must find %q, is not asked of %q", p.text, p.part, path)
				}
			}
		}
	}
	if asked < 500 {
		t.Errorf("%d matches", asked)
	}
}
