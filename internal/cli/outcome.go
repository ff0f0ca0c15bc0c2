package cli

import (
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/internal/source"
)

// An outcome is what a verb has done, as one object, for verbs whose text is for a person
// and goes to standard error. It goes where --output says.
func (a *app) outcome(format *choice, code int, done any) error {
	if format.word == "text" {
		return exit(code)
	}
	return a.result(func(out *output) (int, error) { return code, report.NewLines(out).Line(done) })
}

// outcomeBeside is outcome for verbs whose --output is what they make: it goes to standard
// output.
func (a *app) outcomeBeside(format *choice, code int, done any) error {
	if format.word == "text" {
		return exit(code)
	}
	return a.standardOutput().finish(func(out *output) (int, error) { return code, report.NewLines(out).Line(done) })
}

// placeOutcome refuses an --output for text that goes to standard error.
func (a *app) placeOutcome(format *choice) error {
	if format.word == "text" && a.global.output != "" {
		return usagef("--output: text goes to standard error; --format %s has a place for it", strings.Join(format.of[1:], " or "))
	}
	return nil
}

// partOutcome refuses to mix an outcome with what a verb makes, where both go to standard
// output.
func (a *app) partOutcome(format *choice) error {
	if format.word != "text" && a.global.standardOutput() {
		return usagef("--format %s: standard output gets the data itself: name a file by -o", format.word)
	}
	return nil
}

// standardOutput reports whether the result goes to standard output.
func (g *globals) standardOutput() bool {
	switch g.output {
	case "", source.Stdin, "/dev/stdout", "/dev/fd/1":
		return true
	}
	return false
}
