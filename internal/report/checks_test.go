package report

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"strings"
	"testing"
	"unicode"

	"github.com/valkeyfs/valkeyfs/scan"
)

func checks() *Checks {
	return &Checks{
		Verb: "audit", Version: "test", Inputs: []string{"etc"},
		Rules: []CheckRule{
			{ID: "VFS-AUTH-001", Title: "A password is set", Group: "Weak authentication", Severity: scan.High, References: []string{"CWE-521"}},
			{ID: "VFS-NET-002", Title: "TLS is on", Group: "Network eavesdropping", Severity: scan.Medium},
		},
		Results: []Check{
			{Rule: "VFS-NET-002", Status: CheckPasses, Subject: "/etc/valkey.conf", File: "/etc/valkey.conf", Line: 3, Evidence: "tls-port 6379"},
			{Rule: "VFS-NET-002", Status: CheckUnknown, Subject: "=evil()\x1b[2J", Evidence: "no file says"},
			{Rule: "VFS-NET-002", Status: CheckNA, Subject: "b", Evidence: "a socket only"},
			{Rule: "VFS-NET-002", Status: CheckWaived, Severity: scan.Medium, Subject: "c", Evidence: "off", Waiver: "behind a tunnel"},
			{Rule: "VFS-NET-002", Status: CheckFails, Severity: scan.Low, Subject: "d", Evidence: `"><script>alert(1)</script>`, Remedy: "tls-port 6379"},
			{Rule: "VFS-AUTH-001", Status: CheckFails, Severity: scan.Critical, Subject: "/etc/a:b.conf", File: "/etc/a:b.conf", Line: 7, Evidence: "requirepass is empty", Remedy: "requirepass …"},
		},
		Files: []CheckFile{{"/etc/valkey.conf", strings.Repeat("ab", 32)}}, Notes: []string{"the version was taken for granted"}, Complete: true,
	}
}

func TestChecksAreHarmless(t *testing.T) {
	for name, write := range map[string]func(*Checks, *bytes.Buffer) error{
		"csv":   func(c *Checks, b *bytes.Buffer) error { return c.WriteCSV(b) },
		"sarif": func(c *Checks, b *bytes.Buffer) error { return c.WriteSARIF(b) },
		"junit": func(c *Checks, b *bytes.Buffer) error { return c.WriteJUnit(b, scan.Info) },
		"html":  func(c *Checks, b *bytes.Buffer) error { return c.WriteHTML(b) },
	} {
		var b bytes.Buffer
		if err := write(checks(), &b); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, r := range b.String() {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Errorf("%s holds %U", name, r)
				break
			}
		}
		for _, want := range []string{"VFS-AUTH-001", "requirepass is empty", "behind a tunnel"} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s does not say %q", name, want)
			}
		}
	}
}

func TestChecksSARIF(t *testing.T) {
	var b bytes.Buffer
	if err := checks().WriteSARIF(&b); err != nil {
		t.Fatal(err)
	}
	results := validSARIF(t, b.Bytes()).Runs[0].Results
	kinds := map[string]int{}
	for _, r := range results {
		kinds[r.Kind]++
	}
	if kinds["fail"] != 3 || kinds["pass"] != 1 || kinds["open"] != 1 || kinds["notApplicable"] != 1 {
		t.Errorf("kinds %v", kinds)
	}
	if len(results[3].Suppressions) != 1 || len(results[4].Suppressions) != 0 {
		t.Error("what is waived is not what is suppressed")
	}
	if at := results[5].Locations[0].PhysicalLocation; *at.ArtifactLocation.URI != "file:///etc/a:b.conf" || *at.Region.StartLine != 7 {
		t.Errorf("place %q", *at.ArtifactLocation.URI)
	}
}

func TestChecksJUnit(t *testing.T) {
	for failOn, want := range map[scan.Severity]int{scan.Info: 2, scan.High: 1, scan.Critical + 1: 0} {
		var b bytes.Buffer
		if err := checks().WriteJUnit(&b, failOn); err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Failures int `xml:"failures,attr"`
			Tests    int `xml:"tests,attr"`
			Suites   []struct {
				Name    string `xml:"name,attr"`
				Skipped int    `xml:"skipped,attr"`
			} `xml:"testsuite"`
		}
		if err := xml.Unmarshal(b.Bytes(), &doc); err != nil {
			t.Fatal(err)
		}
		if doc.Failures != want || doc.Tests != 7 || len(doc.Suites) != 3 || doc.Suites[1].Skipped != 3 {
			t.Errorf("from %s on: %+v", failOn, doc)
		}
	}
}

func TestChecksCSV(t *testing.T) {
	var b bytes.Buffer
	if err := checks().WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != 7 || !strings.HasPrefix(rows[2][5], "'=evil") || rows[2][7] != "" || rows[6][7] != "7" {
		t.Errorf("%v: %q", err, rows)
	}
}

func TestChecksHTML(t *testing.T) {
	var b bytes.Buffer
	if err := checks().WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	if strings.Count(page, "<script") != 1 {
		t.Error("markup of the evidence came through")
	}
	first := strings.Index(page, "<details")
	if strings.Index(page[first:], "VFS-AUTH-001") > strings.Index(page[first:], "VFS-NET-002") {
		t.Error("the gravest failure does not come first")
	}
	_, row, _ := strings.Cut(page[first:], "<summary>")
	row, _, _ = strings.Cut(row, "</summary>")
	if strings.Count(row, "/etc/a:b.conf") != 1 || !strings.Contains(row, "line 7") {
		t.Errorf("the row does not say of which server it is, and where: %s", row)
	}
}
