package timeline

import "github.com/valkeyfs/valkeyfs/internal/report"

// timesketch is JSON lines as Timesketch imports them: message, datetime,
// timestamp_desc and, in microseconds, timestamp are what it asks for
// (Timesketch, "Create timeline from JSON/JSONL/CSV file"); the rest are
// attributes of our own.
type timesketch struct{ l *report.Lines }

func (t timesketch) Event(e *Event) error {
	return t.l.Line(struct {
		Message   string   `json:"message"`
		Datetime  string   `json:"datetime"`
		Timestamp int64    `json:"timestamp"`
		Desc      string   `json:"timestamp_desc"`
		DataType  string   `json:"data_type"`
		Source    string   `json:"source"`
		Kind      string   `json:"kind"`
		Basis     Basis    `json:"basis"`
		BasisOf   string   `json:"basis_of"`
		NotBefore string   `json:"not_before,omitempty"`
		NotAfter  string   `json:"not_after,omitempty"`
		Filename  string   `json:"filename"`
		Role      string   `json:"role,omitempty"`
		Offset    int64    `json:"offset"`
		DB        int32    `json:"db"`
		Key       string   `json:"key,omitempty"`
		Technique string   `json:"technique,omitempty"`
		Tag       []string `json:"tag,omitempty"`
	}{
		Message: report.Escape(e.Message), Datetime: stamp(e), Timestamp: e.Time.UnixMicro(), Desc: e.Of, DataType: "valkey:" + e.Kind,
		Source: "VALKEY", Kind: e.Kind, Basis: e.Basis, BasisOf: e.Of, NotBefore: optional(e.NotBefore), NotAfter: optional(e.NotAfter),
		Filename: report.Escape(e.Source), Role: e.Role, Offset: e.Offset, DB: e.DB, Key: e.name(), Technique: e.Technique, Tag: tags(e),
	})
}

func (t timesketch) End(*Summary) error { return nil }

func tags(e *Event) []string {
	if e.Technique == "" {
		return nil
	}
	return []string{"attack:" + e.Technique}
}
