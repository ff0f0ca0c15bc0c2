package scan

import "testing"

// Scanners of the built-in rules share what was made of them, and neither their
// configuration nor rules of one's own.
func TestScannersShareBuiltInRules(t *testing.T) {
	one, err := New(Config{Workers: 1, Reveal: true})
	if err != nil {
		t.Fatal(err)
	}
	two, err := New(Config{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	own, err := New(Config{Workers: 1, Rules: []RuleFile{{"own", []byte("[[rules]]\nid = \"own\"\nregex = '''own-[0-9]{9}'''\nkeywords = [\"own-\"]\n")}}})
	if err != nil {
		t.Fatal(err)
	}
	if one.matcher != two.matcher || own.matcher == one.matcher || own.byID["own"] == nil || one.byID["own"] != nil {
		t.Error("what is shared is not the built-in rules")
	}
	if two.config.Reveal || two.config.Workers != 2 || string(one.config.IDKey) == string(two.config.IDKey) {
		t.Error("a configuration is shared")
	}
}
