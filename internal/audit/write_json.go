package audit

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/report"
)

// WriteJSONL writes a report as one JSON object a line: the run, the files read,
// each check, the summary.
func WriteJSONL(w io.Writer, h *Header, r *Report) error {
	l := report.NewLines(w)
	if err := l.Line(h); err != nil {
		return err
	}
	for _, f := range r.Files {
		if err := l.Line(fileRecord{"file", f.Path, f.SHA256}); err != nil {
			return err
		}
	}
	for i := range r.Results {
		if err := l.Line(newRecord(&r.Results[i])); err != nil {
			return err
		}
	}
	return l.Line(newSummary(r))
}

// WriteJSON writes a report as one JSON object.
func WriteJSON(w io.Writer, h *Header, r *Report) error {
	checks := make([]*record, len(r.Results))
	for i := range r.Results {
		checks[i] = newRecord(&r.Results[i])
	}
	files := make([]fileRecord, len(r.Files))
	for i, f := range r.Files {
		files[i] = fileRecord{"file", f.Path, f.SHA256}
	}
	return report.NewLines(w).Line(map[string]any{"run": h, "files": files, "checks": checks, "summary": newSummary(r)})
}

// WriteCSV writes the checks as a table. What a spreadsheet would take for a
// formula stands behind an apostrophe.
func WriteCSV(w io.Writer, _ *Header, r *Report) error {
	c := csv.NewWriter(w)
	_ = c.Write([]string{"id", "threat", "title", "severity", "status", "server", "file", "line", "evidence", "remedy", "references", "waiver"})
	for i := range r.Results {
		x := newRecord(&r.Results[i])
		row := []string{x.ID, strconv.Itoa(x.Threat), x.Title, x.Severity, string(x.Status), x.Server, x.File, strconv.Itoa(x.Line), x.Evidence, x.Remedy, strings.Join(x.References, "; "), x.Waiver}
		for k, cell := range row {
			row[k] = report.Escape(cell)
			if cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
				row[k] = "'" + row[k]
			}
		}
		_ = c.Write(row)
	}
	c.Flush()
	return c.Error()
}

// severityScore is a score for code scanning's four classes (over 9, 7, 4, 0).
var severityScore = map[Severity]string{Critical: "9.5", High: "8.0", Medium: "5.5", Low: "3.0", Info: "1.0"}

var sarifLevel = map[Severity]string{Critical: "error", High: "error", Medium: "warning", Low: "note", Info: "note"}

// WriteSARIF writes a report as SARIF 2.1.0: every check of the catalogue is a
// rule, passes are of kind "pass", and waivers are suppressions.
func WriteSARIF(w io.Writer, h *Header, r *Report) error {
	type object = map[string]any
	var rules []object
	index := map[string]int{}
	for i, c := range Catalogue() {
		index[c.ID] = i
		rules = append(rules, object{"id": c.ID, "name": strings.ReplaceAll(c.ID, "-", ""), "shortDescription": object{"text": c.Title},
			"fullDescription":      object{"text": "Threat " + strconv.Itoa(c.Threat) + ", " + Threats[c.Threat] + ": " + c.Title + "."},
			"defaultConfiguration": object{"level": sarifLevel[c.Severity]},
			"properties":           object{"security-severity": severityScore[c.Severity], "tags": append([]string{"security"}, c.References...)}})
	}
	results := []object{}
	for i := range r.Results {
		x := &r.Results[i]
		rec := newRecord(x)
		o := object{"ruleId": x.Check.ID, "ruleIndex": index[x.Check.ID], "message": object{"text": sentence(x)},
			"partialFingerprints": object{"check/v1": x.Check.ID + ":" + x.Server + ":" + rec.File}}
		switch x.Status {
		case Fail:
			o["kind"], o["level"] = "fail", sarifLevel[x.Severity]
		case Waived:
			o["kind"], o["level"] = "fail", sarifLevel[x.Severity]
			o["suppressions"] = []object{{"kind": "external", "justification": x.Waiver}}
		case Pass:
			o["kind"], o["level"] = "pass", "none"
		case NA:
			o["kind"], o["level"] = "notApplicable", "none"
		case Unknown:
			o["kind"], o["level"] = "open", "none"
		}
		file := rec.File
		if file == "" {
			file = x.Server
		}
		place := object{"artifactLocation": object{"uri": fileURI(file)}}
		if rec.Line > 0 {
			place["region"] = object{"startLine": rec.Line}
		}
		o["locations"] = []object{{"physicalLocation": place}}
		results = append(results, o)
	}
	artifacts := []object{}
	for _, f := range r.Files {
		artifacts = append(artifacts, object{"location": object{"uri": fileURI(f.Path)}, "hashes": object{"sha-256": f.SHA256}})
	}
	return report.NewLines(w).Line(object{"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": []object{{
		"tool":      object{"driver": object{"name": h.Tool, "version": h.Version, "informationUri": "https://github.com/valkeyfs/valkeyfs", "rules": rules}},
		"artifacts": artifacts, "results": results,
		"invocations": []object{{"executionSuccessful": !r.Incomplete}},
		"properties":  object{"catalogue": h.Catalogue, "unknown": r.Counts[Unknown]}}}})
}

func sentence(x *Result) string {
	s := x.Evidence
	if s == "" {
		s = x.Check.Title
	}
	if x.Status == Fail && x.Remedy != "" {
		s += ". Remedy: " + x.Remedy
	}
	return s
}

// fileURI is an absolute path as a URI (RFC 8089), bytes that are not
// unreserved percent-encoded.
func fileURI(name string) string {
	const hex = "0123456789ABCDEF"
	b := []byte("file://")
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case c == '/' || c == '-' || c == '.' || c == '_' || c == '~' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z':
			b = append(b, c)
		default:
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(b)
}
