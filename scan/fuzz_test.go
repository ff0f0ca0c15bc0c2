package scan

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/betterleaks/betterleaks/config"
)

// stringsOf collects the keys and strings of a JSON text as the walker gives
// them.
type stringsOf struct {
	doc  *document
	data []byte
	out  []string
}

func (s *stringsOf) key(from, to int) { s.out = append(s.out, "key "+string(s.doc.top().key)) }
func (s *stringsOf) end()             {}
func (s *stringsOf) text(from, to int, escaped bool) {
	b := s.data[from:to]
	if escaped {
		b = unescapeJSON(nil, b)
	}
	s.out = append(s.out, "text "+string(b))
}
func (s *stringsOf) octets(from, to int) {
	for _, n := range strings.FieldsFunc(string(s.data[from:to]), func(r rune) bool { return r < '0' || r > '9' }) {
		s.out = append(s.out, "number "+n)
	}
}
func (s *stringsOf) number(from, to int)     { s.out = append(s.out, "number "+string(s.data[from:to])) }
func (s *stringsOf) integer(int, int, int64) {}
func (s *stringsOf) more() error             { return nil }

// referenceStrings does the same by encoding/json.
func referenceStrings(data []byte) ([]string, bool) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var out []string
	type frame struct{ object, wantKey bool }
	var stack []frame
	for {
		tok, err := dec.Token()
		if err == io.EOF {
			return out, len(stack) == 0
		}
		if err != nil {
			return nil, false
		}
		top := len(stack) - 1
		isKey := top >= 0 && stack[top].object && stack[top].wantKey
		if top >= 0 && stack[top].object {
			stack[top].wantKey = !stack[top].wantKey
		}
		switch v := tok.(type) {
		case json.Delim:
			switch v {
			case '{', '[':
				stack = append(stack, frame{v == '{', true})
			default:
				stack = stack[:top]
			}
		case string:
			if isKey {
				out = append(out, "key "+v)
			} else {
				out = append(out, "text "+v)
			}
		case json.Number:
			out = append(out, "number "+v.String())
		}
	}
}

// Whatever encoding/json accepts the walker reads the same way, and it never
// reads past the text.
func FuzzJSONWalk(f *testing.F) {
	for _, s := range []string{`{}`, `[]`, `{"a":[1,-2.5e+7,"x\n\u00e9\ud83d\ude00",true,null,{"b":{}}]}`, `"a"`, `[[[["deep"]]]]`, ` { "k" : "v" , "\"" : [ ] } `, `{"a":"\`, `[1,]`, `{"a"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		doc := new(document)
		sink := &stringsOf{doc: doc, data: data}
		err := walkJSON(data, doc, sink)
		if !json.Valid(data) || !utf8.Valid(data) {
			return
		}
		want, ok := referenceStrings(data)
		if !ok || strings.Contains(strings.Join(want, ""), "\uFFFD") { // unpaired surrogates
			return
		}
		if err != nil {
			if err == errDocumentDepth {
				return
			}
			t.Fatalf("valid JSON refused: %v", err)
		}
		if got := strings.Join(sink.out, "\n"); got != strings.Join(want, "\n") {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// No bytes make a decoder panic, spend more than its budget, or leave names in
// scope.
func FuzzDecode(f *testing.F) {
	for _, c := range wrappers {
		f.Add([]byte(c.wrap("db_password", "Vq7xk#29abcd")))
		f.Add([]byte(c.wrap("a", c.wrap("b", "postgres://u:"+"pw12345@h/"))))
	}
	for _, s := range []string{"\x80\x04(((uuu.", "\xac\xed\x00\x05ur\x00\x02[L\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00xp\x7f\xff\xff\xff", "\x04\x08o:\x06A\x06:\x07@b[\x06@\x00", "\xdf\xff\xff\xff\xff", `a:9999999:{s:1:"a";N;`, "x|a:1:{i:-1;N;}", "data:;base64,QUJDREVGR0hJSktMTU5PUA=="} {
		f.Add([]byte(s))
	}
	for _, object := range dotnetObjects(f) {
		f.Add([]byte(object))
		f.Add([]byte(sessionState("user", object, "password", "Vq7xk#29abcd")))
	}
	for _, text := range []string{`{"password": "Vq7xk#29abcd"}`, strings.Repeat("a b ", 400)} {
		f.Add([]byte(base64.StdEncoding.EncodeToString(brotliOf(text))))
		f.Add([]byte(base64.StdEncoding.EncodeToString(deflateOf(text, 9))))
	}
	s := newTestScanner(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		w := newWorker(s)
		b := newBatch()
		c := &collector{cur: b, next: func(b *batch) *batch { return b }}
		events := hashKey("k:"+string(data), string(data), string(data), "password", string(data))
		for i := range events {
			c.add(&events[i])
		}
		w.batch(b)
		if limit := 4 * int64(baseOutput+(outputRatio+2)*len(data)); b.stats.DecodedBytes > limit {
			t.Errorf("%d bytes came out of %d", b.stats.DecodedBytes, len(data))
		}
		if w.docsUsed != 0 || len(w.scopes) > 1 {
			t.Errorf("%d documents and %d names left", w.docsUsed, len(w.scopes))
		}
		for _, x := range b.findings {
			if x.Secret == "" || x.Rule == "" {
				t.Errorf("empty finding of rule %q", x.Rule)
			}
		}
	})
}

// No rule file makes the parser panic; what it accepts can be used.
func FuzzRules(f *testing.F) {
	head, _, _ := strings.Cut(config.DefaultConfig, `id = "aikido`)
	f.Add([]byte(head))
	for _, s := range []string{
		"[[rules]]\nid = \"a\"\nregex = '''a(b)?'''\nsecretGroup = 1\nentropy = 1.5\nkeywords = [\"a\"]\n[[rules.allowlists]]\ncondition = \"AND\"\nregexes = ['''x''']\nstopwords = [\"y\"]\n",
		"[extend]\nuseDefault = true\ndisabledRules = [\"jwt\"]\n",
		"[[rules]]\nid = \"a\"\npath = '''a'''\ncomponents = [{id = \"a\", within = \"5L\"}]\n",
		"filter = '''len(finding[\"secret\"]) > 3 && matchesAny(attributes[\"path\"], [`x`])'''\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 1<<14 {
			return
		}
		set, err := parseRules(RuleFile{"f", text}, nil)
		if err != nil {
			return
		}
		s, err := New(Config{Workers: 1, NoDefaultRules: true, Rules: []RuleFile{{"f", text}}})
		if err != nil {
			return // regexes that only the engine refuses
		}
		scanAll(t, s, stringKey("a", fmt.Sprint("ab abc ", len(set.rules))))
	})
}
