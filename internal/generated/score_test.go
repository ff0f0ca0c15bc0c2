package generated

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/cli"
)

// A plant is a secret and where it was put.
type plant struct {
	key      string
	chain    string
	category category
	secret   string
	name     string // of the field that holds it
	bare     bool   // the value is the secret alone: the name is the keyspace's
}

// A login is a session or a job that a framework stored.
type login struct {
	key       string
	framework string
	id, email string
	secret    string // of a job
}

// finding is what is read of the scan's output.
type finding struct {
	Type, Rule, Category, Key, Secret, Framework string
	Identity                                     map[string]string
	Chain                                        []string
}

// scan runs the command and returns the findings by key.
func scan(t *testing.T, path string) map[string][]finding {
	t.Helper()
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	var out, said bytes.Buffer
	status := cli.Main([]string{"scan", path, "--reveal", "--format", "jsonl", "--quiet", "--tmp", t.TempDir()}, strings.NewReader(""), &out, &said)
	if status != 0 && status != 1 {
		t.Fatalf("scan: exit status %d\n%s", status, said.String())
	}
	found := map[string][]finding{}
	for line := range bytes.Lines(out.Bytes()) {
		var f finding
		if err := json.Unmarshal(line, &f); err != nil {
			t.Fatal(err)
		}
		if f.Type == "finding" {
			found[f.Key] = append(found[f.Key], f)
		}
	}
	return found
}

// is reports whether a finding is that of a secret.
func (f *finding) is(p *plant) bool {
	secret := strings.TrimSpace(p.secret)
	switch {
	case strings.Contains(f.Secret, secret):
		return true
	case !strings.Contains(secret, f.Secret):
		return false
	case strings.Contains(secret, "://") || p.category.name == "azure-storage": // the credential in it
		return len(f.Secret) >= 16
	}
	return len(f.Secret)*10 >= len(secret)*9
}

// A tally counts what was found of what there was.
type tally struct{ hit, all int }

func (c *tally) add(hit bool) {
	c.all++
	if hit {
		c.hit++
	}
}

func (c *tally) share() float64 { return float64(c.hit) / float64(max(c.all, 1)) }

// A score holds findings against what was planted.
type score struct {
	cells   map[string]*tally // by "chain …", "category …", "session …"
	wrong   map[string]int    // findings of nothing planted, by rule
	decoys  map[string]int    // those on decoys, by kind and rule
	right   int
	known   int // wrong ones of rules that know a format
	decoyed int // decoy keys
	missed  []string
}

func newScore() *score {
	return &score{cells: map[string]*tally{}, wrong: map[string]int{}, decoys: map[string]int{}}
}

func (s *score) cell(name string, hit bool) {
	c := s.cells[name]
	if c == nil {
		c = new(tally)
		s.cells[name] = c
	}
	c.add(hit)
}

func (s *score) plants(plants []plant, found map[string][]finding) {
	for i := range plants {
		p := &plants[i]
		hit := false
		for _, f := range found[p.key] {
			switch {
			case f.is(p):
				hit = true
				s.right++
			case f.Category == "pii" || f.Category == "session" && f.Framework != "":
			default:
				s.wrong[f.Rule]++
				if !nameRules[f.Rule] {
					s.known++
				}
			}
		}
		s.cell("chain "+p.chain, hit)
		s.cell("category "+p.category.name, hit)
		if !hit {
			s.missed = append(s.missed, p.category.name+" in "+p.chain+" as "+p.name)
		}
	}
}

// nameRules report what only its name gives away.
var nameRules = map[string]bool{"generic-password": true, "generic-secret": true, "generic-api-key": true, "generic-token": true, "session-secret": true, "password-hash-field": true}

func (s *score) logins(logins []login, found map[string][]finding) {
	for _, l := range logins {
		of, whose, secret := false, false, false
		for _, f := range found[l.key] {
			if f.Category == "session" && f.Framework == l.framework {
				of = true
				for _, v := range f.Identity {
					whose = whose || v == l.id || v == l.email
				}
			}
			secret = secret || l.secret != "" && f.Secret == l.secret
		}
		s.cell("framework "+l.framework, of)
		if l.secret == "" {
			s.cell("identity "+l.framework, whose)
		} else {
			s.cell("argument "+l.framework, secret)
		}
	}
}

// report fails the test where a target is missed.
func (s *score) report(t *testing.T) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(s.cells)) {
		c := s.cells[name]
		t.Logf("%-40s %d of %d", name, c.hit, c.all)
		if least := target(name); c.share() < least {
			t.Errorf("%s: %.1f %%, want %.0f %%", name, 100*c.share(), 100*least)
		}
	}
	wrong := 0
	for _, n := range s.wrong {
		wrong += n
	}
	precision := tally{s.right, s.right + wrong}
	known := tally{s.right, s.right + s.known}
	t.Logf("precision %.2f %%, of known formats %.2f %%; wrong %v", 100*precision.share(), 100*known.share(), s.wrong)
	if precision.share() < 0.95 || known.share() < 0.99 {
		t.Errorf("too many findings of nothing that was planted")
	}
	cried := 0
	for _, n := range s.decoys {
		cried += n
	}
	t.Logf("%d findings on %d decoys %v", cried, s.decoyed, s.decoys)
	if cried*10_000 > s.decoyed {
		t.Errorf("more than one finding in 10,000 decoys")
	}
	slices.Sort(s.missed)
	for i, m := range slices.Compact(s.missed) {
		if i == maxMissed {
			break
		}
		t.Log("missed: ", m)
	}
}

// maxMissed is how many of what was missed are named.
const maxMissed = 40

// target is the least share of a cell that must be found.
func target(cell string) float64 {
	kind, name, _ := strings.Cut(cell, " ")
	switch kind {
	case "framework":
		return 0.98
	case "identity":
		return 0.95
	case "artefact":
		return 1
	case "argument":
		return 0.95
	case "category":
		for _, c := range categories {
			if c.name == name && c.generic {
				return 0.95
			}
		}
	}
	return 0.99
}
