package export

import (
	"encoding/base64"
	"strconv"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

const (
	// lineSize is the length of a value beyond which a key is continued on another line.
	lineSize = 1 << 20
	// wholeString is the length up to which a string that arrives in parts is
	// gathered, to see whether it is UTF-8.
	wholeString = 16 << 20
)

// jsonWriter writes JSONL and JSON: a line a key, or several for a long one.
type jsonWriter struct {
	out     *output
	buf     []byte
	array   bool // JSON
	objects bool // one was written
	o       Options

	open   bool           // between Key and KeyEnd of a key that is exported
	key    keyspace.Event // what its Key event said, Key and Field excepted
	head   []byte         // how each of its lines begins
	module []byte
	form   form // of its value
	forms  struct {
		text   textForm
		list   listForm
		hash   hashForm
		stream streamForm
	}

	started bool // a line is open
	value   int  // where in buf its value starts
	n       int  // elements in it
	part    int  // lines before it
	state   keyspace.State
	op      keyspace.Op
	long    longString
}

// form writes the value of one type, element by element.
type form interface {
	open(b []byte) []byte // the value begins, or goes on on another line
	close(b []byte) []byte
	// before writes what stands before the string of an element, the first on its
	// line or not, and after what stands behind it.
	before(b []byte, e *keyspace.Event, first bool) []byte
	after(b []byte, e *keyspace.Event) []byte
}

func newJSONWriter(out *output, o Options) *jsonWriter {
	x := &jsonWriter{out: out, array: o.Format == JSON, o: o}
	if x.array {
		x.buf = append(x.buf, '[')
	}
	return x
}

func (x *jsonWriter) event(e *keyspace.Event) error {
	switch e.Kind {
	case keyspace.Element:
		if x.open {
			return x.element(e)
		}
	case keyspace.Key:
		x.interrupt()
		if x.o.Match == nil || x.o.Match(e) {
			x.begin(e)
		}
	case keyspace.KeyEnd:
		if x.open {
			x.start(x.key.State, x.key.Op)
			x.closeLine(max(e.Length, 0), false)
			x.open = false
			return x.flush(flushSize)
		}
	case keyspace.StreamMeta, keyspace.Group, keyspace.Consumer, keyspace.Pending:
		if x.open {
			x.start(x.key.State, x.key.Op)
			x.buf = x.forms.stream.event(x.buf, e)
			return x.flush(flushSize)
		}
	case keyspace.Delete, keyspace.Expire, keyspace.Flush, keyspace.Rename, keyspace.SwapDB:
		if x.o.Match == nil || x.o.Match(e) {
			x.change(e)
			return x.flush(flushSize)
		}
	case keyspace.Damage, keyspace.Torn:
		x.interrupt()
		if x.o.Damaged != nil {
			x.buf = append(x.separate(), x.o.Damaged(e)...)
			return x.flush(flushSize)
		}
	}
	return nil
}

// begin takes up a key. Its line begins with its first element, which says what
// became of it.
func (x *jsonWriter) begin(e *keyspace.Event) {
	x.open, x.started, x.part = true, false, 0
	x.key = *e
	x.key.Key, x.key.Field, x.key.Value, x.key.Args = nil, nil, nil, nil
	x.module = x.module[:0]
	if e.Type == keyspace.Module {
		x.module = append(x.module, e.Field...)
	}
	b := strconv.AppendInt(append(x.head[:0], `{"db":`...), int64(e.DB), 10)
	if e.Presumed {
		b = append(b, `,"db_presumed":true`...)
	}
	b = append(b, `,"key":`...)
	if e.Key == nil && e.Op == keyspace.OpNone { // data that no key is known of
		b = append(b, "null"...)
	} else {
		b = appendBytes(b, e.Key)
	}
	b = appendName(b, `,"type":"`, e.Type.String())
	if e.Encoding != keyspace.EncodingNone {
		b = appendName(b, `,"encoding":"`, e.Encoding.String())
	}
	if x.o.Confidence != nil {
		if c := x.o.Confidence(e); c != "" {
			b = appendName(b, `,"confidence":"`, c)
		}
	}
	x.head = b

	switch f := &x.forms; e.Type {
	case keyspace.String, keyspace.RateLimit:
		x.form = &f.text
	case keyspace.Hash:
		f.hash.begin(e)
		x.form = &f.hash
	case keyspace.Stream:
		f.stream = streamForm{state: e.State}
		x.form = &f.stream
	default:
		f.list = listForm{typ: e.Type}
		x.form = &f.list
	}
}

// start makes sure that a line is open whose elements share state and op.
func (x *jsonWriter) start(state keyspace.State, op keyspace.Op) {
	if x.started {
		return
	}
	x.started, x.state, x.op, x.n = true, state, op, 0
	e := &x.key
	b := append(x.separate(), x.head...)
	if state != keyspace.Unknown {
		b = appendName(b, `,"state":"`, state.String())
	}
	if len(x.module) > 0 {
		b = appendBytes(append(b, `,"module":`...), x.module)
	}
	b = appendInt(b, `,"expire_ms":`, e.Expire, keyspace.NoExpire)
	b = appendInt(b, `,"idle_s":`, e.Idle, -1)
	b = appendInt(b, `,"freq":`, int64(e.Freq), -1)
	b = appendInt(b, `,"offset":`, e.Record, -1)
	b = appendInt(b, `,"time_ms":`, e.Time, 0)
	switch {
	case op == keyspace.OpNone || e.Op == keyspace.OpNone:
		b = append(b, `,"op":"mention"`...)
	case e.Op == keyspace.OpUpdate && op == keyspace.OpPut:
		b = append(b, `,"op":"update"`...)
	case e.Op == keyspace.OpUpdate:
		b = appendName(b, `,"op":"`, op.String())
	}
	b = append(b, `,"value":`...)
	x.value = len(b)
	x.buf = x.form.open(b)
}

// closeLine ends the line; a length < 0 says that the key goes on, or is damaged.
func (x *jsonWriter) closeLine(length int64, partial bool) {
	b := x.form.close(x.buf)
	if x.part > 0 || length < 0 && !partial {
		b = appendInt(b, `,"part":`, int64(x.part), -1)
	}
	b = appendInt(b, `,"length":`, length, -1)
	if partial {
		b = append(b, `,"partial":true`...)
	}
	x.buf = append(b, '}')
	x.started = false
	x.part++
}

// interrupt closes a key whose end did not come.
func (x *jsonWriter) interrupt() {
	if !x.open {
		return
	}
	x.cutString()
	x.start(x.key.State, x.key.Op)
	x.closeLine(-1, true)
	x.open = false
}

func (x *jsonWriter) element(e *keyspace.Event) error {
	if e.Part != keyspace.Whole {
		return x.piece(e)
	}
	x.before(e)
	x.buf = appendValue(x.buf, e)
	x.buf = x.form.after(x.buf, e)
	if len(x.buf)-x.value >= lineSize {
		return x.nextLine()
	}
	return nil
}

// before writes what stands before an element's string, on a line of its own
// where something else became of it than of those before it.
func (x *jsonWriter) before(e *keyspace.Event) {
	state, op := e.State, e.Op
	switch {
	case x.key.Type == keyspace.Stream: // its entries say what became of them
		state, op = x.key.State, x.key.Op
	case state == keyspace.Expired && x.key.Type == keyspace.Hash && x.forms.hash.expiring: // so does a field's expiry
		state = x.key.State
	}
	if x.started && (state != x.state || op != x.op || x.key.Type == keyspace.String && x.n > 0) {
		x.closeLine(-1, false)
	}
	x.start(state, op)
	x.buf = x.form.before(x.buf, e, x.n == 0)
	x.n++
}

// nextLine has the key go on on another line. A string needs none.
func (x *jsonWriter) nextLine() error {
	if x.key.Type != keyspace.String {
		x.closeLine(-1, false)
	}
	return x.flush(flushSize)
}

// change writes what stores no value.
func (x *jsonWriter) change(e *keyspace.Event) {
	b := append(x.separate(), `{"db":`...)
	b = strconv.AppendInt(b, int64(e.DB), 10)
	if e.Kind != keyspace.Flush && e.Kind != keyspace.SwapDB {
		b = appendBytes(append(b, `,"key":`...), e.Key)
	}
	op := e.Op.String()
	if e.Op == keyspace.OpNone {
		op = e.Kind.String()
	}
	b = appendName(b, `,"op":"`, op)
	if len(e.Field) > 0 {
		b = appendBytes(append(b, `,"field":`...), e.Field)
	}
	if len(e.Value) > 0 {
		b = appendBytes(append(b, `,"operand":`...), e.Value)
	}
	if e.ID != (keyspace.StreamID{}) {
		b = append(appendID(append(b, `,"id":"`...), e.ID), '"')
	}
	b = appendInt(b, `,"index":`, e.Index, 0)
	b = appendInt(b, `,"count":`, e.Count, 0)
	if e.Kind == keyspace.Expire {
		b = appendInt(b, `,"expire_ms":`, e.Expire, keyspace.NoExpire)
	}
	b = appendInt(b, `,"offset":`, e.Record, -1)
	b = appendInt(b, `,"time_ms":`, e.Time, 0)
	x.buf = append(b, '}')
}

// separate ends the object before the next one and returns buf.
func (x *jsonWriter) separate() []byte {
	first := !x.objects
	x.objects = true
	switch {
	case !x.array && first:
		return x.buf
	case !x.array:
		return append(x.buf, '\n')
	case first:
		return append(x.buf, '\n')
	}
	return append(x.buf, ",\n"...)
}

// written is how many bytes it has written.
func (x *jsonWriter) written() int64 { return x.out.taken + int64(len(x.buf)) }

func (x *jsonWriter) close() error {
	x.interrupt()
	if x.objects || x.array {
		x.buf = append(x.buf, '\n')
	}
	if x.array {
		x.buf = append(x.buf, "]\n"...)
	}
	return x.flush(0)
}

// flush hands over what was written where that is at least atLeast bytes. Until
// the line is closed, its value starts at the buffer's begin.
func (x *jsonWriter) flush(atLeast int) (err error) {
	if len(x.buf) >= atLeast {
		x.buf, err = x.out.write(x.buf)
		x.value = 0
	}
	return err
}

func appendName(b []byte, prefix, name string) []byte {
	return append(append(append(b, prefix...), name...), '"')
}

// appendInt appends a member unless n is none.
func appendInt(b []byte, prefix string, n, none int64) []byte {
	if n == none {
		return b
	}
	return strconv.AppendInt(append(b, prefix...), n, 10)
}

// appendValue appends the string of an element, or the number that a module stored.
func appendValue(b []byte, e *keyspace.Event) []byte {
	switch e.Encoding {
	case keyspace.ModuleSigned, keyspace.ModuleUnsigned, keyspace.ModuleFloat, keyspace.ModuleDouble:
		if n := len(e.Value); n > 0 && e.Value[n-1] <= '9' { // not Inf or NaN
			return append(b, e.Value...)
		}
	}
	return appendBytes(b, e.Value)
}

// longString gathers a string that arrives in parts.
type longString struct {
	first     keyspace.Event // of its first part
	field     []byte
	b         []byte
	gathering bool
	streaming bool // too long to gather: base64 is being written, b holds its remainder
}

// piece takes a part of a long string.
func (x *jsonWriter) piece(e *keyspace.Event) error {
	l := &x.long
	if e.Part == keyspace.First {
		l.field = append(l.field[:0], e.Field...)
		l.first = *e
		l.first.Field, l.first.Value = l.field, nil
		l.b, l.gathering, l.streaming = l.b[:0], true, false
	}
	if !l.gathering {
		return nil // its beginning was lost
	}
	l.b = append(l.b, e.Value...)
	if e.Part == keyspace.Last { // what may stand behind a string in the file is known now
		l.first.Score, l.first.Expire, l.first.State = e.Score, e.Expire, e.State
		x.cutString()
		if l.streaming || len(x.buf)-x.value >= lineSize {
			return x.nextLine()
		}
		return nil
	}
	if !l.streaming && len(l.b) > wholeString {
		x.before(&l.first)
		x.buf = append(x.buf, `{"b64":"`...)
		l.streaming = true
	}
	if !l.streaming {
		return nil
	}
	n := len(l.b) / 3 * 3
	x.buf = base64.StdEncoding.AppendEncode(x.buf, l.b[:n])
	l.b = l.b[:copy(l.b, l.b[n:])]
	return x.flush(flushSize)
}

// cutString writes what was gathered, be it whole or not.
func (x *jsonWriter) cutString() {
	l := &x.long
	if !l.gathering {
		return
	}
	if l.streaming {
		x.buf = append(base64.StdEncoding.AppendEncode(x.buf, l.b), `"}`...)
	} else {
		x.before(&l.first)
		x.buf = appendBytes(x.buf, l.b)
	}
	x.buf = x.form.after(x.buf, &l.first)
	l.gathering = false
	if cap(l.b) > lineSize {
		l.b = nil
	}
}
