package redact_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/export"
	"github.com/valkeyfs/valkeyfs/internal/fixtures"
	"github.com/valkeyfs/valkeyfs/internal/rdbwrite"
	"github.com/valkeyfs/valkeyfs/internal/redact"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
	"github.com/valkeyfs/valkeyfs/scan"
)

func scanner(t testing.TB) *scan.Scanner {
	t.Helper()
	s, err := scan.New(scan.Config{Workers: 1, Plain: true, IDKey: []byte("k")})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func events(snapshot []byte) func() keyspace.Seq {
	return func() keyspace.Seq {
		return rdb.NewReader(bytes.NewReader(snapshot), rdb.Options{}).Events(context.Background())
	}
}

// redacted is the snapshot without its secrets.
func redacted(t testing.TB, snapshot []byte) ([]byte, *redact.Redactor) {
	t.Helper()
	return redactedBy(t, snapshot, scan.Config{Workers: 1, IDKey: []byte("k")})
}

// redactedBy is the snapshot without what such a scan finds.
func redactedBy(t testing.TB, snapshot []byte, config scan.Config) ([]byte, *redact.Redactor) {
	t.Helper()
	ctx := context.Background()
	r, err := redact.New(redact.Options{Key: []byte("a key"), Scan: config})
	if err != nil {
		t.Fatal(err)
	}
	seq := events(snapshot)
	if err := r.Learn(ctx, seq); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		var out bytes.Buffer
		o := export.Options{Format: export.RDB, Raw: bytes.NewReader(snapshot), Changed: r.Changed, Match: r.Keeps()}
		if err := export.Run(ctx, r.Seq(seq()), &out, o); err != nil && !r.Clashes() {
			t.Fatal(err)
		}
		if !r.Clashes() {
			return out.Bytes(), r
		}
	}
	t.Fatal("names became the same again and again")
	return nil, nil
}

// clean fails if a scan finds anything, or if a secret stands anywhere.
func clean(t testing.TB, snapshot []byte, secrets []string) {
	t.Helper()
	_, err := scanner(t).Scan(context.Background(), events(snapshot)(), func(f *scan.Finding) error {
		t.Errorf("rule %s still finds something in %s", f.Rule, f.Where)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	look := func(p []byte) {
		for i, s := range secrets {
			if bytes.Contains(p, []byte(s)) {
				t.Errorf("secret %d is still there", i)
			}
		}
	}
	look(snapshot)
	for e, err := range events(snapshot)() {
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range [][]byte{e.Key, e.Field, e.Value} {
			look(p)
		}
	}
}

// TestIncident: nothing that was planted in a data directory is left, and what has
// nothing to do with it is.
func TestIncident(t *testing.T) {
	snapshot, err := os.ReadFile("../../testdata/incident/dump.rdb")
	if err != nil {
		t.Fatal(err)
	}
	var secrets []string
	for _, p := range fixtures.Incident() {
		if len(p.Secret) >= 8 {
			secrets = append(secrets, p.Secret)
		}
	}
	out, r := redacted(t, snapshot)
	clean(t, out, secrets)
	again, _ := redacted(t, snapshot)
	if !bytes.Equal(out, again) {
		t.Error("the same key made other placeholders")
	}
	if c := r.Counts(); c.Secrets < 50 || c.All > 5 {
		t.Errorf("%+v", c)
	}
	before, after := strings.Join(keys(t, snapshot), "\n"), strings.Join(keys(t, out), "\n")
	if strings.Count(before, "\n") != strings.Count(after, "\n") || !strings.Contains(after, "user:101") {
		t.Errorf("keys became\n%s", after)
	}
}

func keys(t testing.TB, snapshot []byte) (names []string) {
	for e, err := range events(snapshot)() {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind == keyspace.Key {
			names = append(names, string(e.Key))
		}
	}
	return names
}

// planted are secrets in every place that a key has for one.
func planted(do func(args ...string), major int) (secrets []string) {
	secret := func(n int) string {
		s := "gl" + "pat-" + fmt.Sprintf("q%dZk7Rw2Lp9Xs4Tb6Vc8%d", n, n)[:20]
		secrets = append(secrets, s)
		return s
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	fmt.Fprintf(z, `{"session":{"token":%q,"n":1}}`, secret(0))
	_ = z.Close()
	escaped, _ := json.Marshal("a \"quoted\"\n" + secret(1))

	do("SET", "plain", "token="+secret(2))
	do("SET", "json", `{"note":`+string(escaped)+`,"access_token":"`+secret(3)+`"}`)
	do("SET", "base64", base64.StdEncoding.EncodeToString([]byte(`{"api_key":"`+secret(4)+`"}`)))
	do("SET", "zipped", base64.StdEncoding.EncodeToString(zipped.Bytes()))
	do("SET", "raw:zipped", zipped.String())
	do("SET", "form", "user=a&x="+url.QueryEscape("https://h/?token="+secret(5)+"&y=ü"))
	do("SET", "php", fmt.Sprintf(`a:1:{s:5:"token";s:26:"%s";}`, secret(6)))
	do("SET", "compressed", strings.Repeat("nothing to see here, ", 100)+secret(7)+strings.Repeat(" and on it goes", 100))
	do("SET", "key:"+secret(8), "1")
	do("HSET", "hash", "password", "Mv!7hafen#Deich", "same", "Mv!7hafen#Deich", secret(9), "field", "n", "12")
	secrets = append(secrets, "Mv!7hafen#Deich")
	do("RPUSH", "list", "a", secret(10), "b")
	do("SADD", "set", "a", secret(11), secret(12))
	do("ZADD", "zset", "1.5", secret(13), "2", "other", "-0", "zero")
	do("XADD", "stream", "5-1", "token", secret(14), "n", "1")
	do("XADD", "stream", "5-2", "n", "2")
	do("XGROUP", "CREATE", "stream", "g", "0")
	do("XREADGROUP", "GROUP", "g", "c", "STREAMS", "stream", ">")
	do("SET", "long", strings.Repeat("x y z ", 40000)+secret(15)+strings.Repeat("x y z ", 40000))
	do("HSET", "big", "f", "v")
	for i := range 300 {
		do("HSET", "big", fmt.Sprint("field:", i), fmt.Sprint("value:", i))
	}
	do("HSET", "big", "key", secret(16))
	do("SET", "contact", "mail to maria.gonzalez@nordlicht-reederei.de")
	secrets = append(secrets, "maria.gonzalez@nordlicht-reederei.de")
	if major >= 7 {
		do("FUNCTION", "LOAD", "#!lua name=lib\nlocal token = '"+secret(17)+"'\nredis.register_function('f', function() return token end)")
	}
	return secrets
}

// TestServers: a redacted snapshot loads, and only what held a secret is another.
func TestServers(t *testing.T) {
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		writer := s.Start(t, "")
		fixtures.Fill(t, writer, false)
		secrets := planted(func(args ...string) { writer.Must(t, args...) }, s.Major())
		writer.Must(t, "SAVE")
		writer.Stop(t)
		snapshot, err := os.ReadFile(filepath.Join(writer.Dir, "dump.rdb"))
		if err != nil {
			t.Fatal(err)
		}
		out, _ := redacted(t, snapshot)
		clean(t, out, secrets)

		old, loaded := load(t, s, snapshot), load(t, s, out)
		different := 0
		for db := range 16 {
			old.Must(t, "SELECT", fmt.Sprint(db))
			loaded.Must(t, "SELECT", fmt.Sprint(db))
			for _, k := range old.Must(t, "KEYS", "*").([]any) {
				key := k.(string)
				if fmt.Sprint(old.Must(t, "DEBUG", "DIGEST-VALUE", key)) != fmt.Sprint(loaded.Must(t, "DEBUG", "DIGEST-VALUE", key)) {
					different++
					if !held(old, t, key, secrets) {
						t.Errorf("key %q is another, and held no secret", key)
					}
				}
			}
			if a, b := old.Must(t, "DBSIZE"), loaded.Must(t, "DBSIZE"); a != b {
				t.Errorf("%v keys in database %d, want %v", b, db, a)
			}
		}
		if different < 15 {
			t.Errorf("%d keys are others", different)
		}
		loaded.Must(t, "SELECT", "0")
		hash := loaded.Must(t, "HMGET", "hash", "password", "same", "n").([]any)
		if hash[0] != hash[1] || hash[2] != "12" || len(hash[0].(string)) != len("Mv!7hafen#Deich") {
			t.Errorf("hash became %q", hash)
		}
		unzipped(t, loaded.Must(t, "GET", "raw:zipped").(string), secrets)
		text, err := base64.StdEncoding.DecodeString(loaded.Must(t, "GET", "zipped").(string))
		if err != nil {
			t.Fatal(err)
		}
		unzipped(t, string(text), secrets)
	})
}

// TestPlaces: a secret stays nowhere that a key has room for one, and members that hold
// secrets stay as many as they were.
func TestPlaces(t *testing.T) {
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		writer := s.Start(t, "")
		do := func(args ...string) { writer.Must(t, args...) }
		var secrets []string
		secret := func() string {
			n := len(secrets)
			secrets = append(secrets, "gl"+"pat-"+fmt.Sprintf("w%dKz7Rq2Np9Xs4Tb6Vd8%d", n, n)[:20])
			return secrets[n]
		}
		do("XADD", "stream", "1-1", "n", "1")
		group, consumer := secret(), secret()
		do("XGROUP", "CREATE", "stream", group, "0")
		do("XREADGROUP", "GROUP", group, consumer, "STREAMS", "stream", ">")
		do("SELECT", "1")
		for range 12 {
			do("SADD", "set", secret())
			do("ZADD", "zset", "1", secret())
			do("HSET", "hash", secret(), secret())
		}
		do("SET", "a:"+secret()+":b", "1")
		for i := range 300 {
			do("SADD", "large", fmt.Sprint("member:", i))
		}
		do("SADD", "large", secret())
		do("SELECT", "2")
		do("DEBUG", "SET-ACTIVE-EXPIRE", "0")
		do("SET", "expired", "token "+secret(), "PX", "1")
		if s.HasVectorSets() {
			do("VADD", "vectors", "VALUES", "2", "1", "0", secret(), "SETATTR", `{"token":"`+secret()+`"}`)
			do("VADD", "vectors", "VALUES", "2", "0", "1", "other")
		}
		if s.Major() >= 7 {
			do("FUNCTION", "LOAD", "#!lua name=lib\nlocal token = '"+secret()+"'\nredis.register_function('f', function() return token end)")
		}
		do("SAVE")
		writer.Stop(t)
		snapshot, err := os.ReadFile(filepath.Join(writer.Dir, "dump.rdb"))
		if err != nil {
			t.Fatal(err)
		}
		out, _ := redacted(t, snapshot)
		clean(t, out, secrets)
		loaded := load(t, s, out)
		loaded.Must(t, "SELECT", "1")
		for command, want := range map[string]string{"SCARD set": "12", "ZCARD zset": "12", "HLEN hash": "12", "SCARD large": "301", "DBSIZE": "5"} {
			if got := fmt.Sprint(loaded.Must(t, strings.Fields(command)...)); got != want {
				t.Errorf("%s: %s, want %s", command, got, want)
			}
		}
		loaded.Must(t, "SELECT", "0")
		if info := fmt.Sprint(loaded.Must(t, "XINFO", "GROUPS", "stream")); !strings.Contains(info, "xxxx") {
			t.Errorf("the group became %s", info)
		}
	})
}

// TestAllReplaced: fields and members stay as many as they were, however short, binary
// or alike they are, where all strings of their key are replaced.
func TestAllReplaced(t *testing.T) {
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		writer := s.Start(t, "")
		for _, forms := range []string{"%c", "%[1]d", "%08d", "\xfe\xff\xfe\xff\xfe%c\xff%[1]c", "user-%04d", "\u4e16\u754c%c"} {
			for i := range 700 {
				field := fmt.Sprintf(forms, rune(0x80+i))
				writer.Must(t, "HSET", "hash", field, "1")
				writer.Must(t, "SADD", "set", field)
				writer.Must(t, "ZADD", "zset", "1", field)
			}
		}
		writer.Must(t, "SAVE")
		writer.Stop(t)
		snapshot, err := os.ReadFile(filepath.Join(writer.Dir, "dump.rdb"))
		if err != nil {
			t.Fatal(err)
		}
		out := replaced(t, snapshot)
		loaded := load(t, s, out)
		names := loaded.Must(t, "KEYS", "*").([]any)
		if len(names) != 3 {
			t.Fatalf("keys became %q", names)
		}
		for _, name := range names {
			command := map[any]string{"string": "STRLEN", "hash": "HLEN", "set": "SCARD", "zset": "ZCARD"}[loaded.Must(t, "TYPE", name.(string))]
			if got := fmt.Sprint(loaded.Must(t, command, name.(string))); got != "4200" {
				t.Errorf("%s: %s, want 4200", command, got)
			}
		}
		if bytes.Contains(out, []byte("user-")) {
			t.Error("a member is as it was")
		}
	})
}

// replaced is the snapshot with all strings of all keys replaced.
func replaced(t *testing.T, snapshot []byte) []byte {
	t.Helper()
	r, err := redact.New(redact.Options{Key: []byte("a key"), Scan: scan.Config{Workers: 1, IDKey: []byte("k")}})
	if err != nil {
		t.Fatal(err)
	}
	for e, err := range events(snapshot)() {
		if err != nil {
			t.Fatal(err)
		}
		for e.Kind == keyspace.Key && r.Raise(e) {
		}
	}
	var out bytes.Buffer
	o := export.Options{Format: export.RDB, Raw: bytes.NewReader(snapshot), Changed: r.Changed}
	if err := export.Run(context.Background(), r.Seq(events(snapshot)()), &out, o); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestAux: a secret does not stay in a field beside the keys.
func TestAux(t *testing.T) {
	secret := "gl" + "pat-" + "w0Kz7Rq2Np9Xs4Tb6Vd8"
	var b bytes.Buffer
	w, err := rdbwrite.New(&b, rdbwrite.Version{Magic: "REDIS", Number: 11}, rdbwrite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Aux([]byte("redis-ver"), []byte("7.2.0")), w.Aux([]byte("note"), []byte("the token is "+secret)), w.Close()); err != nil {
		t.Fatal(err)
	}
	out, _ := redacted(t, b.Bytes())
	clean(t, out, []string{secret})
	if !bytes.Contains(out, []byte("the token is ")) || !bytes.Contains(out, []byte("7.2.0")) {
		t.Errorf("the fields became %q", out)
	}
}

// unzipped holds that what was packed is packed anew, without a secret.
func unzipped(t *testing.T, packed string, secrets []string) {
	t.Helper()
	z, err := gzip.NewReader(strings.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil || !bytes.Contains(text, []byte(`{"session":{"token":"`)) {
		t.Errorf("what was packed became %d other bytes, %v", len(text), err)
	}
	for i, s := range secrets {
		if bytes.Contains(text, []byte(s)) {
			t.Errorf("secret %d is still there", i)
		}
	}
}

// held reports whether a key of the planted ones holds a secret: all have no colon,
// or begin with key:.
func held(i *servertest.Instance, t testing.TB, key string, secrets []string) bool {
	dump, _ := i.Must(t, "DUMP", key).(string)
	for _, s := range secrets {
		if strings.Contains(key, s) || strings.Contains(dump, s) {
			return true
		}
	}
	switch key {
	case "json", "base64", "zipped", "raw:zipped", "form", "compressed", "long", "big", "contact", "hash", "list", "set", "zset", "stream":
		return true
	}
	return false
}

func load(t testing.TB, s servertest.Server, data []byte) *servertest.Instance {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "dump.rdb"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	return s.Start(t, dir)
}
