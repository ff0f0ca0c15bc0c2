package replay

import (
	"slices"
	"strings"

	"github.com/valkeyfs/valkeyfs/aof"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// unfollowed notes which commands cannot be replayed: those of which it is known what
// they change, but not to what, and those that are not known at all.
type unfollowed struct {
	vague   map[string]bool // names, as package aof spells them
	sorts   bool            // a SORT by or of other keys was met, which takes a machine that has them all
	unknown int64
	names   []string // of the unknown ones, in the order in which they were met

	command  []byte // the one at hand
	computed bool   // by a machine, whatever its events say
}

// maxUnknown is how many names of unknown commands are kept, and maxName how long they
// may be.
const (
	maxUnknown = 8
	maxName    = 32
)

// take notes a Command event.
func (u *unfollowed) take(e *keyspace.Event) {
	u.command, u.computed = u.command[:0], false
	if len(e.Args) == 0 || e.State == keyspace.Recovered {
		return
	}
	name := e.Args[0]
	if _, ok := aof.LookupCommand(name); !ok {
		u.unknown++
		known := func(s string) bool { return strings.EqualFold(s, string(name)) }
		if len(u.names) < maxUnknown && isName(name) && !slices.ContainsFunc(u.names, known) {
			u.names = append(u.names, string(name))
		}
		return
	}
	u.command = append(u.command, name...)
	_, ok := computing[commandName(e)]
	if u.computed = ok && int64(len(e.Args)) == e.Index; u.computed && !isTold(e) {
		u.note()
	}
	if u.computed && commandName(e) == "sort" {
		s := parseSort(e.Args)
		u.sorts = u.sorts || s.others()
	}
}

// isName reports whether a command can bear that name: it is no value that stands where a
// name should.
func isName(name []byte) bool {
	for _, c := range name {
		switch {
		case 'a' <= c|0x20 && c|0x20 <= 'z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return len(name) <= maxName
}

// isTold reports whether the result of a command that is computed can be exact.
func isTold(e *keyspace.Event) bool {
	switch commandName(e) {
	case "pfadd", "pfmerge":
		return false
	case "pfcount":
		return len(e.Args) != 2
	case "geosearchstore", "georadius", "georadiusbymember":
		s, told := parseGeoSearch(e)
		return told && !s.distances && !s.first
	}
	return true
}

// see notes an event of the command at hand that makes a value inexact.
func (u *unfollowed) see(e *keyspace.Event) {
	if len(u.command) > 0 && !u.computed && isVague(e) {
		u.note()
	}
}

func (u *unfollowed) note() {
	spec, _ := aof.LookupCommand(u.command)
	if u.vague == nil {
		u.vague = map[string]bool{}
	}
	u.vague[spec.Name] = true
}

// isVague reports whether applying an event makes a value inexact.
func isVague(e *keyspace.Event) bool {
	switch e.Kind {
	case keyspace.Key:
		return isOpaque(e)
	case keyspace.Element:
		return e.Op == keyspace.OpAppend || !isNative(e.Type) || e.Type == keyspace.SortedSet && e.Count != 0
	case keyspace.Delete:
		switch e.Op {
		case keyspace.OpDeleteScores, keyspace.OpDeleteRanks, keyspace.OpDeleteSome, keyspace.OpReplaceSome:
			return true
		case keyspace.OpDeleteElement:
			return !isNative(e.Type)
		}
	}
	return false
}

// isOpaque reports whether an event begins a change of a value that no command takes apart.
func isOpaque(e *keyspace.Event) bool {
	return e.Op == keyspace.OpUpdate && !isNative(e.Type) && e.Type != keyspace.TypeNone
}

// isNative reports whether commands of a type are replayed.
func isNative(t keyspace.Type) bool {
	switch t {
	case keyspace.String, keyspace.List, keyspace.Set, keyspace.SortedSet, keyspace.Hash, keyspace.Stream:
		return true
	}
	return false
}
