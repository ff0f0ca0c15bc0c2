package export

import (
	"bytes"
	"context"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// commands turns RESP into a line a command, its words quoted where they need it.
func commands(t *testing.T, resp string) string {
	t.Helper()
	var lines []string
	for len(resp) > 0 {
		var words []string
		rest, n := number(t, resp, '*')
		if resp = rest; n == 0 {
			t.Fatal("an empty command")
		}
		for range n {
			rest, size := number(t, resp, '$')
			resp = rest
			if len(resp) < size+2 || resp[size:size+2] != "\r\n" {
				t.Fatalf("a string that does not end: %q", resp)
			}
			words, resp = append(words, resp[:size]), resp[size+2:]
		}
		lines = append(lines, strings.Join(words, " "))
	}
	return strings.Join(lines, "\n")
}

func number(t *testing.T, resp string, kind byte) (rest string, n int) {
	t.Helper()
	line, rest, ok := strings.Cut(resp, "\r\n")
	if !ok || line[0] != kind {
		t.Fatalf("want %q: %q", kind, line)
	}
	for _, c := range line[1:] {
		n = n*10 + int(c-'0')
	}
	return rest, n
}

func command(args ...string) keyspace.Event {
	e := keyspace.Event{Kind: keyspace.Command, Index: int64(len(args)), Expire: keyspace.NoExpire}
	for _, a := range args {
		e.Args = append(e.Args, []byte(a))
	}
	return e
}

func TestRESP(t *testing.T) {
	snapshot := keyspace.Event{Kind: keyspace.Header, Value: []byte("REDIS"), Index: 11}
	log := keyspace.Event{Kind: keyspace.Header, Value: []byte("RESP")}
	expiring := func(events []keyspace.Event) []keyspace.Event {
		events[0].Expire = 777
		return events
	}
	for name, test := range map[string]struct {
		events []keyspace.Event
		want   []string
	}{
		"string": {expiring(key(keyspace.String, "k", value("v"))), []string{"SELECT 0", "SET k v", "PEXPIREAT k 777"}},
		"parts":  {key(keyspace.String, "k", parts(value(""), "abcde", 2)...), []string{"SELECT 0", "SET k ab", "APPEND k cd", "APPEND k e"}},
		"list":   {key(keyspace.List, "k", append(parts(value(""), "abcde", 2), value("f"))...), []string{"SELECT 0", "RPUSH k abcde f"}},
		"zset":   {key(keyspace.SortedSet, "k", scored("a", 0.30000000000000004), scored("b", 1e300)), []string{"SELECT 0", "ZADD k 0.30000000000000004 a 1e+300 b"}},
		"fields": {keyOf(with(key(keyspace.Hash, "k")[0], func(e *keyspace.Event) { e.Encoding = keyspace.HashtableEx }),
			pair("f", "v"), with(pair("g", "w"), func(e *keyspace.Event) { e.Expire = 99 })),
			[]string{"SELECT 0", "HSET k f v g w", "HPEXPIREAT k 99 FIELDS 1 g"}},
		"restored": {append([]keyspace.Event{snapshot}, with(key(keyspace.Module, "k", value("x"))[0], func(e *keyspace.Event) { e.Expire = 5 }),
			keyspace.Event{Kind: keyspace.KeyEnd, Value: []byte("\x07value")}),
			[]string{"SELECT 0", "RESTORE k 5 \x07value\x0b\x00" + string(binary.LittleEndian.AppendUint64(nil, checksum([]byte("\x07value\x0b\x00")))) + " ABSTTL"}},
		"databases": {[]keyspace.Event{key(keyspace.String, "a", value("1"))[1]}, nil},
		"function": {[]keyspace.Event{snapshot, {Kind: keyspace.Function, Key: []byte("lib"), Value: []byte("#!lua name=lib")}},
			[]string{"FUNCTION LOAD #!lua name=lib"}},
		"damage": {append(expiring(key(keyspace.List, "k", value("a")))[:2], keyspace.Event{Kind: keyspace.Damage}), []string{"SELECT 0", "RPUSH k a", "PEXPIREAT k 777"}},
		"log": {append([]keyspace.Event{log, command("SELECT", "3"), command("SET", "k", "v")}, key(keyspace.String, "k", value("v"))...),
			[]string{"SELECT 0", "SELECT 3", "SET k v"}},
		"base and log": {append(append([]keyspace.Event{snapshot}, with(key(keyspace.String, "k")[0], func(e *keyspace.Event) { e.DB = 9 }), with(value("v"), func(e *keyspace.Event) { e.Kind = keyspace.Element })),
			log, command("SET", "k", "v")), []string{"SELECT 9", "SET k v", "SELECT 0", "SET k v"}},
		"open transaction":   {[]keyspace.Event{log, command("multi"), command("SET", "k", "v"), {Kind: keyspace.Torn}}, []string{"SELECT 0", "multi", "SET k v", "DISCARD"}},
		"closed transaction": {[]keyspace.Event{log, command("MULTI"), command("exec")}, []string{"SELECT 0", "MULTI", "exec"}},
		"long command": {append(append([]keyspace.Event{log, with(command("RPUSH", "k"), func(e *keyspace.Event) { e.Index = 4 })},
			keyOf(with(key(keyspace.List, "k")[0], func(e *keyspace.Event) { e.Op = keyspace.OpUpdate }),
				with(value("a"), func(e *keyspace.Event) { e.Op = keyspace.OpPushHead }), with(value("b"), func(e *keyspace.Event) { e.Op = keyspace.OpPushHead }))...), command("PING")),
			[]string{"SELECT 0", "MULTI", "LPUSH k a b", "EXEC", "PING"}},
		"long and broken command": {append(append([]keyspace.Event{log, with(command("SET", "k"), func(e *keyspace.Event) { e.Index = 3 })},
			key(keyspace.String, "k", parts(value(""), "abc", 2)...)[:2]...), keyspace.Event{Kind: keyspace.Damage}),
			[]string{"SELECT 0", "MULTI", "SET k ab", "DISCARD"}},
		"broken command": {[]keyspace.Event{log, with(command("SET", "k"), func(e *keyspace.Event) { e.Index, e.State = 3, keyspace.Recovered })}, []string{"SELECT 0"}},
		"long DEL": {[]keyspace.Event{log, with(command("DEL"), func(e *keyspace.Event) { e.Index = 9 }), {Kind: keyspace.Delete, Op: keyspace.OpDeleteKey, Key: []byte("a")},
			{Kind: keyspace.Delete, Op: keyspace.OpDeleteElement, Type: keyspace.Hash, Key: []byte("h"), Field: []byte("f")}},
			[]string{"SELECT 0", "MULTI", "DEL a", "HDEL h f", "EXEC"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got, want := commands(t, export(t, RESP, test.events...)), strings.Join(test.want, "\n"); got != want {
				t.Errorf("got\n%q\nwant\n%q", got, want)
			}
		})
	}
}

// TestBatches: a long collection takes several commands, each of them bounded.
func TestBatches(t *testing.T) {
	var elements []keyspace.Event
	for range 5000 {
		elements = append(elements, pair("f", strings.Repeat("x", 200)))
	}
	got := commands(t, export(t, RESP, key(keyspace.Hash, "k", elements...)...))
	n := 0
	for line := range strings.Lines(got) {
		n += strings.Count(line, " f ")
		if len(line) > batchBytes+1000 {
			t.Errorf("a command of %d bytes", len(line))
		}
	}
	if n != 5000 {
		t.Errorf("%d fields", n)
	}
}

// TestLongStream: a stream beyond what is restored is built by its commands.
func TestLongStream(t *testing.T) {
	var elements []keyspace.Event
	for i := range 300 {
		elements = append(elements, field(uint64(i+1), 0, 0, "f", strings.Repeat("x", 60_000)))
	}
	events := append([]keyspace.Event{{Kind: keyspace.Header, Value: []byte("REDIS"), Index: 11}}, key(keyspace.Stream, "k", elements...)...)
	events[len(events)-1].Value = []byte("serialized")
	var b bytes.Buffer
	if err := Run(context.Background(), stream(nil, events...), &b, Options{Format: RESP}); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "XADD"); n != 300 || strings.Contains(b.String(), "RESTORE") {
		t.Errorf("%d entries", n)
	}
	short := append(events[:10:10], events[len(events)-1])
	if got := export(t, RESP, short...); !strings.Contains(got, "RESTORE") || strings.Contains(got, "XADD") {
		t.Error("a short stream is not restored")
	}
}

func TestChecksum(t *testing.T) {
	if got := checksum([]byte("123456789")); got != 0xe9c6d914c4b8d9ca { // src/crc64.c, crc64Test
		t.Errorf("%#x", got)
	}
}
