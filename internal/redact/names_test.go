package redact_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/scan"
)

// TestSameNames: where the placeholder of a name is the name of another, which stands
// before it or behind it, another placeholder serves, everywhere the same.
func TestSameNames(t *testing.T) {
	secret := "gl" + "pat-" + "w0Kz7Rq2Np9Xs4Tb6Vd8"
	s := newStore(t)
	s.key(keyspace.String, "token", secret)
	out, _ := redacted(t, s.done())
	placeholder := namesIn(t, out)[0][len("token "):]

	for name, order := range map[string][]string{"before": {placeholder, secret}, "behind": {secret, placeholder}} {
		s := newStore(t)
		s.key(keyspace.String, "copy", secret)
		for i, member := range order {
			s.key(keyspace.String, member, fmt.Sprint(i))
		}
		s.key(keyspace.Set, "set", append(order, "other")...)
		s.key(keyspace.SortedSet, "zset", append([]string{"first"}, order...)...)
		s.key(keyspace.Hash, "hash", order[0], "1", order[1], "2")
		out, _ := redacted(t, s.done())
		clean(t, out, []string{secret})
		got := namesIn(t, out)
		if len(slices.Compact(slices.Sorted(slices.Values(got)))) != 11 {
			t.Errorf("%s: there are %q", name, got)
		}
		copied := got[0][len("copy "):]
		for _, prefix := range []string{"set ", "zset ", "hash "} {
			for _, member := range []string{copied, placeholder} {
				if !slices.Contains(got, prefix+member) {
					t.Errorf("%s: %q lacks %q", name, prefix, member)
				}
			}
		}
	}
}

// TestCrowdedNames: members stay as many as they are, of whatever kind, where there are
// more than short placeholders.
func TestCrowdedNames(t *testing.T) {
	s := newStore(t)
	r := rand.New(rand.NewPCG(3, 4))
	const n = 5_000
	var members, fields, ids []string
	for i := range n {
		id := fmt.Sprint(10_000_019 + i*3001)
		members = append(members, "player:"+id)
		fields = append(fields, id, "1")
		ids = append(ids, id)
		s.key(keyspace.String, "session:"+random(r, "0123456789abcdef", 40), fmt.Sprintf(`{"user_id": %s, "csrf": "%s", "roles": ["user"], "ip": "10.1.2.3"}`, id, random(r, "0123456789abcdef", 32)))
	}
	s.key(keyspace.SortedSet, "board", members...)
	s.key(keyspace.Hash, "by:id", fields...)
	s.key(keyspace.Set, "ids", ids...)
	snapshot := s.done()
	was := map[string]bool{}
	for _, name := range namesIn(t, snapshot) {
		was[name] = true
	}
	out, redactor := redacted(t, snapshot)
	got := namesIn(t, out)
	if c := redactor.Counts(); c.Secrets < n {
		t.Fatalf("%+v", c)
	}
	same := 0
	for _, name := range got {
		if was[name] {
			same++
		}
	}
	slices.Sort(got)
	if len(got) != 4*n || len(slices.Compact(got)) != 4*n || same > 0 {
		t.Errorf("%d names of %d, of which %d stayed", len(got), 4*n, same)
	}
	clean(t, out, nil)
	t.Run("loaded", func(t *testing.T) {
		loaded := load(t, servertest.Find(t, "redis-8"), out)
		for command, want := range map[string]int{"ZCARD board": n, "HLEN by:id": n, "SCARD ids": n, "DBSIZE": n + 3} {
			if got := fmt.Sprint(loaded.Must(t, strings.Fields(command)...)); got != fmt.Sprint(want) {
				t.Errorf("%s: %s, want %d", command, got, want)
			}
		}
	})
}

// namesIn are the keys of strings with their values, and those of collections with each
// member or field.
func namesIn(t testing.TB, snapshot []byte) (out []string) {
	t.Helper()
	for e, err := range events(snapshot)() {
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case e.Kind != keyspace.Element:
		case e.Type == keyspace.Hash:
			out = append(out, fmt.Sprintf("%s %s", e.Key, e.Field))
		default:
			out = append(out, fmt.Sprintf("%s %s", e.Key, e.Value))
		}
	}
	return out
}

// TestLeftOut: a key in which something is found no matter what is replaced is left out,
// and one that its values alone give away is not.
func TestLeftOut(t *testing.T) {
	const rules = "[[rules]]\nid = 'a'\nregex = '''kept-[a-z]+|x{4}-?[a-z]{6}'''\n[[rules]]\nid = 'b'\nregex = '''^[0-9]*[1-9][0-9]*$'''\n"
	s := newStore(t)
	s.key(keyspace.String, "before", "as it is")
	s.key(keyspace.Hash, "found:1", "note", "kept-secret", "other", "1")
	s.key(keyspace.Set, "found:2", "it is kept-secret")
	s.key(keyspace.Hash, "account", "pin", "26621148")
	s.key(keyspace.String, "behind", "as it is")
	snapshot := s.done()
	config := scan.Config{Workers: 1, IDKey: []byte("k"), NoDefaultRules: true, Rules: []scan.RuleFile{{Name: "rules", Text: []byte(rules)}}}
	out, r := redactedBy(t, snapshot, config)
	if got := keys(t, out); len(got) != 3 || got[0] != "before" || got[2] != "behind" {
		t.Errorf("there are %q", got)
	}
	if c := r.Counts(); c.LeftOut != 2 || c.All != 1 {
		t.Errorf("%+v", c)
	}
	scanner, err := scan.New(config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := scanner.Scan(context.Background(), events(out)(), func(f *scan.Finding) error {
		t.Errorf("rule %s still finds something in %s", f.Rule, f.Where)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
