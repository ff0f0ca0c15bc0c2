package casefile

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/valkeyfs/valkeyfs/scan"
)

// Manifest ties a page to what it was made of.
type Manifest struct {
	Type     string   `json:"type"` // "case"
	Version  int      `json:"version"`
	Tool     string   `json:"tool"`
	Go       string   `json:"go"`
	Argv     []string `json:"argv"`
	Case     string   `json:"case,omitempty"`
	Examiner string   `json:"examiner,omitempty"`
	Made     string   `json:"made"`  // RFC 3339, by this host's clock
	Rules    string   `json:"rules"` // SHA-256 of the rules that judged
	Inputs   []Hashed `json:"inputs"`
	Outputs  []Hashed `json:"outputs"`
	Complete bool     `json:"complete"`
}

// Hashed is a file and its SHA-256.
type Hashed struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Encode is the manifest as it is signed.
func (m *Manifest) Encode() ([]byte, error) {
	data, err := json.MarshalIndent(m, "", "  ")
	return append(data, '\n'), err
}

// Digest is the SHA-256 of what a rule set says of itself.
func Digest(rules []scan.RuleInfo) (string, error) {
	data, err := json.Marshal(rules)
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), err
}
