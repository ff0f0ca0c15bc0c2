package audit

import (
	"time"

	"github.com/valkeyfs/valkeyfs/internal/report"
)

// Header says how an audit was run.
type Header struct {
	Type      string         `json:"type"` // "run"
	Tool      string         `json:"tool"`
	Version   string         `json:"version"`
	Verb      string         `json:"verb"`
	Inputs    []string       `json:"inputs"`
	Root      string         `json:"root,omitempty"`
	AsOf      string         `json:"as_of,omitempty"` // when certificates and waivers were judged
	Catalogue string         `json:"catalogue"`
	Checks    int            `json:"checks"`
	Servers   []serverRecord `json:"servers"`
}

type serverRecord struct {
	Name    string `json:"name"`
	Version string `json:"server_version,omitempty"`
	Basis   string `json:"server_version_basis,omitempty"`
	Dir     string `json:"dir,omitempty"`
	Unit    string `json:"unit,omitempty"`
	ACLFile string `json:"aclfile,omitempty"`
}

// NewHeader describes a run by its options and its report.
func NewHeader(version string, inputs []string, root string, o *Options, r *Report) *Header {
	h := &Header{Type: "run", Tool: "valkeyfs", Version: version, Verb: "audit", Inputs: inputs, Root: root, Catalogue: CatalogueVersion, Checks: len(Catalogue())}
	if h.Inputs == nil {
		h.Inputs = []string{}
	}
	if !o.Now.IsZero() {
		h.AsOf = o.Now.UTC().Format(time.RFC3339)
	}
	for _, s := range r.Servers {
		rec := serverRecord{Name: s.Name, Dir: s.Dir}
		if s.Server != nil {
			rec.Version, rec.Basis, rec.ACLFile = s.Server.Version.String(), s.Server.Basis, s.Server.ACLFile
		}
		if s.Unit != nil {
			rec.Unit = s.Unit.File
		}
		h.Servers = append(h.Servers, rec)
	}
	return h
}

type fileRecord struct {
	Type   string `json:"type"` // "file"
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
}

// record is a result as machines read it. Field names are stable.
type record struct {
	Type       string   `json:"type"` // "check"
	ID         string   `json:"id"`
	Threat     int      `json:"threat"`
	Title      string   `json:"title"`
	Severity   string   `json:"severity"`
	Status     Status   `json:"status"`
	Server     string   `json:"server"`
	File       string   `json:"file,omitempty"`
	FileB64    string   `json:"file_b64,omitempty"` // where the name is not UTF-8
	Line       int      `json:"line,omitempty"`
	Evidence   string   `json:"evidence"`
	Remedy     string   `json:"remedy,omitempty"`
	References []string `json:"references"`
	Waiver     string   `json:"waiver,omitempty"`
}

func newRecord(r *Result) *record {
	severity := r.Severity
	if r.Status != Fail && r.Status != Waived {
		severity = r.Check.Severity
	}
	return &record{"check", r.Check.ID, r.Check.Threat, r.Check.Title, severity.String(), r.Status, r.Server, r.Place.File, report.Base64(r.Place.File),
		r.Place.Line, r.Evidence, r.Remedy, r.Check.References, r.Waiver}
}

type summary struct {
	Type       string         `json:"type"` // "summary"
	Complete   bool           `json:"complete"`
	ByStatus   map[Status]int `json:"by_status"`
	BySeverity map[string]int `json:"failures_by_severity"`
	ByThreat   map[int]int    `json:"failures_by_threat"`
	Assumed    []string       `json:"assumed,omitempty"`
}

func newSummary(r *Report) *summary {
	s := &summary{Type: "summary", Complete: !r.Incomplete, ByStatus: map[Status]int{}, BySeverity: map[string]int{}, ByThreat: map[int]int{}, Assumed: r.Assumed}
	for _, status := range []Status{Pass, Fail, Unknown, NA, Waived} {
		s.ByStatus[status] = r.Counts[status]
	}
	for i := range r.Results {
		if x := &r.Results[i]; x.Status == Fail {
			s.BySeverity[x.Severity.String()]++
			s.ByThreat[x.Check.Threat]++
		}
	}
	return s
}
