package audit

import (
	"bytes"
	"slices"
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
		b.Signed = true
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
	gone := strings.Replace(text.String(), `"files": {`, `"files": {"/etc/valkey/more.conf": "00",`, 1)
	if r, s := against(tr, gone); s != Fail {
		t.Errorf("a file that is gone: %s\n%s", s, explain(r, "VFS-INTEG-009"))
	}
	for want, changes := range map[Status][]func(testing.TB, tree){
		Fail:    {drop(dumpFile)},
		Unknown: {put(dumpFile, private("something else\n")), drop(dumpFile, "var/lib/valkey")},
	} {
		for i, change := range changes {
			lost := tr.clone()
			change(t, lost)
			if r, s := against(lost, text.String()); s != want {
				t.Errorf("%d: a snapshot that is gone or cannot be read: %s, want %s\n%s", i, s, want, explain(r, "VFS-INTEG-009"))
			}
		}
	}
	unsigned, err := ParseBaseline(text.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if r, got := judge(t, tr, func(o *Options) { o.Baseline = unsigned }); got["VFS-INTEG-009"] != Unknown {
		t.Errorf("a baseline whose signature nobody checked: %s\n%s", got["VFS-INTEG-009"], explain(r, "VFS-INTEG-009"))
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
		ctime, id, offset, version string
		want                       []string // severities and words
	}{
		{"100", "a", "50", "8.1.1", nil},
		{"200", "a", "50", "8.1.1", nil},
		{"200", "a", "70", "8.1.1", []string{"info changed: the replication offset went from 50 to 70, by 20 bytes"}},
		{"90", "a", "50", "8.1.1", []string{"medium the time of the snapshot goes back, from 100 to 90"}},
		{"200", "a", "20", "8.1.1", []string{"medium the replication offset goes back, from 50 to 20"}},
		{"101", "a", "5000000000", "8.1.1", []string{"medium the replication offset leaps, from 50 to 5000000000 in 1 seconds: no server writes as fast"}},
		{"104", "a", "5000000000", "8.1.1", []string{"info changed: the replication offset went from 50 to 5000000000, by 4999999950 bytes"}},
		{"100", "a", "9223372036854775807", "8.1.1", []string{"medium the replication offset leaps, from 50 to 9223372036854775807 in 0 seconds: no server writes as fast"}},
		{"x", "a", "70", "8.1.1", []string{"info changed: the replication offset went from 50 to 70, by 20 bytes"}},
		{"200", "a", "-9223372036854775808", "8.1.1", nil},
		{"200", "b", "20", "8.1.2", []string{"medium the replication id is another: another history", `info changed: valkey-ver was "8.1.1" and is "8.1.2"`}},
	} {
		is := map[string]string{"ctime": test.ctime, "repl-id": test.id, "repl-offset": test.offset, "valkey-ver": test.version}
		var got []string
		for _, a := range jumps("x", was, is) {
			got = append(got, a.Severity.String()+" "+a.Evidence)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%v: %q, want %q", is, got, test.want)
		}
	}
}

// TestPeers: a node that the baseline does not have is a failure, wherever it is.
func TestPeers(t *testing.T) {
	tr := hardened(t)
	say("cluster-enabled yes", "tls-cluster yes", "primaryauth "+password(), "primaryuser replica")(t, tr)
	const mine, known = "bb 10.0.0.5:6379@16379 myself,master - 0 0 2 connected\n", "aa 10.0.0.6:6379@16379 master - 0 0 1 connected\n"
	tr["var/lib/valkey/nodes.conf"] = private(mine + known)
	r, got := judge(t, tr)
	if got["VFS-REPL-005"] != Pass {
		t.Errorf("without a baseline:\n%s", explain(r, "VFS-REPL-005"))
	}
	b := NewBaseline(r)
	b.Signed = true
	for text, want := range map[string]Status{
		mine + known: Pass,
		mine:         Pass,
		mine + known + "cc 10.0.0.7:6379@16379 slave aa 0 0 1 connected\nvars currentEpoch 2 lastVoteEpoch 0\n": Fail,
	} {
		tr["var/lib/valkey/nodes.conf"] = private(text)
		if r, got := judge(t, tr, func(o *Options) { o.Baseline = b }); got["VFS-REPL-005"] != want {
			t.Errorf("%q: %s, want %s\n%s", text, got["VFS-REPL-005"], want, explain(r, "VFS-REPL-005"))
		}
	}
}
