package casefile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/audit"
	"github.com/valkeyfs/valkeyfs/internal/hostfs"
	"github.com/valkeyfs/valkeyfs/internal/memory"
	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/internal/timeline"
)

// read makes a case of a directory.
func read(t *testing.T, dir string) *Case {
	t.Helper()
	in, err := source.New(t.Context(), []string{dir}, source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	c := &Case{Facts: []Fact{{"Case", "<7>"}}}
	if err := c.Inspect(t.Context(), in, nil); err != nil {
		t.Fatal(err)
	}
	if err := c.ReadTimeline(t.Context(), in, timeline.Options{}); err != nil {
		t.Fatal(err)
	}
	host, err := hostfs.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	if err := c.ReadAudit(t.Context(), host, dir, &audit.Options{SkipData: true}); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSections(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"dump.rdb":    "REDIS0011\xfa\x05ctime\xc2\x00\x00\x00\x60\xfe\x00\x00\x04<b>&\x01v\xff\x00\x00\x00\x00\x00\x00\x00\x00",
		"valkey.log":  "1:M 05 Jan 2026 10:00:00.123 * Server initialized\n1:M 05 Jan 2026 10:00:00.124 * Ready to accept connections <i>\n",
		"valkey.conf": "port 6379\nprotected-mode no\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := read(t, dir).Sections()
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	all := ""
	for _, s := range got {
		ids = append(ids, s.ID)
		all += string(s.HTML)
	}
	if want := "case files timeline audit"; strings.Join(ids, " ") != want {
		t.Errorf("sections %v, want %s", ids, want)
	}
	for _, want := range []string{"&lt;7&gt;", "REDIS 11", "connections &lt;i&gt;", "2026-01-05 10:00:00", "VFS-"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if !strings.Contains(all, "1 key, checksum") {
		t.Error("one key is not one key")
	}
	if !strings.Contains(all, "valkey.conf:2</code>") {
		t.Error("a check that fails does not say in which line")
	}
	for _, never := range []string{"<b>&", "<i>"} {
		if strings.Contains(all, never) {
			t.Errorf("%q stands unescaped", never)
		}
	}
}

func TestTimelineIsBounded(t *testing.T) {
	var l Timeline
	counts := map[time.Time]int64{}
	start := time.Date(1900, 1, 1, 12, 0, 0, 0, time.UTC)
	for i := range maxCounted + 5 {
		l.note(&timeline.Event{Kind: "key-expires", Time: start.AddDate(0, 0, i)}, counts)
		l.note(&timeline.Event{Kind: "flushed", Time: start.AddDate(0, 0, i)}, counts)
	}
	first := start.Truncate(24 * time.Hour)
	l.note(&timeline.Event{Kind: "key-written", Time: start}, counts)
	if len(counts) != maxCounted || counts[first] != 2 {
		t.Errorf("%d days are counted, not %d; the first has %d, not 2", len(counts), maxCounted, counts[first])
	}
	if want := int64(2*(maxCounted+5) + 1 - maxEvents); len(l.List) != maxEvents || l.Left != want {
		t.Errorf("%d events are listed and %d are left, not %d and %d", len(l.List), l.Left, maxEvents, want)
	}
}

func TestDays(t *testing.T) {
	counts := map[time.Time]int64{}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 20 {
		counts[start.AddDate(0, 0, i)] = int64(i + 1)
	}
	if got := days(counts); len(got) != 20 || got[0].Name != "2026-01-01" || got[19].Share != 100 {
		t.Errorf("%d days: %+v", len(got), got)
	}
	for i := range 400 {
		counts[start.AddDate(0, 0, i)] = 1
	}
	if got := days(counts); len(got) != 14 || got[0].Name != "2026-01" || got[0].Count != 31 {
		t.Errorf("months: %+v", got)
	}
}

// TestRemedies: lines are lines, and a file is named as it lies in the directory.
func TestRemedies(t *testing.T) {
	c := &Case{Audit: &Audit{List: []Failure{
		{&audit.Result{Check: &audit.Check{}, Answer: audit.Answer{Remedy: "port 0\ntls-port 6379"}}, "/e"},
		{&audit.Result{Check: &audit.Check{}, Answer: audit.Answer{Remedy: "chmod 0600 /data/dump.rdb", Place: audit.Place{File: "/data/dump.rdb"}}}, "/e"},
	}}, Memory: &memory.Report{Prefixes: []memory.Prefix{{Keys: 9}, {Name: "a:", Keys: 1}}}}
	sections, err := c.Sections()
	if err != nil {
		t.Fatal(err)
	}
	all := ""
	for _, s := range sections {
		all += string(s.HTML)
	}
	for _, want := range []string{"<code>port 0</code><br><code>tls-port 6379</code>", "<code>chmod 0600 data/dump.rdb</code>", "<code>/e/data/dump.rdb</code>", "<td>(none)</td>", "<td><code>a:</code></td>"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is missing in %s", want, all)
		}
	}
}

// TestAudits: what fails in one directory is there whatever the next one holds.
func TestAudits(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(one, "valkey.conf"), []byte("port 6379\nprotected-mode no\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dirs := range [][]string{{one, two}, {two, one}} {
		c := &Case{}
		for _, dir := range dirs {
			host, err := hostfs.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer host.Close()
			if err := c.ReadAudit(t.Context(), host, dir, &audit.Options{SkipData: true}); err != nil {
				t.Fatal(err)
			}
		}
		if len(c.Audit.List) == 0 || c.Audit.Why != "" {
			t.Fatalf("%d checks fail: %q", len(c.Audit.List), c.Audit.Why)
		}
		sections, err := c.Sections()
		if err != nil {
			t.Fatal(err)
		}
		if last := string(sections[len(sections)-1].HTML); !strings.Contains(last, "<code>"+one+"/valkey.conf</code>") {
			t.Errorf("the place is missing in %s", last)
		}
	}
}
