package replay

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// What is read ahead is what there is, in order, up to an error; and once the reader has
// left nothing is read any more.
func TestAhead(t *testing.T) {
	failed := errors.New("failed")
	for _, c := range []struct {
		records, size, leaveAt int
		err                    error
	}{{}, {err: failed}, {records: 3, size: 5}, {records: 3, size: 5, err: failed}, {records: 5000, size: 100}, {records: 5000, size: 100, err: failed},
		{records: 20, size: 2 * sheafSize}, {records: 5000, size: 100, leaveAt: 1}, {records: 5000, size: 100, leaveAt: 3000}, {records: 20, size: 2 * sheafSize, leaveAt: 2}} {
		record := func(i int) string { return fmt.Sprint(i, strings.Repeat("x", c.size)) }
		reading := false
		n := 0
		for b, err := range ahead(func(yield func([]byte, error) bool) {
			reading = true
			defer func() { reading = false }()
			for i := range c.records {
				if !yield([]byte(record(i)), nil) {
					return
				}
			}
			if c.err != nil {
				yield(nil, c.err)
			}
		}) {
			if err != nil {
				if n != c.records || !errors.Is(err, c.err) {
					t.Errorf("%+v: %v behind %d", c, err, n)
				}
				n++
				break
			}
			if string(b) != record(n) {
				t.Fatalf("%+v: record %d is %.20q", c, n, b)
			}
			if n++; n == c.leaveAt {
				break
			}
		}
		want := c.records
		if c.err != nil {
			want++
		}
		if c.leaveAt > 0 {
			want = c.leaveAt
		}
		if n != want || reading {
			t.Errorf("%+v: %d, not %d; read on: %t", c, n, want, reading)
		}
	}
}
