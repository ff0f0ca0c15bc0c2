package cli

import (
	"bytes"
	"strings"
	"testing"
)

// Where the result comes to the same terminal, the line of progress is taken away for
// it, and does not come again: the cursor may stand within a line of the result.
func TestProgressGivesWay(t *testing.T) {
	var terminal bytes.Buffer
	c := &console{w: &terminal, terminal: true}
	out := &besideConsole{c, &terminal}
	c.progress("50%")
	if _, err := out.Write([]byte("a line\nhalf of ")); err != nil {
		t.Fatal(err)
	}
	c.progress("75%")
	if _, err := out.Write([]byte("one\n")); err != nil {
		t.Fatal(err)
	}
	if got, want := terminal.String(), "50%\r\x1b[Ka line\nhalf of one\n"; got != want {
		t.Errorf("the terminal got %q, not %q", got, want)
	}
}

func TestLinesAreBroken(t *testing.T) {
	var got strings.Builder
	l := &lineBreaker{w: &got, columns: 20}
	for _, part := range []string{"short\nlonger than ", "twenty columns\n", "rest\n"} {
		if n, err := l.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatal(n, err)
		}
	}
	if want := "short\nlonger than twenty\n    columns\nrest\n"; got.String() != want {
		t.Errorf("%q, not %q", got.String(), want)
	}
}
