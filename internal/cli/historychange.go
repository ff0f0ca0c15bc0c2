package cli

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/valkeyfs/valkeyfs/internal/replay"
	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// newChangeWriter returns what writes the changes of a history in a format.
func newChangeWriter(a *app, out *output, format string, reveal bool) func(*replay.Change) error {
	if format == "jsonl" {
		l, m := report.NewLines(out), &changeRecords{a: a, reveal: reveal}
		return func(c *replay.Change) error { return l.Change(m.of(c)) }
	}
	text, l := out.lines(), &changeLines{a: a, reveal: reveal}
	return func(c *replay.Change) error {
		_, err := text.Write(l.line(c))
		return err
	}
}

// changeRecords makes records of changes.
type changeRecords struct {
	a      *app
	reveal bool
	record report.Change
	// Most changes are of the key of the one before, and in its file.
	key, source shown
}

// of is the record of a change, valid until the next. Values stand there with --reveal
// only.
func (m *changeRecords) of(c *replay.Change) *report.Change {
	r := &m.record
	*r = report.Change{Type: "change", DB: c.DB, Presumed: c.Presumed, Source: m.source.is(c.Source, m.a.names.Mask), Offset: c.Offset, What: string(c.What), Tombstone: c.What.Tombstone(),
		ValueType: c.Type.String(), ID: c.ID, Inexact: c.Inexact, Cut: c.Cut}
	r.Key, r.KeyB64 = textOrBytes(m.key.of(c.Key, m.a.names.Key))
	r.Element, r.ElementB64 = textOrBytes(elementName(m.a, c, m.reveal))
	if c.Time != 0 {
		r.Time = time.UnixMilli(c.Time).UTC().Format(time.RFC3339)
	}
	if c.Expire != keyspace.NoExpire {
		r.ExpireMS = &c.Expire
	}
	if c.BeforeLen >= 0 {
		r.BeforeLength = &c.BeforeLen
	}
	if c.AfterLen >= 0 {
		r.AfterLength = &c.AfterLen
	}
	if m.reveal {
		r.Before, r.BeforeB64 = textOrBytes(string(c.Before))
		r.After, r.AfterB64 = textOrBytes(string(c.After))
	}
	return r
}

// elementName is the name of an element; what is a value itself, as members of
// sets are, is a length unless values are shown.
func elementName(a *app, c *replay.Change, reveal bool) string {
	if !reveal && isValue(c) {
		return string(appendLength(nil, len(c.Element)))
	}
	return a.names.Key(string(c.Element))
}

// isValue reports whether the element of a change is a value itself.
func isValue(c *replay.Change) bool {
	return c.Element != nil && (c.Type == keyspace.Set || c.Type == keyspace.SortedSet)
}

// appendLength appends how long a value is that is not shown.
func appendLength(b []byte, n int) []byte {
	return append(strconv.AppendInt(append(b, '('), int64(n), 10), " bytes)"...)
}

func textOrBytes(s string) (string, []byte) {
	if utf8.ValidString(s) {
		return s, nil
	}
	return "", []byte(s)
}

// changeLines makes lines of changes for a person.
type changeLines struct {
	a      *app
	reveal bool
	buf    []byte
	// Most changes are of the key of the one before, and in its file.
	key, source shown
}

// shown is the last name that was shown, and how.
type shown struct{ name, text string }

func (s *shown) of(name []byte, show func(string) string) string {
	if s.name == string(name) && s.text != "" {
		return s.text
	}
	return s.is(string(name), show)
}

// is is of, of a string.
func (s *shown) is(name string, show func(string) string) string {
	if s.name != name || s.text == "" {
		s.name, s.text = name, show(name)
	}
	return s.text
}

// line is a change, valid until the next.
func (l *changeLines) line(c *replay.Change) []byte {
	b := l.buf[:0]
	if c.Time != 0 {
		b = time.UnixMilli(c.Time).UTC().AppendFormat(b, "2006-01-02 15:04:05Z  ")
	}
	b = append(b, "db "...)
	b = strconv.AppendInt(b, int64(c.DB), 10)
	if c.Presumed {
		b = append(b, " (presumed)"...)
	}
	b = append(append(b, ' '), l.key.of(c.Key, l.name)...)
	if c.ID != "" {
		b = append(append(b, " entry "...), c.ID...)
	}
	switch {
	case !l.reveal && isValue(c):
		b = appendLength(append(b, ' '), len(c.Element))
	case c.ID != "" || c.Element != nil:
		b = append(append(b, ' '), report.Escape(l.a.names.Key(string(c.Element)))...)
	}
	b = append(append(b, "  "...), c.What...)
	if c.BeforeLen >= 0 {
		b = l.value(append(b, ' '), c.Before, c.BeforeLen)
	}
	if c.BeforeLen >= 0 && c.AfterLen >= 0 {
		b = append(b, " to"...)
	}
	if c.AfterLen >= 0 {
		b = l.value(append(b, ' '), c.After, c.AfterLen)
	}
	if c.Expire != keyspace.NoExpire {
		b = time.UnixMilli(c.Expire).UTC().AppendFormat(append(b, ", expiry "...), time.RFC3339)
	}
	if c.Inexact {
		b = append(b, ", not known exactly"...)
	}
	if c.Cut {
		b = append(b, ", cut"...)
	}
	b = append(append(b, "  "...), l.source.is(c.Source, l.path)...)
	b = strconv.AppendInt(append(b, ':'), c.Offset, 10)
	l.buf = append(b, '\n')
	return l.buf
}

func (l *changeLines) name(key string) string { return report.Escape(l.a.names.Key(key)) }

func (l *changeLines) path(source string) string { return report.Escape(l.a.names.Mask(source)) }

// value is a value, or how long it is.
func (l *changeLines) value(b, v []byte, length int) []byte {
	if l.reveal {
		return append(append(append(b, '"'), report.Escape(string(v))...), '"')
	}
	return appendLength(b, length)
}
