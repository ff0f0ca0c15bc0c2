package replay

import (
	"encoding/json"
	"fmt"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// elementText is the value of a field, or the score of a member; nil if there is
// none, or no object.
func (o *object) elementText(name []byte) []byte {
	if o == nil {
		return nil
	}
	if f, ok := o.hash[string(name)]; ok {
		return f.value
	}
	if s, ok := o.zset[string(name)]; ok {
		return appendScore(s)
	}
	return nil
}

// text is a value for a person to read: a string as it is; of a collection the
// first elements as JSON, and how many more there are. It is valid until the value
// changes.
func (o *object) text() (text []byte, cut bool) {
	if o.typ == keyspace.String { // its beginning: what is longer is cut anyway
		return o.str[:min(len(o.str), maxValue)], len(o.str) > maxValue
	}
	if n := len(o.hash) + len(o.set); n > maxSorted { // putting them in order each time would cost more than telling
		return fmt.Appendf(nil, "… %d in all", n), true
	}
	var b []byte
	n := 0
	item := func(parts ...string) bool {
		if n++; n > maxElements || len(b) > maxValue {
			return false
		}
		for i, p := range parts {
			if i > 0 {
				b = append(b, ':')
			} else if len(b) > 0 {
				b = append(b, ',')
			}
			b = appendQuoted(b, p)
		}
		return true
	}
	total := o.each(item)
	if n > maxElements || n < total {
		b = fmt.Appendf(b, ", … %d in all", total)
		cut = true
	}
	return b, cut
}

// appendQuoted appends a string as JSON.
func appendQuoted(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			q, _ := json.Marshal(s) //nolint:errchkjson // a string has no error
			return append(b, q...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// each calls item with the elements until it has enough, and returns how many
// there are.
func (o *object) each(item func(...string) bool) int {
	switch o.typ {
	case keyspace.List:
		for _, v := range o.list.all() {
			if !item(string(v)) {
				break
			}
		}
		return o.list.len()
	case keyspace.Hash:
		for _, name := range o.fields() {
			if !item(name, string(o.hash[name].value)) {
				break
			}
		}
		return len(o.hash)
	case keyspace.Set:
		for _, v := range o.members() {
			if !item(v) {
				break
			}
		}
		return len(o.set)
	case keyspace.SortedSet:
		for v := range o.ranked().all() {
			if !item(v, string(appendScore(o.zset[v]))) {
				break
			}
		}
		return len(o.zset)
	case keyspace.Stream:
		for i := range o.stream.entries {
			if !item(idText(o.stream.entries[i].id), string(entryText(&o.stream.entries[i]))) {
				break
			}
		}
		return len(o.stream.entries)
	}
	for _, x := range o.other {
		if !item(string(x.field), string(x.value)) {
			break
		}
	}
	return len(o.other)
}

func entryText(e *entry) []byte {
	var b []byte
	for i, f := range e.fields {
		if len(b) > maxValue {
			break
		}
		if i > 0 {
			b = append(b, ' ')
		}
		b = fmt.Appendf(b, "%s=%s", f[0], f[1])
	}
	return b
}
