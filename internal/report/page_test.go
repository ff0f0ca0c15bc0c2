package report

import "testing"

func TestBreak(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"short", "short"},
		{"exactly as wide as it", "exactly as wide as it"},
		{"one word more than what fits", "one word more than\n  what fits"},
		{"two  columns  apart  here", "two  columns  apart\n  here"},
		{"a/path/that/nothing/can/break", "a/path/that/nothing/can/break"},
		{"a a/path/that/nothing/can/break ends", "a\n  a/path/that/nothing/can/break\n  ends"},
		{"        indented by itself here", "        indented by\n  itself here"},
		{"東京東京東京 東京東京 東京", "東京東京東京 東京東京\n  東京"},
		{"trailing spaces are wide    ", "trailing spaces are\n  wide    "},
	} {
		if got := Break(c.line, "  ", 21); got != c.want {
			t.Errorf("%q is broken into %q, not %q", c.line, got, c.want)
		}
	}
}
