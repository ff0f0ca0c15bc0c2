package generated

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/fixtures"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// number returns what an environment variable says, or a default.
func number(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(v, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// How many of each are made.
const (
	perCell  = 2 // secrets of a category in a container, for each server
	perStore = 20
	perTrace = 10
)

// TestGenerated: what client libraries have stored is found, in the snapshot and
// in the log, on each server that a run must have; and nothing else.
func TestGenerated(t *testing.T) {
	seed := number(t, "VALKEYFS_SEED", rand.Uint64())
	decoys := number(t, "VALKEYFS_DECOYS", 10_000)
	t.Logf("VALKEYFS_SEED=%d", seed)
	total := newScore()
	for n, name := range servertest.Required {
		t.Run(name, func(t *testing.T) {
			server := servertest.Find(t, name)
			for k, c := range clients {
				t.Run(c.language, func(t *testing.T) {
					if c.language == "node" && !servertest.Node() {
						servertest.Lacks(t, "node with its client libraries")
					}
					m := maker{fixtures.Random{Rand: rand.New(rand.NewPCG(seed, uint64(16*n+k)))}}
					clientTest(t, server, m, c, total)
				})
			}
			t.Run("bare", func(t *testing.T) {
				bareTest(t, server, maker{fixtures.Random{Rand: rand.New(rand.NewPCG(seed, uint64(16*n+14)))}}, total)
			})
			t.Run("decoys", func(t *testing.T) {
				decoyTest(t, server, maker{fixtures.Random{Rand: rand.New(rand.NewPCG(seed, uint64(16*n+15)))}}, int(decoys)/len(servertest.Required), total)
			})
		})
	}
	total.report(t)
}

// A store is a server that saves a snapshot and a log of the same data.
type store struct {
	*servertest.Instance
	sent int
}

func newStore(t *testing.T, s servertest.Server) *store {
	return &store{Instance: s.Start(t, "", "--appendonly", "yes", "--auto-aof-rewrite-percentage", "0")}
}

func (s *store) send(t *testing.T, args ...string) {
	s.Send(args...)
	if s.sent++; s.sent%512 == 0 {
		s.flush(t)
	}
}

func (s *store) flush(t *testing.T) {
	for ; s.sent > 0; s.sent-- {
		if _, err := s.Receive(); err != nil {
			t.Fatal(err)
		}
	}
}

// finish saves what the server holds and gives both files to score.
func (s *store) finish(t *testing.T, judge func(found map[string][]finding)) {
	s.flush(t)
	s.Must(t, "SAVE")
	s.Stop(t)
	judge(scan(t, filepath.Join(s.Dir, "dump.rdb")))
	judge(scan(t, filepath.Join(s.Dir, "appendonlydir")))
}

// put stores a value as one type or another; its name is the field, where the
// type has one, or the end of the key.
func (s *store) put(t *testing.T, n int, key, name, value string) string {
	switch n % 6 {
	case 0:
		s.send(t, "HSET", key, "updated", "1700000000", name, value)
	case 1:
		s.send(t, "XADD", key, "*", name, value)
	case 2:
		key += ":" + name
		s.send(t, "SET", key, value)
	case 3:
		key += ":" + name
		s.send(t, "RPUSH", key, value)
	case 4:
		key += ":" + name
		s.send(t, "SADD", key, value)
	case 5:
		key += ":" + name
		s.send(t, "ZADD", key, "1700000000", value)
	}
	return key
}

func clientTest(t *testing.T, server servertest.Server, m maker, c client, total *score) {
	s := newStore(t, server)
	requests, plants := c.plan(m, perCell)
	ask, logins := c.logins(m, perStore)
	answers := c.ask(t, s.Socket, append(requests, ask...))
	for i := range plants {
		p, name := &plants[i], "payload"
		if p.bare && p.category.generic {
			name = p.name
		}
		p.key = s.put(t, i, fmt.Sprintf("app:%s:%d", m.word(), i), name, unbase64(t, answers[i]))
	}
	for i := range logins {
		l, answer := &logins[i], answers[len(plants)+i]
		l.key = answer
		if c.language == "java" {
			l.key = "spring:session:sessions:" + m.UUID()
			s.send(t, "HSET", l.key, "creationTime", unbase64(t, javaLong), "sessionAttr:SPRING_SECURITY_CONTEXT", unbase64(t, answer))
		}
	}
	s.finish(t, func(found map[string][]finding) {
		total.plants(plants, found)
		total.logins(logins, found)
	})
}

// javaLong is the time 1700000000000 as Java serialises a Long.
const javaLong = "rO0ABXNyAA5qYXZhLmxhbmcuTG9uZzuL5JDMjyPfAgABSgAFdmFsdWV4cgAQamF2YS5sYW5nLk51bWJlcoaslR0LlOCLAgAAeHAAAAGLz+VoAA=="

// bareTest plants values that nothing serialised, and traces of attacks.
func bareTest(t *testing.T, server servertest.Server, m maker, total *score) {
	s := newStore(t, server)
	var plants []plant
	for _, cat := range categories {
		for i := range 30 {
			p := plant{chain: "raw", category: cat, secret: cat.make(m), name: m.pick(cat.names...)}
			value := p.secret
			if i%3 == 2 && cat.name != "private-key" {
				p.chain = "raw text"
				value = m.pick("export ", "", "# "+m.prose(5)+"\n") + p.name + "=" + p.secret + "\n"
			}
			p.key = s.put(t, i, fmt.Sprintf("svc:%s:%d", m.word(), len(plants)), p.name, value)
			plants = append(plants, p)
		}
	}
	type trace struct{ key, kind string }
	var traces []trace
	for kind, make := range attacks {
		for i := range perTrace {
			key := s.put(t, i, m.pick(m.From(fixtures.Lower, 6), m.word())+m.From(fixtures.Digits, 5), "x", make(m))
			traces = append(traces, trace{key, kind})
		}
	}
	s.finish(t, func(found map[string][]finding) {
		total.plants(plants, found)
		for _, tr := range traces {
			hit := false
			for _, f := range found[tr.key] {
				hit = hit || f.Category == "artefact"
			}
			total.cell("artefact "+tr.kind, hit)
		}
	})
}

// decoyTest stores what holds no secret.
func decoyTest(t *testing.T, server servertest.Server, m maker, n int, total *score) {
	s := newStore(t, server)
	kinds := map[string]string{}
	for i := range n {
		kind, name, value := m.decoy()
		text := fmt.Sprint(value)
		if i%4 == 3 {
			kind = "json " + kind
			text = jsonText(m.document(name, text, m.IntN(3)))
		}
		kinds[s.put(t, m.IntN(6), fmt.Sprintf("%s:%s:%d", m.word(), m.word(), i), name, text)] = kind
	}
	s.finish(t, func(found map[string][]finding) {
		total.decoyed += n
		for key, fs := range found {
			for _, f := range fs {
				total.decoys[kinds[key]+" under "+key[strings.LastIndexByte(key, ':')+1:]+": "+f.Rule]++
			}
		}
	})
}
