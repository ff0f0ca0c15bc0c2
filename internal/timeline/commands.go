package timeline

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// commandReader collects the commands of a log. Where the server wrote #TS lines
// (aof-timestamp-enabled), each command has its second. Before the first of them
// there are bounds only: when the base was saved, and the first line of time, or
// when the file was last written to. Then only what changes more than one value
// is worth a line.
type commandReader struct {
	valueReader
	firstTime int64 // ms, of the first #TS; 0: there is none
	modified  map[string]time.Time
	base      time.Time // when the base was saved
	header    bool      // in a snapshot
	name      string    // of the command being read
	last      struct {  // the last event, to tell one command's once
		source string
		record int64
		kind   string
		key    string
	}
}

// firstTime returns the time of the first #TS line of a log, 0 if it has none.
func firstTime(ctx context.Context, u *source.Unit) (int64, error) {
	if u.Files[0].Streamed() {
		return 0, nil // it is read once
	}
	for e, err := range u.Events(ctx) {
		if err != nil {
			return 0, err
		}
		if e.Time != 0 && e.Kind != keyspace.Pending && e.Kind != keyspace.Consumer && plausible(e.Time) {
			return e.Time, nil
		}
	}
	return 0, nil
}

// event takes one event of a log.
func (r *commandReader) event(e *keyspace.Event) error {
	switch e.Kind {
	case keyspace.Header:
		r.header = string(e.Value) != "RESP"
	case keyspace.End:
		if r.saved != 0 {
			r.base = msTime(r.saved)
		}
		r.header = false
	}
	if r.header {
		return r.valueReader.event(e)
	}
	if e.Kind == keyspace.Command && len(e.Args) > 0 {
		r.name = strings.ToUpper(cut(string(e.Args[0])))
	}
	if kind, message := describe(e); kind != "" {
		if e.Kind != keyspace.Command && r.name != "" {
			message = r.name + ": " + message
		}
		if err := r.command(e, kind, message); err != nil {
			return err
		}
	}
	return r.valueReader.event(e)
}

// command dates what a command did.
func (r *commandReader) command(e *keyspace.Event, kind, message string) error {
	if l := &r.last; l.source == e.Pos.Source && l.record == e.Record && l.kind == kind && l.key == string(e.Key) {
		return nil
	}
	r.last.source, r.last.record, r.last.kind, r.last.key = e.Pos.Source, e.Record, kind, string(e.Key)
	ev := &Event{Kind: kind, Message: message, Source: e.Pos.Source, Offset: e.Record, Technique: technique(kind)}
	if plausible(e.Time) {
		ev.Time, ev.Basis, ev.Of = msTime(e.Time), Recorded, "#TS"
		return r.c.keyed(ev, e.DB, e.Key)
	}
	if !notable[kind] {
		r.c.t.Summary.Undated++
		return nil
	}
	to, of := r.modified[e.Pos.Source], "mtime of the file"
	if r.firstTime != 0 {
		to, of = msTime(r.firstTime), "the first #TS"
	}
	if !r.base.IsZero() {
		of = "ctime of the base, " + of
	}
	return r.c.bounded(ev, of, r.base, to, e.DB, e.Key)
}

// notable are the kinds that are told even where only bounds are known.
var notable = map[string]bool{"flushed": true, "databases-swapped": true, "function-loaded": true, "function-deleted": true, "command": true, "never-logged": true}

// technique is the ATT&CK id of what a command did.
func technique(kind string) string {
	if kind == "flushed" {
		return "T1485" // Data Destruction
	}
	return ""
}

// describe says what an event of a log did; nothing of one that is part of
// another or changes nothing.
func describe(e *keyspace.Event) (kind, message string) {
	switch e.Kind {
	case keyspace.Key:
		switch e.Op {
		case keyspace.OpCreate:
			return "key-written", fmt.Sprintf("a %s was written", e.Type)
		case keyspace.OpUpdate:
			return "key-changed", fmt.Sprintf("the %s was added to", e.Type)
		}
	case keyspace.Delete:
		switch e.Op {
		case keyspace.OpDeleteKey:
			return "key-deleted", "the key was deleted"
		case keyspace.OpDeleteLibrary:
			return "function-deleted", "a function library was deleted, or all of them"
		case keyspace.OpAck:
			return "entry-acknowledged", fmt.Sprintf("entry %d-%d was acknowledged in a group", e.ID.MS, e.ID.Seq)
		case keyspace.OpDeleteGroup:
			return "group-deleted", "a consumer group, or a consumer of one, was removed"
		case keyspace.OpReplaceSome:
			return "key-written", "the result of a computation was stored"
		}
		return "element-deleted", "elements were removed"
	case keyspace.Expire:
		what := "the key's"
		if e.Field != nil {
			what = "a field's"
		}
		if e.Expire == keyspace.NoExpire {
			return "expiry-removed", what + " expiry was removed"
		}
		if plausible(e.Expire) {
			return "expiry-set", fmt.Sprintf("%s expiry became %s", what, msTime(e.Expire).Format(time.RFC3339Nano))
		}
		return "expiry-set", what + " expiry was set"
	case keyspace.Flush:
		if e.DB < 0 {
			return "flushed", "all databases were emptied"
		}
		return "flushed", fmt.Sprintf("database %d was emptied", e.DB)
	case keyspace.Rename:
		return map[keyspace.Op]string{keyspace.OpRename: "key-renamed", keyspace.OpCopy: "key-copied", keyspace.OpMove: "key-moved"}[e.Op],
			fmt.Sprintf("to database %d", e.Index)
	case keyspace.SwapDB:
		return "databases-swapped", fmt.Sprintf("databases %d and %d changed places", e.DB, e.Index)
	case keyspace.Function:
		return "function-loaded", fmt.Sprintf("function library %q was loaded", e.Key)
	case keyspace.Command:
		if e.Op == keyspace.OpNeverLogged {
			return "never-logged", shown(e.Args) + ": a command that no server writes to a log"
		}
		if len(e.Args) > 0 && bare[strings.ToLower(string(e.Args[0]))] {
			return "command", shown(e.Args)
		}
	}
	return "", ""
}

// bare are the commands that are told as such: what else is in a log is told by
// what it did.
var bare = map[string]bool{"eval": true, "evalsha": true, "eval_ro": true, "evalsha_ro": true, "fcall": true, "fcall_ro": true, "script": true, "function": true,
	"config": true, "acl": true, "module": true, "debug": true, "replicaof": true, "slaveof": true}

// harmless are the commands whose arguments hold no secret and say what was done.
var harmless = map[string]bool{"slaveof": true, "replicaof": true, "module": true, "flushall": true, "flushdb": true, "swapdb": true, "script": true,
	"debug": true, "bgrewriteaof": true, "bgsave": true, "save": true, "shutdown": true, "failover": true, "cluster": true, "select": true}

// shown is a command as far as it may be told: its name, and the arguments of
// those that have no secrets.
func shown(args [][]byte) string {
	if len(args) == 0 {
		return "a command"
	}
	name := strings.ToLower(string(args[0]))
	words := []string{strings.ToUpper(name)}
	rest := args[1:]
	switch {
	case harmless[name]:
		for _, a := range rest {
			words = append(words, string(a))
		}
		rest = nil
	case name == "config" && len(rest) > 2 && !strings.Contains(strings.ToLower(string(rest[1])), "auth") && !strings.Contains(strings.ToLower(string(rest[1])), "pass"):
		for _, a := range rest {
			words = append(words, string(a))
		}
		rest = nil
	case len(rest) > 0 && (name == "acl" || name == "config" || name == "function"):
		words = append(words, strings.ToUpper(string(rest[0])))
		rest = rest[1:]
	}
	if len(rest) > 0 {
		words = append(words, fmt.Sprintf("(%d arguments)", len(rest)))
	}
	return cut(strings.Join(words, " "))
}
