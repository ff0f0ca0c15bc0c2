package inspect

import (
	"bytes"
	"context"
	encjson "encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s", name, got)
	}
}

// events is a sequence of the given events.
func events(all ...keyspace.Event) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		for i := range all {
			if all[i].Pos.Source == "" {
				all[i].Pos = keyspace.Pos{Source: "f", Inner: -1}
			}
			if !yield(&all[i], nil) {
				return
			}
		}
	}
}

func key(db int32, t keyspace.Type, enc keyspace.Encoding, expire int64, state keyspace.State) keyspace.Event {
	return keyspace.Event{Kind: keyspace.Key, DB: db, Type: t, Encoding: enc, Expire: expire, State: state, Key: []byte("k")}
}

func element(t keyspace.Type, part keyspace.Part) keyspace.Event {
	return keyspace.Event{Kind: keyspace.Element, Type: t, Part: part}
}

// The keys of databases that are too many to be told apart are counted all the same.
func TestTooManyDatabases(t *testing.T) {
	const more = 50
	c := NewCounter()
	err := c.Count(func(yield func(*keyspace.Event, error) bool) {
		if !yield(&keyspace.Event{Kind: keyspace.Header, Value: []byte("REDIS"), Index: 11, Pos: keyspace.Pos{Source: "f", Inner: -1}}, nil) {
			return
		}
		for i := range int32(maxDBs + more) {
			e := keyspace.Event{Kind: keyspace.DB, DB: i, Index: 2, Count: 1, Pos: keyspace.Pos{Source: "f", Inner: -1}}
			k := key(i, keyspace.String, keyspace.Raw, 5, keyspace.Live)
			k.Pos.Source = "f"
			if !yield(&e, nil) || !yield(&k, nil) {
				return
			}
		}
		k := key(0, keyspace.String, keyspace.Raw, keyspace.NoExpire, keyspace.Live)
		k.Pos.Source = "f"
		yield(&k, nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	r := c.Reports()[0]
	if len(r.DBs) != maxDBs || r.DBs[0].Keys != 2 || r.OtherDBs == nil || *r.OtherDBs != (OtherDBs{more, more}) ||
		r.Keys != maxDBs+more+1 || r.Expires != maxDBs+more {
		t.Errorf("%d databases, others %+v, %d keys, %d expire", len(r.DBs), r.OtherDBs, r.Keys, r.Expires)
	}
	var b bytes.Buffer
	if err := NewText(&b, 80).Report(r); err != nil || !strings.Contains(b.String(), "other dbs  50 keys, too many databases to tell apart") {
		t.Errorf("%v\n%s", err, b.String())
	}
}

func command(ms int64, name string) keyspace.Event {
	return keyspace.Event{Kind: keyspace.Command, Time: ms, Args: [][]byte{[]byte(name)}}
}

func TestCount(t *testing.T) {
	c := NewCounter()
	err := c.Count(events(
		keyspace.Event{Kind: keyspace.Header, Value: []byte("VALKEY"), Index: 80},
		keyspace.Event{Kind: keyspace.Aux, Key: []byte("valkey-ver"), Value: []byte("9.1.2")},
		keyspace.Event{Kind: keyspace.Aux, Key: []byte("lua"), Value: []byte("return 'a password'")},
		keyspace.Event{Kind: keyspace.Function, Key: []byte("lib"), Part: keyspace.First},
		keyspace.Event{Kind: keyspace.Function, Key: []byte("lib"), Part: keyspace.Last},
		keyspace.Event{Kind: keyspace.DB, DB: 3, Index: 9, Count: 1},
		keyspace.Event{Kind: keyspace.Slot, Index: 7, Count: 2},
		keyspace.Event{Kind: keyspace.Slot, Index: 5, Count: 1},
		key(3, keyspace.String, keyspace.Raw, 5, keyspace.Expired),
		element(keyspace.String, keyspace.First), element(keyspace.String, keyspace.Middle), element(keyspace.String, keyspace.Last),
		keyspace.Event{Kind: keyspace.KeyEnd},
		key(3, keyspace.Hash, keyspace.Listpack, keyspace.NoExpire, keyspace.Live),
		element(keyspace.Hash, keyspace.Whole), element(keyspace.Hash, keyspace.Whole),
		keyspace.Event{Kind: keyspace.KeyEnd},
		key(0, keyspace.Hash, keyspace.Listpack, 99, keyspace.Live),
		keyspace.Event{Kind: keyspace.Group}, keyspace.Event{Kind: keyspace.Consumer},
		keyspace.Event{Kind: keyspace.Pending}, keyspace.Event{Kind: keyspace.Pending, Value: []byte("c")},
		keyspace.Event{Kind: keyspace.Damage, Length: 4, Err: &keyspace.FormatError{What: "x", Err: keyspace.ErrCorrupt}},
		keyspace.Event{Kind: keyspace.End, Length: 123, Count: 2, Index: int64(keyspace.ChecksumFailed)},
	))
	if err != nil {
		t.Fatal(err)
	}
	reports := c.Reports()
	if len(reports) != 1 {
		t.Fatalf("%d reports", len(reports))
	}
	var b bytes.Buffer
	if err := NewJSONL(&b).Report(reports[0]); err != nil {
		t.Fatal(err)
	}
	golden(t, "snapshot.json", b.Bytes())
	if strings.Contains(b.String(), "a password") {
		t.Error("the value of an aux field that is none of the server's own was shown")
	}
}

func TestCountLog(t *testing.T) {
	c := NewCounter()
	base := keyspace.Pos{Source: "base", Inner: -1}
	k := key(0, keyspace.String, keyspace.Raw, keyspace.NoExpire, keyspace.Live)
	k.Pos = base
	odd := strings.Repeat("Z", 20)
	err := c.Count(events(
		keyspace.Event{Kind: keyspace.Damage, Pos: keyspace.Pos{Source: "missing", Inner: -1}, Err: &keyspace.FormatError{What: "gone", Err: keyspace.ErrTruncated}},
		keyspace.Event{Kind: keyspace.Header, Pos: base, Value: []byte("REDIS"), Index: 11}, k,
		keyspace.Event{Kind: keyspace.End, Pos: base, Index: int64(keyspace.ChecksumOK), Length: 50},
		keyspace.Event{Kind: keyspace.Header, Pos: base, Value: []byte("RESP")},
		keyspace.Event{Kind: keyspace.End, Pos: base, Length: 50},
		keyspace.Event{Kind: keyspace.Header, Value: []byte("RESP")},
		command(0, "multi"), command(1000, "Set"), key(0, keyspace.String, keyspace.RESP, keyspace.NoExpire, keyspace.Live), element(keyspace.String, keyspace.Whole),
		command(2000, "SET"), command(2000, "JSON.SET"), command(2000, odd), command(0, "\x1b[2J"), command(0, ""),
		keyspace.Event{Kind: keyspace.Torn, Length: 7, Err: &keyspace.FormatError{What: "a command", Err: keyspace.ErrTruncated}},
		keyspace.Event{Kind: keyspace.End, Length: 200},
	))
	if err != nil {
		t.Fatal(err)
	}
	reports := c.Reports()
	if len(reports) != 3 {
		t.Fatalf("%d reports", len(reports))
	}
	missing, snapshot, log := reports[0], reports[1], reports[2]
	if missing.Path != "missing" || missing.Intact || missing.Damages != 1 {
		t.Errorf("missing: %+v", missing)
	}
	if snapshot.Path != "base" || snapshot.Keys != 1 || snapshot.Checksum != "ok" || snapshot.Log != nil || !snapshot.Intact || len(snapshot.Headers) != 1 {
		t.Errorf("base: %+v", snapshot)
	}
	if log.Keys != 0 || log.Log == nil || len(log.DBs) != 0 || !log.Intact || len(log.Torn) != 1 {
		t.Fatalf("log: %+v", log)
	}
	got, _ := encjson.Marshal(log.Log)
	want := `{"commands":7,"writes":[{"type":"string","encoding":"resp","keys":1,"elements":1}],` +
		`"by_name":[{"name":"SET","count":2},{"name":"JSON.SET","count":1},{"name":"MULTI","count":1}],` +
		`"other_names":3,"transactions":1,"first_time":"1970-01-01T00:00:01Z","last_time":"1970-01-01T00:00:02Z"}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Types, encodings and databases are a file's claims.
func TestCountHostile(t *testing.T) {
	c := NewCounter()
	seq := func(yield func(*keyspace.Event, error) bool) {
		e := keyspace.Event{Kind: keyspace.Header, Value: []byte("REDIS"), Pos: keyspace.Pos{Inner: -1}}
		yield(&e, nil)
		for i := range 3 * maxDBs {
			e = key(int32(i), keyspace.Type(i), keyspace.Encoding(i), keyspace.NoExpire, keyspace.Live)
			e.Field = []byte{byte(i), byte(i >> 8), byte(i >> 16)}
			yield(&e, nil)
			e.Kind, e.Args = keyspace.Command, [][]byte{[]byte("A." + strings.Repeat("B", i%20)), nil}
			yield(&e, nil)
			e.Kind = keyspace.Aux
			yield(&e, nil)
			e.Kind = keyspace.Damage
			yield(&e, nil)
		}
	}
	if err := c.Count(seq); err != nil {
		t.Fatal(err)
	}
	r := c.Reports()[0]
	if r.Keys != 3*maxDBs || len(r.DBs) > maxDBs || len(r.Aux) > maxListed || len(r.Modules) > maxListed || len(r.Damage) > maxListed || r.Damages != 3*maxDBs {
		t.Errorf("%d keys, %d dbs, %d aux, %d modules, %d of %d damages", r.Keys, len(r.DBs), len(r.Aux), len(r.Modules), len(r.Damage), r.Damages)
	}
}

func TestCountDoesNotAllocate(t *testing.T) {
	e := []keyspace.Event{
		key(0, keyspace.Hash, keyspace.Listpack, 5, keyspace.Live), element(keyspace.Hash, keyspace.Whole), {Kind: keyspace.KeyEnd}, command(5, "hset"),
	}
	c := NewCounter()
	seq := events(e...)
	if err := c.Count(seq); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() { _ = c.Count(seq) }); n > 0 {
		t.Errorf("%v allocations for %d events", n, len(e))
	}
}

// The incident as a whole, in every format.
func TestRun(t *testing.T) {
	t.Chdir("../../testdata")
	for name, open := range map[string]func(*bytes.Buffer) Writer{
		"run.txt":   func(b *bytes.Buffer) Writer { return NewText(b, 80) },
		"run.json":  func(b *bytes.Buffer) Writer { return NewJSON(b) },
		"run.jsonl": func(b *bytes.Buffer) Writer { return NewJSONL(b) },
	} {
		in, err := source.New(context.Background(), []string{"dumps/valkey-9.rdb", "aof/redis-6.0"}, source.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		sum, err := Run(context.Background(), in, open(&b), nil)
		if err != nil {
			t.Fatal(err)
		}
		if !sum.Complete || sum.Files != 2 || sum.Keys == 0 || sum.Commands == 0 {
			t.Errorf("%s: %+v", name, sum)
		}
		switch name {
		case "run.txt":
			for line := range strings.Lines(b.String()) {
				if n := len([]rune(strings.TrimRight(line, "\n"))); n > 80 {
					t.Errorf("%d columns: %s", n, line)
				}
			}
			for _, want := range []string{"checksum ok", "append-only commands", "all of it intact"} {
				if !strings.Contains(b.String(), want) {
					t.Errorf("no %q in\n%s", want, b.String())
				}
			}
		case "run.json":
			var all []map[string]any
			if err := encjson.Unmarshal(b.Bytes(), &all); err != nil || len(all) != 5 {
				t.Errorf("%d records, %v", len(all), err)
			}
		case "run.jsonl":
			if n := bytes.Count(b.Bytes(), []byte("\n")); n != 5 {
				t.Errorf("%d lines", n)
			}
		}
	}
}

func TestRunCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	in, err := source.New(ctx, []string{"../../testdata/dumps/valkey-9.rdb"}, source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	sum, err := Run(ctx, in, NewJSONL(&b), nil)
	if err != nil || sum.Complete || sum.Stopped == "" || !strings.Contains(b.String(), `"type":"summary"`) {
		t.Errorf("%+v, %v: %s", sum, err, b.String())
	}
}

// What stands where a command's name should may be data: a long word, or one with
// digits in it, is not shown.
func TestIsCommandName(t *testing.T) {
	for name, want := range map[string]bool{
		"": false, "GET": true, "BF.ADD": true, "NOT-YET_KNOWN": true, "A." + strings.Repeat("B", 22): true, "A." + strings.Repeat("B", 23): false, strings.Repeat("A", 13): false,
		"HUNTER2": false, "hunter": false, "A B": false, "A\x1b": false, "Ä": false, "...": false,
	} {
		if got := isCommandName([]byte(name)); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}
