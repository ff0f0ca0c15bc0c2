package scan

// Stats is what a scan counted.
type Stats struct {
	Keys   uint64 `json:"keys"`   // Key events
	Values uint64 `json:"values"` // names and values scanned
	Bytes  int64  `json:"bytes"`  // in them

	Decoded      uint64            `json:"decoded"`       // containers opened
	DecodedBytes int64             `json:"decoded_bytes"` // that came out of them
	Failures     map[string]uint64 `json:"failures"`      // containers that could not be opened to their end, by kind
	Limited      map[string]uint64 `json:"limited"`       // of these, those that a limit stopped
	Stopped      uint64            `json:"stopped"`       // names and values that a limit kept from being scanned to their end
	Excluded     map[string]uint64 `json:"excluded"`      // what looked like a secret and is none, by reason

	Findings   uint64            `json:"findings"`
	ByRule     map[string]uint64 `json:"by_rule"`
	ByCategory map[string]uint64 `json:"by_category"`
	BySeverity map[string]uint64 `json:"by_severity"`
	ByState    map[string]uint64 `json:"by_state"`

	// Stops says of the first MaxStops of Stopped where they stand, in the order
	// of the input. Reason is the first limit's kind, a key of Limited.
	Stops []*Exclusion `json:"-"`
}

// MaxStops is how many places Stats.Stops holds.
const MaxStops = 1000

// stop counts a name or value that a limit stopped.
func (s *Stats) stop(e *Exclusion) {
	s.Stopped++
	if len(s.Stops) < MaxStops {
		s.Stops = append(s.Stops, e)
	}
}

// add adds up o.
func (s *Stats) add(o *Stats) {
	s.Keys += o.Keys
	s.Values += o.Values
	s.Bytes += o.Bytes
	s.Decoded += o.Decoded
	s.DecodedBytes += o.DecodedBytes
	s.Findings += o.Findings
	s.Stopped += o.Stopped
	s.Stops = append(s.Stops, o.Stops[:min(len(o.Stops), MaxStops-len(s.Stops))]...)
	for _, m := range []struct {
		to   *map[string]uint64
		from map[string]uint64
	}{
		{&s.Failures, o.Failures}, {&s.Limited, o.Limited}, {&s.Excluded, o.Excluded},
		{&s.ByRule, o.ByRule}, {&s.ByCategory, o.ByCategory}, {&s.BySeverity, o.BySeverity}, {&s.ByState, o.ByState},
	} {
		for k, n := range m.from {
			count(m.to, k, n)
		}
	}
}

// found counts a finding that was handed on.
func (s *Stats) found(f *Finding) {
	s.Findings++
	count(&s.ByRule, f.Rule, 1)
	count(&s.ByCategory, f.Category.String(), 1)
	count(&s.BySeverity, f.Severity.String(), 1)
	count(&s.ByState, f.State, 1)
}

func count(m *map[string]uint64, k string, n uint64) {
	if *m == nil {
		*m = map[string]uint64{}
	}
	(*m)[k] += n
}
