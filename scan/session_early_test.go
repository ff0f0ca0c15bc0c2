package scan

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// sessionKey is named like an application's own sessions.
const sessionKey = "session:3f0c1d9e-7a52-4b6e-9c81-5d2e8f7a6b04"

// factsOf scans a key and returns the facts that were noted while it was scanned,
// and those that are collected when it has been. There are none where no session is
// in question.
func factsOf(tb testing.TB, events []keyspace.Event) (early, late []string) {
	tb.Helper()
	s := *newTestScanner(tb)
	s.frameworks = slices.Clone(s.frameworks)
	facts := func(p *probe) (out []string) {
		for i := range p.facts {
			f := &p.facts[i]
			out = append(out, fmt.Sprintf("%q %q %q", p.path(f), p.name(f), p.value(f)))
		}
		return out
	}
	for i := range s.frameworks {
		s.frameworks[i].judge = func(*probe) *session { return nil }
	}
	s.frameworks[len(s.frameworks)-1].judge = func(p *probe) *session {
		if p.early {
			early = facts(p)
			p.collectFrom(p.leaves)
			late = facts(p)
		}
		return nil
	}
	newWorker(&s).batch(batchOf(events))
	return early, late
}

// Of sessions of applications it is noted while they are scanned what they say: the
// same as is collected of others afterwards.
func TestFactsAreNotedEarly(t *testing.T) {
	nested := jsonText(object{"user": object{"id": 7, "mail": "x.y@example.org"}})
	for name, value := range map[string]string{
		"words":      `{"user_id": 4, "roles": ["admin", "editor"], "exp": 1714000000, "up": true}`,
		"texts":      `{"agent": "Mozilla/5.0 (X11; Linux x86_64)", "note": "a\nb", "value": "a b", "name": "a.b@example.org"}`,
		"JSON":       jsonText(object{"data": nested, "deeper": jsonText(object{"data": nested})}),
		"base64":     jsonText(object{"data": base64.StdEncoding.EncodeToString([]byte(strings.Repeat(nested, 3)))}),
		"labels":     `{"fields": [{"name": "user_id", "value": 12345}, {"name": "a token", "value": "not a word"}]}`,
		"signed":     jsonText(object{"data": strings.Repeat("0123456789", 4) + ":" + nested}),
		"numbers":    `{"n": ` + strings.Repeat("1234567890", 8) + `, "m": -1.5e+3, "card": 4111111111111111}`,
		"bytes":      `{"data": [123,34,117,115,101,114,34,58,32,34,97,34,32,32,32,125]}`,
		"PHP":        jsonText(object{"data": phpValue([]any{"user", "x", "mail", "x.y@example.org"})}),
		"token":      jsonText(object{"access_token": random("early", 40, alnumAlphabet), "csrf": random("guard", 32, urlAlphabet)}),
		"broken":     `{"user": {"id": 4, "mail": "x.y@example.org"`,
		"key in key": `{"{\"user\": \"some body\"}": 1}`,
	} {
		short := base64.StdEncoding.EncodeToString([]byte("user: x.y@example.org"))
		hash := []string{"data", value, "id", "17", "text", "of two words", `{"token":"of two words"}`, "4", "short", short}
		for _, events := range [][]keyspace.Event{stringKey(sessionKey, value), hashKey(sessionKey, hash...)} {
			if early, late := factsOf(t, events); !slices.Equal(early, late) || len(late) == 0 {
				t.Errorf("%s: noted %q, collected %q", name, early, late)
			}
		}
	}
	var many []string
	for i := range 2 * maxProbeLeaves {
		many = append(many, fmt.Sprint("field", i), "a text")
	}
	if early, late := factsOf(t, hashKey(sessionKey, many...)); len(late) != maxProbeLeaves || !slices.Equal(early, late) {
		t.Errorf("of %d fields %d facts were noted, %d collected", 2*maxProbeLeaves, len(early), len(late))
	}
}

// Where the keys before have taken what may come out of a batch, it is said of which
// containers the rest is not known: of documents, and of what is opened once more.
func TestCutIsSaid(t *testing.T) {
	s := *newTestScanner(t)
	s.frameworks = slices.Clone(s.frameworks)
	for i := range s.frameworks {
		s.frameworks[i].judge = func(p *probe) *session {
			p.w.budget.batch = 0
			p.collect()
			return nil
		}
	}
	text, token := strings.Repeat("y", leastOutput), "sk_"+"live_"+random("cut", 24, alnumAlphabet)
	w, b := newWorker(&s), batchOf(slices.Concat(
		stringKey(sessionKey, gzipped(jsonText(object{"text": text, "user_id": 4}))),
		stringKey("doc", `{"text": "`+text+`\n", "more": "a\n `+token+`"}`)))
	w.batch(b)
	if fmt.Sprint(b.stats.Limited) != "map[gzip:1 json:1]" {
		t.Errorf("said to be cut: %v", b.stats.Limited)
	}
	if len(b.findings) != 1 || b.findings[0].Secret != token {
		t.Errorf("found %s", brief(b.findings))
	}
}

func FuzzFacts(f *testing.F) {
	for _, c := range sessionCases(f, newPerson(rand.New(rand.NewPCG(3, 4)))) {
		f.Add(c.events[1].Field, c.events[1].Value)
	}
	f.Fuzz(func(t *testing.T, field, value []byte) {
		if len(field)+len(value) > 1<<12 {
			return
		}
		for _, events := range [][]keyspace.Event{
			stringKey(sessionKey, `{"data":`+string(value)), stringKey(sessionKey, `{"data":"`+string(value)+`"}`),
			hashKey(sessionKey, string(field), string(value), "data", string(value)),
		} {
			if early, late := factsOf(t, events); !slices.Equal(early, late) {
				t.Errorf("%d facts were noted, %d collected", len(early), len(late))
			}
		}
	})
}
