package lifecycle

import (
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestLongList holds lists of thousands of elements, some of them equal, against a
// slice: where elements stand, and which of the equal ones go.
func TestLongList(t *testing.T) {
	for seed := range 6 {
		m := newModel(int64(seed), 1)
		m.words = []int{3, 60, 100000}[seed%3]
		m.only = []int{17, 18, 19, 20}
		for i := range 8000 {
			if i == 1500 {
				m.only = []int{17, 18, 21, 22, 22, 25, 25, 26}
			}
			m.step()
		}
		if unknown := m.check(t, newResolver(Options{})); t.Failed() || unknown > 0 {
			t.Fatalf("seed %d: %d unknown", seed, unknown)
		}
	}
}

// TestLongListsAreQuick holds that elements of long lists are found without walks,
// and that what makes long walks needful comes to an end.
func TestLongListsAreQuick(t *testing.T) {
	const n, times = 100000, 20000
	rnd := rand.New(rand.NewSource(1))
	for name, test := range map[string]struct {
		value   func(i int) string
		command func() string
		lost    bool
	}{
		"index":    {func(i int) string { return fmt.Sprint("v", i) }, func() string { return fmt.Sprintf("LSET k %d x", rnd.Intn(n)) }, false},
		"remove":   {func(i int) string { return fmt.Sprint("v", i) }, func() string { return fmt.Sprintf("LREM k %d v%d", rnd.Intn(3)-1, rnd.Intn(n)) }, false},
		"insert":   {func(i int) string { return fmt.Sprint("v", i) }, func() string { return fmt.Sprintf("LINSERT k AFTER v%d x", rnd.Intn(n)) }, false},
		"of equal": {func(i int) string { return fmt.Sprint("v", i/(n/2)) }, func() string { return "LINSERT k AFTER v1 v1" }, true},
	} {
		t.Run(name, func(t *testing.T) {
			var s script
			for i := 0; i < n; i += 100 {
				var values []string
				for j := range 100 {
					values = append(values, test.value(i+j))
				}
				s.do("RPUSH k " + strings.Join(values, " "))
			}
			for range times {
				s.do(test.command())
			}
			start := time.Now()
			_, res := resolve(t, slices.Clip(s.events), Options{})
			if (res.Lost > 0) != test.lost {
				t.Errorf("%+v", res)
			}
			took := time.Since(start)
			if t.Logf("%v", took); took > 20*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}
