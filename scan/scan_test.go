package scan

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// mixed makes many keys of many kinds, some with secrets.
func mixed(n int) []keyspace.Event {
	rnd := rand.New(rand.NewPCG(5, 6))
	var out []keyspace.Event
	for i := range n {
		key := fmt.Sprintf("user:%d", i)
		switch i % 5 {
		case 0:
			out = append(out, stringKey(key, wrapJSON("db_password", "Vq7x#"+random(key, 8, alnumAlphabet)))...)
		case 1:
			out = append(out, hashKey(key, "name", "ivy", "token", githubToken("ghp", key), "visits", fmt.Sprint(i))...)
		case 2:
			var es []keyspace.Event
			for k := range rnd.IntN(300) {
				es = append(es, keyspace.Event{Value: []byte(fmt.Sprintf("member:%d", k))})
			}
			out = append(out, elements(keyspace.Set, key, append(es, keyspace.Event{Value: []byte(awsKeyID(key))})...)...)
		case 3:
			out = append(out, stringKey(key, random(key, rnd.IntN(2000), alnumAlphabet+" {}:\","))...)
		case 4:
			out = append(out, stringKey(key+":"+slackToken(key), "1")...)
		}
	}
	return out
}

func marshalAll(t testing.TB, s *Scanner, events []keyspace.Event) (string, Stats) {
	t.Helper()
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	stats, err := s.Scan(context.Background(), sequence(events...), func(f *Finding) error { return enc.Encode(f) })
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), stats
}

func TestScanIsTheSameForAnyNumberOfWorkers(t *testing.T) {
	events := mixed(1500)
	var want string
	for _, workers := range []int{1, 2, 16} {
		s, err := New(Config{Workers: workers, IDKey: []byte("k")})
		if err != nil {
			t.Fatal(err)
		}
		got, stats := marshalAll(t, s, events)
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("%d workers give another output", workers)
		}
		if stats.Keys != 1500 || stats.Findings != uint64(strings.Count(got, "\n")) || stats.Findings < 1200 {
			t.Errorf("%d workers: %d keys, %d findings", workers, stats.Keys, stats.Findings)
		}
	}
}

func TestScanEndsEarly(t *testing.T) {
	s := newTestScanner(t)
	events := mixed(500)
	broken := func(yield func(*keyspace.Event, error) bool) {
		for i := range events {
			if !yield(&events[i], nil) {
				return
			}
		}
		yield(nil, &keyspace.FormatError{What: "key", Err: keyspace.ErrTruncated})
	}
	n := 0
	_, err := s.Scan(context.Background(), broken, func(*Finding) error { n++; return nil })
	if !errors.Is(err, keyspace.ErrTruncated) || n < 400 {
		t.Errorf("error of the events: %v after %d findings", err, n)
	}

	n = 0
	stats, err := s.Scan(context.Background(), sequence(events...), func(*Finding) error {
		if n++; n == 3 {
			return errStop
		}
		return nil
	})
	if err != errStop || n != 3 || stats.Findings != 2 {
		t.Errorf("error of found: %v after %d calls, %d counted", err, n, stats.Findings)
	}

	ctx, cancel := context.WithCancel(context.Background())
	n = 0
	_, err = s.Scan(ctx, sequence(events...), func(*Finding) error {
		if n++; n == 3 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || n != 3 {
		t.Errorf("cancelled: %v after %d calls", err, n)
	}
}

// A token is found once wherever the seams of a value that arrives in parts
// run through it.
func TestScanAcrossParts(t *testing.T) {
	token := githubToken("ghp", "seam")
	value := strings.Repeat("x ", 40) + token + strings.Repeat(" y", 40)
	s := newTestScanner(t)
	for cut := 70; cut < 130; cut++ {
		found, _ := scanAll(t, s, elements(keyspace.String, "k",
			keyspace.Event{Value: []byte(value[:cut]), Part: keyspace.First},
			keyspace.Event{Value: []byte(value[cut : cut+7]), Part: keyspace.Middle},
			keyspace.Event{Value: []byte(value[cut+7:]), Part: keyspace.Last}))
		if len(found) != 1 || found[0].Secret != token || found[0].Offset != 200 {
			t.Fatalf("cut at %d: found %s", cut, brief(found))
		}
	}
	found, _ := scanAll(t, s, elements(keyspace.String, "k", keyspace.Event{Value: []byte(value[:120]), Part: keyspace.First}))
	if len(found) != 1 {
		t.Errorf("value without an end: found %s", brief(found))
	}
}

// Values that are too long to be put together are scanned in windows: each
// token once, also where two windows meet.
func TestScanInWindows(t *testing.T) {
	const size = maxWhole + 3*windowSize + 12345
	value := bytes.Repeat([]byte("lorem ipsum "), size/12+1)[:size]
	var want []string
	for i, at := range []int{0, 1000, maxWhole - overlap - 50, maxWhole - overlap, maxWhole - 20, maxWhole + 30, maxWhole + windowSize - overlap - 10, maxWhole + 2*windowSize - 15, size - 41} {
		token := githubToken("ghp", fmt.Sprint(i))
		copy(value[at:], token)
		value[at+len(token)] = ' '
		want = append(want, token)
	}
	for _, head := range []string{"", `{"log": "`} { // text, and a document that is too long to be read as one
		found, _ := scanAll(t, newTestScanner(t), elements(keyspace.String, "k", inParts(append([]byte(head), value...))...))
		var got []string
		for _, f := range found {
			got = append(got, f.Secret)
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("found %d tokens in windows, want %d", len(got), len(want))
		}
	}
}

// The score of a long member is scanned once, and leaves its windows alone.
func TestScanLongMemberInWindows(t *testing.T) {
	const size = maxWhole + windowSize
	const score = 4539578763621486
	value := bytes.Repeat([]byte("lorem ipsum "), size/12+1)[:size]
	token := githubToken("ghp", "member")
	copy(value[maxWhole-overlap/2:], token)
	value[maxWhole-overlap/2+len(token)] = ' '
	events := elements(keyspace.SortedSet, "k", inParts(value)...)
	for i := range events {
		events[i].Score = score
	}
	found, _ := scanAll(t, newTestScanner(t), events)
	tokens, scores := 0, 0
	for _, f := range found {
		if f.Secret == token {
			tokens++
		}
		if f.Where == WhereScore {
			scores++
		}
	}
	if tokens != 1 || scores != 1 {
		t.Errorf("found %d times the token and %d times the score: %s", tokens, scores, brief(found))
	}
}

// inParts cuts a value as readers do.
func inParts(value []byte) []keyspace.Event {
	const size = 64 << 10
	var parts []keyspace.Event
	for at := 0; at < len(value); at += size {
		e := keyspace.Event{Value: value[at:min(len(value), at+size)], Part: keyspace.Middle}
		if at == 0 {
			e.Part = keyspace.First
		} else if at+size >= len(value) {
			e.Part = keyspace.Last
		}
		parts = append(parts, e)
	}
	return parts
}

// Whole values up to the bound are decoded, however they arrive.
func TestScanDecodesLongValues(t *testing.T) {
	token := githubToken("ghp", "long")
	value := []byte(`{"log": "` + strings.Repeat("lorem ipsum ", 50000) + `", "note": "\u0067` + token[1:] + `"}`)
	found, _ := scanAll(t, newTestScanner(t), elements(keyspace.String, "k", inParts(value)...))
	if len(found) != 1 || found[0].Secret != token || strings.Join(found[0].Chain, ">") != "json:$.note" {
		t.Errorf("found %s", brief(found))
	}
}

// A secret across the seam of a SET and an APPEND is found, once.
func TestScanAcrossAppends(t *testing.T) {
	token, other := githubToken("ghp", "append"), githubToken("gho", "before")
	write := func(op keyspace.Op, key, value string) []keyspace.Event {
		es := stringKey(key, value)
		es[1].Op, es[1].Encoding, es[1].Index = op, keyspace.RESP, 0
		return es
	}
	events := append(write(keyspace.OpPut, "k", "x "+other+" y "+token[:9]), write(keyspace.OpPut, "other", "z")...)
	events = append(append(events, write(keyspace.OpAppend, "k", token[9:20])...), write(keyspace.OpAppend, "k", token[20:]+" end")...)
	found, _ := scanAll(t, newTestScanner(t), events)
	if len(found) != 2 || found[0].Secret != other || found[1].Secret != token {
		t.Errorf("found %s", brief(found))
	}
}

// Where a finding stands is said for every part of a keyspace.
func TestPlaces(t *testing.T) {
	token := githubToken("ghp", "place")
	value := []byte(token)
	base := keyspace.Event{Kind: keyspace.Element, Key: []byte("k"), Expire: keyspace.NoExpire, Pos: keyspace.Pos{Source: "s", Offset: 7, Inner: -1}, Record: 5, Length: 40}
	with := func(change func(*keyspace.Event)) keyspace.Event {
		e := base
		change(&e)
		return e
	}
	for _, c := range []struct {
		event keyspace.Event
		want  string
	}{
		{with(func(e *keyspace.Event) { e.Kind, e.Key, e.Type = keyspace.Key, value, keyspace.String }), "key string "},
		{with(func(e *keyspace.Event) { e.Type, e.Value = keyspace.String, value }), "value string "},
		{with(func(e *keyspace.Event) { e.Type, e.Value, e.Index = keyspace.List, value, 3 }), "element list [3]"},
		{with(func(e *keyspace.Event) { e.Type, e.Value = keyspace.Set, value }), "member set "},
		{with(func(e *keyspace.Event) { e.Type, e.Value = keyspace.SortedSet, value }), "member zset "},
		{with(func(e *keyspace.Event) { e.Type, e.Field = keyspace.Hash, value }), "field hash "},
		{with(func(e *keyspace.Event) { e.Type, e.Field, e.Value = keyspace.Hash, []byte("f"), value }), "value hash "},
		{with(func(e *keyspace.Event) {
			e.Type, e.Field, e.ID = keyspace.Stream, value, keyspace.StreamID{MS: 9, Seq: 1}
		}), "entry-field stream 9-1"},
		{with(func(e *keyspace.Event) { e.Type, e.Field, e.Value = keyspace.Stream, []byte("f"), value }), "entry-value stream 0-0"},
		{with(func(e *keyspace.Event) { e.Kind, e.Type, e.Field = keyspace.Group, keyspace.Stream, value }), "group stream "},
		{with(func(e *keyspace.Event) { e.Kind, e.Type, e.Value = keyspace.Consumer, keyspace.Stream, value }), "consumer stream "},
		{with(func(e *keyspace.Event) { e.Kind, e.Type, e.Value = keyspace.Pending, keyspace.Stream, value }), "consumer stream "},
		{with(func(e *keyspace.Event) { e.Kind, e.Value = keyspace.Function, value }), "function function "},
		{with(func(e *keyspace.Event) { e.Kind, e.Value = keyspace.Aux, value }), "aux aux "},
		{with(func(e *keyspace.Event) { e.Value = value }), "argument none [0]"},
		{with(func(e *keyspace.Event) { e.Type, e.Value = keyspace.VectorSet, []byte(`{"t": "`+token+`"}`) }), "attribute vectorset "},
		{with(func(e *keyspace.Event) { e.Kind, e.Op, e.Value = keyspace.Rename, keyspace.OpRename, value }), "key none "},
	} {
		found, _ := scanAll(t, newTestScanner(t), []keyspace.Event{c.event})
		if len(found) != 1 {
			t.Errorf("%s: found %s", c.want, brief(found))
			continue
		}
		f := found[0]
		got := f.Where.String() + " " + f.KeyType + " " + f.EntryID
		if f.Index != nil {
			got += fmt.Sprintf("[%d]", *f.Index)
		}
		if got != c.want || f.Offset != 7 || f.Length != 40 || f.RecordOffset != 5 || f.Source != "s" {
			t.Errorf("got %s at %d, want %s", got, f.Offset, c.want)
		}
		if db := f.DB; (f.Where == WhereFunction || f.Where == WhereAux) != (db == -1) {
			t.Errorf("%s: db %d", c.want, db)
		}
	}
	score := with(func(e *keyspace.Event) { e.Type, e.Value, e.Score = keyspace.SortedSet, []byte("m"), 0 })
	if n, err := fmt.Sscan(cardNumber("4539", "score", 16), &score.Score); n != 1 {
		t.Fatal(err)
	}
	if found, _ := scanAll(t, newTestScanner(t), []keyspace.Event{score}); len(found) != 1 || found[0].Where != WhereScore {
		t.Errorf("score: found %s", brief(found))
	}
}

// The containers of the file itself come first in the chain.
func TestChainOfFile(t *testing.T) {
	token := githubToken("ghp", "chain")
	events := elements(keyspace.List, "k", keyspace.Event{}, keyspace.Event{}, keyspace.Event{Value: []byte(base64.StdEncoding.EncodeToString([]byte(wrapJSON("t", token)))), Encoding: keyspace.Listpack})
	events[3].Pos.Inner = 12
	found, _ := scanAll(t, newTestScanner(t), events)
	if len(found) != 1 || strings.Join(found[0].Chain, ">") != "lzf>listpack[2]>base64>json:$.outer.t" {
		t.Errorf("found %s", brief(found))
	}
}

// Without Reveal no secret shows in any field, wherever it stands; with the
// same key ids are the same, and with Reveal the secret is exact.
func TestMasks(t *testing.T) {
	token, password := githubToken("ghp", "mask"), "Vq7xk#29abcd"
	key := privateKeyPEM(t)
	escapedKey, _ := json.Marshal(key)
	iban := ibanNumber("DE", random("i", 18, digitAlphabet))
	cases := map[string][]keyspace.Event{
		"value":             stringKey("k", token),
		"key name":          stringKey("session:"+token+":x", "1"),
		"key not UTF-8":     stringKey("session:\xff\xfe"+token, "1"),
		"key and value":     stringKey("t:"+password, `{"password": "`+password+`"}`),
		"key with JSON":     stringKey(`cache:{"db_password":"`+password+`"}`, "1"),
		"key in base64":     stringKey("c:"+base64.StdEncoding.EncodeToString([]byte(wrapJSON("t", token))), "1"),
		"key of an element": hashKey("x:"+token, "f", githubToken("gho", "other")),
		"key with a form":   stringKey("q:password="+password+"&x=1", "1"),
		"key with escapes":  stringKey("q:password="+url.QueryEscape(password)+"&x=1", "1"),
		"field":             hashKey("k", token, "1"),
		"field and value":   hashKey("k", "for "+token, "also "+token),
		"path":              stringKey("k", `{"`+token+`": {"password": "`+password+`"}}`),
		"path of a path":    stringKey("k", `{"password": "`+password+`", "x": {"`+password+`": "`+token+`"}}`),
		"PEM":               stringKey("k", `{"k": `+string(escapedKey)+`}`),
		"URL":               stringKey("k", "postgres://u:"+password+"@db/x"),
		"hash":              stringKey("k", bcryptHash("m")),
		"iban":              stringKey("k:"+iban, iban),
		"e-mail":            stringKey("u:ivy.novak@inbox.test", "ivy.novak@inbox.test"),
	}
	secrets := []string{token, token[4:], password, "xk%2329", bcryptHash("m")[7:], strings.ReplaceAll(key, "\n", `\n`)[40:80], iban, iban[4:], "ivy.novak", base64.StdEncoding.EncodeToString([]byte(wrapJSON("t", token)))[:40]}
	open, err := New(Config{Workers: 1, Reveal: true, IDKey: []byte("k")})
	if err != nil {
		t.Fatal(err)
	}
	masked, err := New(Config{Workers: 1, IDKey: []byte("k")})
	if err != nil {
		t.Fatal(err)
	}
	for name, events := range cases {
		t.Run(name, func(t *testing.T) {
			shown, _ := scanAll(t, open, events)
			hidden, _ := scanAll(t, masked, events)
			if len(shown) == 0 || len(shown) != len(hidden) {
				t.Fatalf("%d findings revealed, %d masked", len(shown), len(hidden))
			}
			for i, h := range hidden {
				if h.ID != shown[i].ID || h.Fingerprint != shown[i].Fingerprint {
					t.Error("masking changes the ids")
				}
				b, _ := json.Marshal(h)
				text := string(b)
				if key, err := base64.StdEncoding.DecodeString(h.KeyB64); err == nil {
					text += string(key)
				}
				for k, s := range secrets {
					if strings.Contains(text, s) {
						t.Errorf("%s shows secret %d", h.Rule, k)
					}
				}
			}
		})
	}
}

func TestMaskSecret(t *testing.T) {
	token := &rule{category: Token, rank: rankFormat}
	for _, c := range []struct {
		r            *rule
		secret, want string
	}{
		{token, githubToken("ghp", "m"), "ghp_****" + githubToken("ghp", "m")[36:]},
		{token, "short", "**** (1-7)"},
		{&rule{category: Password}, "correct horse", "**** (12-15)"},
		{&rule{category: Credential, rank: rankSyntax}, "postgres://user:password@host/longer", "postgres://****"},
		{&rule{category: Credential, public: true}, "public", "public"},
	} {
		if got := maskSecret(c.r, c.secret); got != c.want {
			t.Errorf("%s of %d bytes: %s", c.r.category, len(c.secret), got)
		}
	}
}

// Ids tell secrets apart, fingerprints places; both depend on the key.
func TestIDs(t *testing.T) {
	token := githubToken("ghp", "id")
	one, _ := scanAll(t, newTestScanner(t), append(stringKey("a", token), stringKey("b", token+" ")...))
	if len(one) != 2 || one[0].ID != one[1].ID || one[0].Fingerprint == one[1].Fingerprint {
		t.Error("the same secret at two places: ids must agree, fingerprints differ")
	}
	s, err := New(Config{Workers: 1, IDKey: []byte("other")})
	if err != nil {
		t.Fatal(err)
	}
	two, _ := scanAll(t, s, stringKey("a", token))
	if len(two) != 1 || two[0].ID == one[0].ID {
		t.Error("the id does not depend on the key")
	}
}

// Of rules that claim the same bytes one reports.
func TestOneFindingForOneSpan(t *testing.T) {
	token := githubToken("ghp", "span")
	for name, events := range map[string][]keyspace.Event{
		"named token":   hashKey("k", "github_token", token),
		"assignment":    stringKey("k", "GITHUB_TOKEN="+token),
		"JSON":          stringKey("k", `{"token": "`+token+`"}`),
		"URL":           stringKey("k", "https://x:"+token+"@github.com/a/b"),
		"card in slack": stringKey("k", "xo"+"xb-110919477920-4133440182702-"+random("cs", 24, alnumAlphabet)),
	} {
		if found, _ := scanAll(t, newTestScanner(t), events); len(found) != 1 {
			t.Errorf("%s: found %s", name, brief(found))
		}
	}
}
