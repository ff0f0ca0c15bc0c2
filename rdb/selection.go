package rdb

// Which database a key is in is not said by its record: what selects the database
// stands before all of its keys. What lets a number be said, and how (Event.Presumed):
//
//	what selects the database                   between it and the key   number
//	with its size (from version 7 on)           nothing but records      proven
//	with its size                               damage                   presumed
//	without, where no other has one, no damage  nothing but records      proven
//	without, where others have one: stray bytes anything                 presumed
//	without, behind damage                      anything                 presumed
//	nothing: the head of the file is lost       anything                 presumed
//
// Bytes that damage has replaced may have held a selection, bytes that it has moved may
// come from any database, and so may what follows them. A number that is presumed is
// that of the selection before the damage, but for two that stand out of place: stray
// bytes, and one that came with a block of another place. The latter is seen by sizes:
// the database before it, behind whose selection there is damage, lacks a quarter of its
// keys, which are still to come. A selection out of place holds up to the next damage;
// keys behind that are presumed to be in the database that was not complete. Servers
// write databases in ascending order: where one comes behind a greater, that was the one
// out of place, if it came early, or if damage parts it from its first key: then bytes may
// have selected it that are none of a selection.
type selection struct {
	home   int32  // the database whose place it is
	keys   int64  // that it says to have; 0: it does not say
	from   int64  // where it is selected
	before uint64 // keys that were read before, and none of its
	lost   int64  // bytes of it that were damaged
	early  bool   // it was selected before the one before had all of its keys, or there is damage before its first
	above  int32  // the database that was known to come before it; -1: none
	at     uint64 // keys that were read before it
	island bool   // another database is selected, out of place
	since  uint64 // keys that were read before that
	harmed bool   // there was damage before
	sized  bool   // a database was selected with its size
	awaits bool   // what comes next is the size of the database at home
}

// selects takes a selection that was just read.
func (r *Reader) selects(db int32) {
	s := &r.selection
	r.goHome()
	size := r.in.need(1) && r.in.buf[r.in.r] == opResizeDB
	stray := !size && s.sized
	r.ev.DB, r.ev.Presumed = db, stray || !size && s.harmed
	missing := r.missing()
	if stray || size && missing > s.keys/4 && (db > s.home || !s.early) {
		s.island, s.since = true, r.habits.keys
		return
	}
	// Keys beyond the number of the database before are likelier this one's.
	before := r.habits.keys
	if s.keys > 0 {
		before -= max(before-s.before, uint64(s.keys)) - uint64(s.keys)
	}
	s.above, s.at = r.known(), r.habits.keys
	s.home, s.keys, s.from, s.before, s.lost, s.early = db, 0, r.ev.Record, before, 0, missing > 0
	s.sized, s.awaits = s.sized || size, size
}

// known is the database of which a search knows that none up to it follows: that at hand,
// once a key is there that nothing parts from its selection, and else the one before.
func (r *Reader) known() int32 {
	s := &r.selection
	if s.early || s.at == r.habits.keys {
		return s.above
	}
	return s.home
}

// goHome ends a selection that stands out of place.
func (r *Reader) goHome() {
	s := &r.selection
	if !s.island {
		return
	}
	s.island = false
	s.before += r.habits.keys - s.since
	r.ev.DB = s.home
}

// missing is how many keys of the database at hand must be still to come, if there is
// damage behind its selection: those that it has not, with what the damaged bytes can
// have held, twice over.
func (r *Reader) missing() int64 {
	s := &r.selection
	if s.lost == 0 {
		return 0
	}
	read, lost := int64(r.habits.keys-s.before), s.lost
	if read > 0 {
		lost /= max(1, (r.ev.Record-s.from-s.lost)/read)
	}
	return max(0, s.keys-read-2*lost)
}

// presume says that there is damage between what selects the database and what follows.
func (r *Reader) presume() {
	r.goHome()
	s := &r.selection
	s.harmed, s.early = true, s.early || s.at == r.habits.keys
	r.ev.Presumed = true
}

// chosen is all that is known of databases at a place of the way that was read.
type chosen struct {
	selection
	db       int32
	presumed bool
}

func (r *Reader) chosen() chosen { return chosen{r.selection, r.ev.DB, r.ev.Presumed} }

// choose goes back to what was known there.
func (r *Reader) choose(c chosen) {
	r.selection, r.ev.DB, r.ev.Presumed = c.selection, c.db, c.presumed
}

// sizes takes the size of a database, if it stands behind what selects that.
func (s *selection) sizes(keys uint64) {
	if s.awaits {
		s.keys, s.awaits = int64(min(keys, 1<<62)), false
	}
}
