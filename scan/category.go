package scan

import (
	"fmt"
	"slices"
)

// Category says what kind of thing a finding is.
type Category uint8

// The categories.
const (
	Credential Category = iota // an API key, a connection string, a pair of id and secret
	Token                      // a bearer token
	PrivateKey
	Password
	PasswordHash
	Session // what keeps a user logged in, or guards a form
	PII     // personal data
	Artefact
	categories
)

var categoryNames = [categories]string{"credential", "token", "private-key", "password", "password-hash", "session", "pii", "artefact"}

// Severity says how bad it is if the finding is what it seems to be.
type Severity uint8

// The severities, in rising order.
const (
	Info Severity = iota
	Low
	Medium
	High
	Critical
	severities
)

var severityNames = [severities]string{"info", "low", "medium", "high", "critical"}

// Confidence says how sure it is that the finding is what it seems to be.
type Confidence uint8

// The confidences, in rising order.
const (
	Possible  Confidence = iota // looks like one, in a place where one may stand
	Likely                      // its form or its context leaves little room for anything else
	Confirmed                   // a checksum, a structure or a partner proves it
	confidences
)

var confidenceNames = [confidences]string{"possible", "likely", "confirmed"}

func (c Category) String() string   { return nameOf(categoryNames[:], c) }
func (s Severity) String() string   { return nameOf(severityNames[:], s) }
func (c Confidence) String() string { return nameOf(confidenceNames[:], c) }

// MarshalText writes the name.
func (c Category) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// MarshalText writes the name.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalText writes the name.
func (c Confidence) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads the name.
func (c *Category) UnmarshalText(b []byte) error { return valueOf(c, categoryNames[:], b, "category") }

// UnmarshalText reads the name.
func (s *Severity) UnmarshalText(b []byte) error { return valueOf(s, severityNames[:], b, "severity") }

// UnmarshalText reads the name.
func (c *Confidence) UnmarshalText(b []byte) error {
	return valueOf(c, confidenceNames[:], b, "confidence")
}

func nameOf[T ~uint8](names []string, v T) string {
	if int(v) >= len(names) {
		return "invalid"
	}
	return names[v]
}

func valueOf[T ~uint8](v *T, names []string, b []byte, what string) error {
	i := slices.Index(names, string(b))
	if i < 0 {
		return fmt.Errorf("unknown %s %q", what, b)
	}
	*v = T(i)
	return nil
}
