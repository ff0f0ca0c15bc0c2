package aof

import (
	"math"
	"testing"
)

// What a command's numbers come to is exact up to the last that an int64 holds.
func TestTimesAndPlus(t *testing.T) {
	for _, c := range []struct{ a, b, want int64 }{
		{math.MaxInt64 / 1000, 1000, math.MaxInt64 / 1000 * 1000}, {math.MaxInt64/1000 + 1, 1000, math.MaxInt64},
		{math.MinInt64 / 1000, 1000, math.MinInt64 / 1000 * 1000}, {math.MinInt64/1000 - 1, 1000, math.MinInt64},
		{-7, 1000, -7000}, {math.MinInt64, 1, math.MinInt64}, {math.MaxInt64, 1, math.MaxInt64},
	} {
		if got := times(c.a, c.b); got != c.want {
			t.Errorf("%d × %d is %d, not %d", c.a, c.b, got, c.want)
		}
	}
	for _, c := range []struct{ a, b, want int64 }{
		{1, math.MaxInt64 - 1, math.MaxInt64}, {2, math.MaxInt64 - 1, math.MaxInt64}, {5, -7, -2}, {1, math.MinInt64, math.MinInt64 + 1},
	} {
		if got := plus(c.a, c.b); got != c.want {
			t.Errorf("%d + %d is %d, not %d", c.a, c.b, got, c.want)
		}
	}
}
