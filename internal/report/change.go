package report

import (
	"encoding/base64"
	"strconv"
)

// Change is a change of a key as JSON. Values stand there as text, or base64 where they
// are not UTF-8.
type Change struct {
	Type         string `json:"type"` // "change"
	DB           int32  `json:"db"`
	Presumed     bool   `json:"db_presumed,omitempty"` // DB is
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

// Change writes a change as Line would. There may be millions, so their fields are written
// without reflection.
func (l *Lines) Change(c *Change) error {
	l.object = append(l.object[:0], `{"type":`...)
	l.string(c.Type)
	l.number("db", int64(c.DB))
	l.set("db_presumed", c.Presumed)
	l.some("key", c.Key)
	l.base64("key_b64", c.KeyB64)
	l.text("source", c.Source)
	l.number("offset", c.Offset)
	l.some("time", c.Time)
	l.text("what", c.What)
	l.name("tombstone")
	l.object = strconv.AppendBool(l.object, c.Tombstone)
	l.text("value_type", c.ValueType)
	l.some("element", c.Element)
	l.base64("element_b64", c.ElementB64)
	l.some("id", c.ID)
	l.size("before_length", c.BeforeLength)
	l.some("before", c.Before)
	l.base64("before_b64", c.BeforeB64)
	l.size("after_length", c.AfterLength)
	l.some("after", c.After)
	l.base64("after_b64", c.AfterB64)
	if c.ExpireMS != nil {
		l.number("expire_ms", *c.ExpireMS)
	}
	l.set("inexact", c.Inexact)
	l.set("cut", c.Cut)
	l.object = append(l.object, "}\n"...)
	_, err := l.w.Write(l.object)
	return err
}

// set writes a member that is left out if it is false.
func (l *Lines) set(name string, b bool) {
	if b {
		l.name(name)
		l.object = append(l.object, "true"...)
	}
}

func (l *Lines) size(name string, n *int) {
	if n != nil {
		l.number(name, int64(*n))
	}
}

// base64 writes a member that is left out if it is empty.
func (l *Lines) base64(name string, p []byte) {
	if len(p) > 0 {
		l.name(name)
		l.object = append(base64.StdEncoding.AppendEncode(append(l.object, '"'), p), '"')
	}
}
