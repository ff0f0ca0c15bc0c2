package replay

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// zadd is ZADD key [NX|XX] [GT|LT] [CH] [INCR] score member [score member …].
func zadd(m *machine, e *keyspace.Event, a [][]byte) error {
	if len(a) < 4 {
		return nil
	}
	var nx, xx, gt, lt, incr bool
	rest := a[2:]
options:
	for len(rest) > 0 {
		switch w := rest[0]; {
		case is(w, "NX"):
			nx = true
		case is(w, "XX"):
			xx = true
		case is(w, "GT"):
			gt = true
		case is(w, "LT"):
			lt = true
		case is(w, "INCR"):
			incr = true
		case is(w, "CH"):
		default:
			break options
		}
		rest = rest[1:]
	}
	o := m.change(e, a[1], keyspace.SortedSet, !xx)
	if o == nil {
		return nil
	}
	for ; len(rest) > 1; rest = rest[2:] {
		score, ok := number(rest[0])
		if !ok {
			break
		}
		old, found := o.zset[string(rest[1])]
		if incr && found {
			score += old
		}
		if found && (nx || gt && score <= old || lt && score >= old) || !found && xx || math.IsNaN(score) {
			continue
		}
		if err := m.score(o, rest[1], score); err != nil {
			return err
		}
	}
	m.tidy(e.DB, string(a[1]))
	return nil
}

func (m *machine) score(o *object, member []byte, score float64) error {
	if _, found := o.zset[string(member)]; !found {
		if err := m.grow(len(member) + perElement); err != nil {
			return err
		}
	}
	o.score(string(member), score)
	return nil
}

func zincrby(m *machine, e *keyspace.Event, a [][]byte) error {
	if len(a) < 4 {
		return nil
	}
	n, ok := number(a[2])
	if !ok {
		return nil
	}
	o := m.change(e, a[1], keyspace.SortedSet, true)
	if o == nil {
		return nil
	}
	return m.score(o, a[3], o.zset[string(a[3])]+n)
}

// geoadd is GEOADD key [NX|XX] [CH] longitude latitude member […].
func geoadd(m *machine, e *keyspace.Event, a [][]byte) error {
	if len(a) < 5 {
		return nil
	}
	args := [][]byte{a[0], a[1]}
	rest := a[2:]
	for len(rest) > 0 && (is(rest[0], "NX") || is(rest[0], "XX") || is(rest[0], "CH")) {
		args, rest = append(args, rest[0]), rest[1:]
	}
	for ; len(rest) > 2; rest = rest[3:] {
		lon, ok := number(rest[0])
		lat, ok2 := number(rest[1])
		if !ok || !ok2 {
			return nil
		}
		args = append(args, formatScore(geohash(lon, lat)), rest[2])
	}
	return zadd(m, e, args)
}

// The limits of coordinates (geohash.h, GEO_LAT_MAX), and bits of each of them in
// a score (geohash.h, GEO_STEP_MAX).
const (
	maxLatitude = 85.05112878
	geoBits     = 26
)

// geohash is the score of a place: 52 bits, those of latitude and longitude in
// turn, the longitude's first.
func geohash(lon, lat float64) float64 {
	x := uint64((lon + 180) / 360 * (1 << geoBits))
	y := uint64((lat + maxLatitude) / (2 * maxLatitude) * (1 << geoBits))
	var h uint64
	for i := geoBits - 1; i >= 0; i-- {
		h = h<<2 | x>>i&1<<1 | y>>i&1
	}
	return float64(h)
}

func formatScore(f float64) []byte { return strconv.AppendFloat(nil, f, 'g', -1, 64) }

// zremrange is ZREMRANGEBYRANK, ZREMRANGEBYSCORE and ZREMRANGEBYLEX key min max.
func zremrange(m *machine, e *keyspace.Event, a [][]byte) error {
	if len(a) < 4 {
		return nil
	}
	o := m.change(e, a[1], keyspace.SortedSet, false)
	if o == nil {
		return nil
	}
	by := map[string]string{"zremrangebyrank": "", "zremrangebyscore": "byscore", "zremrangebylex": "bylex"}[commandName(e)]
	o.inexact = o.inexact || by == "bylex" && o.astray(a[2], a[3])
	m.drop(o, o.between(a[2], a[3], by, false))
	m.tidy(e.DB, string(a[1]))
	return nil
}

// drop takes members out of a sorted set.
func (m *machine) drop(o *object, members []string) {
	for _, v := range members {
		m.held -= int64(len(v)) + perElement
		o.unscore(v)
	}
}

// between returns the members of a range, in order: by rank, score or bytes, from
// the lower end, or from the upper with reverse. Bounds are in the syntax of
// ZRANGE.
func (o *object) between(from, to []byte, by string, reverse bool) []string {
	if reverse && by != "" {
		from, to = to, from
	}
	all, n := o.ranked(), len(o.zset)
	i, j := 0, 0 // of all
	switch by {
	case "bylex":
		if !o.uniform() {
			out := slices.DeleteFunc(all.between(n, 0, n), func(v string) bool { return !lexOver(from, v) || !lexUnder(to, v) })
			if reverse {
				slices.Reverse(out)
			}
			return out
		}
		i = all.rank(n, func(v string) bool { return lexOver(from, v) })
		j = all.rank(n, func(v string) bool { return !lexUnder(to, v) })
	case "byscore":
		lo, loOpen, ok := scoreBound(from)
		hi, hiOpen, ok2 := scoreBound(to)
		if !ok || !ok2 {
			return nil
		}
		i = all.rank(n, func(v string) bool {
			s := o.zset[v]
			return s > lo || !loOpen && s == lo
		})
		j = all.rank(n, func(v string) bool {
			s := o.zset[v] // what is no number comes first
			return s > hi || hiOpen && s == hi
		})
	default:
		i, j = ranks(from, to, n)
		if reverse {
			i, j = n-j, n-i
		}
	}
	out := all.between(n, i, j)
	if reverse {
		slices.Reverse(out)
	}
	return out
}

// uniform reports whether all members have one score, so that their order is that of
// their bytes.
func (o *object) uniform() bool {
	blocks := o.ranked().blocks
	if len(blocks) == 0 {
		return true
	}
	last := blocks[len(blocks)-1]
	return o.zset[blocks[0][0]] == o.zset[last[len(last)-1]]
}

// ranks are what of n members two ranks, which may count from the end, stand for: those
// from i on, without j.
func ranks(from, to []byte, n int) (i, j int) {
	first, ok := integer(from)
	last, ok2 := integer(to)
	if !ok || !ok2 {
		return 0, 0
	}
	if first < 0 {
		first = max(first+int64(n), 0)
	}
	if last < 0 {
		last += int64(n)
	}
	if last = min(last, int64(n)-1); first > last {
		return 0, 0
	}
	return int(first), int(last) + 1
}

func scoreBound(b []byte) (f float64, open, ok bool) {
	rest, open := bytes.CutPrefix(b, []byte("("))
	f, ok = number(rest)
	return f, open, ok
}

// astray reports whether a search by bytes may miss members: servers take those between
// the first that is over one bound and the next that is beyond the other, by a search
// that holds only where all members have one score.
func (o *object) astray(from, to []byte) bool {
	if o.uniform() {
		return false
	}
	over, beyond := false, false
	for v := range o.ranked().all() {
		if over && !lexOver(from, v) || beyond && lexUnder(to, v) {
			return true
		}
		over, beyond = over || lexOver(from, v), beyond || !lexUnder(to, v)
	}
	return false
}

// lexOver and lexUnder hold a member against a bound of ZRANGEBYLEX.
func lexOver(bound []byte, v string) bool {
	switch {
	case len(bound) == 0:
		return false
	case bound[0] == '-':
		return true
	case bound[0] == '[':
		return v >= string(bound[1:])
	case bound[0] == '(':
		return v > string(bound[1:])
	}
	return false
}

func lexUnder(bound []byte, v string) bool {
	switch {
	case len(bound) == 0:
		return false
	case bound[0] == '+':
		return true
	case bound[0] == '[':
		return v <= string(bound[1:])
	case bound[0] == '(':
		return v < string(bound[1:])
	}
	return false
}

// zpop is ZPOPMIN and ZPOPMAX key [count].
func zpop(m *machine, e *keyspace.Event, a [][]byte) error {
	if len(a) < 2 {
		return nil
	}
	n := int64(1)
	if len(a) > 2 {
		var ok bool
		if n, ok = integer(a[2]); !ok {
			return nil
		}
	}
	o := m.change(e, a[1], keyspace.SortedSet, false)
	if o == nil {
		return nil
	}
	all := int64(len(o.zset))
	n = max(0, min(n, all))
	from := int64(0)
	if commandName(e) == "zpopmax" {
		from = all - n
	}
	m.drop(o, o.ranked().between(int(all), int(from), int(from+n)))
	m.tidy(e.DB, string(a[1]))
	return nil
}

// zstore is ZUNIONSTORE and ZINTERSTORE destination numkeys key [key …] [WEIGHTS
// weight …] [AGGREGATE SUM|MIN|MAX], and ZDIFFSTORE. Sets count as if all their
// members had a score of 1.
func zstore(m *machine, e *keyspace.Event, a [][]byte) error {
	keys := linkedKeys(e)
	if len(keys) < 2 {
		return nil
	}
	in := keys[1:]
	weights, aggregate := make([]float64, len(in)), "sum"
	for i := range weights {
		weights[i] = 1
	}
	for rest := a[3+len(in):]; len(rest) > 1; {
		switch {
		case is(rest[0], "WEIGHTS") && len(rest) > len(in):
			for i := range weights {
				var ok bool
				if weights[i], ok = number(rest[1+i]); !ok {
					return nil
				}
			}
			rest = rest[1+len(in):]
		case is(rest[0], "AGGREGATE"):
			aggregate, rest = strings.ToLower(string(rest[1])), rest[2:]
		default:
			return nil
		}
	}
	o := newObject(keyspace.SortedSet)
	work := int64(0)
	for _, key := range in {
		work += m.sizeOf(e.DB, key)
	}
	if !m.afford(work) {
		o.inexact = true
		return m.replace(e, keys[0], o)
	}
	for i, key := range in {
		scores, exact, ok := m.scores(e.DB, string(key), weights[i])
		if !ok {
			return nil
		}
		o.inexact = o.inexact || !exact
		combine(o.zset, scores, commandName(e), aggregate, i == 0)
	}
	return m.replace(e, keys[0], o)
}

// scores are the weighted scores of a sorted set or a set.
func (m *machine) scores(db int32, key string, weight float64) (scores map[string]float64, exact, ok bool) {
	in := m.get(db, key)
	scores = map[string]float64{}
	switch {
	case in == nil:
		return scores, true, true
	case in.typ == keyspace.Set:
		for v := range in.set {
			scores[v] = weight
		}
	case in.typ == keyspace.SortedSet:
		for v, s := range in.zset {
			if s *= weight; math.IsNaN(s) {
				s = 0 // inf times 0 (t_zset.c, zunionInterDiffGenericCommand)
			}
			scores[v] = s
		}
	default:
		return nil, false, false
	}
	return scores, !in.inexact, true
}

// combine takes the scores of one more input into the result.
func combine(result, in map[string]float64, command, aggregate string, first bool) {
	switch {
	case first:
		for v, s := range in {
			result[v] = s
		}
	case command == "zdiffstore":
		for v := range in {
			delete(result, v)
		}
	case command == "zinterstore":
		for v, s := range result {
			if t, ok := in[v]; ok {
				result[v] = aggregated(s, t, aggregate)
			} else {
				delete(result, v)
			}
		}
	default:
		for v, t := range in {
			if s, ok := result[v]; ok {
				t = aggregated(s, t, aggregate)
			}
			result[v] = t
		}
	}
}

func aggregated(a, b float64, how string) float64 {
	switch how {
	case "min":
		return min(a, b)
	case "max":
		return max(a, b)
	}
	if s := a + b; !math.IsNaN(s) {
		return s
	}
	return 0 // inf and -inf (t_zset.c, zunionInterAggregate)
}

// zrangestore is ZRANGESTORE destination source min max [BYSCORE|BYLEX] [REV]
// [LIMIT offset count].
func zrangestore(m *machine, e *keyspace.Event, a [][]byte) error {
	if len(a) < 5 {
		return nil
	}
	by, reverse, skip, count := "", false, int64(0), int64(-1)
	for rest := a[5:]; len(rest) > 0; rest = rest[1:] {
		switch {
		case is(rest[0], "BYSCORE"), is(rest[0], "BYLEX"):
			by = strings.ToLower(string(rest[0]))
		case is(rest[0], "REV"):
			reverse = true
		case is(rest[0], "LIMIT") && len(rest) > 2:
			skip, _ = integer(rest[1])
			count, _ = integer(rest[2])
			rest = rest[2:]
		}
	}
	o := newObject(keyspace.SortedSet)
	if in := m.get(e.DB, string(a[2])); in != nil {
		if in.typ != keyspace.SortedSet {
			return nil
		}
		members := in.between(a[3], a[4], by, reverse)
		o.inexact = in.inexact
		if skip < 0 && count != 0 && len(members) > 0 {
			// In a listpack nothing is found behind it, in a skip list Redis 8 counts from the
			// other end (t_zset.c, genericZrangebyscoreCommand): which it is nobody logs.
			o.inexact, count = true, 0
		}
		members = members[min(max(skip, 0), int64(len(members))):]
		if count >= 0 {
			members = members[:min(count, int64(len(members)))]
		}
		for _, v := range members {
			o.score(v, in.zset[v])
		}
		from, to := a[3], a[4]
		if reverse {
			from, to = to, from
		}
		o.inexact = o.inexact || by == "bylex" && in.astray(from, to)
	}
	return m.replace(e, a[1], o)
}
