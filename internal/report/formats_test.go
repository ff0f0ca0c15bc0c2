package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode"

	schema "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/xeipuuv/gojsonschema"

	"github.com/valkeyfs/valkeyfs/scan"
)

var ruleInfos = []scan.RuleInfo{
	{ID: "session-cookie", Description: "Session <of> a web application", Category: scan.Session, Severity: scan.High},
	{ID: "aws-access-token", Description: "AWS access key id", Category: scan.Credential, Severity: scan.Medium, Next: "deactivate it"},
	{ID: "email", Category: scan.PII, Severity: scan.Medium}, {ID: "requirepass", Category: scan.Password, Severity: scan.High, Technique: "T1552"},
}

// writers are all formats, grouped and not.
func writers(b *bytes.Buffer) map[string]Writer {
	return map[string]Writer{
		"text": NewText(b, TextOptions{}), "text all": NewText(b, TextOptions{All: true}), "jsonl": NewJSONL(b), "json": NewJSON(b), "csv": NewCSV(b),
		"sarif": NewSARIF(b, SARIFOptions{Rules: ruleInfos}), "sarif all": NewSARIF(b, SARIFOptions{Rules: ruleInfos, All: true}),
		"junit": NewJUnit(b, JUnitOptions{}), "junit all": NewJUnit(b, JUnitOptions{All: true}),
		"html": NewHTML(b, HTMLOptions{Rules: ruleInfos}), "html all": NewHTML(b, HTMLOptions{Rules: ruleInfos, All: true}),
	}
}

// No format passes on what a terminal would obey, and each is the same each time.
func TestFormatsAreHarmlessAndStable(t *testing.T) {
	var b bytes.Buffer
	for name := range writers(&b) {
		b.Reset()
		write(t, writers(&b)[name])
		first := b.String()
		for _, r := range first {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Errorf("%s holds %U", name, r)
				break
			}
		}
		b.Reset()
		write(t, writers(&b)[name])
		if b.String() != first {
			t.Errorf("%s differs from run to run", name)
		}
		if name != "csv" && !strings.Contains(first, "43795") {
			t.Errorf("%s does not tell of the damage", name)
		}
	}
}

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	write(t, NewJSON(&b))
	var doc struct {
		Run     map[string]any
		Records []struct{ Type string }
		Summary struct{ Findings int }
	}
	if err := json.Unmarshal(b.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	n := map[string]int{}
	for _, r := range doc.Records {
		n[r.Type]++
	}
	if n["finding"] != 8 || n["damage"] != 2 || n["torn"] != 1 || n["file"] != 4 || doc.Summary.Findings != 5004 || doc.Run["verb"] != "scan" {
		t.Errorf("records %v of %d findings", n, doc.Summary.Findings)
	}
}

func TestCSV(t *testing.T) {
	var b bytes.Buffer
	write(t, NewCSV(&b))
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != 9 || len(rows[0]) != len(columns) {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for in, want := range map[string]string{
		"": "", "plain": "plain", "a=b": "a=b", "=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\t=1": `'\t=1`, "\r=1": `'\r=1`, " =1": "' =1",
		"＝1": "'＝1", "'=1": "''=1", `"=1`: `'"=1`, "|cmd": "'|cmd", "漢字": "漢字",
	} {
		if got := Cell(in); got != want {
			t.Errorf("Cell(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestCSVSaysPresumed: whether a database is one that is only presumed.
func TestCSVSaysPresumed(t *testing.T) {
	var b bytes.Buffer
	w := NewCSV(&b)
	w.Run(&Run{})
	for _, presumed := range []bool{false, true} {
		w.Finding(&scan.Finding{DB: 3, Presumed: presumed})
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Fatalf("%q, %v", rows, err)
	}
	at := slices.Index(rows[0], "db_presumed")
	if at < 0 || rows[1][at] != "false" || rows[2][at] != "true" {
		t.Errorf("%q", rows)
	}
}

// sarifID is how OASIS' schema of SARIF 2.1.0, with errata 01, calls itself.
const sarifID = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// sarifSchema is that schema, which the module keeps in its source.
var sarifSchema = sync.OnceValues(func() (*gojsonschema.Schema, error) {
	const module = "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	_ = schema.Report{} // keeps the module in go.mod
	pkg, err := build.Import(module, ".", build.FindOnly)
	if err != nil {
		return nil, err
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(pkg.Dir, "schema.go"), nil, 0)
	if err != nil {
		return nil, err
	}
	literal := file.Scope.Lookup("schema").Decl.(*ast.ValueSpec).Values[0].(*ast.BasicLit)
	text, err := strconv.Unquote(literal.Value)
	if err != nil {
		return nil, err
	}
	var named struct{ ID string }
	if err := json.Unmarshal([]byte(text), &named); err != nil {
		return nil, err
	}
	if named.ID != sarifID {
		return nil, fmt.Errorf("the module keeps the schema %q", named.ID)
	}
	return gojsonschema.NewSchema(gojsonschema.NewStringLoader(text))
})

// checkSARIF holds data against the schema.
func checkSARIF(t *testing.T, data []byte) []gojsonschema.ResultError {
	t.Helper()
	s, err := sarifSchema()
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Validate(gojsonschema.NewBytesLoader(data))
	if err != nil {
		t.Fatal(err)
	}
	return r.Errors()
}

// validSARIF parses strictly, which refuses members that SARIF does not have, and
// holds data against the schema.
func validSARIF(t *testing.T, data []byte) *schema.Report {
	t.Helper()
	for _, e := range checkSARIF(t, data) {
		t.Error(e)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var r schema.Report
	if err := dec.Decode(&r); err != nil {
		t.Fatal(err)
	}
	return &r
}

func TestSARIF(t *testing.T) {
	for _, all := range []bool{false, true} {
		var b bytes.Buffer
		write(t, NewSARIF(&b, SARIFOptions{Rules: ruleInfos, All: all}))
		run := validSARIF(t, b.Bytes()).Runs[0]
		if n := len(run.Tool.Driver.Rules); n != len(ruleInfos) {
			t.Errorf("%d rules", n)
		}
		if len(run.Results) < 5 || *run.Results[0].RuleID != "aws-access-token" || run.Results[0].Level != "error" {
			t.Errorf("all %v: %d results, the first is not the gravest", all, len(run.Results))
		}
		seen := map[string]bool{}
		for _, r := range run.Results {
			if *run.Tool.Driver.Rules[r.RuleIndex].ID != *r.RuleID {
				t.Errorf("rule %d is not %s", r.RuleIndex, *r.RuleID)
			}
			print := fmt.Sprint(r.PartialFingerprints)
			if seen[print] && !all {
				t.Errorf("two results have the fingerprint %s", print)
			}
			seen[print] = true
		}
		if !strings.Contains(b.String(), `"security-severity":"9.5"`) {
			t.Error("the rule is not as severe as what it found")
		}
	}
}

// A sarif that is not valid is seen: the test above can fail.
func TestSARIFSchemaRefuses(t *testing.T) {
	for _, bad := range []string{
		`{"version":"2.1.0"}`, `{"version":"2.1.0","runs":[{"results":[]}]}`,
		`{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}},"results":[{"message":{"text":"x"},"level":"loud"}]}]}`,
	} {
		if len(checkSARIF(t, []byte(bad))) == 0 {
			t.Errorf("valid: %s", bad)
		}
	}
}

func TestSuppressed(t *testing.T) {
	sum := &Summary{Complete: true}
	sum.Take(&Tally{})
	for _, w := range []func(*bytes.Buffer) Suppressor{
		func(b *bytes.Buffer) Suppressor { return NewSARIF(b, SARIFOptions{Rules: ruleInfos}).(Suppressor) },
		func(b *bytes.Buffer) Suppressor { return NewJUnit(b, JUnitOptions{}).(Suppressor) },
	} {
		var b bytes.Buffer
		s := w(&b)
		s.Run(&Run{})
		s.Suppressed(finding(1, nil), Baselined)
		s.Suppressed(finding(2, nil), Ignored)
		if err := s.Summary(sum); err != nil {
			t.Fatal(err)
		}
		if b.String()[0] == '{' {
			results := validSARIF(t, b.Bytes()).Runs[0].Results
			if len(results) != 2 || len(results[0].Suppressions) != 1 || *results[0].Suppressions[0].Justification != "baseline" {
				t.Errorf("suppressions: %s", b.String())
			}
		} else if strings.Count(b.String(), "<skipped") != 2 || strings.Contains(b.String(), "<failure") {
			t.Errorf("skipped: %s", b.String())
		}
	}
}

func TestJUnit(t *testing.T) {
	for failOn, failures := range map[scan.Severity]int{scan.Info: 5, scan.High: 4, scan.Critical: 1, scan.Critical + 1: 0} {
		var b bytes.Buffer
		write(t, NewJUnit(&b, JUnitOptions{FailOn: failOn}))
		var doc struct {
			Failures int `xml:"failures,attr"`
			Errors   int `xml:"errors,attr"`
			Tests    int `xml:"tests,attr"`
			Suites   []struct {
				Cases []struct {
					Name    string    `xml:"name,attr"`
					Failure *struct{} `xml:"failure"`
				} `xml:"testcase"`
			} `xml:"testsuite"`
		}
		if err := xml.Unmarshal(b.Bytes(), &doc); err != nil {
			t.Fatal(err)
		}
		failed, tests := 0, 0
		for _, s := range doc.Suites {
			for _, c := range s.Cases {
				tests++
				if c.Failure != nil {
					failed++
				}
			}
		}
		if failed != failures || doc.Failures != failures || doc.Errors != 1 || doc.Tests != tests {
			t.Errorf("from %s on: %d failures of %d tests, %d errors; want %d", failOn, failed, tests, doc.Errors, failures)
		}
	}
}

// The page has no way out, and nothing of an input is markup.
func TestHTML(t *testing.T) {
	evil := `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	for _, all := range []bool{false, true} {
		var b bytes.Buffer
		w := NewHTML(&b, HTMLOptions{Rules: ruleInfos, All: all})
		var tally Tally
		f := finding(1, func(f *scan.Finding) {
			f.Key, f.Field, f.Secret, f.Source, f.Rule, f.Framework, f.Chain, f.Identity = evil, evil, evil, evil, evil, evil, []string{evil}, map[string]string{evil: evil}
		})
		tally.Add(f)
		w.Run(&Run{Inputs: []string{evil}})
		w.File(&File{Path: evil, Kind: evil, Skipped: evil})
		w.Damage(&Damage{Source: evil, What: evil})
		w.Finding(f)
		s := &Summary{Damages: 1}
		s.Take(&tally)
		if err := w.Summary(s); err != nil {
			t.Fatal(err)
		}
		page := b.String()
		if strings.Count(page, "<script") != 1 || strings.Contains(page, "<img") || strings.Contains(page, "src=x onerror=alert(1)>\"") {
			t.Error("markup of the input came through")
		}
		if strings.Contains(page, " style=") || !strings.Contains(page, "style-src &#39;sha256-") && !strings.Contains(page, "style-src 'sha256-") {
			t.Error("the policy lets more styles in than the page's own")
		}
		for _, out := range []string{"http://", "https://", "url(", "@import", "<link", "<iframe"} {
			if strings.Contains(page, out) {
				t.Errorf("the page holds %q: it is not self-contained", out)
			}
		}
	}
}

// Fifty thousand sessions never hide one cloud key: it is on the first screen of
// text and HTML, and the first result of SARIF; grouped or not.
func TestTheRareAndGraveComesFirst(t *testing.T) {
	var b bytes.Buffer
	for name := range writers(&b) {
		if name == "text all" || name == "jsonl" || name == "json" || name == "csv" {
			continue // in the order of the input, by definition
		}
		b.Reset()
		w := writers(&b)[name]
		var tally Tally
		w.Run(&Run{})
		for i := range 50_000 {
			f := finding(i, func(f *scan.Finding) {
				f.Severity, f.Confidence = scan.Critical, scan.Confirmed
				if i == 49_990 {
					f.Rule, f.Key = "aws-access-token", "deploy"
				}
			})
			tally.Add(f)
			w.Finding(f)
		}
		s := &Summary{Complete: true}
		s.Take(&tally)
		if err := w.Summary(s); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(b.String(), "\n")
		from, limit := 0, 24 // a terminal's lines
		switch {
		case strings.HasPrefix(name, "html"):
			for i, l := range lines {
				if strings.Contains(l, "<details") {
					from = i
					break
				}
			}
		case strings.HasPrefix(name, "sarif"):
			for i, l := range lines {
				if strings.Contains(l, `"results":[`) {
					from = i
					break
				}
			}
		case strings.HasPrefix(name, "junit"):
			limit = 40
		}
		if !strings.Contains(strings.Join(lines[from:min(len(lines), from+limit)], "\n"), "aws-access-token") {
			t.Errorf("%s: the key is not among the first", name)
		}
	}
}

// A million findings take bounded memory, and what is cut is said.
func TestAMillionFindings(t *testing.T) {
	for _, c := range []struct {
		name string
		w    func(*bytes.Buffer) Writer
	}{
		{"html", func(b *bytes.Buffer) Writer { return NewHTML(b, HTMLOptions{All: true}) }},
		{"sarif", func(b *bytes.Buffer) Writer { return NewSARIF(b, SARIFOptions{Rules: ruleInfos, All: true}) }},
	} {
		var out bytes.Buffer
		w := c.w(&out)
		w.Run(&Run{})
		var tally Tally
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		for i := range 1_000_000 {
			f := finding(i%300_000, nil)
			tally.Add(f)
			w.Finding(f)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 96<<20 {
			t.Errorf("%s: %d MiB are kept", c.name, grown>>20)
		}
		s := &Summary{}
		s.Take(&tally)
		if err := w.Summary(s); err != nil {
			t.Fatal(err)
		}
		if said := out.String(); !strings.Contains(said, "998,000 further findings") && !strings.Contains(said, "of 1,000,000 findings the gravest 25,000 are listed") {
			t.Errorf("%s does not say what it cut", c.name)
		}
		if out.Len() > 64<<20 {
			t.Errorf("%s: %d bytes", c.name, out.Len())
		}
	}
}
