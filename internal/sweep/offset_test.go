package sweep_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/aof"
	"github.com/valkeyfs/valkeyfs/internal/rdbwrite"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
	"github.com/valkeyfs/valkeyfs/scan"
)

// planted are tokens, one for each place of a keyspace.
type planted map[string]string

func plant(places ...string) planted {
	p := planted{}
	for i, place := range places {
		p[place] = "sk" + "_live_" + fmt.Sprintf("%02d", i) + "aZ8kQ2mW5xT1rB7nC4vL9j"
	}
	return p
}

// found scans the events of file and holds each finding to the bytes at its
// offset: they are the token, for no place here is packed.
func (p planted) found(t *testing.T, file []byte, events keyspace.Seq) {
	t.Helper()
	s, err := scan.New(scan.Config{Reveal: true, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	missing := map[string]string{}
	for place, token := range p {
		missing[token] = place
	}
	_, err = s.Scan(context.Background(), events, func(f *scan.Finding) error {
		place, ok := missing[f.Secret]
		if !ok {
			return nil
		}
		delete(missing, f.Secret)
		if f.Offset < 0 || f.Offset > int64(len(file)) || !bytes.HasPrefix(file[f.Offset:], []byte(f.Secret)) {
			t.Errorf("%s: where %s, offset %d is not where the token stands, %d", place, f.Where, f.Offset, bytes.Index(file, []byte(f.Secret)))
		}
		if f.Length < int64(len(f.Secret)) {
			t.Errorf("%s: a length of %d", place, f.Length)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, place := range missing {
		t.Errorf("%s: not found", place)
	}
}

func TestOffsetsInLog(t *testing.T) {
	p := plant("key", "field", "value", "member", "scored", "entry field", "entry value", "consumer", "claimant", "new name", "list", "path")
	var file bytes.Buffer
	for _, line := range []string{
		"SET {key} v", "HSET h {field} v f {value}", "SADD s {member}", "ZADD z 1 {scored}", "XADD x 1-1 {entry field} v f {entry value}",
		"XGROUP CREATE x g $", "XGROUP CREATECONSUMER x g {consumer}", "XCLAIM x g {claimant} 0 1-1", "RENAME s {new name}", "RPUSH l {list}", "JSON.SET j {path} 1",
	} {
		for place, token := range p {
			line = strings.ReplaceAll(line, "{"+place+"}", token)
		}
		args := strings.Fields(line)
		fmt.Fprintf(&file, "*%d\r\n", len(args))
		for _, a := range args {
			fmt.Fprintf(&file, "$%d\r\n%s\r\n", len(a), a)
		}
	}
	p.found(t, file.Bytes(), aof.NewReader(bytes.NewReader(file.Bytes()), aof.Options{}).Events(context.Background()))
}

func TestOffsetsInSnapshot(t *testing.T) {
	p := plant("key", "field", "value", "long field", "long value", "member", "scored", "list", "entry field", "entry value", "second value", "group", "consumer", "aux")
	// What follows a hash or set of this size is no listpack.
	big := strings.Repeat("x", 100)
	var file bytes.Buffer
	w, err := rdbwrite.New(&file, rdbwrite.Version{Magic: "REDIS", Number: 11}, rdbwrite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	put := func(typ keyspace.Type, key string, events ...keyspace.Event) {
		head := keyspace.Event{Kind: keyspace.Key, Op: keyspace.OpCreate, Type: typ, Key: []byte(key), Expire: keyspace.NoExpire, Idle: -1, Freq: -1}
		all := append([]keyspace.Event{head}, events...)
		all = append(all, head)
		all[len(all)-1].Kind = keyspace.KeyEnd
		for i := range all {
			e := &all[i]
			e.Type, e.Key, e.State, e.Expire = typ, []byte(key), keyspace.Live, keyspace.NoExpire
			if e.Kind == keyspace.KindNone {
				e.Kind, e.Op = keyspace.Element, keyspace.OpPut
			}
			if err := w.Event(e); err != nil {
				t.Fatal(err)
			}
		}
	}
	pair := func(f, v string) keyspace.Event { return keyspace.Event{Field: []byte(f), Value: []byte(v)} }
	one := func(v string) keyspace.Event { return keyspace.Event{Value: []byte(v)} }
	entry := func(id uint64, f, v string) keyspace.Event {
		e := pair(f, v)
		e.ID.MS = id
		return e
	}
	for _, err := range []error{w.Aux([]byte("host"), []byte(p["aux"])), w.Function([]byte("#!lua name=l\n-- ")), w.Select(0)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	put(keyspace.String, p["key"], one("v"))
	put(keyspace.Hash, "h", pair(p["field"], "v"), pair("f", p["value"]))
	put(keyspace.Hash, "hh", pair(p["long field"], "v"), pair("f", p["long value"]), pair("g", big))
	put(keyspace.Set, "s", one(p["member"]), one(big))
	put(keyspace.SortedSet, "z", one(p["scored"]), one(big))
	put(keyspace.List, "l", one(p["list"]))
	put(keyspace.Stream, "x", entry(1, p["entry field"], p["entry value"]), entry(2, p["entry field"], p["second value"]),
		keyspace.Event{Kind: keyspace.StreamMeta, ID: keyspace.StreamID{MS: 2}, Index: 2, Count: 2},
		keyspace.Event{Kind: keyspace.Group, Field: []byte(p["group"]), Index: -1},
		keyspace.Event{Kind: keyspace.Consumer, Field: []byte(p["group"]), Value: []byte(p["consumer"])})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	p.found(t, file.Bytes(), rdb.NewReader(bytes.NewReader(file.Bytes()), rdb.Options{}).Events(context.Background()))
}
