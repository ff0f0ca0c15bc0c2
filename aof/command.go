package aof

import (
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// A command is the one being read: a cursor over its arguments, and the event
// that they become. Arguments come in batches of what lies whole in the window,
// for ordinary commands all of them at once; an argument larger than the window
// is streamed. All methods do nothing once the command turned out to be broken
// or the consumer stopped, so that what applies a command need not check each
// step.
type command struct {
	r      *Reader
	spec   *CommandSpec   // nil if its name is unknown or cannot have as many arguments
	start  int64          // offset of its '*'
	length int64          // of the command, -1 while unknown
	state  keyspace.State // Recovered if it is known to be broken
	argc   int64          // as claimed
	next   int64          // index of the next argument
	args   [][]byte       // the batch
	starts []int          // indexes of args' data in the window, whose buffer began at base
	base   int64
	taken  int           // how many of args were taken
	whole  bool          // args holds all arguments
	names  [slots][]byte // copies of names that must outlive their batch

	key    []byte         // the key that events are about
	keyAt  int64          // offset of its data
	wordAt keyspace.Place // of the last word
	count  int64          // elements of the key so far
	op     keyspace.Op
	typ    keyspace.Type

	halted   bool // broken, or the consumer stopped
	broken   fault
	suspects []span // the last arguments before the one that is broken
}

// A span is a range of offsets.
type span struct{ start, end int64 }

// A fault is what is wrong with a command.
type fault struct {
	err  error // a sentinel of keyspace; nil: nothing
	what string
	at   int64 // offset of the argument's '$'; for ErrLimit, of its data
	size int64 // ErrLimit: length of the argument
}

// The names that an event can carry at once.
type slot int

const (
	keySlot slot = iota
	fieldSlot
	otherSlot
	wordSlot // an option or number
	slots
)

// maxIdle is the room that is kept for a name of the next command.
const maxIdle = 64 << 10

// reset begins a command at the window's position.
func (c *command) reset() {
	w := &c.r.w
	c.args, c.starts, c.base = c.args[:0], c.starts[:0], w.base
	c.start, c.length, c.argc, c.next, c.taken = w.offset(), -1, 0, 0, 0
	c.state, c.whole, c.halted, c.broken = keyspace.Unknown, false, c.r.stopped, fault{}
	c.key, c.keyAt, c.suspects = nil, c.start, c.suspects[:0]
	for s := range c.names {
		if c.names[s] == nil || cap(c.names[s]) > maxIdle {
			c.names[s] = []byte{} // what names nothing is nil
		}
		c.names[s] = c.names[s][:0]
	}
}

// read finds the arguments of the command at the window's position, as far as
// they lie in the window.
func (c *command) read() {
	c.reset()
	w := &c.r.w
	for {
		c.args, c.starts, c.base = c.args[:0], c.starts[:0], w.base
		argc, p, st := number(w.buf[:w.end], w.pos+1)
		switch {
		case st == done && argc > 0:
			c.argc = argc
			c.args, c.starts, p, st = batch(w.buf[:w.end], p, argc, c.args, c.starts)
		case st == done:
			st = wrong
		}
		switch {
		case st == short && w.fill():
			continue
		case st == done:
			c.whole, c.length = true, int64(p-w.pos)
		case st == wrong:
			c.state = keyspace.Recovered
			c.broken = fault{err: keyspace.ErrCorrupt, what: "a command that is not RESP", at: w.at(p)}
			c.suspect()
		case w.err != nil:
			c.state = keyspace.Recovered
			c.broken = fault{err: keyspace.ErrTruncated, what: "a command", at: w.at(p)}
			c.suspect()
		case len(c.args) == 0:
			c.broken = fault{err: keyspace.ErrCorrupt, what: "a command whose name does not end", at: w.at(p)}
		}
		if c.argc > 0 {
			w.pos = p
		}
		return
	}
}

// suspect notes the last arguments before what is broken.
func (c *command) suspect() {
	c.suspects = c.suspects[:0]
	for i := max(0, len(c.args)-maxSuspects); i < len(c.args); i++ {
		at := c.base + int64(c.starts[i])
		c.suspects = append(c.suspects, span{at, at + int64(len(c.args[i]))})
	}
}

// run yields the Command event and what the command does.
func (c *command) run() {
	c.read()
	c.gaps()
	if len(c.args) > 0 {
		c.broken = fault{} // it shows again where the argument is needed
		fits := c.identify()
		op := keyspace.OpNone
		if c.spec != nil && c.spec.Flags&NeverLogged != 0 {
			op = keyspace.OpNeverLogged
		}
		e := c.event(keyspace.Command, op, keyspace.TypeNone)
		e.Pos.Offset, e.Length, e.Args, e.Index = c.start, c.length, c.args, c.argc
		c.emit()
		switch {
		case !fits && c.state == keyspace.Unknown:
			c.damaged("a command with a wrong number of arguments")
		case c.spec == nil:
		case c.spec.apply != nil:
			c.spec.apply(c)
		default:
			c.mentionData()
		}
		c.mention()
	}
	if c.broken.err != nil {
		c.r.resume()
	}
}

// identify takes the command's name and, of a container, that of the subcommand.
// It reports false for a command that cannot have as many arguments.
func (c *command) identify() bool {
	name, _, _ := c.take()
	spec, ok := LookupCommand(name)
	if ok && spec.Subcommands != nil && len(c.args) > 1 {
		if spec, ok = spec.Subcommand(c.args[1]); ok {
			c.take()
		}
	}
	if !ok || !spec.Takes(c.argc) {
		c.spec = nil
		return !ok
	}
	c.spec = spec
	return true
}

// damaged reports a command that is RESP, but none that a server can have written.
func (c *command) damaged(what string) {
	err := &keyspace.FormatError{Pos: c.r.pos(c.start), What: what, Err: keyspace.ErrCorrupt}
	if c.r.o.Resync {
		c.r.presume()
		c.r.note(keyspace.Damage, c.start, max(0, c.length), err)
	} else {
		c.r.fail(err)
	}
	c.halted = c.halted || c.r.stopped
}

// fail marks the command as broken.
func (c *command) fail(f fault) {
	if !c.halted {
		c.halted, c.broken = true, f
	}
}

// more reports whether there are arguments left.
func (c *command) more() bool { return !c.halted && c.next < c.argc }

// take returns the next argument and the offset of its data, if it fits in the
// window. It is valid until the next argument is taken, and as long as the
// command if it is whole.
func (c *command) take() (arg []byte, at int64, ok bool) {
	if c.taken == len(c.args) && !c.refill() {
		return nil, 0, false
	}
	arg, at = c.args[c.taken], c.base+int64(c.starts[c.taken])
	c.taken++
	c.next++
	return arg, at, true
}

// refill reads the next batch.
func (c *command) refill() bool {
	if c.whole || !c.more() {
		return false
	}
	w := &c.r.w
	c.taken = 0
	for {
		var st status
		c.args, c.starts, w.pos, st = batch(w.buf[:w.end], w.pos, c.argc-c.next, c.args[:0], c.starts[:0])
		c.base = w.base
		switch {
		case len(c.args) > 0:
			return true
		case st == wrong:
			c.fail(fault{err: keyspace.ErrCorrupt, what: "an argument that is not RESP", at: w.offset()})
			return false
		case !w.fill():
			return false
		}
	}
}

// An opened argument is one too large for the window, of which some is read.
type opened struct {
	header int64 // offset of its '$'
	at     int64 // offset of its data
	size   int64 // of its data, as claimed
	left   int64 // of it
	over   bool  // there is no more of it
	cut    bool  // because the input ended
}

// open reads the header of an argument that take could not return.
func (c *command) open() (a opened, ok bool) {
	if !c.more() {
		return a, false
	}
	w := &c.r.w
	a.header = w.offset()
	w.need(maxNumber)
	n, p, st := int64(0), w.pos, short
	if w.avail() > 0 {
		n, p, st = number(w.buf[:w.end], w.pos+1)
	}
	if st != done {
		c.cut(a.header)
		return a, false
	}
	w.pos = p
	c.next++
	a.at, a.size, a.left = w.offset(), n, n
	return a, true
}

// chunk returns the next piece of an opened argument, at most MaxChunk bytes.
// With the last it checks the end of the argument.
func (c *command) chunk(a *opened) []byte {
	w := &c.r.w
	n, eol := int(min(a.left, int64(c.r.o.Limits.MaxChunk))), 0
	if a.left -= int64(n); a.left == 0 {
		eol = len("\r\n")
	}
	a.cut = !w.need(n + eol)
	a.over = a.cut || eol > 0
	b := w.buf[w.pos:min(w.pos+n, w.end)]
	end := w.buf[w.pos+len(b) : min(w.pos+len(b)+eol, w.end)]
	if string(end) != "\r\n"[:len(end)] {
		a.over = true
		c.fail(fault{err: keyspace.ErrCorrupt, what: "an argument that does not end where it says", at: a.header})
		return nil
	}
	w.pos += len(b) + len(end)
	return b
}

// cut marks the command as broken by the end of the input.
func (c *command) cut(at int64) {
	c.fail(fault{err: keyspace.ErrTruncated, what: "a command", at: at})
}

// name returns the next argument whole. It is valid until the slot is used
// again.
func (c *command) name(s slot) (arg []byte, at int64) {
	arg, at, ok := c.take()
	switch {
	case !ok:
		return c.longName(s)
	case !c.whole:
		c.names[s] = append(c.names[s][:0], arg...)
		arg = c.names[s]
	}
	return arg, at
}

// longName collects a name that does not fit in the window.
func (c *command) longName(s slot) (arg []byte, at int64) {
	a, ok := c.open()
	if !ok {
		return nil, 0
	}
	all := a.size
	for _, n := range c.names {
		all += int64(len(n))
	}
	if all > int64(c.r.o.Limits.MaxKey) {
		c.fail(fault{err: keyspace.ErrLimit, what: "a name", at: a.at, size: a.size})
		return nil, 0
	}
	return c.collect(a, s), a.at
}

// collect returns the data of an opened argument whole.
func (c *command) collect(a opened, s slot) []byte {
	c.names[s] = c.names[s][:0]
	for !a.over && !c.halted {
		c.names[s] = append(c.names[s], c.chunk(&a)...)
		c.gaps()
	}
	if a.cut {
		c.cut(a.header)
	}
	if c.halted {
		return nil
	}
	return c.names[s]
}

// word returns the next argument, an option or a number. What does not fit in
// the window is neither, and nil.
func (c *command) word() []byte {
	arg, at, ok := c.take()
	c.wordAt = placeOf(arg, at)
	switch {
	case !ok:
		if a, ok := c.open(); ok {
			c.discardData(a)
		}
		return nil
	case !c.whole:
		c.names[wordSlot] = append(c.names[wordSlot][:0], arg...)
		arg = c.names[wordSlot]
	}
	return arg
}

// integer reads a number; what is none counts as 0.
func (c *command) integer() int64 {
	n, _ := parseInt(c.word())
	return n
}

// float reads a score.
func (c *command) float() float64 {
	return parseFloat(c.word())
}

// seek goes back or forth to argument i of a command that is whole.
func (c *command) seek(i int64) {
	if c.whole {
		c.next, c.taken = i, int(i)
	}
}

// named reads the next argument as the Field or Value of a Delete, Expire or
// Rename event.
func (c *command) named(name *[]byte) {
	*name, c.r.ev.Pos.Offset = c.name(fieldSlot)
	c.r.ev.Length = int64(len(*name))
}

// streamID reads the ID of a stream entry.
func (c *command) streamID() keyspace.StreamID { return parseID(c.word()) }

// skip passes over n arguments that hold no data.
func (c *command) skip(n int64) {
	for ; n > 0 && c.more(); n-- {
		c.word()
	}
}

// placeOf is where an argument stands.
func placeOf(arg []byte, at int64) keyspace.Place {
	return keyspace.Place{Offset: at, Inner: -1, Length: int64(len(arg))}
}

// event resets the reader's event.
func (c *command) event(kind keyspace.Kind, op keyspace.Op, typ keyspace.Type) *keyspace.Event {
	r := c.r
	r.ev = keyspace.Event{
		Kind: kind, Op: op, Type: typ, Encoding: keyspace.RESP, State: c.state, Freq: -1, DB: r.db, Presumed: r.presumed,
		Pos: keyspace.Pos{Source: r.o.Source, Offset: c.keyAt, Inner: -1}, Record: c.start, Length: int64(len(c.key)),
		Key: c.key, Expire: keyspace.NoExpire, Idle: -1, Time: r.time,
	}
	return &r.ev
}

// gaps reports what the medium could not deliver.
func (c *command) gaps() {
	c.r.gaps()
	c.halted = c.halted || c.r.stopped
}

// emit yields the reader's event.
func (c *command) emit() {
	if !c.halted && !c.r.yield(&c.r.ev, nil) {
		c.halted, c.r.stopped = true, true
	}
}

// readKey reads the key that the events from here on are about.
func (c *command) readKey() { c.key, c.keyAt = c.name(keySlot) }

// begin yields the Key event.
func (c *command) begin(op keyspace.Op, typ keyspace.Type) { c.beginUntil(op, typ, keyspace.NoExpire) }

// beginUntil yields the Key event of a key with an expiry.
func (c *command) beginUntil(op keyspace.Op, typ keyspace.Type, expire int64) {
	c.count, c.op, c.typ = 0, op, typ
	e := c.event(keyspace.Key, op, typ)
	e.Expire, e.Name = expire, placeOf(c.key, c.keyAt)
	c.emit()
	c.r.ev.Expire = keyspace.NoExpire
}

// end yields the KeyEnd event.
func (c *command) end() {
	e := c.event(keyspace.KeyEnd, c.op, c.typ)
	e.Pos.Offset, e.Length, e.Index = c.start, c.length, c.count
	c.emit()
}

// field reads the Field of the elements that follow.
func (c *command) field() {
	arg, at := c.name(fieldSlot)
	c.r.ev.Field, c.r.ev.Name = arg, placeOf(arg, at)
}

// element reads the next argument as the Value of an element between begin and
// end, in parts if it is long.
func (c *command) element(op keyspace.Op) { c.elementAt(op, c.count) }

// elementAt is element with an Index.
func (c *command) elementAt(op keyspace.Op, index int64) {
	e := &c.r.ev
	e.Kind, e.Op, e.Part, e.Index = keyspace.Element, op, keyspace.Whole, index
	if op != keyspace.OpNone { // a consumer may have set the last one's
		e.State = c.state
	}
	if c.count++; uint64(c.count) > c.r.o.Limits.MaxElements {
		c.fail(fault{err: keyspace.ErrLimit, what: "elements of a key", at: c.r.w.offset()})
		return
	}
	arg, at, ok := c.take()
	switch {
	case !ok:
		c.stream()
	case len(arg) > c.r.o.Limits.MaxChunk:
		c.parts(arg, at)
	default:
		e.Value, e.Pos.Offset, e.Length = arg, at, int64(len(arg))
		c.emit()
	}
}

// parts yields an element whose value lies in the window in parts.
func (c *command) parts(arg []byte, at int64) {
	e := &c.r.ev
	e.Pos.Offset, e.Length, e.Part = at, int64(len(arg)), keyspace.First
	for n := c.r.o.Limits.MaxChunk; len(arg) > n; e.Part = keyspace.Middle {
		e.Value, arg = arg[:n], arg[n:]
		c.emit()
	}
	e.Value, e.Part = arg, keyspace.Last
	c.emit()
}

// stream yields an element whose value does not fit in the window in parts.
func (c *command) stream() {
	if a, ok := c.open(); ok {
		c.streamData(a)
	}
}

func (c *command) streamData(a opened) {
	e := &c.r.ev
	e.Pos.Offset, e.Length, e.Part = a.at, a.size, keyspace.First
	for ; !a.over && !c.halted; e.Part = keyspace.Middle {
		e.Value = c.chunk(&a)
		switch {
		case !a.over || a.cut:
		case e.Part == keyspace.First:
			e.Part = keyspace.Whole
		default:
			e.Part = keyspace.Last
		}
		if len(e.Value) > 0 || !a.cut {
			c.emit()
		}
		c.gaps()
	}
	if a.cut {
		c.cut(a.header)
	}
}

// mention yields what is left of the arguments as elements that the command
// names but does not store.
func (c *command) mention() {
	if !c.more() {
		return
	}
	c.begin(keyspace.OpNone, keyspace.TypeNone)
	for c.more() {
		c.element(keyspace.OpNone)
	}
	c.end()
}

// mentionOne is mention for the next argument alone, a value that is in state.
func (c *command) mentionOne(state keyspace.State) {
	c.begin(keyspace.OpNone, keyspace.TypeNone)
	if c.r.ev.State == keyspace.Unknown {
		c.r.ev.State = state
	}
	c.element(keyspace.OpNone)
	c.end()
}

// mentionData is mention for a command of which no more is known than where its
// keys stand.
func (c *command) mentionData() {
	s := c.spec
	last := int64(s.LastKey)
	if last < 0 {
		last += c.argc
	}
	counted := int64(0) // keys that a number of keys announced
	open := false
	for c.more() {
		i := c.next
		switch first := int64(s.FirstKey); {
		case i == int64(s.NumKeys):
			counted = c.integer()
		case counted > 0:
			c.passKey(open)
			counted--
		case first > 0 && first <= i && i <= last && (i-first)%int64(s.KeyStep) == 0:
			c.passKey(open)
		default:
			if !open {
				c.begin(keyspace.OpNone, keyspace.TypeNone)
				open = true
			}
			c.element(keyspace.OpNone)
		}
	}
	if open {
		c.end()
	}
}

// passKey reads a key. The first is the one that a mention is about, unless it
// stands behind what is mentioned.
func (c *command) passKey(open bool) {
	if open || c.key != nil {
		c.skip(1)
	} else {
		c.readKey()
	}
}

// discardData passes over the data of an opened argument.
func (c *command) discardData(a opened) {
	for !a.over && !c.halted {
		c.chunk(&a)
		c.gaps()
	}
	if a.cut {
		c.cut(a.header)
	}
}
