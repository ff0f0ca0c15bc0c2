package lifecycle

import (
	"bytes"
	"strconv"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// command is a Command: where it stands, and what it may be a sign of.
type command struct {
	source string
	offset int64
	seq    uint64
	key    bool // servers write it so when a key's expiry has passed
	field  bool // … or a field's
	operands
}

// begin takes a Command: what it may be a sign of, and MULTI.
func (r *recorder) begin(ev *keyspace.Event) {
	r.resp = true
	r.command = command{source: ev.Pos.Source, offset: ev.Record, seq: r.seq, operands: operands{sources: r.command.sources[:0], cuts: r.command.cuts[:0]}}
	if len(ev.Args) == 0 {
		return
	}
	name := ev.Args[0]
	// Servers write these words in capitals (server.c, shared.del, shared.unlink and
	// shared.hdel) and name one key; a client's own spelling is kept.
	r.command.key = ev.Index == 2 && (string(name) == "DEL" || string(name) == "UNLINK")
	r.command.field = string(name) == "HDEL"
	r.command.algebra = algebraOf(name)
	if r.command.algebra.of == ranged {
		whole := int64(len(ev.Args)) == ev.Index
		r.command.cuts, r.command.algebra.some = rangeCuts(r.command.cuts, ev.Args, whole)
	}
	if len(name) == len("MULTI") && bytes.EqualFold(name, []byte("MULTI")) {
		r.multi = r.command
	}
}

// tick takes the time of the last #TS.
func (r *recorder) tick(ev *keyspace.Event) {
	if ev.Time != r.time && ev.Time > 0 {
		r.time = ev.Time
		r.clock.wrote(r.seq, ev.Time)
	}
}

// aux takes the time at which a base file was saved (rdb.c, rdbSaveInfoAuxFields).
func (r *recorder) aux(ev *keyspace.Event) {
	if string(ev.Key) != "ctime" {
		return
	}
	if s, err := strconv.ParseInt(string(ev.Value), 10, 64); err == nil && s < endOfTime/second {
		r.ctime = max(r.ctime, s*second)
		r.clock.wrote(r.seq, s*second)
	}
}

// deadline takes an expiry that a command sets.
func (r *recorder) deadline(ms int64) {
	if r.resp && ms > 0 {
		r.clock.below(r.seq, ms)
	}
}

// deleter returns operand a of a deletion.
func (r *recorder) deleter(server bool) int64 {
	if server {
		return r.clock.floor
	}
	return bySomeone
}
