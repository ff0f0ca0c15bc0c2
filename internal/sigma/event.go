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
	command, subcommand []string
	args, line, keys    []string
	db, argc, source    []string
}

// NewEvent describes a Command event, of which it keeps nothing.
func NewEvent(e *keyspace.Event) *Event {
	ev := &Event{db: []string{strconv.Itoa(int(e.DB))}, argc: []string{strconv.FormatInt(e.Index, 10)}, source: []string{e.Pos.Source}}
	if len(e.Args) == 0 {
		return ev
	}
	ev.command = []string{strings.ToUpper(string(e.Args[0][:min(len(e.Args[0]), maxArgument)]))}
	for _, a := range e.Args[1:] {
		ev.args = append(ev.args, string(a[:min(len(a), maxArgument)]))
	}
	line := append(ev.command[:1:1], ev.args...)
	text := strings.Join(line, " ")
	ev.line = []string{text[:min(len(text), maxLine)]}
	if len(ev.args) > 0 && containers[ev.command[0]] {
		ev.subcommand = []string{strings.ToUpper(ev.args[0])}
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

// keysOf returns the names of the keys among the arguments. Indexes of a
// subcommand count from the container's name.
func keysOf(spec *aof.CommandSpec, args [][]byte) []string {
	var keys []string
	add := func(from, to, step int) {
		for i := from; i <= min(to, len(args)-1) && i > 0 && len(keys) < maxKeys; i += max(step, 1) {
			keys = append(keys, string(args[i][:min(len(args[i]), maxArgument)]))
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
var fields = map[string]func(*Event) []string{
	"command":     func(e *Event) []string { return e.command },
	"subcommand":  func(e *Event) []string { return e.subcommand },
	"args":        func(e *Event) []string { return e.args },
	"commandline": func(e *Event) []string { return e.line },
	"key":         func(e *Event) []string { return e.keys },
	"db":          func(e *Event) []string { return e.db },
	"argc":        func(e *Event) []string { return e.argc },
	"source":      func(e *Event) []string { return e.source },
}
