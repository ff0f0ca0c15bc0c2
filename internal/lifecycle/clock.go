package lifecycle

import (
	"math"
	"sort"
)

// A clock gathers what a log says about the time at which its commands were
// written, to tell whether a deletion can be the server's own, of something whose
// expiry had passed. All times are Unix milliseconds.
//
// What bounds time from below: a base file's ctime and #TS, which a server wrote
// from its clock, hold for all that follows them. Delivery times of pending
// entries and the IDs of stream entries usually come from that clock, too, but a
// client can set them: they only say that time came so far at some point of the log.
//
// What bounds it from above: a #TS, of all before it; and an expiry that a command
// sets, of all up to that command, because servers turn one that has passed into
// a deletion.
type clock struct {
	floor   int64 // the last bound from below that a server wrote
	reached int64 // the latest time that anything says was reached

	// The bounds from above, those only that no later one undercuts: both seq and
	// time ascend. To stay small, times are rounded up to a step that doubles.
	ceilings []ceiling
	step     int64
}

type ceiling struct {
	seq  uint64
	time int64
}

const (
	maxCeilings = 1 << 16
	second      = 1000
	// Later "times" are none that a server's clock shows: stream IDs made of
	// microseconds, or arbitrary numbers. 2100-01-01.
	endOfTime = 4102444800000
)

// wrote notes a second that a server wrote before what comes at seq.
func (c *clock) wrote(seq uint64, ms int64) {
	if ms <= 0 || ms >= endOfTime {
		return
	}
	c.floor = max(c.floor, ms)
	c.reached = max(c.reached, ms+second-1)
	c.below(seq, ms+second)
}

// hint notes a time that a client may have set.
func (c *clock) hint(ms int64) {
	if ms < endOfTime {
		c.reached = max(c.reached, ms)
	}
}

// below notes that what stands before seq was written before ms.
func (c *clock) below(seq uint64, ms int64) {
	c.step = max(c.step, second)
	if ms > math.MaxInt64-c.step {
		return
	}
	ms = (ms + c.step - 1) / c.step * c.step
	n := len(c.ceilings)
	for n > 0 && c.ceilings[n-1].time >= ms {
		n--
	}
	c.ceilings = append(c.ceilings[:n], ceiling{seq, ms})
	for len(c.ceilings) > maxCeilings {
		c.coarsen()
	}
}

func (c *clock) coarsen() {
	c.step *= 2
	kept := c.ceilings[:0]
	for _, e := range c.ceilings {
		e.time = (e.time + c.step - 1) / c.step * c.step
		if n := len(kept); n > 0 && kept[n-1].time == e.time {
			n--
			kept = kept[:n]
		}
		kept = append(kept, e)
	}
	c.ceilings = kept
}

// ceiling returns the time before which what stands at seq was written.
func (c *clock) ceiling(seq uint64) int64 {
	i := sort.Search(len(c.ceilings), func(i int) bool { return c.ceilings[i].seq > seq })
	if i == len(c.ceilings) {
		return math.MaxInt64
	}
	return c.ceilings[i].time
}

// expired reports whether the deletion at seq, at or after floor, of something
// that expires at ms is taken for the server's own: it is if it came after ms
// for sure; it is not if it came before; and where the log does not say, it is if
// time reached ms within the log, for then it would be gone in any case.
func (c *clock) expired(ms, floor int64, seq uint64) bool {
	switch {
	case floor >= ms:
		return true
	case c.ceiling(seq) <= ms:
		return false
	}
	return c.reached >= ms
}
