package sigma

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/valkeyfs/valkeyfs/aof"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// How much of a command is looked at.
const (
	maxArgument = 64 << 10
	maxLine     = 256 << 10
	maxKeys     = 1024
)

// An Event is a command as rules see it.
type Event struct {
	command, subcommand []value
	args, line, keys    []value
	db, argc, source    []value
}

// A value is what a field has: as it is, and in lower case.
type value struct{ text, lower string }

func valueOf(s string) value { return value{s, strings.ToLower(s)} }

// NewEvent describes a Command event, of which it keeps nothing.
func NewEvent(e *keyspace.Event) *Event {
	ev := &Event{db: []value{valueOf(strconv.Itoa(int(e.DB)))}, argc: []value{valueOf(strconv.FormatInt(e.Index, 10))}, source: []value{valueOf(e.Pos.Source)}}
	if len(e.Args) == 0 {
		return ev
	}
	name := strings.ToUpper(clip(e.Args[0]))
	ev.command = []value{valueOf(name)}
	line := []byte(name)
	for _, a := range e.Args[1:] {
		v := valueOf(clip(a))
		ev.args = append(ev.args, v)
		if len(line) < maxLine {
			line = append(append(line, ' '), v.text...)
		}
	}
	ev.line = []value{valueOf(string(line[:min(len(line), maxLine)]))}
	if len(ev.args) > 0 && containers[name] {
		ev.subcommand = []value{valueOf(strings.ToUpper(ev.args[0].text))}
	}
	spec, ok := aof.LookupCommand(e.Args[0])
	if !ok {
		return ev
	}
	if len(ev.args) > 0 {
		if sub, known := spec.Subcommand(e.Args[1]); known {
			spec = sub
		}
	}
	ev.keys = keysOf(spec, e.Args)
	return ev
}

// containers are the commands whose first argument is a command of its own.
var containers = func() map[string]bool {
	out := map[string]bool{}
	for name := range strings.FieldsSeq("ACL CLIENT CLUSTER COMMAND CONFIG DEBUG FUNCTION LATENCY MEMORY MODULE OBJECT PUBSUB SCRIPT SENTINEL SLOWLOG XGROUP XINFO") {
		out[name] = true
	}
	return out
}()

func clip(arg []byte) string { return string(arg[:min(len(arg), maxArgument)]) }

// keysOf returns the names of the keys among the arguments. Indexes of a
// subcommand count from the container's name.
func keysOf(spec *aof.CommandSpec, args [][]byte) []value {
	var keys []value
	add := func(from, to, step int) {
		for i := from; i <= min(to, len(args)-1) && i > 0 && len(keys) < maxKeys; i += max(step, 1) {
			keys = append(keys, valueOf(clip(args[i])))
		}
	}
	if spec.FirstKey > 0 {
		last := spec.LastKey
		if last < 0 {
			last += len(args)
		}
		add(spec.FirstKey, last, spec.KeyStep)
	}
	if at := spec.NumKeys; at > 0 && at < len(args) {
		if n, err := strconv.Atoi(string(bytes.TrimSpace(args[at]))); err == nil && n > 0 {
			add(at+1, at+min(n, maxKeys), 1)
		}
	}
	return keys
}

// fields are what rules may ask for.
var fields = map[string]func(*Event) []value{
	"command":     func(e *Event) []value { return e.command },
	"subcommand":  func(e *Event) []value { return e.subcommand },
	"args":        func(e *Event) []value { return e.args },
	"commandline": func(e *Event) []value { return e.line },
	"key":         func(e *Event) []value { return e.keys },
	"db":          func(e *Event) []value { return e.db },
	"argc":        func(e *Event) []value { return e.argc },
	"source":      func(e *Event) []value { return e.source },
}
