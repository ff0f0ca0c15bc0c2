package rdbwrite_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/fixtures"
	"github.com/valkeyfs/valkeyfs/internal/rdbwrite"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

const dumps = "../../testdata/dumps"

// rewrite builds every record of a snapshot anew from its events.
func rewrite(t testing.TB, snapshot []byte, o rdbwrite.Options) []byte {
	t.Helper()
	var out bytes.Buffer
	var w *rdbwrite.Writer
	for e, err := range rdb.NewReader(bytes.NewReader(snapshot), rdb.Options{}).Events(context.Background()) {
		if err == nil {
			switch e.Kind {
			case keyspace.Header:
				w, err = rdbwrite.New(&out, rdbwrite.Version{Magic: string(e.Value), Number: int(e.Index)}, o)
			case keyspace.Aux:
				err = w.Aux(e.Key, e.Value)
			case keyspace.Function:
				err = w.Function(e.Value)
			case keyspace.End:
				err = w.Close()
			default:
				err = w.Event(e)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if int64(out.Len()) != w.Len() {
		t.Fatalf("%d bytes, and Len says %d", out.Len(), w.Len())
	}
	return out.Bytes()
}

// content is what a snapshot holds, one line an element, without what depends on
// how it is encoded.
func content(t testing.TB, snapshot []byte) []string {
	t.Helper()
	var lines []string
	var long []byte
	for e, err := range rdb.NewReader(bytes.NewReader(snapshot), rdb.Options{}).Events(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		line := ""
		switch e.Kind {
		case keyspace.Header, keyspace.Aux, keyspace.Function:
			line = fmt.Sprintf("%q %q %d", e.Key, e.Value, e.Index)
		case keyspace.Key:
			line = fmt.Sprintf("%d %q %s %q %d %d %d %d", e.DB, e.Key, e.Type, e.Field, e.Index, e.Expire, e.Idle, e.Freq)
		case keyspace.Element:
			if e.State == keyspace.Deleted {
				continue
			}
			long = append(long, e.Value...)
			if !e.Part.Ends() {
				continue
			}
			line = fmt.Sprintf("%d %q %q %q %d %x %v %d %s", e.DB, e.Key, e.Field, long, e.Index, math.Float64bits(e.Score), e.ID, e.Expire, kindOf(e))
			if e.Type == keyspace.Set {
				line = fmt.Sprintf("%d %q %q", e.DB, e.Key, long)
			}
			long = long[:0]
		case keyspace.StreamMeta:
			line = fmt.Sprintf("%v %d %d %q %q", e.ID, e.Index, e.Count, e.Field, e.Value)
		case keyspace.Group, keyspace.Consumer, keyspace.Pending:
			line = fmt.Sprintf("%q %q %v %d %d %d", e.Field, e.Value, e.ID, e.Index, e.Time, e.Expire)
		case keyspace.End:
			line = keyspace.Checksum(e.Index).String()
		default:
			continue
		}
		lines = append(lines, e.Kind.String()+" "+line)
	}
	slices.Sort(lines) // integers of a set are written in their own order
	return lines
}

// kindOf is what a module's value is: the encoding of other elements may change.
func kindOf(e *keyspace.Event) string {
	switch e.Encoding {
	case keyspace.ModuleSigned, keyspace.ModuleUnsigned, keyspace.ModuleFloat, keyspace.ModuleDouble:
		return e.Encoding.String()
	}
	return ""
}

func snapshots(t testing.TB) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dumps, "*.rdb"))
	if err != nil || len(names) == 0 {
		t.Fatal("no snapshots", err)
	}
	return names
}

// TestRewrite: a snapshot whose records are all built anew holds the same.
func TestRewrite(t *testing.T) {
	for _, name := range snapshots(t) {
		for memory, o := range map[string]rdbwrite.Options{"held": {}, "spilled": {MaxMem: 1, Tmp: t.TempDir()}} {
			t.Run(filepath.Base(name)+"/"+memory, func(t *testing.T) {
				old, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				want, got := content(t, old), content(t, rewrite(t, old, o))
				for i := range max(len(want), len(got)) {
					switch {
					case i >= len(want):
						t.Fatalf("too much: %.200s", got[i])
					case i >= len(got):
						t.Fatalf("missing: %.200s", want[i])
					case want[i] != got[i]:
						t.Fatalf("%.300s\nwant\n%.300s", got[i], want[i])
					}
				}
			})
		}
	}
}

// lengths are those at which encodings change how they hold a length.
var lengths = []int{0, 1, 63, 64, 127, 128, 250, 253, 254, 255, 4095, 4096, 16383, 16384, 20000, 40000, 65535, 65536}

// TestLengths: strings of all lengths are read back as they were.
func TestLengths(t *testing.T) {
	for _, typ := range []keyspace.Type{keyspace.List, keyspace.Set, keyspace.SortedSet, keyspace.Hash} {
		var out bytes.Buffer
		w, err := rdbwrite.New(&out, rdbwrite.Version{Magic: "REDIS", Number: 11}, rdbwrite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, n := range lengths {
			long := strings.Repeat("v", n)
			want = append(want, "first", long, "last")
			key := keyspace.Event{Kind: keyspace.Key, Type: typ, Key: fmt.Append(nil, n), Expire: keyspace.NoExpire, Idle: -1, Freq: -1}
			events := []keyspace.Event{key}
			for i, v := range []string{"first", long, "last"} {
				events = append(events, keyspace.Event{Kind: keyspace.Element, Type: typ, Key: key.Key, Field: fmt.Append(nil, i), Value: []byte(v), Index: int64(i), Expire: keyspace.NoExpire})
			}
			events = append(events, keyspace.Event{Kind: keyspace.KeyEnd, Type: typ, Key: key.Key})
			for i := range events {
				if err := w.Event(&events[i]); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		var got []string
		long := ""
		for e, err := range rdb.NewReader(bytes.NewReader(out.Bytes()), rdb.Options{}).Events(context.Background()) {
			if err != nil {
				t.Fatalf("%s: %v", typ, err)
			}
			if e.Kind == keyspace.Element {
				if long += string(e.Value); e.Part.Ends() {
					got, long = append(got, long), ""
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %d strings, or others, want %d", typ, len(got), len(want))
		}
	}
}

// TestServersLoad: a server takes a snapshot whose records are all built anew for
// what it had saved.
func TestServersLoad(t *testing.T) {
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		writer := s.Start(t, "")
		fixtures.Fill(t, writer, true)
		for _, n := range lengths {
			long := strings.Repeat("v", n)
			writer.Must(t, "RPUSH", fmt.Sprint("lengths:list:", n), "1", long, "b", long, "-7")
			writer.Must(t, "SADD", fmt.Sprint("lengths:set:", n), "1", long)
			writer.Must(t, "ZADD", fmt.Sprint("lengths:zset:", n), "1", long, "2", "b")
			writer.Must(t, "HSET", fmt.Sprint("lengths:hash:", n), long, "1", "b", long)
		}
		writer.Must(t, "SAVE")
		writer.Stop(t)
		old, err := os.ReadFile(filepath.Join(writer.Dir, "dump.rdb"))
		if err != nil {
			t.Fatal(err)
		}
		load := func(snapshot []byte) *servertest.Instance {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "dump.rdb"), snapshot, 0o600); err != nil {
				t.Fatal(err)
			}
			return s.Start(t, dir)
		}
		want, got := load(old), load(rewrite(t, old, rdbwrite.Options{}))
		if w, g := want.Digest(t), got.Digest(t); w != g {
			t.Errorf("digest %s, want %s", g, w)
		}
		for _, stream := range []string{"stream:large", "stream:deleted", "stream:empty", "stream:emptied"} {
			ask := []string{"XINFO", "STREAM", stream, "FULL", "COUNT", "0"}
			if w, g := less(want.Must(t, ask...)), less(got.Must(t, ask...)); w != g {
				t.Errorf("%s:\n%s\nwant\n%s", stream, g, w)
			}
		}
	})
}

// less drops what depends on how a stream is divided into nodes.
func less(reply any) string {
	text := fmt.Sprint(reply)
	for _, what := range []string{"radix-tree-keys ", "radix-tree-nodes "} {
		if head, rest, ok := strings.Cut(text, what); ok {
			_, tail, _ := strings.Cut(rest, " ")
			text = head + tail
		}
	}
	return text
}

// TestRaw: records that are copied make the same file.
func TestRaw(t *testing.T) {
	for _, name := range snapshots(t) {
		old, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var v rdbwrite.Version
		var end int64
		for e, err := range rdb.NewReader(bytes.NewReader(old), rdb.Options{}).Events(context.Background()) {
			if err != nil {
				t.Fatal(err)
			}
			switch e.Kind {
			case keyspace.Header:
				v = rdbwrite.Version{Magic: string(e.Value), Number: int(e.Index)}
			case keyspace.End:
				end = e.Record
			}
		}
		var out bytes.Buffer
		w, err := rdbwrite.New(&out, v, rdbwrite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Raw(bytes.NewReader(old[9:]), end-9); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil || !bytes.Equal(out.Bytes(), old) {
			t.Errorf("%s: %v, or other bytes", name, err)
		}
		if err := w.Raw(bytes.NewReader(nil), 1); err == nil {
			t.Error("bytes that are not there were copied")
		}
	}
}

// TestVersions: what a version does not know is refused, and only that.
func TestVersions(t *testing.T) {
	key := func(typ keyspace.Type, enc keyspace.Encoding) *keyspace.Event {
		return &keyspace.Event{Kind: keyspace.Key, Type: typ, Encoding: enc, Key: []byte("k"), Expire: keyspace.NoExpire, Idle: -1, Freq: -1}
	}
	for _, c := range []struct {
		v    rdbwrite.Version
		key  *keyspace.Event
		fits bool
	}{
		{rdbwrite.Version{Magic: "REDIS", Number: 8}, key(keyspace.Stream, keyspace.Radix), false},
		{rdbwrite.Version{Magic: "REDIS", Number: 9}, key(keyspace.Stream, keyspace.Radix), true},
		{rdbwrite.Version{Magic: "REDIS", Number: 11}, key(keyspace.Hash, keyspace.HashtableEx), false},
		{rdbwrite.Version{Magic: "REDIS", Number: 12}, key(keyspace.Hash, keyspace.HashtableEx), true},
		{rdbwrite.Version{Magic: "VALKEY", Number: 80}, key(keyspace.Hash, keyspace.ListpackEx), true},
		{rdbwrite.Version{Magic: "REDIS", Number: 7}, key(keyspace.Module, keyspace.ModuleValue), false},
		{rdbwrite.Version{Magic: "REDIS", Number: 14}, key(keyspace.Array, keyspace.Sparse), false},
	} {
		w, err := rdbwrite.New(&bytes.Buffer{}, c.v, rdbwrite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Event(c.key); (err == nil) != c.fits || err != nil && !keyspace.Incomplete(err) {
			t.Errorf("%v, %s: %v", c.v, c.key.Type, err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, v := range []rdbwrite.Version{{"REDIS", 0}, {"REDIS", 16}, {"VALKEY", 79}, {"VALKEY", 82}, {"redis", 11}} {
		if _, err := rdbwrite.New(&bytes.Buffer{}, v, rdbwrite.Options{}); err == nil {
			t.Errorf("%v was taken", v)
		}
	}
}

// TestOldScores: before version 8, scores are text.
func TestOldScores(t *testing.T) {
	var out bytes.Buffer
	w, err := rdbwrite.New(&out, rdbwrite.Version{Magic: "REDIS", Number: 6}, rdbwrite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	scores := []float64{0, -0.5, 1e300, math.Inf(1), math.Inf(-1), 0.1}
	e := &keyspace.Event{Kind: keyspace.Key, Type: keyspace.SortedSet, Key: []byte("z"), Expire: 7, Idle: -1, Freq: -1}
	err = w.Event(e)
	for i, s := range scores {
		e.Kind, e.Score, e.Value = keyspace.Element, s, strconv.AppendInt(nil, int64(i), 10)
		if err == nil {
			err = w.Event(e)
		}
	}
	if err == nil {
		err = w.End()
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	var got []float64
	for e, err := range rdb.NewReader(&out, rdb.Options{}).Events(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind == keyspace.Element {
			got = append(got, e.Score)
		}
	}
	if !slices.Equal(got, scores) {
		t.Errorf("%v, want %v", got, scores)
	}
}

// TestPartial: a key that was read in part is written as far as it came, or dropped.
func TestPartial(t *testing.T) {
	var out bytes.Buffer
	w, err := rdbwrite.New(&out, rdbwrite.Version{Magic: "REDIS", Number: 11}, rdbwrite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	begin := func(name string) {
		for _, e := range []*keyspace.Event{
			{Kind: keyspace.Key, Type: keyspace.List, Key: []byte(name), Expire: keyspace.NoExpire, Idle: -1, Freq: -1},
			{Kind: keyspace.Element, Value: []byte("a")},
			{Kind: keyspace.Element, Part: keyspace.First, Value: []byte("half of b")},
		} {
			if err := w.Event(e); err != nil {
				t.Fatal(err)
			}
		}
	}
	begin("dropped")
	w.Drop()
	if err := w.End(); err != nil {
		t.Fatal(err)
	}
	begin("kept")
	if err := w.End(); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	text := strings.Join(content(t, out.Bytes()), "\n")
	if strings.Contains(text, "dropped") || !strings.Contains(text, `"kept" "" "a" 0`) || strings.Contains(text, "half") {
		t.Error(text)
	}
}

// FuzzRewrite: whatever can be read is written so that it reads the same.
func FuzzRewrite(f *testing.F) {
	for _, name := range snapshots(f) {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if len(data) < 64<<10 {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var out bytes.Buffer
		w, err := rdbwrite.New(&out, rdbwrite.Version{Magic: "VALKEY", Number: 80}, rdbwrite.Options{MaxMem: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		keys := 0
		for e, err := range rdb.NewReader(bytes.NewReader(data), rdb.Options{Resync: true, Size: int64(len(data))}).Events(context.Background()) {
			if err != nil {
				break
			}
			if e.Kind == keyspace.Damage {
				w.Drop()
				continue
			}
			before := w.Len()
			if err := w.Event(e); err != nil && !keyspace.Incomplete(err) {
				t.Fatal(err)
			}
			if w.Len() > before && e.Kind == keyspace.KeyEnd {
				keys++
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		for e, err := range rdb.NewReader(&out, rdb.Options{}).Events(context.Background()) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind == keyspace.Key {
				keys--
			}
		}
		if keys != 0 {
			t.Fatalf("%d keys too few", keys)
		}
	})
}

// TestSelect: a database is selected before its first record, with its size, and once.
func TestSelect(t *testing.T) {
	raw := func(key byte) []byte { return []byte{0, 1, key, 1, 'v'} }
	var out bytes.Buffer
	w, err := rdbwrite.New(&out, rdbwrite.Version{Magic: "REDIS", Number: 11}, rdbwrite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	head := out.Len()
	put := func(key byte) error { return w.Raw(bytes.NewReader(raw(key)), 5) }
	event := func(kind keyspace.Kind, key string) error {
		return w.Event(&keyspace.Event{Kind: kind, DB: 9, Type: keyspace.String, Key: []byte(key), Value: []byte("v"), Expire: keyspace.NoExpire, Idle: -1, Freq: -1})
	}
	for i, err := range []error{
		w.Select(27), w.Resize(5, 1), w.Raw(nil, 0), // none follows
		w.Select(3), w.Resize(2, 1), put('a'), w.Resize(8, 8), put('b'),
		w.Select(28), w.Resize(5, 1), w.Select(3), w.Resize(2, 1), put('c'),
		event(keyspace.Key, "d"), event(keyspace.Element, "d"), event(keyspace.KeyEnd, "d"),
		w.Select(29), w.Resize(5, 1),
	} {
		if err != nil {
			t.Fatal(i, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	want := slices.Concat([]byte{0xfe, 3, 0xfb, 2, 1}, raw('a'), raw('b'), raw('c'), []byte{0xfe, 9}, raw('d'), []byte{0xff})
	if got := out.Bytes()[head : out.Len()-8]; !bytes.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
	if n := w.Len(); n != int64(out.Len()) {
		t.Errorf("%d bytes, not %d", out.Len(), n)
	}
	if n := w.Databases(); n != 10 {
		t.Errorf("%d databases", n)
	}
}
