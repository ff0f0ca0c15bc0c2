package cli

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/valkeyfs/valkeyfs/internal/replay"
	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// newChangeWriter returns what writes the changes of a history in a format.
func newChangeWriter(a *app, out *output, format string, reveal bool) func(*replay.Change) error {
	if format == "jsonl" {
		l := report.NewLines(out)
		return func(c *replay.Change) error { return l.Line(changeRecord(a, c, reveal)) }
	}
	text := out.lines()
	return func(c *replay.Change) error {
		_, err := fmt.Fprintln(text, changeLine(a, c, reveal))
		return err
	}
}

// change is a change as JSON. Values stand there with --reveal only, as text, or
// base64 where they are not UTF-8.
type change struct {
	Type         string `json:"type"` // "change"
	DB           int32  `json:"db"`
	Key          string `json:"key,omitempty"`
	KeyB64       []byte `json:"key_b64,omitempty"`
	Source       string `json:"source"`
	Offset       int64  `json:"offset"`
	Time         string `json:"time,omitempty"`
	What         string `json:"what"`
	Tombstone    bool   `json:"tombstone"`
	ValueType    string `json:"value_type"`
	Element      string `json:"element,omitempty"`
	ElementB64   []byte `json:"element_b64,omitempty"`
	ID           string `json:"id,omitempty"`
	BeforeLength *int   `json:"before_length,omitempty"`
	Before       string `json:"before,omitempty"`
	BeforeB64    []byte `json:"before_b64,omitempty"`
	AfterLength  *int   `json:"after_length,omitempty"`
	After        string `json:"after,omitempty"`
	AfterB64     []byte `json:"after_b64,omitempty"`
	ExpireMS     *int64 `json:"expire_ms,omitempty"`
	Inexact      bool   `json:"inexact,omitempty"`
	Cut          bool   `json:"cut,omitempty"`
}

func changeRecord(a *app, c *replay.Change, reveal bool) *change {
	r := &change{Type: "change", DB: c.DB, Source: a.names.Mask(c.Source), Offset: c.Offset, What: string(c.What), Tombstone: c.What.Tombstone(),
		ValueType: c.Type.String(), ID: c.ID, Inexact: c.Inexact, Cut: c.Cut}
	r.Key, r.KeyB64 = textOrBytes(a.names.Key(string(c.Key)))
	r.Element, r.ElementB64 = textOrBytes(elementName(a, c, reveal))
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
	if reveal {
		r.Before, r.BeforeB64 = textOrBytes(string(c.Before))
		r.After, r.AfterB64 = textOrBytes(string(c.After))
	}
	return r
}

// elementName is the name of an element; what is a value itself, as members of
// sets are, is a length unless values are shown.
func elementName(a *app, c *replay.Change, reveal bool) string {
	if !reveal && c.Element != nil && (c.Type == keyspace.Set || c.Type == keyspace.SortedSet) {
		return fmt.Sprintf("(%d bytes)", len(c.Element))
	}
	return a.names.Key(string(c.Element))
}

func textOrBytes(s string) (string, []byte) {
	if utf8.ValidString(s) {
		return s, nil
	}
	return "", []byte(s)
}

// changeLine is a change for a person.
func changeLine(a *app, c *replay.Change, reveal bool) string {
	var b strings.Builder
	if c.Time != 0 {
		b.WriteString(time.UnixMilli(c.Time).UTC().Format("2006-01-02 15:04:05Z  "))
	}
	fmt.Fprintf(&b, "db %d %s", c.DB, report.Escape(a.names.Key(string(c.Key))))
	switch {
	case c.ID != "":
		b.WriteString(" entry " + c.ID + " " + report.Escape(elementName(a, c, reveal)))
	case c.Element != nil:
		b.WriteString(" " + report.Escape(elementName(a, c, reveal)))
	}
	b.WriteString("  " + string(c.What))
	value := func(v []byte, n int) string {
		if !reveal {
			return fmt.Sprintf("(%d bytes)", n)
		}
		return `"` + report.Escape(string(v)) + `"`
	}
	before, after := value(c.Before, c.BeforeLen), value(c.After, c.AfterLen)
	switch {
	case c.BeforeLen >= 0 && c.AfterLen >= 0:
		b.WriteString(" " + before + " to " + after)
	case c.BeforeLen >= 0:
		b.WriteString(" " + before)
	case c.AfterLen >= 0:
		b.WriteString(" " + after)
	}
	if c.Expire != keyspace.NoExpire {
		b.WriteString(", expiry " + time.UnixMilli(c.Expire).UTC().Format(time.RFC3339))
	}
	if c.Inexact {
		b.WriteString(", not known exactly")
	}
	if c.Cut {
		b.WriteString(", cut")
	}
	fmt.Fprintf(&b, "  %s:%d", report.Escape(a.names.Mask(c.Source)), c.Offset)
	return b.String()
}
