package cli

import (
	"sync"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/scan"
)

const (
	// fewAlarms is how many findings of a rule and state an alarm prints.
	fewAlarms = 3
	// alarmsHeld is how long alarms wait where the report comes to the same
	// terminal: a scan that is done by then need not say everything twice.
	alarmsHeld = 1500 * time.Millisecond
)

// alarm prints critical and high findings as they come, a few of each kind: the
// report has them all.
type alarm struct {
	mu    sync.Mutex
	c     *console
	seen  map[alarmKind]int
	held  []string
	timer *time.Timer // nil: nothing is held
}

type alarmKind struct{ rule, state string }

// newAlarm returns an alarm to c, which waits a moment if hold is set.
func newAlarm(c *console, hold bool) *alarm {
	a := &alarm{c: c, seen: map[alarmKind]int{}}
	if hold {
		a.timer = time.AfterFunc(alarmsHeld, a.release)
	}
	return a
}

// found takes a finding.
func (a *alarm) found(f *scan.Finding) {
	if f.Severity < scan.High {
		return
	}
	k := alarmKind{f.Rule, f.State}
	if a.seen[k]++; a.seen[k] > fewAlarms {
		return
	}
	line := f.Severity.String() + ": " + f.Rule + ", " + f.State + ": " + report.Escape(f.Secret) + " in " + report.Brief(f)
	if a.seen[k] == fewAlarms {
		line += " (further ones stand in the report)"
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.timer != nil {
		a.held = append(a.held, line)
		return
	}
	a.c.printf("%s", line)
}

// release prints what was held; from now on nothing is.
func (a *alarm) release() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, line := range a.held {
		a.c.printf("%s", line)
	}
	a.held, a.timer = nil, nil
}

// stop ends the alarm. What is held then stands in the report.
func (a *alarm) stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.timer != nil {
		a.timer.Stop()
		a.held = nil
	}
}
