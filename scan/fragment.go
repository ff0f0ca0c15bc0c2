package scan

import (
	"strconv"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// A fragment is a text that is scanned by itself: a name or value of the
// keyspace, or what a decoder took out of another fragment. Its bytes are valid
// while it and its children are scanned.
type fragment struct {
	data   []byte
	parent *fragment
	kind   string // of the decoder that made it; "" for a leaf's own bytes
	path   []byte // inside the container, where that has names: $.auth.token
	depth  int
	serial uint32 // tells fragments of one worker apart

	// Where in the leaf's bytes the text stands, or the container that it came
	// out of. inPlace: byte for byte.
	from, to int
	inPlace  bool
	fresh    bool // its bytes stand nowhere in the parent: a container gave them

	isName   bool // the text is itself a name: what it is called says nothing about it
	inName   bool // it stands in the name of a key or field, or in a container there
	assigned int  // end of the last assignment that was taken apart
	assigns  bool // the text is an assignment: its value was looked at
}

// chain returns the containers around f, outermost first, behind those of the
// leaf.
func (f *fragment) chain(outer []string) []string {
	if f.parent == nil {
		return outer
	}
	outer = f.parent.chain(outer)
	if f.path == nil {
		return append(outer, f.kind)
	}
	return append(outer, f.kind+":"+string(f.path))
}

// chain returns the containers that the file itself puts around a leaf.
func (l *leaf) chain() []string {
	var chain []string
	if l.isPacked() {
		chain = append(chain, keyspace.LZF.String())
	}
	if l.isListed() {
		name := l.encoding.String()
		if l.index >= 0 {
			name += "[" + strconv.FormatInt(l.index, 10) + "]"
		}
		chain = append(chain, name)
	}
	return chain
}

// depth is the length of the leaf's chain.
func (l *leaf) depth() (n int) {
	if l.isPacked() {
		n++
	}
	if l.isListed() {
		n++
	}
	return n
}

// isPacked reports whether the leaf, or the blob around it, is compressed.
func (l *leaf) isPacked() bool { return l.at.Inner >= 0 || l.encoding == keyspace.LZF }

// isListed reports whether the leaf is one of several in a blob.
func (l *leaf) isListed() bool {
	switch l.encoding {
	case keyspace.Zipmap, keyspace.Ziplist, keyspace.Intset, keyspace.Listpack, keyspace.ListpackEx, keyspace.Quicklist, keyspace.Quicklist2, keyspace.Radix:
		return true
	}
	return false
}

// A scope is a name under which the fragment at hand stands: the key, the
// field, the keys of JSON objects. The innermost says most.
type scope struct {
	text  []byte
	class nameClass
	weak  bool // the name of a key: it may be about something else
	last  bool // and yet no identifier follows in the key, as in reset_token:8f31
	rules int  // how many entries of worker.named came before it

	personal *rule // of personalFamily
}

// classHere judges by the names in scope what the fragment is. Strong says that
// the name stands right at the value.
func (w *worker) classHere() (class nameClass, strong bool) {
	strong = true
	for i := len(w.scopes) - 1; i >= 0; i-- {
		s := &w.scopes[i]
		switch {
		case s.class == nameNeutral:
			continue
		case s.class == nameNone:
			// users: {alice: …} says nothing of its own, but passwords: {alice: …} does.
			if i > 0 && w.scopes[i-1].class > nameNeutral && isCollection(w.scopes[i-1].text) {
				return w.scopes[i-1].class, false
			}
			return nameNone, false
		}
		return s.class, strong && !s.weak
	}
	return nameNone, false
}

// keyNames reports whether the key itself names the value, with nothing behind
// the name and no other name between them.
func (w *worker) keyNames() bool {
	i := len(w.scopes) - 1
	for i > 0 && w.scopes[i].class == nameNeutral {
		i--
	}
	return i == 0 && w.scopes[0].last
}

// isCollection reports whether a name ends in the plural of a noun that promises
// secrets.
func isCollection(name []byte) bool {
	n := len(name)
	for n > 0 && !isLetter(name[n-1]) {
		n--
	}
	for _, noun := range [...]string{"keys", "tokens", "secrets", "passwords", "credentials", "creds", "passwds", "passphrases", "passcodes", "pwds"} {
		if n >= len(noun) && foldPrefix(name[n-len(noun):], noun) {
			return true
		}
	}
	return false
}

// isPlural reports whether a name is that of a collection.
func isPlural(name []byte) bool {
	n := len(name)
	return n > 3 && lower(name[n-1]) == 's' && lower(name[n-2]) != 's' // access is none
}

// enter puts a name into scope; leave takes it out again. hits are the keyword
// hits in the name, counted from base.
func (w *worker) enter(name []byte, weak bool, hits []hit) {
	s := scope{text: name, weak: weak, rules: len(w.named)}
	noun := false
	for _, h := range hits {
		for _, p := range w.s.matcher.patterns(h) {
			for i := range w.s.actions[p] {
				switch a := &w.s.actions[p][i]; a.kind {
				case actNoun:
					noun = true
				case actRegex:
					w.named = append(w.named, a.rule)
				case actPersonal:
					if s.personal == nil && a.rule.namesWord(name) {
						s.personal = a.rule
					}
				}
			}
		}
	}
	if noun || !isASCII(name) { // the automaton knows no words of other scripts
		s.class = classifyName(name)
	} else if isContentName(name) {
		s.class = nameNeutral
	}
	w.scopes = append(w.scopes, s)
}

func (w *worker) leave() {
	last := len(w.scopes) - 1
	w.named = w.named[:w.scopes[last].rules]
	w.scopes = w.scopes[:last]
}

// isContentName recognises names that leave it to the name around them what the
// value is.
func isContentName(name []byte) bool {
	switch string(name) {
	case "value", "val", "data", "v", "payload", "content", "body", "current", "default", "raw":
		return true
	}
	return false
}
