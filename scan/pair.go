package scan

import (
	"bytes"
	"slices"
)

// An AWS id and its secret are often values of neighbouring keys: app:aws:id and
// app:aws:secret. Which comes first, and how far apart, is up to the file. So what
// may have a partner is held back for a while, and all that follows with it, that
// the order stay. Of two that are too far apart the later names the earlier.

const (
	maxPairs = 1 << 12 // prefixes that are remembered
	maxHeld  = 1 << 12 // findings and exclusions that are held back
)

// heldBack are findings on their way out, in the order of the input.
type heldBack struct {
	items []heldItem
	gone  uint64 // how many items there were before these
	first map[prefixOf]lonely
}

// A heldItem is a finding or an exclusion.
type heldItem struct {
	finding   *Finding
	exclusion *Exclusion
	waits     bool // for its partner
}

// prefixOf is a key without its last part, and where it is.
type prefixOf struct {
	source string
	db     int32
	prefix string
}

// lonely is a finding that has no partner yet, and its number among the items.
type lonely struct {
	rule, id string
	number   uint64
}

func (h *heldBack) exclusion(e *Exclusion) { h.items = append(h.items, heldItem{exclusion: e}) }

// finding joins f with its partner, if that was before it.
func (h *heldBack) finding(f *Finding) {
	h.items = append(h.items, heldItem{finding: f})
	if f.prefix == "" || len(f.Also) > 0 {
		return
	}
	at, last := prefixOf{f.Source, f.DB, f.prefix}, len(h.items)-1
	other, ok := h.first[at]
	switch {
	case ok && other.rule != f.Rule:
		f.join(other.id)
		if other.number >= h.gone {
			partner := &h.items[other.number-h.gone]
			partner.finding.join(f.ID)
			partner.waits = false
		}
		delete(h.first, at)
	case !ok && len(h.first) < maxPairs:
		if h.first == nil {
			h.first = map[prefixOf]lonely{}
		}
		h.first[at] = lonely{f.Rule, f.ID, h.gone + uint64(last)}
		h.items[last].waits = true
	}
}

// join notes that f and its partner belong together.
func (f *Finding) join(partner string) {
	f.Also = append(f.Also, partner)
	f.Confidence, f.Severity = Confirmed, Critical
}

// release hands on what need not wait, or all.
func (h *heldBack) release(emit func(*heldItem) error, all bool) error {
	n := 0
	for n < len(h.items) && (all || !h.items[n].waits || len(h.items)-n > maxHeld) {
		if err := emit(&h.items[n]); err != nil {
			return err
		}
		n++
	}
	h.gone += uint64(n)
	h.items = slices.Delete(h.items, 0, n)
	return nil
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
