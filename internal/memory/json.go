package memory

import (
	"io"

	"github.com/valkeyfs/valkeyfs/internal/report"
)

// JSON writes the report as one object.
func (r *Report) JSON(w io.Writer) error { return report.NewLines(w).Line(r) }

// JSONL writes an object a line: first one of the type "total", then groups, prefixes
// and keys.
func (r *Report) JSONL(w io.Writer) error {
	l := report.NewLines(w)
	type total struct {
		Type     string `json:"type"`
		Server   string `json:"server,omitempty"`
		Sets     int    `json:"data_sets"`
		Keys     int64  `json:"keys"`
		Elements int64  `json:"elements"`
		Bytes    int64  `json:"bytes"`
		Expiring int64  `json:"expiring"`
	}
	if err := l.Line(total{"total", r.Server, r.Sets, r.Keys, r.Elements, r.Bytes, r.Expiring}); err != nil {
		return err
	}
	for _, s := range r.sections() {
		for _, g := range s.groups {
			if err := l.Line(struct {
				Type string `json:"type"`
				Group
			}{s.name, g}); err != nil {
				return err
			}
		}
	}
	for _, p := range r.Prefixes {
		if err := l.Line(struct {
			Type string `json:"type"`
			Prefix
		}{"prefix", p}); err != nil {
			return err
		}
	}
	for _, k := range r.Biggest {
		if err := l.Line(struct {
			Type string `json:"type"`
			keyLine
		}{"key", keyLine{k.DB, k.Name, k.Type, k.Encoding, k.Elements, k.Bytes, k.ExpireMS}}); err != nil {
			return err
		}
	}
	return nil
}

// keyLine is a Key beside the type of its line.
type keyLine struct {
	DB       int32  `json:"db"`
	Name     string `json:"key"`
	KeyType  string `json:"key_type"`
	Encoding string `json:"encoding,omitempty"`
	Elements int64  `json:"elements"`
	Bytes    int64  `json:"bytes"`
	ExpireMS int64  `json:"expire_ms,omitempty"`
}
