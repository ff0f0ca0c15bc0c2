package scan

import "bytes"

// An AWS id and its secret are often values of neighbouring keys: app:aws:id and
// app:aws:secret. Which come first, and how far apart, is up to the file; the
// findings of a key are out before the next key is read. So the second of a pair
// names the first.

// maxPairs bounds how many prefixes are remembered.
const maxPairs = 1 << 12

// prefixPairs joins what was found under keys of one prefix.
type prefixPairs struct{ first map[prefixOf]*Finding }

// prefixOf is a key without its last part, and where it is.
type prefixOf struct {
	source string
	db     int32
	prefix string
}

// join looks for the partner of f, which is in the order of the input.
func (p *prefixPairs) join(f *Finding) {
	if f.prefix == "" || len(f.Also) > 0 {
		return
	}
	at := prefixOf{f.Source, f.DB, f.prefix}
	other := p.first[at]
	switch {
	case other != nil && other.Rule != f.Rule:
		f.Also = append(f.Also, other.ID)
		f.Confidence, f.Severity = Confirmed, Critical
		delete(p.first, at)
	case other == nil && len(p.first) < maxPairs:
		if p.first == nil {
			p.first = map[prefixOf]*Finding{}
		}
		p.first[at] = &Finding{Rule: f.Rule, ID: f.ID}
	}
}

// maxPrefix bounds a prefix that is remembered.
const maxPrefix = 256

// prefix returns a key without its last part, "" if it has one part or is too long.
func prefix(key []byte) string {
	at := bytes.LastIndexAny(key, ":/|")
	if at < 0 {
		at = bytes.LastIndexAny(key, "._-")
	}
	if at < 0 || at > maxPrefix {
		return ""
	}
	return string(key[:at])
}
