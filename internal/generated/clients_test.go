package generated

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/fixtures"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// A client is a language with its libraries; testdata has a program for each.
type client struct {
	language string
	recipes  []string // steps, outermost last; the first says what is serialised
	stores   []string // frameworks that keep sessions
	queues   []string // and jobs
}

var clients = []client{
	{"python", []string{
		"json", "json>in-json", "json>base64", "json>base64url", "json>hex", "json>percent", "json>gzip", "json>zlib", "json>zstd", "json>lz4", "json>lz4-block", "json>snappy",
		"json>brotli", "json>deflate", "json>gzip>base64", "json>brotli>base64", "json>deflate>base64", "json>base64>in-json", "json>gzip>in-pickle", "json-compact>zlib>base64",
		"json>signed-flask", "json>signed-django", "json>base32", "msgpack>base32", "json>0x", "pickle4>0x",
		"pickle0", "pickle1", "pickle2", "pickle3", "pickle4", "pickle5", "pickle-object", "pickle4>zlib", "pickle2>zlib>base64", "pickle5>base64",
		"msgpack", "msgpack>zlib", "msgpack>base64", "cbor", "cbor>base64", "bson", "form", "text>base64", "text>hex", "text>percent", "text>gzip",
	}, []string{"django", "flask"}, []string{"rq", "celery"}},
	{"php", []string{"php", "php-object", "php>php", "php>in-json", "php>gzip", "php>base64", "igbinary", "igbinary>base64", "igbinary>zlib", "msgpack"}, []string{"php", "laravel"}, nil},
	{"ruby", []string{"marshal", "marshal-symbols", "marshal-object", "marshal>zlib", "marshal>base64", "json", "msgpack"}, []string{"rails"}, []string{"sidekiq"}},
	{"java", []string{"java", "java-object", "java>gzip", "java>base64", "java-account", "java-string"}, []string{"spring"}, nil},
	{"node", []string{"json", "json-json", "json>gzip", "json>brotli", "json>base64url", "json>buffer", "msgpack"}, []string{"express"}, []string{"bullmq"}},
}

// frameworks are the names that findings give them.
var frameworks = map[string]string{"flask": "flask-session", "spring": "spring-session"}

// request is what a client is asked: to serialise or to store.
type request struct {
	Do    []string       `json:"do,omitempty"`
	Store string         `json:"store,omitempty"`
	Doc   map[string]any `json:"doc"`
}

// command returns the client's program, connected to the server at socket.
func (c client) command(t *testing.T, socket string) *exec.Cmd {
	switch c.language {
	case "python":
		return servertest.Runtime(t, "python", "testdata/clients.py", socket)
	case "php":
		return servertest.Runtime(t, "php", "testdata/clients.php", socket)
	case "ruby":
		return servertest.Runtime(t, "ruby", "testdata/clients.rb", socket)
	case "node":
		return servertest.Runtime(t, "node", "testdata/clients.js", socket)
	}
	classes := t.TempDir()
	sources, err := filepath.Glob("testdata/*.java")
	if err != nil {
		t.Fatal(err)
	}
	spring, err := filepath.Glob("testdata/org/springframework/security/*/*.java")
	if err != nil {
		t.Fatal(err)
	}
	deeper, err := filepath.Glob("testdata/org/springframework/security/*/*/*.java")
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"-encoding", "UTF-8", "-d", classes}, append(sources, append(spring, deeper...)...)...)
	if out, err := servertest.Runtime(t, "javac", args...).CombinedOutput(); err != nil {
		t.Fatalf("javac: %v\n%s", err, out)
	}
	return servertest.Runtime(t, "java", "-cp", classes, "Clients")
}

// ask runs the client and returns a line for each request.
func (c client) ask(t *testing.T, socket string, requests []request) []string {
	t.Helper()
	var in, said bytes.Buffer
	enc := json.NewEncoder(&in)
	enc.SetEscapeHTML(false)
	for _, r := range requests {
		if err := enc.Encode(r); err != nil {
			t.Fatal(err)
		}
	}
	cmd := c.command(t, socket)
	cmd.Stdin, cmd.Stderr = &in, &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", c.language, err, said.String())
	}
	var lines []string
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		lines = append(lines, s.Text())
	}
	if len(lines) != len(requests) {
		t.Fatalf("%s: %d answers to %d requests\n%s", c.language, len(lines), len(requests), said.String())
	}
	return lines
}

// shape says what a recipe's first step serialises: a record, a flat one, one
// text, or an object whose class gives the names.
func shape(recipe string) string {
	switch first, _, _ := strings.Cut(recipe, ">"); first {
	case "text", "java-string":
		return "text"
	case "java-account":
		return "account"
	case "form":
		return "flat"
	}
	return "record"
}

// accountNames are the members of the class Account in Clients.java.
var accountNames = map[string]string{"oauth-token": "accessToken", "password-field": "password", "session-secret": "sessionSecret", "api-key-generic": "apiKey"}

// plan makes the requests for n secrets of each category in each container.
func (c client) plan(m maker, n int) (requests []request, plants []plant) {
	for _, recipe := range c.recipes {
		for _, cat := range categories {
			for range n {
				p := plant{chain: c.language + ":" + recipe, category: cat, secret: cat.make(m), name: m.pick(cat.names...)}
				doc := map[string]any{"text": p.secret}
				switch shape(recipe) {
				case "record":
					doc = m.document(p.name, p.secret, m.IntN(3))
				case "flat":
					doc = m.document(p.name, p.secret, 0)
				case "account":
					doc["name"] = "note"
					if member := accountNames[cat.name]; member != "" {
						doc["name"] = member
					}
				case "text":
					p.bare = true
				}
				requests = append(requests, request{Do: strings.Split(recipe, ">"), Doc: doc})
				plants = append(plants, p)
			}
		}
	}
	return requests, plants
}

// logins makes the requests for n sessions or jobs of each framework.
func (c client) logins(m maker, n int) (requests []request, logins []login) {
	for _, store := range append(append([]string{}, c.stores...), c.queues...) {
		for range n {
			l := login{framework: store, id: m.From("123456789", 1) + m.From(fixtures.Digits, 5), email: m.word() + m.From(fixtures.Digits, 4) + "@" + m.word() + ".example"}
			if f := frameworks[store]; f != "" {
				l.framework = f
			}
			doc := map[string]any{"id": l.id, "email": l.email, "hash": m.Hex(64)}
			for _, q := range c.queues {
				if store == q {
					l.secret = m.password()
					doc["secret"] = l.secret
				}
			}
			r := request{Store: store, Doc: doc}
			if store == "spring" { // Java only serialises; see fill
				r = request{Do: []string{"spring"}, Doc: doc}
			}
			requests, logins = append(requests, r), append(logins, l)
		}
	}
	return requests, logins
}

func unbase64(t *testing.T, s string) string {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
