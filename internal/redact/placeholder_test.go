package redact

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/scan"
	"unicode/utf8"
)

func TestPlaceholders(t *testing.T) {
	m := newPlaceholders([]byte("key"), newSecrets())
	seen := map[string]string{}
	for _, secret := range []string{"abc", "p4ssw0rd!", "UPPER-CASE-77", "4111 1111 1111 1111", "0123456789abcdef", "Möwe", "\xff\xfe\x00z", "---", "a", "b", "世界😀"} {
		p := string(m.appendFor(nil, []byte(secret), false))
		if len(p) != len(secret) || p == secret && secret != "---" || utf8.ValidString(secret) != utf8.ValidString(p) && utf8.ValidString(secret) {
			t.Errorf("%q became %q", secret, p)
		}
		for i := range len(secret) {
			if b := secret[i]; b < utf8.RuneSelf && !isAlnum(b) && p[i] != b {
				t.Errorf("%q became %q: punctuation changed", secret, p)
			}
		}
		if again := string(m.appendFor(nil, []byte(secret), false)); again != p {
			t.Errorf("%q became %q, then %q", secret, p, again)
		}
		if other, ok := seen[p]; ok && len(secret) > 3 {
			t.Errorf("%q and %q became the same", secret, other)
		}
		seen[p] = secret
	}
	if p := string(m.appendFor(nil, []byte("https://u:secret@host"), true)); strings.ContainsAny(p, ":/@") {
		t.Errorf("blunt: %q", p)
	}
	if p := string(m.appendFor(nil, []byte("4111-1111"), true)); strings.Trim(p, "02468") != "" {
		t.Errorf("blunt digits: %q", p)
	}
}

// TestDistinct: different secrets of any usual length stay different.
func TestDistinct(t *testing.T) {
	m := newPlaceholders([]byte("key"), newSecrets())
	seen := map[string]bool{}
	for i := range 20000 {
		for _, secret := range []string{base64.StdEncoding.EncodeToString([]byte{byte(i), byte(i >> 8), 1, 2, 3, 4, 5, 6, 7}), strconv.Itoa(31415926 + i)} {
			p := string(m.appendFor(nil, []byte(secret), false))
			if seen[p] {
				t.Fatalf("two are %q", p)
			}
			seen[p] = true
		}
	}
}

// TestPlaceholderWithoutSecrets: where a secret is what the placeholder of another would
// have in it, that one gets another placeholder.
func TestPlaceholderWithoutSecrets(t *testing.T) {
	text := []byte("session:9f86d081884c7d659a2feaa0c55ad015")
	known := newSecrets()
	known.add(string(text[8:]))
	m := newPlaceholders([]byte("key"), known)
	for range 3 {
		p := m.appendFor(nil, text[8:], false)
		if known.in(p) {
			t.Fatalf("%q holds a secret", p)
		}
		known.add(string(p[12:24]))
	}
	r, err := New(Options{Key: []byte("key"), Scan: scan.Config{IDKey: []byte("k")}})
	if err != nil {
		t.Fatal(err)
	}
	r.secrets = known
	r.places = m
	q := (&texts{r: r, o: &orders{}}).name(text, false)
	if !bytes.HasPrefix(q, text[:8]) || known.in(q) {
		t.Errorf("%q became %q", text, q)
	}
}

// TestHoldsInside: in a stream a short number may be a piece of a longer one that was
// compressed, and in a string it may not.
func TestHoldsInside(t *testing.T) {
	r, err := New(Options{Key: []byte("key"), Scan: scan.Config{IDKey: []byte("k")}})
	if err != nil {
		t.Fatal(err)
	}
	number, long, word := "92647318", "9264731892647", "hunter-22"
	for _, s := range []string{number, long, word} {
		r.secrets.add(s)
	}
	for _, c := range []struct {
		text   string
		stream bool
		whole  bool
	}{
		{"\xa0b\x07" + number + "\xe0\x00<", false, true},
		{"1" + number, false, false},
		{number + "\x07" + word + "<", true, true},
		{"\x0c" + long + "\xe0", true, true},
		{"\x0c" + word[:8] + "\xe0", false, false},
	} {
		if stream, whole := r.HoldsInside([]byte(c.text)), r.Holds([]byte(c.text)); stream != c.stream || whole != c.whole {
			t.Errorf("%q: %v in a stream, %v as a string", c.text, stream, whole)
		}
	}
}

func TestSecrets(t *testing.T) {
	s := newSecrets()
	for i, text := range []string{"12345678", "1234567890", "abcdefgh", "abcdefgh"} {
		if s.add(text) != (i < 3) {
			t.Errorf("%q", text)
		}
	}
	for _, c := range []struct {
		in       string
		at, size int
	}{{"..1234567890", 2, 10}, {"..12345678/9", 2, 8}, {"..123456789", -1, 0}, {"0123456789", -1, 0}, {"1234567", -1, 0}, {"abcdefg abcdefgh", 8, 8}, {"", -1, 0}} {
		if at, size := s.next([]byte(c.in), 0); at != c.at || size != c.size {
			t.Errorf("%q: %d, %d", c.in, at, size)
		}
	}
}

// TestStale: a key whose long value was changed in any of its parts has no serialized
// value any more, for that holds the secret yet.
func TestStale(t *testing.T) {
	r, err := New(Options{Key: []byte("k"), Scan: scan.Config{NoDefaultRules: true}})
	if err != nil {
		t.Fatal(err)
	}
	r.secrets.add("Tr0ub4dor&3")
	for _, c := range []struct {
		parts []string
		stays bool
	}{{[]string{"of no", " inter", "est"}, true}, {[]string{"Tr0ub4dor&3 is", " it", "."}, false}, {[]string{"it", " is ", "Tr0ub4dor&3"}, false}, {[]string{"it is Tr0ub", "4dor&3", "."}, false}} {
		at := keyspace.Event{Type: keyspace.Stream, Key: []byte("s"), Record: 7, Expire: keyspace.NoExpire}
		var events []keyspace.Event
		add := func(kind keyspace.Kind, part keyspace.Part, value string) {
			e := at
			e.Kind, e.Part, e.Value = kind, part, []byte(value)
			events = append(events, e)
		}
		add(keyspace.Key, keyspace.Whole, "")
		for i, p := range c.parts {
			add(keyspace.Element, []keyspace.Part{keyspace.First, keyspace.Middle, keyspace.Last}[i], p)
		}
		add(keyspace.KeyEnd, keyspace.Whole, "as it was")
		stays := false
		for e, err := range r.Seq(func(yield func(*keyspace.Event, error) bool) {
			for i := range events {
				if !yield(&events[i], nil) {
					return
				}
			}
		}) {
			if err != nil {
				t.Fatal(err)
			}
			stays = e.Kind == keyspace.KeyEnd && e.Value != nil
		}
		if stays != c.stays {
			t.Errorf("%q: the serialized value stays: %v", c.parts, stays)
		}
	}
}

// FuzzTexts: whatever stands around a secret, it does not stay, and what has none
// stays as it is.
func FuzzTexts(f *testing.F) {
	const secret = "Tr0ub4dor&3"
	for _, frame := range []string{"", "{\"a\":\"", "a\\u0041\"", "%41%zz", "H4sIAAAAAAAA/", "\x1f\x8b\x08", "x\x9c", "\x28\xb5\x2f\xfd", "QUJDREVGR0hJSktM", "deadbeefdeadbeef", "\"\\\"\\"} {
		f.Add([]byte(frame), []byte(frame))
	}
	r, err := New(Options{Key: []byte("k"), Scan: scan.Config{NoDefaultRules: true}})
	if err != nil {
		f.Fatal(err)
	}
	r.secrets.add(secret)
	f.Fuzz(func(t *testing.T, before, after []byte) {
		ts := texts{r: r, o: &orders{}}
		whole := bytes.Join([][]byte{before, []byte(secret), after}, nil)
		if out := ts.value(whole, false); bytes.Contains(out, []byte(secret)) {
			t.Errorf("%q became %q", whole, out)
		}
		coded := []byte("'" + base64.StdEncoding.EncodeToString(whole) + "'")
		if out := ts.value(coded, false); bytes.Equal(out, coded) {
			t.Errorf("%q stayed", coded)
		}
		none := bytes.ReplaceAll(before, []byte(secret), nil)
		if out := (&texts{r: r, o: &orders{}}).value(none, false); !bytes.Contains(none, []byte(secret)) && !bytes.Equal(out, none) {
			t.Errorf("%q became %q", none, out)
		}
	})
}
