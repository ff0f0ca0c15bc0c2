package lifecycle

import (
	"bytes"
	"math"
	"strconv"
)

// rangeCuts appends to cuts what removes from a copy of a sorted set what ZRANGESTORE
// destination source min max [BYSCORE|BYLEX] [REV] [LIMIT offset count] leaves out, by
// the command's arguments, or says that it removes what nobody can tell.
func rangeCuts(cuts []op, args [][]byte, whole bool) (_ []op, some bool) {
	if len(args) < 5 || !whole {
		return cuts, true
	}
	by, reverse, offset, count := byte('R'), false, int64(0), int64(-1)
	for rest := args[5:]; len(rest) > 0; rest = rest[1:] {
		switch word := string(bytes.ToUpper(rest[0])); {
		case word == "BYSCORE", word == "BYLEX":
			by = word[2]
		case word == "REV":
			reverse = true
		case word == "LIMIT" && len(rest) > 2:
			var bad, worse error
			offset, bad = strconv.ParseInt(string(rest[1]), 10, 64)
			count, worse = strconv.ParseInt(string(rest[2]), 10, 64)
			if bad != nil || worse != nil {
				return cuts, true
			}
			rest = rest[2:]
		default:
			return cuts, true
		}
	}
	if offset < 0 && count != 0 {
		return cuts, true // of a listpack it keeps none, of a skip list Redis 8 counts from the other end
	}
	low, high := args[3], args[4]
	switch by {
	case 'R':
		a, bad := strconv.ParseInt(string(low), 10, 64)
		b, worse := strconv.ParseInt(string(high), 10, 64)
		return append(cuts, keptRanks(a, b, reverse)), bad != nil || worse != nil
	case 'S':
		if reverse {
			low, high = high, low
		}
		least, ok := bound(low, math.Inf(1))
		most, fine := bound(high, math.Inf(-1))
		return append(keptScores(cuts, least, most), limited(offset, count, reverse)), !ok || !fine
	}
	return cuts, true // names are not kept here, but their hashes
}

// keptRanks keeps what stands at ranks a to b, in reverse counted from the other end.
func keptRanks(a, b int64, reverse bool) op {
	if reverse {
		a, b = -1-b, -1-a
	}
	return op{kind: opKeepRanks, a: a, b: b}
}

// keptScores appends what removes the members whose scores are not from least to most.
func keptScores(cuts []op, least, most float64) []op {
	if below := math.Nextafter(least, math.Inf(-1)); below < least {
		cuts = append(cuts, op{kind: opRemoveScores, a: scoreBits(math.Inf(-1)), b: scoreBits(below)})
	}
	if above := math.Nextafter(most, math.Inf(1)); above > most {
		cuts = append(cuts, op{kind: opRemoveScores, a: scoreBits(above), b: scoreBits(math.Inf(1))})
	}
	return cuts
}

// limited is LIMIT: count members behind the first offset, all of them if it is
// negative.
func limited(offset, count int64, reverse bool) op {
	switch {
	case count == 0:
		return op{kind: opKeepRanks, a: 1, b: 0}
	case count < 0 || count > math.MaxInt64-offset:
		return keptRanks(offset, math.MaxInt64, reverse)
	}
	return keptRanks(offset, offset+count-1, reverse)
}
