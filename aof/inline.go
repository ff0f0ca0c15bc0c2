package aof

import (
	"bytes"

	"github.com/valkeyfs/valkeyfs/internal/sds"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// maxInline is the longest line that servers take for an inline command
// (server.h, PROTO_INLINE_MAX_SIZE).
const maxInline = 64 << 10

// inline reads a line that is an inline command, as clients may send it and no
// server logs it: it is damage, and its arguments are mentioned. It reports false
// for a line that does not begin with the name of a command.
func (r *Reader) inline() bool {
	w := &r.w
	w.need(maxInline)
	line := w.buf[w.pos:min(w.end, w.pos+maxInline)]
	eol := bytes.IndexByte(line, '\n')
	if eol < 0 && w.pos+len(line) < w.end {
		return false
	}
	if eol >= 0 {
		line = line[:eol+1]
	}
	words, err := sds.Words(line)
	if err != nil || len(words) == 0 {
		return false
	}
	if _, ok := LookupCommand(words[0].Text); !ok {
		return false
	}
	c := &r.cmd
	c.reset()
	c.state, c.whole, c.length, c.argc = keyspace.Recovered, true, int64(len(line)), int64(len(words))
	for _, word := range words {
		c.args, c.starts = append(c.args, word.Text), append(c.starts, word.Start)
	}
	c.base = w.offset()
	w.pos += len(line)
	c.identify()
	e := c.event(keyspace.Command, keyspace.OpNone, keyspace.TypeNone)
	e.Pos.Offset, e.Length, e.Args, e.Index = c.start, c.length, c.args, c.argc
	c.emit()
	r.lost(c.start, "an inline command")
	c.halted = r.stopped
	if c.spec != nil {
		c.mentionData()
	}
	c.mention()
	return true
}
