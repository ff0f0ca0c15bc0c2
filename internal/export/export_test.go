package export

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

var poison = bytes.Repeat([]byte{0xdb}, 4096)

// stream yields events, each poisoned once the next is asked for, and then err.
func stream(err error, events ...keyspace.Event) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		for _, e := range events {
			c := e.Clone()
			more := yield(c, nil)
			for _, b := range [][]byte{c.Key, c.Field, c.Value} {
				for len(b) > 0 {
					b = b[copy(b, poison):]
				}
			}
			*c = keyspace.Event{}
			if !more {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// key returns a Key event, the elements given their key and type, and a KeyEnd.
func key(typ keyspace.Type, name string, elements ...keyspace.Event) []keyspace.Event {
	k := keyspace.Event{Kind: keyspace.Key, Op: keyspace.OpCreate, Type: typ, Encoding: keyspace.Raw, State: keyspace.Live,
		Key: []byte(name), Record: 9, Expire: keyspace.NoExpire, Idle: -1, Freq: -1}
	return keyOf(k, elements...)
}

func keyOf(k keyspace.Event, elements ...keyspace.Event) []keyspace.Event {
	all := []keyspace.Event{k}
	for _, e := range elements {
		if e.Kind == keyspace.KindNone {
			e.Kind = keyspace.Element
		}
		if e.State == keyspace.Unknown {
			e.State = k.State
		}
		e.Key, e.Type = k.Key, k.Type
		all = append(all, e)
	}
	end := k
	end.Kind, end.Op, end.Length = keyspace.KeyEnd, keyspace.OpNone, 42
	return append(all, end)
}

func value(v string) keyspace.Event {
	return keyspace.Event{Op: keyspace.OpPut, Value: []byte(v), Expire: keyspace.NoExpire}
}

func pair(f, v string) keyspace.Event {
	e := value(v)
	e.Field = []byte(f)
	return e
}

func scored(v string, score float64) keyspace.Event {
	e := value(v)
	e.Score = score
	return e
}

func field(ms, seq uint64, index int64, f, v string) keyspace.Event {
	e := pair(f, v)
	e.ID, e.Index = keyspace.StreamID{MS: ms, Seq: seq}, index
	return e
}

// parts returns v as an element of several parts.
func parts(e keyspace.Event, v string, size int) (all []keyspace.Event) {
	for part := keyspace.First; len(v) > 0; part = keyspace.Middle {
		n := min(size, len(v))
		if n == len(v) {
			part = keyspace.Last
		}
		e.Part, e.Value = part, []byte(v[:n])
		all = append(all, e)
		v = v[n:]
	}
	return all
}

func with(e keyspace.Event, change func(*keyspace.Event)) keyspace.Event {
	change(&e)
	return e
}

func export(t testing.TB, f Format, events ...keyspace.Event) string {
	t.Helper()
	var b bytes.Buffer
	if err := Run(context.Background(), stream(nil, events...), &b, Options{Format: f}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestJSON(t *testing.T) {
	group := func(k keyspace.Kind, name, consumer string, change func(*keyspace.Event)) keyspace.Event {
		e := keyspace.Event{Kind: k, Field: []byte(name), Expire: keyspace.NoExpire}
		if consumer != "" {
			e.Value = []byte(consumer)
		}
		if change != nil {
			change(&e)
		}
		return e
	}
	id := func(ms uint64) func(*keyspace.Event) {
		return func(e *keyspace.Event) { e.ID, e.Time, e.Index = keyspace.StreamID{MS: ms, Seq: 1}, 1000, 2 }
	}
	update := func(op keyspace.Op, state keyspace.State) func(*keyspace.Event) {
		return func(e *keyspace.Event) { e.Op, e.State = op, state }
	}
	head := func(typ string) string {
		return `{"db":0,"key":"k","type":"` + typ + `","encoding":"raw","state":"live","offset":9,`
	}
	for name, test := range map[string]struct {
		events []keyspace.Event
		want   string
	}{
		"string": {key(keyspace.String, "k", value("v\x1b\"")), head("string") + `"value":"v\u001b\"","length":42}`},
		"all of a key": {keyOf(keyspace.Event{Kind: keyspace.Key, Op: keyspace.OpCreate, DB: 3, Key: []byte("\xff"), Type: keyspace.String, Encoding: keyspace.LZF,
			State: keyspace.Expired, Expire: 12, Idle: 5, Freq: 0, Time: 77}, value("")),
			`{"db":3,"key":{"b64":"/w=="},"type":"string","encoding":"lzf","state":"expired","expire_ms":12,"idle_s":5,"freq":0,"offset":0,"time_ms":77,"value":"","length":42}`},
		"empty key": {keyOf(with(key(keyspace.String, "")[0], func(e *keyspace.Event) { e.Key = nil }), value("v")),
			`{"db":0,"key":"","type":"string","encoding":"raw","state":"live","offset":9,"value":"v","length":42}`},
		"skipped string": {key(keyspace.String, "k"), head("string") + `"value":null,"length":42}`},
		"parts":          {key(keyspace.String, "k", parts(value(""), "Grüße", 3)...), head("string") + `"value":"Grüße","length":42}`},
		"list":           {key(keyspace.List, "k", value("a"), value("\xff"), value("")), head("list") + `"value":["a",{"b64":"/w=="},""],"length":42}`},
		"empty list":     {key(keyspace.List, "k"), head("list") + `"value":[],"length":42}`},
		"zset": {key(keyspace.SortedSet, "k", scored("a", 1), scored("b", math.Inf(-1)), scored("c", 0.1), scored("d", math.Copysign(0, -1)), scored("e", math.NaN())),
			head("zset") + `"value":[["a",1],["b","-inf"],["c",0.1],["d",-0],["e","nan"]],"length":42}`},
		"score behind its member": {key(keyspace.SortedSet, "k", with(scored("ab", 0), func(e *keyspace.Event) { e.Part = keyspace.First }), with(scored("c", 1.5), func(e *keyspace.Event) { e.Part = keyspace.Last })),
			head("zset") + `"value":[["abc",1.5]],"length":42}`},
		"hash":                {key(keyspace.Hash, "k", pair("f", "v"), pair("", "w")), head("hash") + `"value":{"f":"v","":"w"},"length":42}`},
		"hash of bytes":       {key(keyspace.Hash, "k", pair("\xff", "v"), pair("f", "w")), head("hash") + `"value":[[{"b64":"/w=="},"v"],["f","w"]],"length":42}`},
		"hash that turns":     {key(keyspace.Hash, "k", pair("a,", ":x"), pair("b", "y,"), pair("\xff", "v"), pair("f", "w")), head("hash") + `"value":[["a,",":x"],["b","y,"],[{"b64":"/w=="},"v"],["f","w"]],"length":42}`},
		"hash turned by last": {key(keyspace.Hash, "k", pair("a", "x"), pair("\xff", "v")), head("hash") + `"value":[["a","x"],[{"b64":"/w=="},"v"]],"length":42}`},
		"hash that expires": {keyOf(with(key(keyspace.Hash, "k")[0], func(e *keyspace.Event) { e.Encoding = keyspace.ListpackEx }),
			pair("f", "v"), with(pair("g", "w"), func(e *keyspace.Event) { e.Expire, e.State = 99, keyspace.Expired })),
			strings.Replace(head("hash"), `"raw"`, `"listpackex"`, 1) + `"value":[["f","v"],["g","w",99]],"length":42}`},
		"module": {keyOf(with(key(keyspace.Module, "k")[0], func(e *keyspace.Event) { e.Field = []byte("tree-type") }),
			with(value("-12"), func(e *keyspace.Event) { e.Encoding = keyspace.ModuleSigned }), value("text"),
			with(value("+Inf"), func(e *keyspace.Event) { e.Encoding = keyspace.ModuleDouble }), with(value("1e+06"), func(e *keyspace.Event) { e.Encoding = keyspace.ModuleFloat })),
			`{"db":0,"key":"k","type":"module","encoding":"raw","state":"live","module":"tree-type","offset":9,"value":[-12,"text","+Inf",1e+06],"length":42}`},
		"array": {key(keyspace.Array, "k", value("a"), with(value("b"), func(e *keyspace.Event) { e.Index = 7 })), head("array") + `"value":[[0,"a"],[7,"b"]],"length":42}`},
		"stream": {key(keyspace.Stream, "k", field(1, 1, 0, "a", "b"), field(1, 1, 1, "c", "d"), with(field(1, 2, 0, "a", "b"), func(e *keyspace.Event) { e.State = keyspace.Deleted }),
			group(keyspace.StreamMeta, "1-1", "1-2", func(e *keyspace.Event) { e.ID, e.Index, e.Count = keyspace.StreamID{MS: 9}, 1, 2 }),
			group(keyspace.Group, "g", "", id(8)), group(keyspace.Pending, "g", "", id(1)), group(keyspace.Pending, "g", "", id(2)),
			group(keyspace.Consumer, "g", "c", nil), group(keyspace.Consumer, "g", "d", func(e *keyspace.Event) { e.Time, e.Expire = 5, 6 }),
			group(keyspace.Pending, "g", "d", id(1)), group(keyspace.Pending, "g", "d", id(2)), group(keyspace.Group, "h", "", id(0))),
			head("stream") + `"value":{"entries":[{"id":"1-1","fields":[["a","b"],["c","d"]]},{"id":"1-2","state":"deleted","fields":[["a","b"]]}],` +
				`"length":1,"last_id":"9-0","first_id":"1-1","max_deleted_id":"1-2","entries_added":2,"groups":[` +
				`{"name":"g","last_id":"8-1","entries_read":2,"pending":[["1-1",1000,2],["2-1",1000,2]],"consumers":[{"name":"c","pending":[]},{"name":"d","seen_ms":5,"active_ms":6,"pending":["1-1","2-1"]}]},` +
				`{"name":"h","last_id":"0-1","entries_read":2,"pending":[],"consumers":[]}]},"length":42}`},
		"stream cut short": {key(keyspace.Stream, "k", field(1, 1, 0, "a", "b"))[:2], head("stream") + `"value":{"entries":[{"id":"1-1","fields":[["a","b"]]}]},"partial":true}`},
		"damage":           {append(key(keyspace.List, "k", value("a"))[:2], keyspace.Event{Kind: keyspace.Damage}), head("list") + `"value":["a"],"partial":true}`},
		"damage in a string": {append(key(keyspace.String, "k", parts(value(""), "abcdef", 2)...)[:3], keyspace.Event{Kind: keyspace.Torn}),
			head("string") + `"value":"abcd","partial":true}`},
		"states": {keyOf(with(key(keyspace.Hash, "k")[0], update(keyspace.OpUpdate, keyspace.Live)), pair("a", "1"), with(pair("b", "2"), update(keyspace.OpPut, keyspace.Overwritten)), pair("c", "3")),
			`{"db":0,"key":"k","type":"hash","encoding":"raw","state":"live","offset":9,"op":"update","value":{"a":"1"},"part":0}` + "\n" +
				`{"db":0,"key":"k","type":"hash","encoding":"raw","state":"overwritten","offset":9,"op":"update","value":{"b":"2"},"part":1}` + "\n" +
				`{"db":0,"key":"k","type":"hash","encoding":"raw","state":"live","offset":9,"op":"update","value":{"c":"3"},"part":2,"length":42}`},
		"push": {keyOf(with(key(keyspace.List, "k")[0], update(keyspace.OpUpdate, keyspace.Deleted)), with(value("a"), update(keyspace.OpPushHead, keyspace.Deleted))),
			`{"db":0,"key":"k","type":"list","encoding":"raw","state":"deleted","offset":9,"op":"push-head","value":["a"],"length":42}`},
		"mention": {keyOf(with(key(keyspace.TypeNone, "k")[0], func(e *keyspace.Event) { e.Key, e.Op, e.State = nil, keyspace.OpNone, keyspace.Unknown }), with(value("a"), update(keyspace.OpNone, keyspace.Unknown))),
			`{"db":0,"key":null,"type":"none","encoding":"raw","offset":9,"op":"mention","value":["a"],"length":42}`},
		"changes": {[]keyspace.Event{
			{Kind: keyspace.Delete, Op: keyspace.OpDeleteKey, Key: []byte("k"), Record: 1, Time: 5},
			{Kind: keyspace.Delete, Op: keyspace.OpDeleteElement, Key: []byte("k"), Field: []byte("f"), Record: 2},
			{Kind: keyspace.Expire, Key: []byte("k"), Expire: 7, Record: 3},
			{Kind: keyspace.Flush, DB: -1, Record: 4},
			{Kind: keyspace.Rename, Op: keyspace.OpRename, Key: []byte("k"), Value: []byte("l"), Index: 2, Record: 5}},
			`{"db":0,"key":"k","op":"delete-key","offset":1,"time_ms":5}` + "\n" + `{"db":0,"key":"k","op":"delete-element","field":"f","offset":2}` + "\n" +
				`{"db":0,"key":"k","op":"expire","expire_ms":7,"offset":3}` + "\n" + `{"db":-1,"op":"flush","offset":4}` + "\n" +
				`{"db":0,"key":"k","op":"rename","operand":"l","index":2,"offset":5}`},
	} {
		t.Run(name, func(t *testing.T) {
			got := export(t, JSONL, test.events...)
			if got != test.want+"\n" {
				t.Errorf("got\n%swant\n%s", got, test.want)
			}
			for line := range strings.Lines(got) {
				if !json.Valid([]byte(line)) {
					t.Errorf("no JSON: %s", line)
				}
			}
			array := export(t, JSON, test.events...)
			if want := "[\n" + strings.ReplaceAll(test.want, "}\n{", "},\n{") + "\n]\n"; array != want {
				t.Errorf("as an array\n%swant\n%s", array, want)
			}
		})
	}
}

func TestNothing(t *testing.T) {
	for format, want := range map[Format]string{JSONL: "", JSON: "[\n]\n", RESP: ""} {
		if got := export(t, format); got != want {
			t.Errorf("%s: %q", format, got)
		}
	}
}

func TestMatch(t *testing.T) {
	f := Filter{DBs: []int32{0}, Types: []keyspace.Type{keyspace.String}, Expired: ExpiredNone}
	var b bytes.Buffer
	events := append(key(keyspace.List, "no", value("x")), key(keyspace.String, "yes", value("y"))...)
	events = append(events, keyOf(with(key(keyspace.String, "gone")[0], func(e *keyspace.Event) { e.State = keyspace.Expired }), value("z"))...)
	for format, want := range map[Format]string{JSONL: `"yes"`, RESP: "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$3\r\nyes\r\n$1\r\ny\r\n"} {
		b.Reset()
		if err := Run(context.Background(), stream(nil, events...), &b, Options{Format: format, Match: f.Match}); err != nil {
			t.Fatal(err)
		}
		if strings.Count(b.String(), "\"db\"") > 1 || !strings.Contains(b.String(), want) {
			t.Errorf("%s: %s", format, b.String())
		}
	}
}

// joined returns the values of a key's lines, joined, and its number of lines.
func joined(t *testing.T, jsonl string) (values []any, lines int) {
	t.Helper()
	for line := range strings.Lines(jsonl) {
		var o struct {
			Value  any
			Part   *int
			Length *int
		}
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatalf("line %d: %v", lines, err)
		}
		if o.Part == nil || *o.Part != lines {
			t.Fatalf("line %d: part %v", lines, o.Part)
		}
		if lines++; (o.Length != nil) != (lines == strings.Count(jsonl, "\n")) {
			t.Errorf("line %d: length %v", lines-1, o.Length)
		}
		if len(line) > lineSize+1024 {
			t.Errorf("line %d: %d bytes", lines-1, len(line))
		}
		switch v := o.Value.(type) {
		case []any:
			values = append(values, v...)
		case map[string]any:
			if e, ok := v["entries"].([]any); ok {
				values = append(values, e...)
				break
			}
			for f, v := range v {
				values = append(values, []any{f, v})
			}
		}
	}
	return values, lines
}

// TestParts: a long key takes several lines, and nothing is lost between them.
func TestParts(t *testing.T) {
	const n = 12_000
	word := strings.Repeat("x", 250)
	for _, typ := range []keyspace.Type{keyspace.List, keyspace.SortedSet, keyspace.Hash, keyspace.Stream} {
		var elements []keyspace.Event
		for i := range n {
			e := field(uint64(i), 1, 0, fmt.Sprint("f", i), fmt.Sprint(word, i))
			e.Score = float64(i)
			if typ == keyspace.Hash && i == n-2 {
				e.Field = []byte{0xff}
			}
			elements = append(elements, e)
		}
		values, lines := joined(t, export(t, JSONL, key(typ, "k", elements...)...))
		if lines < 3 || len(values) != n {
			t.Errorf("%s: %d values on %d lines", typ, len(values), lines)
		}
		seen := map[string]bool{}
		for _, v := range values {
			seen[fmt.Sprint(v)] = true
		}
		if len(seen) != n {
			t.Errorf("%s: %d values", typ, len(seen))
		}
	}
}

// TestLongString: what is too long to be gathered is written as it comes, in base64.
func TestLongString(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", wholeString/16+20_000) + "\xff"
	encoded := `{"b64":"` + base64.StdEncoding.EncodeToString([]byte(long)) + `"}`
	got := export(t, JSONL, key(keyspace.String, "k", parts(value(""), long, 65536)...)...)
	if want := `"value":` + encoded + `,"length":42}` + "\n"; !strings.HasSuffix(got, want) || strings.Count(got, "\n") != 1 {
		t.Error("a long string differs")
	}
	got = export(t, JSONL, key(keyspace.Hash, "k", append(parts(pair("f", ""), long, 65536), pair("\xff", "v"))...)...)
	if !strings.Contains(got, `"value":{"f":`+encoded+`},"part":0}`+"\n") || !strings.Contains(got, `"value":[[{"b64":"/w=="},"v"]],"part":1,"length":42}`) {
		t.Error("a hash with a long string differs")
	}
	cut := key(keyspace.List, "k", parts(value(""), long, 65536)...)
	got = export(t, JSONL, append(cut[:len(cut)-2], keyspace.Event{Kind: keyspace.Damage})...)
	if !strings.HasSuffix(got, `"}],"partial":true}`+"\n") || !json.Valid([]byte(got)) {
		t.Errorf("a damaged list with a long string: …%s", got[len(got)-40:])
	}
}

func TestErrors(t *testing.T) {
	bad := errors.New("bad")
	var b bytes.Buffer
	events := key(keyspace.List, "k", value("a"))[:2]
	if err := Run(context.Background(), stream(bad, events...), &b, Options{}); !errors.Is(err, bad) || !strings.HasSuffix(b.String(), `"value":["a"],"partial":true}`+"\n") {
		t.Errorf("%v, %s", err, b.String())
	}
	r, w := io.Pipe()
	_ = r.CloseWithError(bad)
	many := []keyspace.Event{{Kind: keyspace.Header, Value: []byte("REDIS"), Index: 11}}
	for range 200 {
		many = append(many, key(keyspace.String, "k", value(strings.Repeat("x", 10_000)))...)
	}
	for f := range formats {
		if err := Run(context.Background(), stream(nil, many...), w, Options{Format: f}); !errors.Is(err, bad) {
			t.Errorf("%s: %v", f, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	endless := func(yield func(*keyspace.Event, error) bool) {
		for yield(&keyspace.Event{Kind: keyspace.Aux}, nil) {
		}
	}
	if err := Run(ctx, endless, io.Discard, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled export: %v", err)
	}
	for name, events := range map[string][]keyspace.Event{
		"module":   key(keyspace.Module, "k", value("x")),
		"filtered": {{Kind: keyspace.Header, Value: []byte("RESP")}, {Kind: keyspace.Command, Args: [][]byte{[]byte("PING")}, Index: 1}},
	} {
		err := Run(context.Background(), stream(nil, events...), io.Discard, Options{Format: RESP, Match: new(Filter).Match})
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestAppendBytes(t *testing.T) {
	for in, want := range map[string]string{
		"":                         `""`,
		"plain text of some words": `"plain text of some words"`,
		"\"\\\b\f\n\r\t\x00\x1f/":  `"\"\\\b\f\n\r\t\u0000\u001f/"`,
		"12345678\x7f2345678\"":    `"12345678\u007f2345678\""`,
		"\u0085\u009b\u00a0é世😀":    `"\u0085\u009b` + "\u00a0é世😀" + `"`,
		"a\u2028b\u202ec\u200f":    `"a\u2028b\u202ec\u200f"`,
		"1234567\xff":              `{"b64":"MTIzNDU2N/8="}`,
		"\xed\xa0\x80":             `{"b64":"7aCA"}`,
		"\ufffd":                   `"` + "\ufffd" + `"`,
		"<script>&":                `"<script>&"`,
	} {
		if got := string(appendBytes([]byte("x"), []byte(in))); got != "x"+want {
			t.Errorf("%q: %s, want %s", in, got[1:], want)
		}
	}
}

func FuzzAppendBytes(f *testing.F) {
	for _, s := range []string{"", "text", "\"\\\n\x1b[31m", "\xff\xfe", "é\u202e😀\u0085", strings.Repeat("0123456\"", 9)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		got := appendBytes(nil, p)
		for i, c := range got {
			if c < 0x20 || c == 0x7f {
				t.Fatalf("a control at %d", i)
			}
		}
		if utf8.Valid(p) {
			var s string
			if err := json.Unmarshal(got, &s); err != nil || s != string(p) {
				t.Fatalf("%q came back as %q, %v", p, s, err)
			}
			return
		}
		var b struct{ B64 []byte }
		if err := json.Unmarshal(got, &b); err != nil || !bytes.Equal(b.B64, p) {
			t.Fatalf("%q came back as %q, %v", p, b.B64, err)
		}
	})
}

// TestAllocations: no element costs one.
func TestAllocations(t *testing.T) {
	for f := range formats {
		for _, typ := range []keyspace.Type{keyspace.String, keyspace.List, keyspace.SortedSet, keyspace.Hash, keyspace.Stream} {
			events := key(typ, "k", field(1, 1, 0, "f", "v"))
			for i := range 100 {
				events = append(events[:len(events)-1], with(field(uint64(i+2), 1, 0, "field", "a value of some bytes"), func(e *keyspace.Event) {
					e.Kind, e.Type, e.State, e.Score = keyspace.Element, typ, keyspace.Live, 1.5
				}), events[len(events)-1])
			}
			out := newOutput(io.Discard)
			var x writer = newJSONWriter(out, Options{Format: f})
			if f == RESP {
				x = newRESPWriter(out, Options{Format: f})
			}
			n := testing.AllocsPerRun(200, func() {
				for i := range events {
					if err := x.event(&events[i]); err != nil {
						t.Fatal(err)
					}
				}
			})
			if err := errors.Join(x.close(), out.close()); err != nil {
				t.Fatal(err)
			}
			if n > 1 {
				t.Errorf("%s of a %s: %v allocations for 100 elements", f, typ, n)
			}
		}
	}
}

// A value that no command builds is left out where the caller takes that, with its
// reason, and the keys around it are written.
func TestRESPRefused(t *testing.T) {
	seq := func(yield func(*keyspace.Event, error) bool) {
		for _, e := range []*keyspace.Event{
			{Kind: keyspace.Key, Op: keyspace.OpCreate, Key: []byte("a"), Type: keyspace.String, Expire: keyspace.NoExpire},
			{Kind: keyspace.Element, Op: keyspace.OpPut, Key: []byte("a"), Value: []byte("1"), Type: keyspace.String, Expire: keyspace.NoExpire},
			{Kind: keyspace.KeyEnd, Key: []byte("a"), Type: keyspace.String},
			{Kind: keyspace.Key, Op: keyspace.OpCreate, Key: []byte("v"), Type: keyspace.VectorSet, Expire: 5000},
			{Kind: keyspace.Element, Op: keyspace.OpPut, Key: []byte("v"), Value: []byte("member"), Type: keyspace.VectorSet},
			{Kind: keyspace.KeyEnd, Key: []byte("v"), Type: keyspace.VectorSet},
		} {
			if !yield(e, nil) {
				return
			}
		}
	}
	var out bytes.Buffer
	var refused []error
	if err := Run(t.Context(), seq, &out, Options{Format: RESP, Refused: func(err error) { refused = append(refused, err) }}); err != nil {
		t.Fatal(err)
	}
	if len(refused) != 1 || !errors.Is(refused[0], keyspace.ErrUnsupported) {
		t.Errorf("refused: %v", refused)
	}
	if s := out.String(); !strings.Contains(s, "$1\r\na\r\n$1\r\n1\r\n") || strings.Contains(s, "$1\r\nv\r\n") {
		t.Errorf("%q", s)
	}
	if err := Run(t.Context(), seq, io.Discard, Options{Format: RESP}); !errors.Is(err, keyspace.ErrUnsupported) {
		t.Errorf("without Refused: %v", err)
	}
}
