package scan

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// wordJudge matches words in values; two rules may match the same bytes.
type wordJudge struct{ words []string }

func (j wordJudge) Rules() []RuleInfo {
	var out []RuleInfo
	for i, w := range j.words {
		out = append(out, RuleInfo{ID: fmt.Sprintf("word-%d-%s", i, w), Category: Artefact, Severity: High, Confidence: Likely})
	}
	return out
}

func (j wordJudge) Judge(data []byte, found func(rule, from, to int)) error {
	for i, w := range j.words {
		if k := bytes.Index(data, []byte(w)); k >= 0 {
			found(i, k, k+len(w))
		}
	}
	return nil
}

// nameJudge matches the names of commands.
type nameJudge struct{ wordJudge }

func (j nameJudge) Judge(e *keyspace.Event, matched []int) []int {
	for i, w := range j.words {
		if string(e.Args[0]) == w {
			matched = append(matched, i)
		}
	}
	return matched
}

func TestJudges(t *testing.T) {
	const needle = "a needle"
	command := keyspace.Event{Kind: keyspace.Command, DB: 0, Args: [][]byte{[]byte("SET"), []byte("k"), []byte("v")}, Pos: keyspace.Pos{Source: "t", Inner: -1}}
	events := append(stringKey("k1", "here is "+needle), stringKey("k2", `{"x": "`+base64.StdEncoding.EncodeToString([]byte("deep is "+needle))+`", "y": "`+needle+`"}`)...)
	events = append(events, command)
	events = append(events, stringKey(needle, "a name is no value")...)
	var outputs []string
	for _, workers := range []int{1, 2, 16} {
		s, err := New(Config{Workers: workers, NoDefaultRules: true, Values: wordJudge{[]string{needle, "needle"}}, Commands: nameJudge{wordJudge{[]string{"DEL", "SET"}}}, IDKey: []byte("k"), Reveal: true})
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if _, err := s.Scan(context.Background(), sequence(events...), func(f *Finding) error {
			fmt.Fprintf(&b, "%s in %s %s: %s\n", f.Rule, f.KeyType, f.Key, strings.Join(f.Chain, ">"))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		outputs = append(outputs, b.String())
	}
	want := `word-0-a needle in string k1: 
word-1-needle in string k1: 
word-0-a needle in string k2: json:$.x>base64
word-1-needle in string k2: json:$.x>base64
word-0-a needle in string k2: 
word-1-needle in string k2: 
word-1-SET in command SET: 
`
	for _, got := range outputs {
		if got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
	}
}

type failingJudge struct{ wordJudge }

func (failingJudge) Judge([]byte, func(rule, from, to int)) error { return errStop }

// A value that a judge gave up on is told of.
func TestJudgeThatGivesUp(t *testing.T) {
	s, err := New(Config{Workers: 1, Values: failingJudge{}})
	if err != nil {
		t.Fatal(err)
	}
	if _, stats := scanAll(t, s, stringKey("k", "value")); stats.Limited[judgeFailure] != 1 || stats.Stopped != 1 {
		t.Errorf("limited %v, stopped %d", stats.Limited, stats.Stopped)
	}
}
