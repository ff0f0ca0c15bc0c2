package report

import (
	"bufio"
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/valkeyfs/valkeyfs/scan"
)

// JUnitOptions say what fails.
type JUnitOptions struct {
	FailOn scan.Severity // the least severity that fails
	All    bool          // a test a finding instead of a test a group
}

// junit writes test results as Ant and JUnit do, which build servers read: a
// suite a category, a test a group that fails, and a suite that says whether the
// evidence could be read.
type junit struct {
	w      *bufio.Writer
	o      JUnitOptions
	pick   pick
	known  map[Suppression]*Tally
	damage []*Damage
	more   uint64
}

// NewJUnit returns a Writer of JUnit's XML to w. All is written by Summary.
func NewJUnit(w io.Writer, o JUnitOptions) Writer {
	return &junit{w: bufio.NewWriter(w), o: o, known: map[Suppression]*Tally{}}
}

type (
	junitSuite struct {
		XMLName  xml.Name    `xml:"testsuite"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string       `xml:"classname,attr"`
		Name    string       `xml:"name,attr"`
		Failure *junitReason `xml:"failure"`
		Error   *junitReason `xml:"error"`
		Skipped *junitReason `xml:"skipped"`
		Out     string       `xml:"system-out,omitempty"`
	}
	junitReason struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

func (j *junit) Run(*Run) error   { return nil }
func (j *junit) File(*File) error { return nil }

func (j *junit) Damage(d *Damage) error {
	j.more += d.More
	switch {
	case d.Type == "torn":
	case len(j.damage) < maxDamage:
		j.damage = append(j.damage, d)
	default:
		j.more++
	}
	return nil
}

func (j *junit) Finding(f *scan.Finding) error {
	if j.o.All {
		j.pick.add(f)
	}
	return nil
}

func (j *junit) Suppressed(f *scan.Finding, why Suppression) error {
	if j.known[why] == nil {
		j.known[why] = &Tally{}
	}
	j.known[why].Add(f)
	return nil
}

func (j *junit) Summary(s *Summary) error {
	suites := map[scan.Category]*junitSuite{}
	suite := func(c scan.Category) *junitSuite {
		if suites[c] == nil {
			suites[c] = &junitSuite{Name: c.String()}
		}
		return suites[c]
	}
	for c := scan.Credential; c <= scan.Artefact; c++ {
		suite(c)
	}
	if j.o.All {
		for _, f := range j.pick.list(s.Groups) {
			j.test(suite(f.Category), f.Severity, f.Rule, place(f), fmt.Sprintf("%s: %s, %s, %s", f.Severity, f.Rule, f.Confidence, f.State), describe([]*scan.Finding{f}, 1))
		}
	} else {
		for _, g := range s.Groups {
			text := describe(g.Examples, g.Count)
			if g.Next != "" {
				text += "next: " + g.Next + "\n"
			}
			j.test(suite(g.Category), g.Severity, g.Rule, title(g), fmt.Sprintf("%s: %s in %s", g.Severity, plural(g.Count, "finding"), quoted(g.Pattern)), text)
		}
	}
	for _, why := range []Suppression{Baselined, Ignored} {
		if j.known[why] == nil {
			continue
		}
		for _, g := range j.known[why].Groups() {
			suite(g.Category).add(junitCase{Class: Escape(g.Rule), Name: title(g), Skipped: &junitReason{Message: string(why)}})
		}
	}
	all := []*junitSuite{j.evidence(s)}
	for c := scan.Credential; c <= scan.Artefact; c++ {
		if su := suites[c]; len(su.Cases) == 0 {
			su.add(junitCase{Class: c.String(), Name: "no findings"})
		}
		all = append(all, suites[c])
	}
	return writeJUnit(j.w, "scan", all)
}

// title names a group: the same in the next report, so that a build server sees
// it fail, go and come back.
func title(g *Group) string {
	return fmt.Sprintf("%s in %s (%s)", g.Severity, quoted(g.Pattern), g.State)
}

func (j *junit) test(s *junitSuite, severity scan.Severity, rule, name, message, text string) {
	c := junitCase{Class: Escape(rule), Name: name}
	if severity >= j.o.FailOn {
		c.Failure = &junitReason{Message: message, Type: severity.String(), Text: text}
	} else {
		c.Out = message + "\n" + text
	}
	s.add(c)
}

func (s *junitSuite) add(c junitCase) {
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

// evidence is the suite that says whether all could be read.
func (j *junit) evidence(s *Summary) *junitSuite {
	su := &junitSuite{Name: "evidence"}
	c := junitCase{Class: "evidence", Name: "complete"}
	if j.o.All && j.pick.seen > maxListed {
		c.Out = fmt.Sprintf("of %s findings the gravest %s are listed; --format jsonl has them all", Count(j.pick.seen), Count(maxListed))
	}
	if !s.Complete {
		var b strings.Builder
		for _, d := range j.damage {
			b.WriteString(d.String() + "\n")
		}
		if j.more > 0 {
			fmt.Fprintf(&b, "… and %d more\n", j.more)
		}
		c.Error = &junitReason{Message: cmp.Or(s.Stopped, s.Gaps()), Type: "incomplete", Text: b.String()}
	}
	su.add(c)
	return su
}

func describe(examples []*scan.Finding, count uint64) string {
	var b strings.Builder
	for _, f := range examples {
		fmt.Fprintf(&b, "%s  %s", Escape(f.Secret), place(f))
		if p := proof(f); p != "" {
			fmt.Fprintf(&b, "; %s", p)
		}
		b.WriteByte('\n')
	}
	if n := count - uint64(len(examples)); n > 0 {
		fmt.Fprintf(&b, "… and %s more\n", Count(n))
	}
	return b.String()
}

// writeJUnit writes the document of a verb.
func writeJUnit(w *bufio.Writer, verb string, suites []*junitSuite) error {
	sum := junitSuite{}
	for _, s := range suites {
		sum.Tests += s.Tests
		sum.Failures += s.Failures
		sum.Errors += s.Errors
	}
	fmt.Fprintf(w, "%s<testsuites name=\"valkeyfs %s\" tests=\"%d\" failures=\"%d\" errors=\"%d\">\n", xml.Header, verb, sum.Tests, sum.Failures, sum.Errors)
	enc := xml.NewEncoder(w)
	enc.Indent("", " ")
	for _, s := range suites {
		if err := enc.Encode(s); err != nil {
			return err
		}
	}
	fmt.Fprint(w, "\n</testsuites>\n")
	return w.Flush()
}
