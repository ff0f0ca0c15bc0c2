package redact_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/rdbwrite"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/scan"
)

// A store is a snapshot that is being made.
type store struct {
	t      testing.TB
	b      bytes.Buffer
	w      *rdbwrite.Writer
	record int64
}

func newStore(t testing.TB) *store {
	t.Helper()
	s := &store{t: t}
	var err error
	if s.w, err = rdbwrite.New(&s.b, rdbwrite.Version{Magic: "REDIS", Number: 11}, rdbwrite.Options{}); err != nil {
		t.Fatal(err)
	}
	return s
}

// key adds a key; of a hash, elements are fields and values in turn.
func (s *store) key(typ keyspace.Type, name string, elements ...string) {
	s.t.Helper()
	s.record++
	e := keyspace.Event{Kind: keyspace.Key, Type: typ, Key: []byte(name), Record: s.record, Expire: keyspace.NoExpire, Idle: -1, Freq: -1}
	if typ == keyspace.Hash {
		e.Encoding = keyspace.Hashtable
	}
	err := s.w.Event(&e)
	e.Kind = keyspace.Element
	for i := 0; i < len(elements) && err == nil; i++ {
		if typ == keyspace.Hash {
			e.Field = []byte(elements[i])
			i++
		}
		e.Value, e.Score = []byte(elements[i]), 1
		err = s.w.Event(&e)
	}
	e.Kind = keyspace.KeyEnd
	if err = errors.Join(err, s.w.Event(&e)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *store) done() []byte {
	s.t.Helper()
	if err := s.w.Close(); err != nil {
		s.t.Fatal(err)
	}
	return s.b.Bytes()
}

// found are the secrets that a scan finds, of eight characters or more. A queue of jobs
// is known by its name, which is none.
func found(t testing.TB, snapshot []byte) (secrets []string) {
	t.Helper()
	_, err := scanner(t).Scan(context.Background(), events(snapshot)(), func(f *scan.Finding) error {
		if f = f.Plain(); len(f.Secret) >= 8 && f.Rule != "job-queue" {
			secrets = append(secrets, f.Secret)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return secrets
}

// random is text of these characters.
func random(r *rand.Rand, from string, n int) string {
	p := make([]byte, n)
	for i := range p {
		p[i] = from[r.IntN(len(from))]
	}
	return string(p)
}

// TestQuiet: placeholders are not found again, where the scanner goes by how random a
// text is and where it does not, so that nothing around them is replaced.
func TestQuiet(t *testing.T) {
	const hex, letters = "0123456789abcdef", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	r := rand.New(rand.NewPCG(1, 2))
	s := newStore(t)
	for i := range 400 {
		s.key(keyspace.String, "session:"+random(r, hex, 20+i%30), fmt.Sprintf(`{"user_id": %s, "email": "%s@example.com", "csrf": "%s", "roles": ["user"]}`,
			random(r, "123456789", 8), "mail"+random(r, hex, 6), random(r, letters, 32)))
		part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
		s.key(keyspace.Hash, fmt.Sprint("login:", i), "access_token", part(`{"alg":"RS256"}`)+"."+part(`{"sub":"`+random(r, letters, 40)+`"}`)+"."+random(r, letters, 86),
			"api_secret", random(r, letters, 16+i%50), "password", random(r, "123456789", 6), "note", "as it is")
	}
	snapshot := s.done()
	secrets := found(t, snapshot)
	out, redactor := redacted(t, snapshot)
	clean(t, out, secrets)
	if c := redactor.Counts(); c.Whole+c.All > 0 || len(secrets) < 1500 {
		t.Errorf("%+v", c)
	}
}
