package cli

import "github.com/valkeyfs/valkeyfs/internal/fleet"

// submitted is what became of what was submitted, as JSON.
type submitted struct {
	Type string `json:"type"` // "submission"
	*fleet.Submitted
}

// worked is what a worker did, as JSON.
type worked struct {
	Type     string `json:"type"` // "work"
	Done     int64  `json:"done"` // inputs
	Retried  int64  `json:"retried"`
	SetAside int64  `json:"set_aside"`
	Lost     int64  `json:"lost"` // taken by another worker, or cancelled
	Findings int64  `json:"findings"`
	Read     int64  `json:"bytes_read"`
}

func newWorked(c *fleet.Counts) *worked {
	return &worked{Type: "work", Done: c.Done.Load(), Retried: c.Retried.Load(), SetAside: c.Failed.Load(), Lost: c.Lost.Load(), Findings: c.Findings.Load(), Read: c.Bytes.Load()}
}

// cancelled is how many inputs were cancelled, as JSON.
type cancelled struct {
	Type      string `json:"type"` // "cancellation"
	Cancelled int64  `json:"cancelled"`
}
