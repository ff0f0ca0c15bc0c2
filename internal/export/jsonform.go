package export

import (
	"strconv"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// textForm is a string.
type textForm struct{ some bool }

func (f *textForm) open(b []byte) []byte { f.some = false; return b }

func (f *textForm) before(b []byte, _ *keyspace.Event, _ bool) []byte { f.some = true; return b }

func (f *textForm) after(b []byte, _ *keyspace.Event) []byte { return b }

func (f *textForm) close(b []byte) []byte {
	if !f.some { // its elements were not read
		return append(b, "null"...)
	}
	return b
}

// listForm is an array of strings, or of pairs.
type listForm struct{ typ keyspace.Type }

func (f *listForm) open(b []byte) []byte { return append(b, '[') }

func (f *listForm) before(b []byte, e *keyspace.Event, first bool) []byte {
	if !first {
		b = append(b, ',')
	}
	switch f.typ {
	case keyspace.SortedSet:
		return append(b, '[')
	case keyspace.Array:
		return append(strconv.AppendInt(append(b, '['), e.Index, 10), ',')
	}
	return b
}

func (f *listForm) after(b []byte, e *keyspace.Event) []byte {
	switch f.typ {
	case keyspace.SortedSet:
		return append(appendFloat(append(b, ','), e.Score), ']')
	case keyspace.Array:
		return append(b, ']')
	}
	return b
}

func (f *listForm) close(b []byte) []byte { return append(b, ']') }

// hashForm is an object, as long as every field is UTF-8 and none expires; from
// the first that is not on, an array of pairs, into which what was written of
// the line is turned.
type hashForm struct {
	pairs    bool
	expiring bool  // the encoding records fields' expiries
	start    int   // where the value starts
	fields   []int // of an object: where each field starts and ends
	scratch  []byte
}

func (f *hashForm) begin(e *keyspace.Event) {
	f.expiring = e.Encoding == keyspace.ListpackEx || e.Encoding == keyspace.HashtableEx
	f.pairs = f.expiring
}

func (f *hashForm) open(b []byte) []byte {
	f.start, f.fields = len(b), f.fields[:0]
	if f.pairs {
		return append(b, '[')
	}
	return append(b, '{')
}

func (f *hashForm) before(b []byte, e *keyspace.Event, first bool) []byte {
	if !first {
		b = append(b, ',')
	}
	if f.pairs {
		return append(appendBytes(append(b, '['), e.Field), ',')
	}
	start := len(b)
	b = appendBytes(b, e.Field)
	if b[start] != '"' {
		return f.before(f.turn(b[:start]), e, true)
	}
	f.fields = append(f.fields, start, len(b))
	return append(b, ':')
}

// turn makes an array of the object that was written; a comma stands behind each of its members.
func (f *hashForm) turn(b []byte) []byte {
	f.pairs = true
	f.scratch = append(f.scratch[:0], b[f.start:]...)
	object := f.scratch
	b = append(b[:f.start], '[')
	for i := 0; i < len(f.fields); i += 2 {
		from, colon, end := f.fields[i]-f.start, f.fields[i+1]-f.start, len(object)
		if i+2 < len(f.fields) {
			end = f.fields[i+2] - f.start
		}
		b = append(append(b, '['), object[from:colon]...)
		b = append(append(append(b, ','), object[colon+1:end-1]...), "],"...)
	}
	return b
}

func (f *hashForm) after(b []byte, e *keyspace.Event) []byte {
	if !f.pairs {
		return b
	}
	if f.expiring {
		b = appendInt(b, ",", e.Expire, keyspace.NoExpire)
	}
	return append(b, ']')
}

func (f *hashForm) close(b []byte) []byte {
	if f.pairs {
		return append(b, ']')
	}
	return append(b, '}')
}
