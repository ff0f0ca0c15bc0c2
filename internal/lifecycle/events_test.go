package lifecycle

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// A script builds the events of a log from commands in words, as package aof does
// from RESP. Words before the command set the scene:
//
//	#TS:n            what follows was written in second n
//	@db              the database from here on
//
// Values and names are plain words.
type script struct {
	events []keyspace.Event
	db     int32
	time   int64
	offset int64
}

// do adds the events of one command.
func (s *script) do(line string) {
	w := strings.Fields(line)
	switch {
	case strings.HasPrefix(line, "#TS:"):
		n, _ := strconv.ParseInt(line[4:], 10, 64)
		s.time = n * 1000
		return
	case strings.HasPrefix(line, "@"):
		s.db = int32(num(line[1:]))
		return
	}
	s.offset += 100
	args := make([][]byte, len(w))
	for i := range w {
		args[i] = []byte(w[i])
	}
	s.add(keyspace.Event{Kind: keyspace.Command, Args: args, Index: int64(len(w))})
	if len(w) > 1 {
		s.mutate(strings.ToUpper(w[0]), w[1], w[2:])
	} else {
		s.mutate(strings.ToUpper(w[0]), "", nil)
	}
}

func (s *script) add(ev keyspace.Event) {
	if ev.Kind != keyspace.Flush && ev.DB == 0 {
		ev.DB = s.db
	}
	if ev.Expire == 0 {
		ev.Expire = keyspace.NoExpire
	}
	ev.Record, ev.Time = s.offset, s.time
	if ev.Pos.Offset == 0 {
		ev.Pos.Offset = s.offset
	}
	s.events = append(s.events, ev)
}

func (s *script) key(op keyspace.Op, typ keyspace.Type, key string, expire int64, elements ...keyspace.Event) {
	s.add(keyspace.Event{Kind: keyspace.Key, Op: op, Type: typ, Key: []byte(key), Expire: expire})
	for _, e := range elements {
		e.Type, e.Key = typ, []byte(key)
		if e.Kind == keyspace.KindNone {
			e.Kind = keyspace.Element
		}
		s.add(e)
	}
	s.add(keyspace.Event{Kind: keyspace.KeyEnd, Op: op, Type: typ, Key: []byte(key)})
}

func (s *script) remove(op keyspace.Op, typ keyspace.Type, key string, ev keyspace.Event) {
	ev.Kind, ev.Op, ev.Type, ev.Key = keyspace.Delete, op, typ, []byte(key)
	s.add(ev)
}

// mutate adds what a command does to the key.
func (s *script) mutate(cmd, key string, a []string) {
	put := func(v string) keyspace.Event { return keyspace.Event{Op: keyspace.OpPut, Value: []byte(v)} }
	var els []keyspace.Event
	switch cmd {
	case "MULTI", "EXEC":
	case "SET":
		op, expire := keyspace.OpCreate, keyspace.NoExpire
		if len(a) == 3 && a[1] == "PXAT" {
			expire = num(a[2])
		} else if len(a) == 2 {
			op = keyspace.OpUpdate // KEEPTTL
		}
		s.key(op, keyspace.String, key, expire, put(a[0]))
	case "APPEND":
		s.key(keyspace.OpUpdate, keyspace.String, key, 0, keyspace.Event{Op: keyspace.OpAppend, Value: []byte(a[0])})
	case "INCR":
		s.key(keyspace.OpUpdate, keyspace.String, key, 0)
	case "DEL", "UNLINK":
		for _, k := range append([]string{key}, a...) {
			s.remove(keyspace.OpDeleteKey, keyspace.TypeNone, k, keyspace.Event{})
		}
	case "HSET", "HINCRBY":
		for i := 0; i+1 < len(a); i += 2 {
			e := put(a[i+1])
			if e.Field = []byte(a[i]); cmd == "HINCRBY" {
				e.Op = keyspace.OpAppend
			}
			els = append(els, e)
		}
		s.key(keyspace.OpUpdate, keyspace.Hash, key, 0, els...)
	case "HSETEX": // key PXAT ms|KEEPTTL FIELDS 1 field value
		e := put(a[len(a)-1])
		if e.Field, e.Expire, e.Count = []byte(a[len(a)-2]), keyspace.NoExpire, 1; a[0] == "PXAT" {
			e.Expire, e.Count = num(a[1]), 0
		}
		s.key(keyspace.OpUpdate, keyspace.Hash, key, 0, e)
	case "HDEL":
		for _, f := range a {
			s.remove(keyspace.OpDeleteElement, keyspace.Hash, key, keyspace.Event{Field: []byte(f)})
		}
	case "HPEXPIREAT": // key ms [NX] FIELDS 1 field
		e := keyspace.Event{Kind: keyspace.Expire, Type: keyspace.Hash, Key: []byte(key), Field: []byte(a[len(a)-1]), Expire: num(a[0])}
		if a[1] == "NX" {
			e.Op = keyspace.OpIfNone
		}
		s.add(e)
	case "SADD", "RESTORE-SET":
		for _, m := range a {
			els = append(els, put(m))
		}
		op := keyspace.OpUpdate
		if cmd != "SADD" {
			op = keyspace.OpCreate
		}
		s.key(op, keyspace.Set, key, 0, els...)
	case "SREM", "ZREM":
		for _, m := range a {
			s.remove(keyspace.OpDeleteElement, keyspace.Set, key, keyspace.Event{Value: []byte(m)})
		}
	case "SPOP":
		s.remove(keyspace.OpDeleteSome, keyspace.Set, key, keyspace.Event{})
	case "SUNIONSTORE", "SINTERSTORE", "SDIFFSTORE", "SORT-STORE":
		for _, k := range a {
			s.add(keyspace.Event{Kind: keyspace.Rename, Op: keyspace.OpShare, Key: []byte(k), Value: []byte(key), Index: int64(s.db)})
		}
		s.remove(keyspace.OpReplaceSome, keyspace.Set, key, keyspace.Event{})
	case "ZRANGESTORE", "GEOSEARCHSTORE": // key source …
		s.add(keyspace.Event{Kind: keyspace.Rename, Op: keyspace.OpShare, Key: []byte(a[0]), Value: []byte(key), Index: int64(s.db)})
		s.remove(keyspace.OpReplaceSome, keyspace.SortedSet, key, keyspace.Event{})
	case "SMOVE":
		s.add(keyspace.Event{Kind: keyspace.Rename, Op: keyspace.OpMoveMember, Type: keyspace.Set,
			Key: []byte(key), Value: []byte(a[0]), Field: []byte(a[1]), Index: int64(s.db)})
	case "ZADD", "ZINCRBY":
		for i := 0; i+1 < len(a); i += 2 {
			e := put(a[i+1])
			e.Score = float64(num(a[i]))
			if cmd == "ZINCRBY" {
				e.Op = keyspace.OpAppend
			}
			els = append(els, e)
		}
		s.key(keyspace.OpUpdate, keyspace.SortedSet, key, 0, els...)
	case "ZADD-GT":
		e := put(a[1])
		e.Score, e.Count = float64(num(a[0])), 1
		s.key(keyspace.OpUpdate, keyspace.SortedSet, key, 0, e)
	case "ZREMRANGEBYRANK":
		s.remove(keyspace.OpDeleteRanks, keyspace.SortedSet, key, keyspace.Event{Index: num(a[0]), Count: num(a[1])})
	case "ZREMRANGEBYSCORE":
		s.remove(keyspace.OpDeleteScores, keyspace.SortedSet, key, keyspace.Event{Field: []byte(a[0]), Value: []byte(a[1])})
	case "RPUSH", "LPUSH", "RESTORE-LIST":
		op := map[string]keyspace.Op{"RPUSH": keyspace.OpPushTail, "LPUSH": keyspace.OpPushHead, "RESTORE-LIST": keyspace.OpPut}[cmd]
		for _, v := range a {
			els = append(els, keyspace.Event{Op: op, Value: []byte(v), Index: -7})
		}
		kop := keyspace.OpUpdate
		if op == keyspace.OpPut {
			kop = keyspace.OpCreate
		}
		s.key(kop, keyspace.List, key, 0, els...)
	case "LSET":
		s.key(keyspace.OpUpdate, keyspace.List, key, 0, keyspace.Event{Op: keyspace.OpSetIndex, Index: num(a[0]), Value: []byte(a[1])})
	case "LINSERT":
		op := keyspace.OpInsertAfter
		if a[0] == "BEFORE" {
			op = keyspace.OpInsertBefore
		}
		s.key(keyspace.OpUpdate, keyspace.List, key, 0, keyspace.Event{Op: op, Field: []byte(a[1]), Value: []byte(a[2])})
	case "LPOP", "RPOP":
		op := keyspace.OpPopHead
		if cmd == "RPOP" {
			op = keyspace.OpPopTail
		}
		s.remove(op, keyspace.List, key, keyspace.Event{Index: num(a[0])})
	case "LTRIM":
		s.remove(keyspace.OpTrim, keyspace.List, key, keyspace.Event{Index: num(a[0]), Count: num(a[1])})
	case "LREM":
		s.remove(keyspace.OpRemove, keyspace.List, key, keyspace.Event{Index: num(a[0]), Value: []byte(a[1])})
	case "LMOVE":
		ends := int64(0)
		if a[1] == "RIGHT" {
			ends |= 1
		}
		if a[2] == "RIGHT" {
			ends |= 2
		}
		s.remove(keyspace.OpMoveEnd, keyspace.List, key, keyspace.Event{Value: []byte(a[0]), Index: ends})
	case "XADD": // key id field value …
		for i := 1; i+1 < len(a); i += 2 {
			els = append(els, keyspace.Event{Op: keyspace.OpPut, ID: id(a[0]), Field: []byte(a[i]), Value: []byte(a[i+1])})
		}
		s.key(keyspace.OpUpdate, keyspace.Stream, key, 0, els...)
	case "XDEL":
		for _, w := range a {
			s.remove(keyspace.OpDeleteElement, keyspace.Stream, key, keyspace.Event{ID: id(w)})
		}
	case "XTRIM":
		if a[0] == "MAXLEN" {
			s.remove(keyspace.OpTrimLength, keyspace.Stream, key, keyspace.Event{Index: num(a[1])})
		} else {
			s.remove(keyspace.OpTrimID, keyspace.Stream, key, keyspace.Event{ID: id(a[1])})
		}
	case "XGROUP-CREATE":
		s.key(keyspace.OpUpdate, keyspace.Stream, key, 0, keyspace.Event{Kind: keyspace.Group, Field: []byte(a[0])})
	case "XGROUP-DESTROY":
		s.remove(keyspace.OpDeleteGroup, keyspace.Stream, key, keyspace.Event{Field: []byte(a[0])})
	case "XGROUP-DELCONSUMER":
		s.remove(keyspace.OpDeleteGroup, keyspace.Stream, key, keyspace.Event{Field: []byte(a[0]), Value: []byte(a[1])})
	case "XCLAIM": // key group consumer ms id
		s.key(keyspace.OpUpdate, keyspace.Stream, key, 0,
			keyspace.Event{Kind: keyspace.Pending, Field: []byte(a[0]), Value: []byte(a[1]), ID: id(a[3])})
		s.events[len(s.events)-2].Time = num(a[2])
	case "PEXPIREAT":
		s.add(keyspace.Event{Kind: keyspace.Expire, Key: []byte(key), Expire: num(a[0])})
	case "PERSIST":
		s.add(keyspace.Event{Kind: keyspace.Expire, Key: []byte(key)})
	case "RENAME":
		s.add(keyspace.Event{Kind: keyspace.Rename, Op: keyspace.OpRename, Key: []byte(key), Value: []byte(a[0]), Index: int64(s.db)})
	case "COPY": // key other db
		s.add(keyspace.Event{Kind: keyspace.Rename, Op: keyspace.OpCopy, Key: []byte(key), Value: []byte(a[0]), Index: num(a[1])})
	case "MOVE":
		s.add(keyspace.Event{Kind: keyspace.Rename, Op: keyspace.OpMove, Key: []byte(key), Value: []byte(key), Index: num(a[0])})
	case "SWAPDB":
		s.add(keyspace.Event{Kind: keyspace.SwapDB, DB: int32(num(key)), Index: num(a[0])})
		s.events[len(s.events)-1].DB = int32(num(key))
	case "FLUSHDB":
		s.add(keyspace.Event{Kind: keyspace.Flush, DB: s.db})
	case "FLUSHALL":
		s.add(keyspace.Event{Kind: keyspace.Flush, DB: -1})
	case "FUNCTION-LOAD":
		s.add(keyspace.Event{Kind: keyspace.Function, DB: -1, Op: keyspace.OpCreate, Key: []byte(key), Value: []byte(a[0])})
	case "FUNCTION-DELETE":
		s.add(keyspace.Event{Kind: keyspace.Delete, DB: -1, Op: keyspace.OpDeleteLibrary, Key: []byte(key)})
	case "FUNCTION-FLUSH":
		s.add(keyspace.Event{Kind: keyspace.Delete, DB: -1, Op: keyspace.OpDeleteLibrary})
	case "JSON.SET":
		op := keyspace.OpUpdate
		if a[0] == "$" {
			op = keyspace.OpCreate
		}
		e := put(a[1])
		e.Field = []byte(a[0])
		s.key(op, keyspace.Module, key, 0, e)
	case "JSON.DEL":
		s.remove(keyspace.OpDeleteElement, keyspace.Module, key, keyspace.Event{Field: []byte(a[0])})
	case "ARSET":
		s.key(keyspace.OpUpdate, keyspace.Array, key, 0, keyspace.Event{Op: keyspace.OpPut, Index: num(a[0]), Value: []byte(a[1])})
	case "ARDEL":
		s.remove(keyspace.OpDeleteElement, keyspace.Array, key, keyspace.Event{Index: num(a[0])})
	case "MENTION":
		s.key(keyspace.OpNone, keyspace.TypeNone, key, 0, keyspace.Event{Op: keyspace.OpNone, Value: []byte(a[0])})
	case "TORN": // from the command before
		s.events = s.events[:len(s.events)-1]
		s.add(keyspace.Event{Kind: keyspace.Torn, Pos: keyspace.Pos{Offset: s.offset - 100*num(key)}})
	default:
		panic("no such command: " + cmd)
	}
}

func num(w string) int64 {
	n, err := strconv.ParseInt(w, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

func id(w string) keyspace.StreamID {
	ms, seq, _ := strings.Cut(w, "-")
	return keyspace.StreamID{MS: uint64(num(ms)), Seq: uint64(num(seq))}
}

// seq returns the events as a sequence that, like a reader's, uses one event again.
func seq(events []keyspace.Event) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		var ev keyspace.Event
		for i := range events {
			ev = events[i]
			if !yield(&ev, nil) {
				return
			}
		}
	}
}

// resolve returns the events with their states.
func resolve(t testing.TB, events []keyspace.Event, o Options) ([]keyspace.Event, Result) {
	t.Helper()
	return resolveWith(t, newResolver(o), events)
}

func resolveWith(t testing.TB, r *resolver, events []keyspace.Event) ([]keyspace.Event, Result) {
	t.Helper()
	var got []keyspace.Event
	r.resolve(context.Background(), func() keyspace.Seq { return seq(events) }, func(ev *keyspace.Event, err error) bool {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, *ev)
		return true
	})
	if len(got) != len(events) {
		t.Fatalf("%d events became %d", len(events), len(got))
	}
	return got, r.result
}

// values lists what carries data, in order, as "value state[index]".
func values(events []keyspace.Event) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range events {
			ev := &events[i]
			s := ""
			switch ev.Kind {
			case keyspace.Element:
				if s = fmt.Sprintf("%s %s", ev.Value, ev.State); ev.Type == keyspace.List && ev.State == keyspace.Live {
					s += fmt.Sprint("@", ev.Index)
				}
			case keyspace.Function:
				s = fmt.Sprintf("%s %s", ev.Value, ev.State)
			case keyspace.Group:
				s = fmt.Sprintf("%s %s", ev.Field, ev.State)
			case keyspace.Pending:
				s = fmt.Sprintf("%s %s", ev.Value, ev.State)
			default:
				continue
			}
			if !yield(s) {
				return
			}
		}
	}
}
