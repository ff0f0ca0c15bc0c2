package aof

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// TestFiles reads the logs of real servers: each command is known, none is
// broken, and how the file arrives changes nothing.
func TestFiles(t *testing.T) {
	files, err := filepath.Glob("../testdata/aof/*/appendonlydir/*.aof")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, "../testdata/aof/redis-6.0/appendonly.aof")
	if len(files) < 7 {
		t.Errorf("%v", files)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		events, err := read(t, NewReader(bytes.NewReader(data), Options{}))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		commands, end := 0, int64(0)
		for _, e := range events {
			switch e.Kind {
			case keyspace.Command:
				spec, ok := LookupCommand(e.Args[0])
				if !ok || spec.Flags&NeverLogged != 0 {
					t.Errorf("%s: %q at %d", name, e.Args[0], e.Record)
				}
				if commands++; commands > 1 && e.Record < end {
					t.Errorf("%s: a command at %d, expected at %d", name, e.Record, end)
				}
				end = e.Record + e.Length
			case keyspace.Key:
				if e.Op == keyspace.OpNone {
					t.Errorf("%s: arguments at %d are not understood", name, e.Record)
				}
			}
		}
		if commands < 50 || end != int64(len(data)) {
			t.Errorf("%s: %d commands in %d of %d bytes", name, commands, end, len(data))
		}
		one, err := read(t, NewReader(iotest.OneByteReader(bytes.NewReader(data)), Options{}))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		diff(t, name, full(one), full(events))
		smallest, err := read(t, newReader(bytes.NewReader(data), Options{Limits: keyspace.Limits{MaxChunk: 100}}, 300))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		diff(t, name+" in a small window", summary(smallest), summary(events))
	}
}

// summary is what events say of the data, parts joined.
func summary(events []*keyspace.Event) (lines []string) {
	var whole []*keyspace.Event
	for _, e := range events {
		if e.Part.Begins() {
			whole = append(whole, e)
			continue
		}
		last := whole[len(whole)-1]
		last.Value, last.Part = append(last.Value, e.Value...), keyspace.Whole
	}
	return effects(whole)
}

// TestPreamble is about a log that begins with a snapshot: the events of both,
// one after the other, each with its Header and End.
func TestPreamble(t *testing.T) {
	data, err := os.ReadFile("../testdata/aof/redis-6.0/appendonly.aof")
	if err != nil {
		t.Fatal(err)
	}
	events, err := read(t, NewReader(bytes.NewReader(data), Options{Source: "x", Offset: 1000}))
	if err != nil {
		t.Fatal(err)
	}
	var marks []*keyspace.Event
	for _, e := range events {
		if e.Kind == keyspace.Header || e.Kind == keyspace.End {
			marks = append(marks, e)
		}
		if e.Pos.Source != "x" || e.Pos.Offset < 1000 {
			t.Errorf("%s at %s %d", line(e), e.Pos.Source, e.Pos.Offset)
		}
		if e.Kind == keyspace.Command && data[e.Record-1000] != '*' {
			t.Errorf("%s at %d", line(e), e.Record)
		}
	}
	if len(marks) != 4 || string(marks[0].Value) != "REDIS" || keyspace.Checksum(marks[1].Index) != keyspace.ChecksumOK ||
		string(marks[2].Value) != "RESP" || marks[1].Length != marks[2].Pos.Offset-1000 || marks[3].Length != int64(len(data)) {
		t.Errorf("%s", full(marks))
	}
	// Cut inside of the snapshot.
	_, err = read(t, NewReader(bytes.NewReader(data[:100]), Options{}))
	if !errors.Is(err, keyspace.ErrTruncated) {
		t.Errorf("cut: %v", err)
	}
	// Stopped inside of either half.
	for n := range len(events) {
		i := 0
		for _, err := range NewReader(bytes.NewReader(data), Options{}).Events(t.Context()) {
			if i++; i > n {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// serialized builds what DUMP gives: a value and its footer.
func serialized(value string) string {
	b := append([]byte(value), 11, 0)
	return string(binary.LittleEndian.AppendUint64(b, rdb.Checksum(0, b)))
}

func TestRestore(t *testing.T) {
	list := "\x01\x02\x03one\x03two" // RDB_TYPE_LIST
	value := serialized(list)
	for _, test := range []struct {
		args   []string
		expire int64
	}{
		{[]string{"RESTORE", "k", "0", value}, keyspace.NoExpire},
		{[]string{"RESTORE", "k", "1700000000500", value, "REPLACE", "ABSTTL"}, 1700000000500},
		{[]string{"restore-asking", "k", "500", value, "IDLETIME", "5", "FREQ", "5"}, 1700000000500},
	} {
		data := append([]byte("#TS:1700000000\r\n"), resp(test.args, words("DEL k"))...)
		for name, r := range map[string]*Reader{
			"whole":    NewReader(bytes.NewReader(data), Options{}),
			"streamed": newReader(bytes.NewReader(data), Options{Limits: keyspace.Limits{MaxChunk: 16}}, 40),
		} {
			events, err := read(t, r)
			if err != nil {
				t.Errorf("%s, %s: %v", test.args[0], name, err)
				continue
			}
			var got []string
			for _, e := range events {
				switch e.Kind {
				case keyspace.Key:
					if string(e.Key) != "k" || e.Expire != test.expire || e.Type != keyspace.List {
						t.Errorf("%s, %s: %s", test.args[0], name, line(e))
					}
				case keyspace.Element:
					if got = append(got, string(e.Value)); !bytes.HasPrefix(data[e.Pos.Offset:], e.Value) || e.Record != 16 || e.State != keyspace.Unknown {
						t.Errorf("%s, %s: %s at %d of %d", test.args[0], name, line(e), e.Pos.Offset, e.Record)
					}
				}
			}
			if !slices.Equal(got, []string{"one", "two"}) {
				t.Errorf("%s, %s: %q", test.args[0], name, got)
			}
		}
	}
	// A payload that cannot be read is damage, and delivered as it is.
	bad := value[:len(value)-1] + "x"
	data := resp([]string{"RESTORE", "k", "0", serialized("\x77x")}, []string{"RESTORE", "k", "0", "short"}, []string{"RESTORE", "k", "0", bad}, words("SET l v"))
	events, err := read(t, NewReader(bytes.NewReader(data), Options{Resync: true}))
	if err != nil {
		t.Fatal(err)
	}
	var reasons []error
	var raw []string
	for _, e := range events {
		if e.Kind == keyspace.Damage {
			reasons = append(reasons, e.Err)
		}
		if e.Kind == keyspace.Element && e.Op == keyspace.OpNone {
			raw = append(raw, string(e.Value))
		}
	}
	if len(reasons) != 3 || !errors.Is(reasons[0], keyspace.ErrUnsupported) || !errors.Is(reasons[1], keyspace.ErrTruncated) || !errors.Is(reasons[2], keyspace.ErrChecksum) ||
		len(raw) != 3 || raw[1] != "short" || events[len(events)-2].Kind != keyspace.KeyEnd {
		t.Errorf("%v, %q", reasons, raw)
	}
	if _, err := read(t, NewReader(bytes.NewReader(data), Options{})); !errors.Is(err, keyspace.ErrUnsupported) {
		t.Errorf("strict: %v", err)
	}
}

// TestRestoreTooLarge holds that a payload over the limit is delivered as it is.
func TestRestoreTooLarge(t *testing.T) {
	payload := strings.Repeat("x", 1000)
	data := resp([]string{"RESTORE", "k", "99", payload, "ABSTTL"}, words("DEL k"))
	o := Options{Limits: keyspace.Limits{MaxChunk: 64, MaxKey: 500}}
	if _, err := read(t, newReader(bytes.NewReader(data), o, 200)); !errors.Is(err, keyspace.ErrLimit) {
		t.Errorf("strict: %v", err)
	}
	o.Resync = true
	events, err := read(t, newReader(bytes.NewReader(data), o, 200))
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "events", summary(events), []string{
		`damage`, `key create key="k"`, `element put key="k" value="` + payload + `"`, `key-end create key="k"`,
		`expire key="k" expire=99`, `delete delete-key key="k"`})
}

func TestFunctions(t *testing.T) {
	code := "#!lua name=mylib engine=LUA\nredis.register_function('f', function() return 1 end)"
	dump := serialized("\xf5" + string([]byte{byte(0x40), byte(len(code))}) + code)
	data := resp([]string{"FUNCTION", "LOAD", "REPLACE", code}, []string{"FUNCTION", "RESTORE", dump}, []string{"FUNCTION", "RESTORE", dump, "FLUSH"},
		[]string{"FUNCTION", "RESTORE", serialized("\x00")}, words("FUNCTION DELETE mylib"))
	events, err := read(t, NewReader(bytes.NewReader(data), Options{Resync: true}))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range events {
		switch e.Kind {
		case keyspace.Function:
			got = append(got, "load")
			if string(e.Key) != "mylib" || string(e.Value) != code {
				t.Errorf("%s", line(e))
			}
			if at := data[e.Pos.Offset:]; !bytes.HasPrefix(at, e.Value) && !bytes.HasPrefix(at[2:], e.Value) {
				t.Errorf("%s at %d", line(e), e.Pos.Offset)
			}
		case keyspace.Delete:
			if e.DB != -1 || e.Op != keyspace.OpDeleteLibrary {
				t.Errorf("%s", line(e))
			}
			got = append(got, "delete "+string(e.Key))
		case keyspace.Damage:
			got = append(got, "damage")
		}
	}
	if want := []string{"load", "load", "delete ", "load", "damage", "delete mylib"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestRestoreOfServers has each server dump a value of each type, and reads it
// as the argument of a RESTORE.
func TestRestoreOfServers(t *testing.T) {
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		i := s.Start(t, "")
		for _, c := range []string{"SET string value", "RPUSH list value", "SADD set value", "HSET hash f value", "ZADD zset 5 value", "XADD stream 5-1 f value"} {
			i.Must(t, words(c)...)
			args := words(c)
			payload := i.Must(t, "DUMP", args[1]).(string)
			events, err := read(t, NewReader(bytes.NewReader(resp([]string{"RESTORE", args[1], "0", payload})), Options{}))
			if err != nil {
				t.Errorf("%s: %v", args[1], err)
			}
			n := 0
			for _, e := range events {
				if e.Kind == keyspace.Element && string(e.Value) == "value" && e.Type.String() == args[1] {
					n++
				}
			}
			if n != 1 {
				t.Errorf("%s: %v", args[1], effects(events))
			}
		}
		if s.Major() < 7 {
			return
		}
		i.Must(t, "FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('f', function() return 1 end)")
		payload := i.Must(t, "FUNCTION", "DUMP").(string)
		events, err := read(t, NewReader(bytes.NewReader(resp([]string{"FUNCTION", "RESTORE", payload})), Options{}))
		if err != nil || len(events) != 4 || string(events[2].Key) != "lib" {
			t.Errorf("%v %v", err, effects(events))
		}
	})
}

// TestLimits holds that what is over a limit is said, and passed over.
func TestLimits(t *testing.T) {
	long := strings.Repeat("k", 2000)
	data := resp([]string{"SET", long, "v", "EX", "5"}, words("SET a 1"), []string{"HSET", "h", "f", "v", long, "w", "g", "x"}, words("SET b 2"), words("SADD s 1 2 3 4 5 6"), words("SET c 3"))
	o := Options{Resync: true, Limits: keyspace.Limits{MaxChunk: 64, MaxKey: 500, MaxElements: 4}}
	events, err := read(t, newReader(bytes.NewReader(data), o, 200))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range events {
		switch e.Kind {
		case keyspace.Damage:
			if !errors.Is(e.Err, keyspace.ErrLimit) {
				t.Errorf("%v", e.Err)
			}
			got = append(got, "limit")
		case keyspace.Element:
			got = append(got, string(e.Value))
		}
	}
	if want := "limit 1 v limit 2 1 2 3 4 limit 3"; strings.Join(got, " ") != want {
		t.Errorf("%s, want %s", got, want)
	}
	o.Resync = false
	if _, err := read(t, newReader(bytes.NewReader(data), o, 200)); !errors.Is(err, keyspace.ErrLimit) {
		t.Errorf("strict: %v", err)
	}
	// A name that is claimed to be long where the file ends.
	_, err = read(t, NewReader(io.MultiReader(strings.NewReader("*2\r\n$3\r\nDEL\r\n$999999999999\r\nabc")), Options{Tail: true, Resync: true}))
	if err != nil {
		t.Errorf("claim: %v", err)
	}
}
