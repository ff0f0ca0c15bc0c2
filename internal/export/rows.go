package export

import (
	"encoding/base64"
	"strconv"
	"unicode/utf8"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// A row is one element of a key, or what a stream has beside its entries; a key
// without any has one row. CSV and Parquet share its columns. What is not there is
// nil, or empty.
type row struct {
	DB       int32    `parquet:"db"`
	Key      text     `parquet:"key"`
	Type     string   `parquet:"type,dict"`
	Encoding string   `parquet:"encoding,dict"`
	State    string   `parquet:"state,dict"`
	ExpireMS *int64   `parquet:"expire_ms,optional"` // of the key
	IdleS    *int64   `parquet:"idle_s,optional"`
	Freq     *int32   `parquet:"freq,optional"`
	What     string   `parquet:"what,dict"` // value, field, member, element, entry, meta, group, consumer, pending; key: there is nothing else
	Field    text     `parquet:"field"`     // or name of a group
	Index    *int64   `parquet:"index,optional"`
	ID       string   `parquet:"id"` // of a stream's entry, or the last ID of a stream or group
	Score    *float64 `parquet:"score,optional"`
	FieldMS  *int64   `parquet:"field_expire_ms,optional"`
	Value    text     `parquet:"value"` // member, element, name of a consumer
	Part     *int32   `parquet:"part,optional"`
	Op       string   `parquet:"op,dict"` // of a log's command, where it did not just store the value
	Offset   int64    `parquet:"offset"`  // of the record
	Presumed bool     `parquet:"db_presumed"`
}

// text is bytes that are mostly text: Text is what they say, with U+FFFD for what is
// no UTF-8, and Raw then the bytes.
type text struct {
	Text string `parquet:"text"`
	Raw  []byte `parquet:"raw,optional"`
}

func textOf(p []byte) text {
	if utf8.Valid(p) {
		return text{Text: string(p)}
	}
	return text{Text: string([]rune(string(p))), Raw: append([]byte(nil), p...)}
}

// table takes rows.
type table interface {
	row(r *row) error
	close() error
}

// rowWriter turns events into the rows of a table.
type rowWriter struct {
	to    table
	match func(*keyspace.Event) bool
	open  bool
	key   row
	rows  int64
	part  int32
}

func (x *rowWriter) event(e *keyspace.Event) error {
	switch e.Kind {
	case keyspace.Key:
		if err := x.end(); err != nil {
			return err
		}
		if x.match == nil || x.match(e) {
			x.begin(e)
		}
	case keyspace.KeyEnd, keyspace.Damage, keyspace.Torn:
		return x.end()
	case keyspace.Element, keyspace.StreamMeta, keyspace.Group, keyspace.Consumer, keyspace.Pending:
		if x.open {
			return x.put(e)
		}
	}
	return nil
}

func (x *rowWriter) begin(e *keyspace.Event) {
	x.open, x.rows, x.part = true, 0, 0
	x.key = row{DB: e.DB, Key: textOf(e.Key), Type: e.Type.String(), Encoding: e.Encoding.String(), State: e.State.String(), What: "key", Offset: e.Record, Presumed: e.Presumed}
	if e.Expire != keyspace.NoExpire {
		x.key.ExpireMS = &[]int64{e.Expire}[0]
	}
	if e.Idle >= 0 {
		x.key.IdleS = &[]int64{e.Idle}[0]
	}
	if e.Freq >= 0 {
		x.key.Freq = &[]int32{int32(e.Freq)}[0]
	}
	if e.Op == keyspace.OpUpdate || e.Op == keyspace.OpNone {
		x.key.Op = e.Op.String()
	}
}

// end writes the row of a key that has no other.
func (x *rowWriter) end() error {
	if !x.open {
		return nil
	}
	x.open = false
	if x.rows > 0 {
		return nil
	}
	return x.to.row(&x.key)
}

// put writes the row of an element.
func (x *rowWriter) put(e *keyspace.Event) error {
	r := x.key
	x.rows++
	r.Value = textOf(e.Value)
	switch e.Kind {
	case keyspace.StreamMeta:
		r.What, r.ID, r.Value = "meta", idOf(e.ID), text{}
		r.Index = &e.Index
	case keyspace.Group:
		r.What, r.Field, r.ID = "group", textOf(e.Field), idOf(e.ID)
	case keyspace.Consumer:
		r.What, r.Field = "consumer", textOf(e.Field)
	case keyspace.Pending:
		r.What, r.Field, r.ID = "pending", textOf(e.Field), idOf(e.ID)
		if e.Value == nil {
			r.Index = &e.Index // deliveries
		}
	default:
		x.element(&r, e)
	}
	return x.to.row(&r)
}

func (x *rowWriter) element(r *row, e *keyspace.Event) {
	if e.State != keyspace.Unknown {
		r.State = e.State.String()
	}
	if e.Op != keyspace.OpPut && e.Op != keyspace.OpPushTail && e.Op != keyspace.OpNone {
		r.Op = e.Op.String()
	}
	if e.Part.Begins() {
		x.part = 0
	}
	if e.Part != keyspace.Whole {
		part := x.part
		r.Part = &part
		x.part++
	}
	switch e.Type {
	case keyspace.String, keyspace.RateLimit:
		r.What = "value"
	case keyspace.Set:
		r.What = "member"
	case keyspace.SortedSet:
		r.What, r.Score = "member", &e.Score
	case keyspace.Hash:
		r.What, r.Field = "field", textOf(e.Field)
		if e.Expire != keyspace.NoExpire {
			r.FieldMS = &e.Expire
		}
	case keyspace.Stream:
		r.What, r.Field, r.ID, r.Index = "entry", textOf(e.Field), idOf(e.ID), &e.Index
	default:
		r.What, r.Index = "element", &e.Index
	}
}

func idOf(id keyspace.StreamID) string { return string(appendID(nil, id)) }

func (x *rowWriter) close() error {
	err := x.end()
	if e := x.to.close(); err == nil {
		err = e
	}
	return err
}

// cells are the columns of a row in CSV.
var cellNames = []string{"db", "key", "key_b64", "type", "encoding", "state", "expire_ms", "idle_s", "freq", "what", "field", "field_b64", "index", "id",
	"score", "field_expire_ms", "value", "value_b64", "part", "op", "offset", "db_presumed"}

func (r *row) cells(c []string) []string {
	c = append(c[:0], strconv.Itoa(int(r.DB)))
	c = r.Key.cells(c)
	c = append(c, r.Type, r.Encoding, r.State, integer(r.ExpireMS), integer(r.IdleS), integer(r.Freq), r.What)
	c = r.Field.cells(c)
	score := ""
	if r.Score != nil {
		score = strconv.FormatFloat(*r.Score, 'g', -1, 64)
	}
	c = append(c, integer(r.Index), r.ID, harmless(score), integer(r.FieldMS))
	c = r.Value.cells(c)
	return append(c, integer(r.Part), r.Op, strconv.FormatInt(r.Offset, 10), strconv.FormatBool(r.Presumed))
}

func integer[T int32 | int64](n *T) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(int64(*n), 10)
}

// cells are the text as a spreadsheet may have it and, where that is not exactly what
// there is, the bytes in base64.
func (t text) cells(c []string) []string {
	raw := t.Raw
	if raw == nil {
		raw = []byte(t.Text)
	}
	shown := harmless(t.Text)
	if shown == string(raw) {
		return append(c, shown, "")
	}
	return append(c, shown, base64.StdEncoding.EncodeToString(raw))
}
