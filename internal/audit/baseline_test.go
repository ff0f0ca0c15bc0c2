package audit

import (
	"bytes"
	"strings"
	"testing"
)

func TestBaseline(t *testing.T) {
	tr := hardened(t)
	r, got := judge(t, tr)
	if got["VFS-INTEG-009"] != Unknown {
		t.Error("without a baseline:", got["VFS-INTEG-009"])
	}
	var text bytes.Buffer
	if err := NewBaseline(r).Write(&text); err != nil {
		t.Fatal(err)
	}
	against := func(tr tree, text string) (*Report, Status) {
		t.Helper()
		b, err := ParseBaseline([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		r, got := judge(t, tr, func(o *Options) { o.Baseline = b })
		return r, got["VFS-INTEG-009"]
	}
	if r, s := against(tr, text.String()); s != Pass {
		t.Errorf("unchanged: %s\n%s", s, explain(r, "VFS-INTEG-009"))
	}
	if !strings.Contains(text.String(), `"ctime"`) {
		t.Errorf("no aux fields are kept: %s", text.String())
	}
	// A later time in the baseline: the snapshot at hand is older than it.
	if r, s := against(tr, strings.Replace(text.String(), `"ctime": "1`, `"ctime": "9`, 1)); s != Fail || r.Failing(High) {
		t.Errorf("a snapshot from before: %s\n%s", s, explain(r, "VFS-INTEG-009"))
	}
	changed := tr.clone()
	say("# another line")(t, changed)
	r, s := against(changed, text.String())
	if s != Fail || r.Failing(Low) {
		t.Errorf("a file that has changed is told, and no violation: %s\n%s", s, explain(r))
	}
	for _, bad := range []string{"", "{}", `{"format":"valkeyfs-audit-baseline/1","more":1}`} {
		if _, err := ParseBaseline([]byte(bad)); err == nil {
			t.Errorf("%q is taken for a baseline", bad)
		}
	}
}

func TestJumps(t *testing.T) {
	was := map[string]string{"ctime": "100", "repl-id": "a", "repl-offset": "50", "valkey-ver": "8.1.1"}
	for _, test := range []struct {
		is   map[string]string
		want int
	}{
		{was, 0},
		{map[string]string{"ctime": "200", "repl-id": "a", "repl-offset": "70", "valkey-ver": "8.1.1"}, 0},
		{map[string]string{"ctime": "90", "repl-id": "a", "repl-offset": "70", "valkey-ver": "8.1.1"}, 1},
		{map[string]string{"ctime": "200", "repl-id": "a", "repl-offset": "20", "valkey-ver": "8.1.1"}, 1},
		{map[string]string{"ctime": "200", "repl-id": "b", "repl-offset": "20", "valkey-ver": "8.1.2"}, 2},
	} {
		if got := jumps("x", was, test.is); len(got) != test.want {
			t.Errorf("%v: %v", test.is, got)
		}
	}
}
