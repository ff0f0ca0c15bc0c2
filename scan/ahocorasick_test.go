package scan

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// naive is the reference: every pattern compared at every position. Of hits that
// follow one another and say the same, the last is kept.
func naive(patterns []string, data []byte) string {
	var out []string
	last, lastEnd := "", -1
	for end := 1; end <= len(data); end++ {
		which := ""
		for i, p := range patterns {
			if end >= len(p) && matchesAt(p, data[end-len(p):end]) {
				which += fmt.Sprintf("%d@%%[1]d ", i)
			}
		}
		if which == "" {
			continue
		}
		if which == last && end == lastEnd+1 {
			out = out[:len(out)-1]
		}
		out = append(out, fmt.Sprintf(which, end))
		last, lastEnd = which, end
	}
	return strings.Join(out, "")
}

func matchesAt(p string, d []byte) bool {
	for i, b := range d {
		if p[i] == digitMark && b >= '0' && b <= '9' {
			continue
		}
		if lower(p[i]) != lower(b) {
			return false
		}
	}
	return true
}

func printHits(m *matcher, hits []hit) string {
	var out strings.Builder
	for _, h := range hits {
		for _, p := range m.patterns(h) {
			fmt.Fprintf(&out, "%d@%d ", p, h.end)
		}
	}
	return out.String()
}

func TestMatcherFindsWhatComparisonFinds(t *testing.T) {
	sets := map[string][]string{
		"one letter": {"a"},
		"nested":     {"he", "she", "his", "hers", "e"},
		"case":       {"AkIa", "akia", "KI"},
		"digits":     {digits(3), "a1" + digits(1), "1a", "0q~", digits(1) + "q~"},
		"same twice": {"token", "token"},
		"bytes":      {"\xff\xfe", "%2", "://", "\n\n"},
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for name, patterns := range sets {
		t.Run(name, func(t *testing.T) {
			m, err := newMatcher(patterns)
			if err != nil {
				t.Fatal(err)
			}
			alphabet := "aehirsAKIk0123q~%:/\n\xff\xfe\x00 tokn"
			for range 200 {
				data := make([]byte, rnd.IntN(60))
				for i := range data {
					data[i] = alphabet[rnd.IntN(len(alphabet))]
				}
				if got, want := printHits(m, m.scan(data, 0, len(data), nil)), naive(patterns, data); got != want {
					t.Fatalf("%q: got %s, want %s", data, got, want)
				}
			}
		})
	}
}

func TestMatcherLanesAgree(t *testing.T) {
	m, err := newMatcher([]string{"token", "key", digits(4), "ke"})
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(3, 4))
	var spare [lanes - 1][]hit
	for _, size := range []int{0, 1, 100, 4 * laneMin, 5*laneMin + 3, 64 << 10} {
		data := make([]byte, size)
		for i := range data {
			data[i] = "tokenky0123456\x00"[rnd.IntN(15)]
		}
		one, four := m.scan(data, 0, len(data), nil), m.scanLanes(data, nil, &spare)
		if printHits(m, one) != printHits(m, four) {
			t.Errorf("%d bytes: lanes disagree with one pass (%d and %d hits)", size, len(four), len(one))
		}
	}
}

func TestMatcherRefusesBadPatterns(t *testing.T) {
	for _, p := range []string{"", "a\x00b"} {
		if _, err := newMatcher([]string{"ok", p}); err == nil {
			t.Errorf("pattern %q was accepted", p)
		}
	}
}
