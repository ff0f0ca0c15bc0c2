package replay

// workShare is how many steps a machine may spend, for each byte of [Options.MaxMem],
// on commands that read whole values to make others of them: COPY, or SUNIONSTORE of
// growing sets, costs the square of what a log says. Machines are as many as the values
// take, so that all of them together stay linear in the size of the log.
const workShare = 8

// perStep is how many bytes are copied or compared in about the time of a step.
const perStep = 16

// afford spends steps, of which each is an element or a byte that is read, and
// reports whether they were left. Where they are not, the result is not known.
func (m *machine) afford(steps int64) bool {
	if m.spent+steps > m.work*workShare {
		return false
	}
	m.spent += steps
	return true
}

// sizeOf is about what reading all of a key costs.
func (m *machine) sizeOf(db int32, key []byte) int64 {
	o := m.get(db, string(key))
	if o == nil {
		return 0
	}
	return o.steps()
}

// steps is what reading all of a value costs.
func (o *object) steps() int64 {
	n := len(o.str) + o.list.len() + len(o.hash) + len(o.set) + len(o.zset) + len(o.other)
	if o.stream != nil {
		n += len(o.stream.entries)
	}
	return int64(n)
}
