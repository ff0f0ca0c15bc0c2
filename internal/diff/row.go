package diff

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// A Row is a Change as it is shown: values are not, unless that is wanted, but what
// length they have, and an id that is the same for the same value.
type Row struct {
	Change   string `json:"change"` // added, removed, changed
	DB       int32  `json:"db"`     // -1: a library of functions
	Key      string `json:"key"`
	KeyB64   string `json:"key_b64,omitempty"` // where the key is not UTF-8, and may be shown
	KeyType  string `json:"key_type"`
	What     string `json:"what"`               // key, or of what inside of it: value, field, member, element, entry, meta, group, consumer, pending, expiry, type
	Name     string `json:"name,omitempty"`     // of the field, group, consumer; index of the element; ID of the entry
	Consumer string `json:"consumer,omitempty"` // of a group
	Old      *Part  `json:"old,omitempty"`
	New      *Part  `json:"new,omitempty"`
}

// A Part is what a side has.
type Part struct {
	Type     string `json:"type,omitempty"`
	Bytes    int64  `json:"bytes"`
	Elements int64  `json:"elements,omitempty"`
	ID       string `json:"id,omitempty"`
	ExpireMS int64  `json:"expire_ms,omitempty"`
	Score    string `json:"score,omitempty"`
	Value    string `json:"value,omitempty"` // the start of it, where it is wanted
	ValueB64 string `json:"value_b64,omitempty"`
}

// Show says how names and values are shown.
type Show struct {
	Name   func(string) string // masks a name; nil: as it is
	Values bool
}

// row makes a Row of a Change.
func (s Show) row(c *Change) Row {
	r := Row{Change: c.Op.String(), DB: c.DB, KeyType: typeName(c.DB, c.Type), What: "key"}
	r.Key, r.KeyB64 = s.text(c.Key)
	if !c.Whole {
		r.What = c.Kind.String()
		s.part(&r, c)
	}
	if c.Op != Added {
		r.Old = s.state(c, &c.Old)
	}
	if c.Op != Removed {
		r.New = s.state(c, &c.New)
	}
	return r
}

// part names what of the key the change is about.
func (s Show) part(r *Row, c *Change) {
	switch c.Kind {
	case Field, Group:
		r.Name, _ = s.text(c.Name)
	case Element:
		if len(c.Name) == 8 {
			r.Name = strconv.FormatUint(binary.BigEndian.Uint64(c.Name), 10)
		}
	case Entry:
		r.Name = idText(c.Name)
	case Consumer, Pending:
		group, rest := cut(c.Name)
		r.Name, _ = s.text(group)
		if c.Kind == Consumer {
			r.Consumer, _ = s.text(rest)
			break
		}
		if len(rest) >= 17 {
			r.Consumer, _ = s.text(rest[:len(rest)-17])
			r.Name += " " + idText(rest[len(rest)-16:])
		}
	}
}

// cut divides a name at its first zero.
func cut(p []byte) (before, after []byte) {
	for i, b := range p {
		if b == 0 {
			return p[:i], p[i+1:]
		}
	}
	return p, nil
}

func idText(p []byte) string {
	if len(p) != 16 {
		return ""
	}
	return fmt.Sprintf("%d-%d", binary.BigEndian.Uint64(p), binary.BigEndian.Uint64(p[8:]))
}

// text is a name as it may be shown, and its bytes where it is no text and nothing in
// it is masked.
func (s Show) text(p []byte) (string, string) {
	shown := string(p)
	if s.Name != nil {
		if shown = s.Name(shown); shown != string(p) {
			return shown, ""
		}
	}
	if utf8.Valid(p) {
		return shown, ""
	}
	return fmt.Sprintf("%+q", p)[1:], base64.StdEncoding.EncodeToString(p)
}

func (s Show) state(c *Change, x *State) *Part {
	p := &Part{Bytes: x.Size}
	if x.Expire != keyspace.NoExpire {
		p.ExpireMS = x.Expire
	}
	if c.Whole || c.Kind == Type || c.Kind == Expiry {
		p.Type, p.Elements = typeName(c.DB, x.Type), x.Count
		return p
	}
	if c.Kind == Member && c.Type == keyspace.SortedSet {
		p.Score = strconv.FormatFloat(x.Score, 'g', -1, 64)
	}
	if x.ID != 0 {
		p.ID = fmt.Sprintf("%016x", x.ID)
	}
	if !s.Values {
		return p
	}
	if utf8.Valid(x.Value) {
		p.Value = string(x.Value)
	} else {
		p.ValueB64 = base64.StdEncoding.EncodeToString(x.Value)
	}
	return p
}

func typeName(db int32, t keyspace.Type) string {
	if db < 0 {
		return "function"
	}
	return t.String()
}
