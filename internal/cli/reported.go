package cli

import (
	"github.com/valkeyfs/valkeyfs/internal/casefile"
	"github.com/valkeyfs/valkeyfs/internal/report"
)

// reported is a page that was written, as JSON.
type reported struct {
	Type       string            `json:"type"` // "report"
	Case       string            `json:"case,omitempty"`
	Page       string            `json:"page"`
	Size       int64             `json:"size"`
	SHA256     string            `json:"sha256"`
	Manifest   string            `json:"manifest"`
	Signature  string            `json:"signature,omitempty"` // of the manifest
	Sections   []string          `json:"sections"`            // beside the findings
	Files      uint64            `json:"files"`
	Keys       uint64            `json:"keys"`
	Findings   uint64            `json:"findings"`
	BySeverity map[string]uint64 `json:"by_severity"`
	Complete   bool              `json:"complete"`
}

// tell writes what is on the page that m ties to its inputs.
func (f *reportFlags) tell(a *app, code int, m *casefile.Manifest, sections []report.Section, sum *report.Summary) error {
	page := m.Outputs[0]
	r := &reported{Type: "report", Case: a.names.Mask(f.caseID), Page: a.names.Mask(page.Path), Size: page.Size, SHA256: page.SHA256,
		Manifest: a.names.Mask(manifestOf(page.Path)), Sections: []string{}, Files: sum.Files, Keys: sum.Keys, Findings: sum.Findings, BySeverity: sum.BySeverity, Complete: m.Complete}
	if f.signKey != "" {
		r.Signature = a.names.Mask(signatureOf(manifestOf(page.Path)))
	}
	for _, s := range sections {
		r.Sections = append(r.Sections, s.ID)
	}
	return a.outcomeBeside(&f.format, code, r)
}
