package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/scan"
)

func TestAlarm(t *testing.T) {
	grave := func(rule string) *scan.Finding {
		return &scan.Finding{Rule: rule, Severity: scan.High, State: "live", Secret: "****", Key: "k", KeyType: "string", Source: "a/dump.rdb"}
	}
	for _, hold := range []bool{false, true} {
		var out bytes.Buffer
		a := newAlarm(newConsole(&out), hold)
		for range 5 {
			a.found(grave("one"))
			a.found(&scan.Finding{Rule: "slight", Severity: scan.Medium})
		}
		if held := out.Len() == 0; held != hold {
			t.Errorf("hold %v: %q", hold, out.String())
		}
		a.release()
		a.found(grave("two"))
		if got := strings.Count(out.String(), "\n"); got != fewAlarms+1 || !strings.Contains(out.String(), "high: one, live: **** in k of dump.rdb (further ones stand in the report)\n") {
			t.Errorf("hold %v: %q", hold, out.String())
		}
	}
	var out bytes.Buffer
	a := newAlarm(newConsole(&out), true)
	a.found(grave("one"))
	a.stop()
	if out.Len() > 0 {
		t.Errorf("what the report says was said: %q", out.String())
	}
}
