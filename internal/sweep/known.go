package sweep

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/scan"
)

// Known is what need not be reported again: the findings of baselines, and those
// that somebody listed to be ignored. The zero value knows nothing. It holds 16
// bytes a finding.
type Known struct {
	baseline map[mark]struct{}
	ignored  map[mark]struct{}
	ids      map[mark]struct{}
}

// mark is a fingerprint or an id.
type mark [16]byte

// baseline is a line of a baseline file: its head, or a finding.
type baseline struct {
	Type        string `json:"type"` // "baseline", then "finding"
	KeyID       string `json:"id_key_id,omitempty"`
	Fingerprint string `json:"fingerprint,omitempty"`
	Rule        string `json:"rule,omitempty"`
}

// maxLine bounds a line of the files below.
const maxLine = 16 << 20

// Baseline reads what [BaselineWriter] wrote, or a report in JSON lines. Fingerprints
// depend on the id key, so a baseline of another key than keyID is refused.
func (k *Known) Baseline(r io.Reader, keyID string) error {
	if k.baseline == nil {
		k.baseline = map[mark]struct{}{}
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	headed := false
	for n := 1; lines.Scan(); n++ {
		var l baseline
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return fmt.Errorf("line %d: not JSON: a baseline or a report in JSON lines is expected", n)
		}
		if l.KeyID != "" && l.KeyID != keyID {
			return fmt.Errorf("its fingerprints come from id key %q, those of this scan from %s: give the same --id-key", l.KeyID, keyID)
		}
		headed = headed || l.KeyID != ""
		if l.Type != "finding" {
			continue
		}
		m, ok := parseMark([]byte(l.Fingerprint))
		if !ok {
			return fmt.Errorf("line %d: no fingerprint", n)
		}
		k.baseline[m] = struct{}{}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if !headed {
		return errors.New("neither a baseline nor a report in JSON lines: it does not say which id key it comes from")
	}
	return nil
}

// Ignore reads a list of findings to be ignored: a fingerprint a line, or "id:" and
// an id, which stands for a secret wherever it is. What follows a # is a comment.
func (k *Known) Ignore(r io.Reader) error {
	if k.ignored == nil {
		k.ignored, k.ids = map[mark]struct{}{}, map[mark]struct{}{}
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		line, _, _ := bytes.Cut(lines.Bytes(), []byte("#"))
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		to := k.ignored
		if id, is := bytes.CutPrefix(line, []byte("id:")); is {
			to, line = k.ids, bytes.TrimSpace(id)
		}
		m, ok := parseMark(line)
		if !ok {
			return fmt.Errorf("line %d: not a fingerprint, nor id: and an id", n)
		}
		to[m] = struct{}{}
	}
	return lines.Err()
}

// Why says why a finding is known; "" if it is not.
func (k *Known) Why(f *scan.Finding) report.Suppression {
	if k == nil {
		return ""
	}
	m, _ := parseMark([]byte(f.Fingerprint))
	if _, ok := k.ignored[m]; ok {
		return report.Ignored
	}
	if len(k.ids) > 0 {
		id, _ := parseMark([]byte(f.ID))
		if _, ok := k.ids[id]; ok {
			return report.Ignored
		}
	}
	if _, ok := k.baseline[m]; ok {
		return report.Baselined
	}
	return ""
}

func parseMark(text []byte) (m mark, ok bool) {
	if len(text) != hex.EncodedLen(len(m)) {
		return m, false
	}
	_, err := hex.Decode(m[:], text)
	return m, err == nil
}

// A BaselineWriter writes a baseline, each finding as it comes. It holds
// fingerprints and rules, no names and no secrets.
type BaselineWriter struct{ l *report.Lines }

// NewBaselineWriter begins a baseline of fingerprints of a key.
func NewBaselineWriter(w io.Writer, keyID string) (*BaselineWriter, error) {
	b := &BaselineWriter{report.NewLines(w)}
	return b, b.l.Line(baseline{Type: "baseline", KeyID: keyID})
}

// Add writes a finding.
func (b *BaselineWriter) Add(f *scan.Finding) error {
	return b.l.Line(baseline{Type: "finding", Fingerprint: f.Fingerprint, Rule: f.Rule})
}
