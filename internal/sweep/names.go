package sweep

import (
	"sync"

	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/scan"
)

// Names masks the secrets that stand in names of files, which reports and
// messages would otherwise spread. It is safe for concurrent use. A nil *Names
// masks nothing.
type Names struct {
	scanner func() (*scan.Scanner, error)
	mu      sync.Mutex
	masked  map[string]string
}

// NewNames returns Names that find secrets as a scanner does; it is asked for when
// a name first looks as if it could hold one.
func NewNames(scanner func() (*scan.Scanner, error)) *Names {
	return &Names{scanner: scanner, masked: map[string]string{}}
}

const (
	// leastSecret is the shortest run of letters and digits in which secrets are
	// looked for: vendors' tokens are longer.
	leastSecret = 16
	// maxMasked is how many names are remembered.
	maxMasked = 4096
	// unknownName stands for a name that could not be looked at.
	unknownName = "****"
)

// Mask returns a name, or a text with names in it, with its secrets masked: those
// that the scanner finds, and what by its shape could be one.
func (n *Names) Mask(name string) string {
	if n == nil {
		return name
	}
	if suspicious(name) {
		n.mu.Lock()
		name = n.remember(name)
		n.mu.Unlock()
	}
	return maskShapes(name)
}

// remember masks a name, or knows it.
func (n *Names) remember(name string) string {
	if m, ok := n.masked[name]; ok {
		return m
	}
	m := n.mask(name)
	if len(n.masked) == maxMasked {
		clear(n.masked)
	}
	n.masked[name] = m
	return m
}

// mask scans the name as if it were that of a key: findings carry it masked.
func (n *Names) mask(name string) string {
	s, err := n.scanner()
	if err != nil {
		return unknownName
	}
	masked, err := s.KeyName(name)
	if err != nil {
		return unknownName
	}
	return masked
}

// suspicious reports whether s has a run of characters of tokens, letters and
// digits among them, that is long enough for one.
func suspicious(s string) bool {
	run, letter, digit := 0, false, false
	for i := range len(s) {
		c := s[i]
		if !tokenByte(c) {
			run, letter, digit = 0, false, false
			continue
		}
		digit = digit || isDigit(c)
		letter = letter || isLetter(c)
		if run++; run >= leastSecret && letter && digit {
			return true
		}
	}
	return false
}

// tokenByte reports whether tokens are made of c.
func tokenByte(c byte) bool {
	return isDigit(c) || isLetter(c) || c == '_' || c == '-' || c == '+' || c == '=' || c == '%'
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// Damage masks the names in all texts of d.
func (n *Names) Damage(d *report.Damage) {
	d.Source, d.What, d.Reason = n.Mask(d.Source), n.Mask(d.What), n.Mask(d.Reason)
	if d.Key != "" && n != nil {
		n.mu.Lock()
		d.SetKey(n.mask(d.Key)) // of a key, less than a token may be a secret
		n.mu.Unlock()
	}
}
