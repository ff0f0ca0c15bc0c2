package cli

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/backup"
	"github.com/valkeyfs/valkeyfs/internal/source"
)

// backedUp is what became of a backup, as JSON.
type backedUp struct {
	Type       string    `json:"type"` // "backup"
	Made       bool      `json:"made"` // there is a set
	Label      string    `json:"label"`
	ID         string    `json:"id,omitempty"`
	Path       string    `json:"path,omitempty"` // of the set; none if it was streamed
	Source     string    `json:"source"`
	Signed     bool      `json:"signed"`
	Recipients []string  `json:"recipients"` // whose identities open it
	Level      int       `json:"level"`      // of zstd, for what was written now
	Captured   int64     `json:"bytes_captured"`
	Written    int64     `json:"bytes_written"`
	Bytes      int64     `json:"bytes"` // of the set, sealed; members of older sets included
	Reused     int       `json:"reused"`
	Resumed    int       `json:"resumed"`
	Files      []setFile `json:"files"`
	Findings   *uint64   `json:"findings,omitempty"` // of --scan, at or above --fail-on
	Warnings   []string  `json:"warnings"`
	Error      string    `json:"error,omitempty"`
}

// warn tells of what is not as it should be, and keeps no set from being made.
func (f *backupFlags) warn(a *app, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	a.stderr.errorf("warning: %s", text)
	f.note(a, text)
}

// note has json tell what text tells a person alone.
func (f *backupFlags) note(a *app, text string) {
	f.done.Warnings = append(f.done.Warnings, a.names.Mask(text))
}

// tell writes what became of a backup of what, of which r is known.
func (f *backupFlags) tell(a *app, code int, what string, r *backup.Result, err error) error {
	d := &f.done
	d.Type, d.Made, d.Label, d.Source = "backup", err == nil, f.label, a.names.Mask(what)
	d.Signed, d.Level = f.signKey != "", f.recipients.level
	if err != nil {
		d.Error = a.names.Mask(plain(err))
	}
	if r != nil && f.scan.word != "" {
		d.Findings = &r.Findings
	}
	if d.Made {
		m := r.Manifest
		d.ID, d.Path = m.ID, a.names.Mask(f.place(m))
		d.Captured, d.Written, d.Bytes, d.Reused, d.Resumed = r.Plain, r.Sent, m.Bytes(), r.Reused, r.Resumed
		d.Files = setFiles(m, r.Inner, a.names)
	}
	return a.outcome(&f.format, code, d)
}

// place is where a set lies, as verify and restore take it.
func (f *backupFlags) place(m *backup.Manifest) string {
	switch {
	case f.to == source.Stdin:
		return ""
	case strings.Contains(f.to, "://"):
		return strings.TrimRight(f.to, "/") + "/" + m.Label + "/" + m.ID
	}
	return filepath.Join(f.to, m.Label, m.ID)
}
