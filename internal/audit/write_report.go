package audit

import (
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/scan"
)

// checks is a report as the writers of tables, pages and test results take it.
func checks(h *Header, r *Report) *report.Checks {
	c := &report.Checks{Verb: h.Verb, Version: h.Version, Inputs: h.Inputs, Complete: !r.Incomplete}
	for _, x := range Catalogue() {
		group := strconv.Itoa(x.Threat) + " " + Threats[x.Threat]
		about := "Threat " + strconv.Itoa(x.Threat) + ", " + Threats[x.Threat] + ": " + x.Title + "."
		c.Rules = append(c.Rules, report.CheckRule{ID: x.ID, Title: x.Title, Description: about, Group: group, Severity: x.Severity, References: x.References})
	}
	for i := range r.Results {
		x := &r.Results[i]
		c.Results = append(c.Results, report.Check{Rule: x.Check.ID, Status: report.CheckStatus(x.Status), Severity: x.Severity, Subject: x.Server,
			File: x.Place.File, Line: x.Place.Line, Evidence: x.Evidence, Remedy: x.Remedy, Waiver: x.Waiver})
	}
	for _, f := range r.Files {
		c.Files = append(c.Files, report.CheckFile{Path: f.Path, SHA256: f.SHA256})
	}
	c.Notes = append([]string{fmt.Sprintf("catalogue %s, %d checks; %d answers unknown", h.Catalogue, h.Checks, r.Counts[Unknown])}, r.Assumed...)
	return c
}

// WriteCSV writes the checks as a table. Behind them stand a row of what was
// asked and a row for each file that was read, with its hash.
func WriteCSV(w io.Writer, h *Header, r *Report) error {
	c := checks(h, r)
	c.Results = slices.Clip(c.Results)
	for _, note := range c.Notes {
		c.Results = append(c.Results, report.Check{Rule: "run", Status: report.CheckNA, Evidence: note})
	}
	for _, f := range c.Files {
		c.Results = append(c.Results, report.Check{Rule: "file", Status: report.CheckNA, File: f.Path, Evidence: "SHA-256 " + f.SHA256})
	}
	return c.WriteCSV(w)
}

// WriteSARIF writes a report as SARIF 2.1.0.
func WriteSARIF(w io.Writer, h *Header, r *Report) error { return checks(h, r).WriteSARIF(w) }

// WriteHTML writes a report as one page.
func WriteHTML(w io.Writer, h *Header, r *Report) error { return checks(h, r).WriteHTML(w) }

// WriteJUnit writes a report as JUnit's XML, where what is below failOn does not
// fail.
func WriteJUnit(w io.Writer, h *Header, r *Report, failOn scan.Severity) error {
	c := checks(h, r)
	for _, f := range c.Files {
		c.Notes = append(c.Notes, f.Path+" has SHA-256 "+f.SHA256)
	}
	return c.WriteJUnit(w, failOn)
}
