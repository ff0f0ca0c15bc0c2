package salvage

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/rdbwrite"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

const dumps = "../../testdata/dumps"

func dump(t testing.TB, name string) []byte {
	t.Helper()
	p, err := os.ReadFile(filepath.Join(dumps, name))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func strict(t testing.TB, p []byte) (keys int) {
	t.Helper()
	for e, err := range rdb.NewReader(bytes.NewReader(p), rdb.Options{}).Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind == keyspace.KeyEnd {
			keys++
		}
	}
	return keys
}

// TestIntactIsCopied: the clean file of a sound one is the same.
func TestIntactIsCopied(t *testing.T) {
	names, err := filepath.Glob(filepath.Join(dumps, "*.rdb"))
	if err != nil || len(names) == 0 {
		t.Fatal("no snapshots", err)
	}
	for _, name := range names {
		p := dump(t, filepath.Base(name))
		var out bytes.Buffer
		m, c, err := Run(t.Context(), memory{p: p}, Options{Clean: &out, Tmp: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if !m.Intact() || m.Keys.Unverified+m.Keys.Partial > 0 || m.Keys.Intact == 0 || c.Bytes != int64(len(p)) || !bytes.Equal(out.Bytes(), p) {
			t.Errorf("%s: %+v, %+v", name, m, c)
		}
	}
}

// shrunk is a file of which the last byte is gone when it is opened to be copied.
type shrunk struct{ memory }

func (s shrunk) Logical() (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(s.p[:len(s.p)-1])), nil
}

// TestShrunk: what was cut while it was read is not taken for a clean file.
func TestShrunk(t *testing.T) {
	names, err := filepath.Glob(filepath.Join(dumps, "*.rdb"))
	if err != nil || len(names) == 0 {
		t.Fatal("no snapshots", err)
	}
	log := []byte("*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n")
	for _, m := range []memory{{p: dump(t, filepath.Base(names[0]))}, {p: log, log: true}} {
		if _, c, err := Run(t.Context(), shrunk{m}, Options{Clean: io.Discard, Tmp: t.TempDir()}); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%+v, %v", c, err)
		}
	}
}

// TestTwice: of a key that comes twice a clean file has the first record that is whole.
func TestTwice(t *testing.T) {
	record := func(key, value string) string {
		return "\x00" + string(rune(len(key))) + key + string(rune(len(value))) + value
	}
	body := "REDIS0011\xfe\x00" + record("other:0", "x") + record("key:1", "first") + record("other:1", "y") + record("key:1", "second") + record("other:2", "z") + "\xff"
	for name, sum := range map[string][]byte{
		"fails": {1, 2, 3, 4, 5, 6, 7, 8},
		"holds": binary.LittleEndian.AppendUint64(nil, rdb.Checksum(0, []byte(body))),
	} {
		var out bytes.Buffer
		_, c, err := Run(t.Context(), memory{p: append([]byte(body), sum...)}, Options{Clean: &out, Tmp: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if keys := strict(t, out.Bytes()); keys != 4 || c.Twice != 1 || !strings.Contains(out.String(), "first") || strings.Contains(out.String(), "second") {
			t.Errorf("the checksum %s: %d keys, %+v", name, keys, c)
		}
	}
}

// TestNameSet: a name that comes twice is never missed, and none is made up.
func TestNameSet(t *testing.T) {
	s := newNameSet(1 << 20)
	for i := range 50_000 {
		s.add(s.hash(int32(i%3), []byte(strconv.Itoa(i))))
	}
	if s.again() {
		t.Error("no name came twice")
	}
	s.add(s.hash(7%3, []byte("7")))
	if !s.again() {
		t.Error("a name came twice")
	}
	small := newNameSet(1000)
	for i := range 101 {
		if small.again() {
			t.Errorf("again with %d names", i)
		}
		small.add(small.hash(0, []byte(strconv.Itoa(i))))
	}
	if !small.again() {
		t.Error("more names than there is room for were told apart")
	}
}

// TestRecent: what is kept back stays bounded, also where what damage took back was come
// upon again.
func TestRecent(t *testing.T) {
	s := &survey{m: &Map{}, counts: map[typeKey]uint64{}}
	s.begin(&Part{})
	s.recent = make([]record, recentMax-1)
	s.limbo = limbo{records: make([]record, 100), next: 0}
	s.rejoin(&keyspace.Event{Kind: keyspace.Key, Record: 1})
	if len(s.recent) <= recentMax {
		t.Fatalf("%d records were come upon again", len(s.recent))
	}
	for i := range 3 * recentMax {
		s.open = record{span: span{int64(i), int64(i) + 1}}
		if err := s.keyEnd(); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.recent) > recentMax {
		t.Errorf("%d records are kept back", len(s.recent))
	}
	s.limbo = limbo{records: make([]record, 100), cuts: make([]cut, 100), next: 0}
	if s.begin(&Part{}); !s.limbo.empty() {
		t.Error("what damage took back is come upon again in another part")
	}
	s.counts = map[typeKey]uint64{}
	most := 0
	err := s.follow(t.Context(), synthetic{events: func(yield func(*keyspace.Event, error) bool) {
		plainKeys(3 * recentMax)(func(e *keyspace.Event, err error) bool {
			most = max(most, len(s.recent))
			return yield(e, err)
		})
	}})
	if err != nil || most != recentMax {
		t.Errorf("%d records are kept back, %v", most, err)
	}
}

// TestFalseEnd: a key whose value claims less than its length is partial: what
// stands behind it begins no record. The others are whole.
func TestFalseEnd(t *testing.T) {
	record := func(key, value string) string {
		return "\x00" + string(rune(len(key))) + key + string(rune(len(value))) + value
	}
	body := "REDIS0011\xfe\x00"
	for i := range 20 {
		r := []byte(record("key:"+string(rune('a'+i)), "a value of some length"))
		if i == 10 {
			r[7] = 9
		}
		body += string(r)
	}
	p := append([]byte(body), "\xff\x00\x00\x00\x00\x00\x00\x00\x00"...)
	var out bytes.Buffer
	m, c, err := Run(t.Context(), memory{p: p}, Options{Clean: &out, Tmp: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if want := (Counts{Unverified: 19, Partial: 1}); m.Keys != want || m.Damages != 1 {
		t.Errorf("%+v, %d damages", m.Keys, m.Damages)
	}
	if keys := strict(t, out.Bytes()); keys != 20 || c.Rebuilt != 1 {
		t.Errorf("the clean file has %d keys, %+v", keys, c)
	}
}

// TestNotVouched: what nothing vouched for is not intact in the clean file either, nor
// in one made of that.
func TestNotVouched(t *testing.T) {
	for _, version := range []string{"REDIS0006", "REDIS0011", "VALKEY080"} {
		p := []byte(version + "\xfe\x00" + "\x00\x06key:00\x07a value" + "\x00\x06key:01\x07b value\xff")
		p = append(p, 1, 2, 3, 4, 5, 6, 7, 8)
		for range 2 {
			var out bytes.Buffer
			m, _, err := Run(t.Context(), memory{p: p}, Options{Clean: &out, Tmp: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			if want := (Counts{Unverified: 2}); m.Keys != want {
				t.Errorf("%s: %+v", version, m.Keys)
			}
			p = out.Bytes()
		}
		var lines bytes.Buffer
		m, _, err := Run(t.Context(), memory{p: p}, Options{JSONL: &lines})
		if err != nil {
			t.Fatal(err)
		}
		if want := (Counts{Unverified: 2}); m.Keys != want || !m.Intact() || strings.Contains(lines.String(), `"confidence":"intact"`) {
			t.Errorf("%s, the clean file: %+v, %s", version, m.Keys, lines.String())
		}
		p[len(p)-20] ^= 1 // in a value
		if m, _, err = Run(t.Context(), memory{p: p}, Options{}); err != nil || m.Intact() != (version == "REDIS0006") {
			t.Errorf("%s: the clean file has no checksum: %v", version, err)
		}
	}
}

// TestRefused: members that come twice and scores that are no numbers, for which a
// server would refuse the file, are left out of their collection, and collections
// that are empty altogether.
func TestRefused(t *testing.T) {
	nan := "\x00\x00\x00\x00\x00\x00\xf8\x7f"
	body := "REDIS0011\xfe\x00" + "\x02\x05set:1\x03\x01a\x01b\x01a" + "\x05\x06zset:1\x02\x01m" + nan + "\x01n\x00\x00\x00\x00\x00\x00\xf0\x3f" +
		"\x04\x06hash:1\x02\x01f\x011\x01f\x012" + "\x0b\x05set:2\x08\x02\x00\x00\x00\x00\x00\x00\x00" + "\xff"
	p := append([]byte(body), 1, 2, 3, 4, 5, 6, 7, 8)
	var out bytes.Buffer
	_, c, err := Run(t.Context(), memory{p: p}, Options{Clean: &out, Tmp: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	elements := 0
	for e, err := range rdb.NewReader(bytes.NewReader(out.Bytes()), rdb.Options{}).Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind == keyspace.Element {
			elements++
		}
	}
	if elements != 4 || c.Rebuilt != 3 || c.Left != 1 {
		t.Errorf("%d elements, %+v", elements, c)
	}
}

// TestUnsound: an intset out of order, and streams that contradict themselves, for which Valkey 9.1 refuses the file, are encoded anew; what is
// sound is copied.
func TestUnsound(t *testing.T) {
	var p bytes.Buffer
	w, err := rdbwrite.New(&p, rdbwrite.Version{Magic: "REDIS", Number: 11}, rdbwrite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	id := keyspace.StreamID{MS: 1, Seq: 1}
	stream := func(name string, events ...keyspace.Event) {
		for _, e := range slices.Concat([]keyspace.Event{{Kind: keyspace.Key}, {Kind: keyspace.Element, ID: id, Field: []byte("f"), Value: []byte("v")}},
			[]keyspace.Event{{Kind: keyspace.StreamMeta, ID: id, Index: 1, Count: 1, Field: []byte("1-1"), Value: []byte("0-0")}}, events, []keyspace.Event{{Kind: keyspace.KeyEnd}}) {
			e.Key, e.Type, e.Expire, e.Idle, e.Freq = []byte(name), keyspace.Stream, keyspace.NoExpire, -1, -1
			if err := w.Event(&e); err != nil {
				t.Fatal(err)
			}
		}
	}
	group := keyspace.Event{Kind: keyspace.Group, Field: []byte("g")}
	listed := keyspace.Event{Kind: keyspace.Pending, Field: []byte("g"), ID: id}
	consumer := keyspace.Event{Kind: keyspace.Consumer, Field: []byte("g"), Value: []byte("c")}
	owned := keyspace.Event{Kind: keyspace.Pending, Field: []byte("g"), ID: id, Value: []byte("c")}
	stream("sound", group, listed, consumer, owned)
	stream("without consumer", group, listed, consumer)
	stream("without list", group, consumer, owned)
	stream("consumer twice", group, listed, consumer, owned, consumer)
	stream("group twice", group, group)
	stream("shorter than it says")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	sets := "\x0b\x07ordered\x0c\x02\x00\x00\x00\x02\x00\x00\x00\xff\xff\x01\x00" + "\x0b\x03not\x0c\x02\x00\x00\x00\x02\x00\x00\x00\x01\x00\xff\xff"
	snapshot := p.Bytes()[:p.Len()-9]
	snapshot[len(snapshot)-9] = 2 // the length, the first of the nine numbers that end the last
	body := string(snapshot) + sets + "\xff\x00\x00\x00\x00\x00\x00\x00\x00"
	var out bytes.Buffer
	_, c, err := Run(t.Context(), memory{p: []byte(body)}, Options{Clean: &out, Tmp: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for e, err := range rdb.NewReader(bytes.NewReader(out.Bytes()), rdb.Options{}).Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		switch e.Kind {
		case keyspace.Key:
			got = append(got, string(e.Key)+":")
		case keyspace.Element, keyspace.Group, keyspace.Consumer, keyspace.Pending:
			got[len(got)-1] += fmt.Sprintf(" %s%s%s", e.Kind, e.Field, e.Value)
		}
	}
	want := []string{"sound: elementfv groupg pendingg consumergc pendinggc", "without consumer: elementfv groupg consumergc", "without list: elementfv groupg consumergc",
		"consumer twice: elementfv groupg consumergc", "group twice: elementfv groupg", "shorter than it says: elementfv", "ordered: element-1 element1", "not: element1 element-1"}
	if !slices.Equal(got, want) || c.Rebuilt != 6 {
		t.Errorf("%d rebuilt\n%s\nwant 6\n%s", c.Rebuilt, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestFieldsOutOfOrder: fields that expire are encoded anew where they are not in the order
// of their expiries, for which redis-check-rdb refuses the file.
func TestFieldsOutOfOrder(t *testing.T) {
	p := dump(t, "redis-8.rdb")
	expiries := map[int64]int64{} // where values end, before the expiry
	for e, err := range rdb.NewReader(bytes.NewReader(p), rdb.Options{}).Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind == keyspace.Element && string(e.Key) == "hash:expiring" && e.Expire != keyspace.NoExpire {
			expiries[e.Expire] = e.Pos.Offset + e.Length
		}
	}
	last := slices.Max(slices.Collect(maps.Keys(expiries)))
	i := bytes.Index(p[expiries[last]:], binary.LittleEndian.AppendUint64(nil, uint64(last))) + int(expiries[last])
	for _, c := range []struct {
		expire  int64
		rebuilt uint64
	}{{last + 1, 0}, {1_000_000_000_000, 1}} {
		binary.LittleEndian.PutUint64(p[i:], uint64(c.expire))
		var out bytes.Buffer
		_, cleaned, err := Run(t.Context(), memory{p: p}, Options{Clean: &out, Tmp: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if cleaned.Rebuilt != c.rebuilt || strict(t, out.Bytes()) != strict(t, dump(t, "redis-8.rdb")) {
			t.Errorf("an expiry of %d: %+v, want %d rebuilt", c.expire, cleaned, c.rebuilt)
		}
	}
}

// TestLibraries: of a damaged file a function library is copied that may be what its
// server loaded, and no other: a server refuses the file for one.
func TestLibraries(t *testing.T) {
	const sound = "#!lua name=lib\nredis.register_function('f', function(keys, args) return redis.call('GET', keys[1]) end)"
	for code, want := range map[string]bool{
		sound:                          true,
		"#!LUA name='lib'\r\nreturn 1": true,
		"#!js name=lib\nlet x = 1;":    true,
		strings.Replace(sound, "(keys", "(\x01eys", 1):  false,
		strings.Replace(sound, "end)", "enl)", 1):       false,
		strings.Replace(sound, "name=", "nbme=", 1):     false,
		strings.Replace(sound, "=lib", "=l!b", 1):       false,
		strings.Replace(sound, "#!lua", "#!lua\x00", 1): false,
	} {
		body := "REDIS0011\xf5\x40" + string([]byte{byte(len(code))}) + code + "\xfe\x00\x00\x01k\x01v\xff\x01\x02\x03\x04\x05\x06\x07\x08"
		var out bytes.Buffer
		m, _, err := Run(t.Context(), memory{p: []byte(body)}, Options{Clean: &out, Tmp: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		libraries, keys := 0, strict(t, out.Bytes())
		for e := range rdb.NewReader(bytes.NewReader(out.Bytes()), rdb.Options{}).Events(t.Context()) {
			if e.Kind == keyspace.Function {
				libraries++
			}
		}
		said := m.Damages == 2 // beside the checksum
		if keys != 1 || (libraries == 1) != want || said == want {
			t.Errorf("%q: %d keys, %d libraries, said %v; want it copied %v", code, keys, libraries, said, want)
		}
	}
}

// TestHeaderLost: a snapshot that has lost its header is one of Valkey, if fields expire
// in it as they do there alone.
func TestHeaderLost(t *testing.T) {
	for name, want := range map[string]string{"redis-7.0.rdb": "REDIS0010", "redis-8.rdb": "REDIS0012", "valkey-9.rdb": "VALKEY080"} {
		p := dump(t, name)[40:]
		var out bytes.Buffer
		if _, _, err := Run(t.Context(), memory{p: p}, Options{Clean: &out, Tmp: t.TempDir()}); err != nil {
			t.Fatal(err)
		}
		if got := out.String()[:9]; got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		if got, want := strict(t, out.Bytes()), strict(t, dump(t, name)); got != want {
			t.Errorf("%s: %d keys, want %d", name, got, want)
		}
	}
}

// TestVectorSets: of a damaged file a vector set is copied if each of its links leads to
// a node and back, and left out otherwise, as is a partial one: its module refuses both,
// and the server the file.
func TestVectorSets(t *testing.T) {
	sound := dump(t, "redis-8.rdb")
	sound[len(sound)-1] ^= 1 // of the checksum
	values := map[string][]span{}
	for e, err := range rdb.NewReader(bytes.NewReader(sound), rdb.Options{Resync: true}).Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind == keyspace.Element && e.Type == keyspace.VectorSet {
			values[string(e.Key)] = append(values[string(e.Key)], span{e.Pos.Offset, e.Pos.Offset + e.Length})
		}
	}
	left := func(p []byte) (names []string, c *Cleaned) {
		var out bytes.Buffer
		_, c, err := Run(t.Context(), memory{p: p}, Options{Clean: &out, Tmp: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		for e, err := range rdb.NewReader(bytes.NewReader(out.Bytes()), rdb.Options{}).Events(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind == keyspace.Key && e.Type == keyspace.VectorSet {
				names = append(names, string(e.Key))
			}
		}
		slices.Sort(names)
		return names, c
	}
	all := []string{"vectors", "vectors:binary", "vectors:plain"}
	if got, c := left(sound); !slices.Equal(got, all) || c.Left != 0 {
		t.Errorf("%q, %+v; want %q", got, c, all)
	}
	v := values["vectors"]
	for _, edit := range []struct {
		what string
		at   int64
		byte byte
	}{
		{"dimension", v[0].from, 5},
		{"number of nodes", v[1].from, 11},
		{"type of vectors", v[2].from + 2, 7},
		{"attributes", v[3].from, 0},
		{"id of a node", v[8].from, 62},
		{"its level", v[9].to - 1, 17},
		{"number of links", v[10].from, 63},
		{"a link", v[12].from, 62},
		{"the same link again", v[12].from, sound[v[13].from]},
		{"end", v[len(v)-1].to, moduleString},
	} {
		p := slices.Clone(sound)
		if p[edit.at] == edit.byte {
			t.Fatalf("%s: nothing is damaged", edit.what)
		}
		p[edit.at] = edit.byte
		if got, c := left(p); !slices.Equal(got, all[1:]) || c.Left > 1 {
			t.Errorf("%s: %q, %+v; want %q", edit.what, got, c, all[1:])
		}
	}
}

// moduleString is RDB_MODULE_OPCODE_STRING of src/rdb.h.
const moduleString = 5

// TestTransactions: a MULTI whose EXEC was lost is not in a clean log, nor the reverse.
func TestTransactions(t *testing.T) {
	command := func(args ...string) string {
		s := "*" + string(rune('0'+len(args))) + "\r\n"
		for _, a := range args {
			s += "$" + string(rune('0'+len(a))) + "\r\n" + a + "\r\n"
		}
		return s
	}
	set := func(key string) string { return command("SET", key, "1") }
	log := command("MULTI") + set("a") + "rubbish\r\n" + set("b") + command("EXEC") + set("c") + command("MULTI") + set("d") + command("EXEC")
	var out bytes.Buffer
	_, c, err := Run(t.Context(), memory{p: []byte(log), log: true}, Options{Clean: &out, Tmp: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	want := set("a") + set("b") + set("c") + command("MULTI") + set("d") + command("EXEC")
	if out.String() != want || c.Balanced != 2 {
		t.Errorf("%q, %+v", out.String(), c)
	}
}

// FuzzSalvage: whatever a file holds, the clean file of it is sound.
func FuzzSalvage(f *testing.F) {
	for _, name := range []string{"redis-7.0.rdb", "valkey-9.rdb", "redis-8.rdb"} {
		f.Add(dump(f, name), false) // all types, but twenty times slower than what follows
	}
	tmp := f.TempDir()
	for _, name := range []string{"redis-7.0-lfu.rdb", "valkey-9-lfu.rdb", "redis-6.0-lfu.rdb"} {
		p := dump(f, name)
		f.Add(p, false)
		r := rand.New(rand.NewPCG(1, 1))
		for range 8 {
			hurt := bytes.Clone(p)
			at := r.IntN(len(p) - 200)
			noise(r, hurt[at:at+1+r.IntN(200)])
			f.Add(hurt, false)
		}
		f.Add(p[len(p)/3:], false)
		f.Add(p[:len(p)/2], false)
	}
	f.Add([]byte("*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n?"), true)
	f.Fuzz(func(t *testing.T, p []byte, log bool) {
		var out, lines bytes.Buffer
		m, c, err := Run(t.Context(), memory{p, log}, Options{Clean: &out, JSONL: &lines, Tmp: tmp})
		if err != nil {
			t.Skip(err) // a version that is not known, say
		}
		if err := WriteText(io.Discard, 80, m, c); err != nil {
			t.Fatal(err)
		}
		if log || len(m.Parts) == 0 || m.Parts[0].log {
			return
		}
		strict(t, out.Bytes())
	})
}

// TestCleanFileHasDatabasesAsSaid: a clean file has each key in the database that the map
// was made with, where bytes select it and where damage did away with them.
func TestCleanFileHasDatabasesAsSaid(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	p, at, amid := []byte("REDIS0011"), []int{}, 0
	for db, keys := range []int{250, 120} {
		at = append(at, len(p))
		p = append(p, 0xfe, byte(3*db), 0xfb, 0x40, byte(keys), 0)
		for i := range keys {
			key, value := fmt.Sprintf("db%d:%d", 3*db, i), strings.Repeat(fmt.Sprintf("%x", rnd.Uint64()), 10)
			p = append(append(p, 0, byte(len(key))), key...)
			p = append(append(p, 0x40, byte(len(value))), value...)
			if db == 0 && i == 100 {
				amid = len(p)
			}
		}
	}
	p = append(p, 0xff, 1, 2, 3, 4, 5, 6, 7, 8)
	moved := bytes.Clone(p) // a block with the second selection changes places with one of the first database
	copy(moved[at[0]+5000:], p[at[1]-1500:at[1]+1500])
	copy(moved[at[1]-1500:], p[at[0]+5000:at[0]+8000])
	stray := slices.Insert(bytes.Clone(p), amid, 0xfe, 7, 60, 60, 61, 62)
	for name, p := range map[string][]byte{"intact": p, "a selection out of place": moved, "stray bytes": stray} {
		var out, lines bytes.Buffer
		m, c, err := Run(t.Context(), memory{p: p}, Options{Clean: &out, JSONL: &lines, Tmp: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		said, presumed := map[string]int32{}, uint64(0)
		for line := range bytes.Lines(lines.Bytes()) {
			var key struct {
				DB       int32  `json:"db"`
				Presumed bool   `json:"db_presumed"`
				Key      string `json:"key"`
			}
			if json.Unmarshal(line, &key) == nil && key.Key != "" {
				said[key.Key] = key.DB
				if key.Presumed {
					presumed++
				}
			}
		}
		if presumed != m.Presumed && c.Twice == 0 || presumed > 0 != (name != "intact") {
			t.Errorf("%s: of %d keys the database is presumed, and of %d by the map", name, presumed, m.Presumed)
		}
		keys := 0
		for e, err := range rdb.NewReader(bytes.NewReader(out.Bytes()), rdb.Options{}).Events(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind != keyspace.Key {
				continue
			}
			if keys++; e.DB != said[string(e.Key)] {
				t.Errorf("%s: %s is said to be in %d, and in %d of the clean file", name, e.Key, said[string(e.Key)], e.DB)
			}
		}
		if keys < 300 {
			t.Errorf("%s: %d keys", name, keys)
		}
	}
}
