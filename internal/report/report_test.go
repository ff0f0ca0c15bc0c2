package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/scan"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s", name, got)
	}
}

// finding is one of many that differ by i.
func finding(i int, change func(*scan.Finding)) *scan.Finding {
	f := &scan.Finding{
		Rule: "session-cookie", Category: scan.Session, Severity: scan.High, Confidence: scan.Likely,
		Source: "dump.rdb", Offset: int64(1000 + i), Length: 40, RecordOffset: int64(990 + i), DB: 0,
		Key: fmt.Sprintf("sess:%d", i), KeyType: "string", Encoding: "raw", Where: scan.WhereValue,
		Chain: []string{}, Secret: "**** (16-23)", ID: fmt.Sprintf("id-%d", i), Fingerprint: fmt.Sprintf("fp-%d", i), State: "live",
	}
	if change != nil {
		change(f)
	}
	return f
}

// write writes a report that has one of everything.
func write(t *testing.T, w Writer) {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var tally Tally
	add := func(f *scan.Finding) {
		t.Helper()
		tally.Add(f)
		check(w.Finding(f))
	}
	index := int64(7)
	check(w.Run(&Run{Tool: "valkeyfs", Version: "test", Verb: "scan", Inputs: []string{"data"}, IDKey: "/state/id.key", KeyID: "0011223344556677", Rules: 3}))
	for i := range 5000 {
		f := finding(i, func(f *scan.Finding) {
			f.Framework, f.Identity, f.ExpiresAt = "connect-redis", map[string]string{"user": "**** (1-7)", "ip": "**** (8-11)"}, "2026-12-01T00:00:00Z"
		})
		if i < 4 {
			add(f)
		} else {
			tally.Add(f)
		}
	}
	add(finding(1, func(f *scan.Finding) { f.State = "expired" }))
	add(finding(2, func(f *scan.Finding) {
		f.Rule, f.Category, f.Severity, f.Confidence = "aws-access-token", scan.Credential, scan.Critical, scan.Confirmed
		f.Key, f.KeyType, f.Field, f.Where, f.Secret, f.ID = "deploy \x1b[2Jkeys\u202e", "hash", "a field\nof two lines", scan.WhereValue, "AK"+"IA****WXYZ", "aws"
		f.Chain = []string{"lzf", "listpack[3]", "base64", "gzip", "json:$.auth.token"}
	}))
	add(finding(3, func(f *scan.Finding) {
		f.Rule, f.Category, f.Severity, f.Confidence = "email", scan.PII, scan.Medium, scan.Likely
		f.Key, f.KeyB64, f.KeyType, f.Where, f.Index, f.State, f.Source = "list \xff", "bGlzdCD/", "list", scan.WhereElement, &index, "deleted", strings.Repeat("long/", 30)+"appendonly.aof.1.incr.aof"
	}))
	add(finding(4, func(f *scan.Finding) {
		f.Rule, f.Category, f.Severity, f.DB = "requirepass", scan.Password, scan.High, -1
		f.Key, f.KeyType, f.Field, f.Source, f.State = "valkey.conf", "text", "12", "data/valkey.conf", "unknown"
	}))
	check(w.Damage(NewDamage(&keyspace.Event{Kind: keyspace.Damage, Length: 2035, Pos: keyspace.Pos{Source: "data/dump.rdb", Offset: 43795, Inner: -1},
		Err: &keyspace.FormatError{What: "listpack: invalid LZF data", Err: keyspace.ErrCorrupt}})))
	check(w.Damage(NewDamage(&keyspace.Event{Kind: keyspace.Damage, Length: -1, Pos: keyspace.Pos{Source: "data/esc\x1b.rdb", Offset: 9, Inner: 77}, Err: keyspace.ErrTruncated})))
	check(w.Damage(NewDamage(&keyspace.Event{Kind: keyspace.Torn, Length: 76, Pos: keyspace.Pos{Source: "data/appendonly.aof", Offset: 17289, Inner: -1},
		Err: &keyspace.FormatError{What: "a command", Err: keyspace.ErrTruncated}})))
	at := time.Date(2026, 11, 24, 22, 12, 3, 0, time.UTC)
	id := 999
	check(w.File(&File{Path: "data/dump.rdb", Kind: "rdb", Format: "RDB 11", Size: 4096, Mode: "-rw-------", UID: &id, GID: &id, Links: 1, MTime: at, CTime: at, Server: "redis", Version: "7.0.15", Saved: at, SHA256: strings.Repeat("ab", 32)}))
	check(w.File(&File{Path: "data/\xffdisk.img", PathB64: Base64("data/\xffdisk.img"), Kind: "volume", Format: "ext4", Size: 1 << 30, Skipped: "a volume: open it, then scan what lies in it", Next: "mount -o loop,ro,noload IMAGE /mnt/evidence"}))
	check(w.File(&File{Path: "data/etc", Kind: "other", Size: 10, Target: "/etc/\x1b", Skipped: "a symbolic link that leaves the directory"}))
	check(w.File(&File{Path: "data/appendonly.aof", Kind: "aof", Size: 1 << 33, Unresolved: &Unresolved{TooLarge: 1200, Untracked: 1}}))
	s := &Summary{Damages: 2, Torn: 1, Files: 4, Unresolved: Unresolved{TooLarge: 1200, Untracked: 1}, BytesRead: 123456789, NotUnderstood: 2035, Coverage: 0.9999,
		Inputs: []Input{{Path: "data", Files: 3, Bytes: 1<<30 + 4106}}}
	s.Add(&scan.Stats{Keys: 5004, Values: 12345, Bytes: 987654, Decoded: 3, DecodedBytes: 300, Failures: map[string]uint64{"gzip": 1}})
	s.Take(&tally)
	for _, g := range s.Groups {
		if g.Rule == "aws-access-token" {
			g.Next = "Deactivate the key in IAM, look in CloudTrail for what was done with it, and issue another one to whoever needs it."
		}
	}
	check(w.Summary(s))
}

func TestText(t *testing.T) {
	for name, o := range map[string]TextOptions{
		"scan.txt": {}, "scan-all.txt": {All: true, Width: 60}, "scan-color.txt": {Color: true},
	} {
		var b bytes.Buffer
		write(t, NewText(&b, o))
		golden(t, name, b.Bytes())
		if !o.Color && strings.ContainsAny(b.String(), "\x1b\u202e") {
			t.Errorf("%s: what a terminal would obey came through", name)
		}
	}
}

func TestTextFits80Columns(t *testing.T) {
	var b bytes.Buffer
	write(t, NewText(&b, TextOptions{}))
	for line := range strings.Lines(b.String()) {
		line = strings.TrimRight(line, "\n")
		if width(line) > 80 && !strings.Contains(line, "long/long/") { // a path is never broken
			t.Errorf("%d columns: %s", width(line), line)
		}
	}
}

// Whatever the number of common findings, the rare and grave one is on the
// first screen.
func TestTextOrder(t *testing.T) {
	var b bytes.Buffer
	write(t, NewText(&b, TextOptions{}))
	if i := strings.Index(b.String(), "aws-access-token"); i < 0 || strings.Count(b.String()[:i], "\n") > 3 {
		t.Errorf("the only critical finding does not come first:\n%s", b.String())
	}
}

func TestJSONL(t *testing.T) {
	var b bytes.Buffer
	write(t, NewJSONL(&b))
	golden(t, "scan.jsonl", b.Bytes())
	var types []string
	for line := range strings.Lines(b.String()) {
		var v map[string]any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		types = append(types, v["type"].(string))
	}
	if types[0] != "run" || types[len(types)-1] != "summary" {
		t.Errorf("types %v", types)
	}
}

func TestGroupsAreBounded(t *testing.T) {
	var tally Tally
	letters := func(n int) string {
		s := ""
		for ; n > 0; n /= 26 {
			s += string(rune('a' + n%26))
		}
		return s
	}
	const n = 3 * maxGroups
	for i := range n {
		tally.Add(finding(i, func(f *scan.Finding) { f.Key = "key-" + letters(i) }))
	}
	groups := tally.Groups()
	var sum uint64
	for _, g := range groups {
		sum += g.Count
	}
	if len(groups) > maxGroups+1 || sum != n {
		t.Errorf("%d groups of %d findings", len(groups), sum)
	}
	if d := tally.Distinct(); d.Secrets != n || !d.Exact || d.ByRule["session-cookie"] != n {
		t.Errorf("distinct: %+v", d)
	}
}

func TestOrderOfGroups(t *testing.T) {
	var tally Tally
	add := func(n int, rule string, sev scan.Severity, conf scan.Confidence, state keyspace.State) {
		for i := range n {
			tally.Add(finding(i, func(f *scan.Finding) { f.Rule, f.Severity, f.Confidence, f.State = rule, sev, conf, state.String() }))
		}
	}
	add(1, "f-low", scan.Low, scan.Confirmed, keyspace.Live)
	add(5, "c-common", scan.High, scan.Likely, keyspace.Live)
	add(2, "b-rare", scan.High, scan.Likely, keyspace.Live)
	add(1, "d-deleted", scan.High, scan.Likely, keyspace.Deleted)
	add(1, "e-possible", scan.High, scan.Possible, keyspace.Live)
	add(9, "a-critical", scan.Critical, scan.Possible, keyspace.Flushed)
	var got []string
	for _, g := range tally.Groups() {
		got = append(got, g.Rule[:1])
	}
	if s := strings.Join(got, ""); s != "abcdef" {
		t.Errorf("order %s", s)
	}
}

// Many patterns of one rule do not bury another rule.
func TestTextCondensesPatterns(t *testing.T) {
	var tally Tally
	for i := range 50 {
		tally.Add(finding(i, func(f *scan.Finding) { f.Key = "cfg:" + strings.Repeat("x", i+1) }))
	}
	tally.Add(finding(0, func(f *scan.Finding) { f.Rule = "z-other" }))
	s := &Summary{Complete: true}
	s.Take(&tally)
	var b bytes.Buffer
	if err := NewText(&b, TextOptions{}).Summary(s); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "HIGH "); n != maxPatterns+1 {
		t.Errorf("%d groups in\n%s", n, b.String())
	}
	for _, want := range []string{"43 findings in 43 other key patterns", "and 40 more", "z-other"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}
