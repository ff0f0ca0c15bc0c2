package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/valkeyfs/valkeyfs/scan"
)

// choice is a flag that takes one of a few words.
type choice struct {
	word string
	of   []string
}

func (c *choice) String() string { return c.word }

func (c *choice) Type() string { return "WORD" }

func (c *choice) Set(text string) error {
	if !slices.Contains(c.of, text) {
		return fmt.Errorf("one of %s is needed", strings.Join(c.of, ", "))
	}
	c.word = text
	return nil
}

// oneOf returns a choice of words, of which the first is the default; an empty first
// word is none.
func oneOf(words ...string) choice {
	return choice{words[0], slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "" })}
}

// flag makes the flag --format of c, whose default is the first of the formats.
func (c *choice) flag(f *pflag.FlagSet, formats ...string) {
	*c = oneOf(formats...)
	f.Var(c, "format", "write `FORMAT`: "+strings.Join(formats, ", "))
}

// to is where a format is written that has a line for each thing it tells.
func (c *choice) to(out *output) io.Writer {
	if c.word == "text" {
		return out.lines()
	}
	return out
}

// threshold is the severity from which on the exit status is 1, as a flag; "never" is
// above all.
type threshold struct{ scan.Severity }

func (t *threshold) String() string {
	if t.Severity > scan.Critical {
		return "never"
	}
	return t.Severity.String()
}

func (t *threshold) Type() string { return "SEVERITY" }

func (t *threshold) Set(text string) error {
	if text == "never" {
		t.Severity = scan.Critical + 1
		return nil
	}
	return t.UnmarshalText([]byte(text))
}

// flag makes the flag --fail-on of t.
func (t *threshold) flag(f *pflag.FlagSet, usage string) {
	t.Severity = scan.Low
	f.Var(t, "fail-on", usage)
}
