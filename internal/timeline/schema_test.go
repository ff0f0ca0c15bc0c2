package timeline

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
	"github.com/valkeyfs/valkeyfs/internal/source"
)

// formatted is the timeline of a directory with a log, a server's log and a CLI's
// history, in a format.
func formatted(t *testing.T, format string) []byte {
	t.Helper()
	dir := directory(t, map[string]string{
		"appendonly.aof": command("SET", "undated", "1") + "#TS:1767225600\r\n" + command("SET", "=cmd|' /C'\n\x1b[2J\xff", "1", "PXAT", "1767229200000") +
			command("XADD", "s", "1767225601000-0", "f", "v") + "#TS:1767225700\r\n" + command("DEL", "s") + command("FLUSHALL"),
		"valkey.log": "12:M 05 Jan 2026 10:00:00.123 * Ready to accept connections tcp\n" +
			"12:M 05 Jan 2026 10:00:01.000 # Possible SECURITY ATTACK detected. It looks like somebody is sending POST\n",
		".valkeycli_history": "config set dir /var/spool/cron\n",
	})
	return written(t, dir, format)
}

// written is the timeline of a directory in a format.
func written(t *testing.T, dir, format string) []byte {
	t.Helper()
	in, err := source.New(t.Context(), []string{dir}, source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	tl, err := New(t.Context(), in, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer tl.Close()
	var out bytes.Buffer
	if err := Write(tl, NewWriter(format, &out)); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// objects are lines of JSON.
func objects(t *testing.T, lines []byte) []map[string]any {
	t.Helper()
	var all []map[string]any
	for d := json.NewDecoder(bytes.NewReader(lines)); d.More(); {
		var o map[string]any
		if err := d.Decode(&o); err != nil {
			t.Fatal(err)
		}
		all = append(all, o)
	}
	if len(all) < 10 {
		t.Fatalf("%d events", len(all))
	}
	return all
}

// Timesketch, "Create timeline from JSON/JSONL/CSV file": message and
// timestamp_desc are text, datetime is ISO 8601, timestamp microseconds.
func TestTimesketchFields(t *testing.T) {
	for _, o := range objects(t, formatted(t, "timesketch")) {
		for _, name := range []string{"message", "timestamp_desc", "datetime"} {
			if s, _ := o[name].(string); s == "" {
				t.Errorf("%v: no %s", o, name)
			}
		}
		at, err := time.Parse("2006-01-02T15:04:05.000000-07:00", strings.Replace(o["datetime"].(string), "Z", "+00:00", 1))
		if us, _ := o["timestamp"].(float64); err != nil || at.UnixMicro() != int64(us) {
			t.Errorf("datetime %v, timestamp %v: %v", o["datetime"], o["timestamp"], err)
		}
		for name, v := range o {
			if name == "tag" {
				continue // Timesketch takes a list
			}
			switch v.(type) {
			case string, float64:
			default:
				t.Errorf("%s is no column: %v", name, v)
			}
		}
	}
}

// ecsFields are the fields that an event may have and their types in the Elastic
// Common Schema 8.17; those of valkey are our own.
var ecsFields = map[string]string{
	"@timestamp": "date", "message": "match_only_text", "ecs.version": "keyword",
	"event.kind": "keyword", "event.category": "keyword[]", "event.type": "keyword[]", "event.action": "keyword", "event.module": "keyword", "event.dataset": "keyword",
	"file.path": "keyword", "file.size": "long", "file.mode": "octal", "file.uid": "keyword", "file.gid": "keyword",
	"file.accessed": "date", "file.mtime": "date", "file.ctime": "date", "file.created": "date",
	"threat.framework": "keyword", "threat.technique.id": "keyword[]",
	"valkey.offset": "long", "valkey.db": "long", "valkey.key": "keyword", "valkey.basis": "keyword", "valkey.basis_of": "keyword",
	"valkey.not_before": "date", "valkey.not_after": "date",
}

// ecsValues are the values that fields of categories allow: of event.type by
// event.category those that are expected there.
var ecsValues = map[string][]string{
	"event.kind": {"alert", "asset", "enrichment", "event", "metric", "state", "pipeline_error", "signal"},
	"database":   {"access", "change", "info", "error"},
	"file":       {"access", "change", "creation", "deletion", "info"},
	"process":    {"access", "change", "end", "info", "start"},
}

func TestECSFields(t *testing.T) {
	for _, o := range objects(t, formatted(t, "ecs")) {
		checkECS(t, "", o)
		event := o["event"].(map[string]any)
		if kind, _ := event["kind"].(string); !slices.Contains(ecsValues["event.kind"], kind) {
			t.Errorf("event.kind is %q", kind)
		}
		var expected []string
		for _, c := range event["category"].([]any) {
			if ecsValues[c.(string)] == nil {
				t.Errorf("event.category is %q", c)
			}
			expected = append(expected, ecsValues[c.(string)]...)
		}
		for _, v := range event["type"].([]any) {
			if !slices.Contains(expected, v.(string)) {
				t.Errorf("event.type of %v is %v of %v", event["action"], v, event["category"])
			}
		}
		for _, name := range []string{"@timestamp", "ecs", "message"} {
			if o[name] == nil {
				t.Errorf("%v: no %s", o, name)
			}
		}
	}
}

func checkECS(t *testing.T, name string, v any) {
	t.Helper()
	if o, ok := v.(map[string]any); ok {
		for k, v := range o {
			checkECS(t, strings.TrimPrefix(name+"."+k, "."), v)
		}
		return
	}
	ok := false
	switch ecsFields[name] {
	case "date":
		_, err := time.Parse(time.RFC3339Nano, fmt.Sprint(v))
		ok = err == nil
	case "octal": // a keyword whose description asks for that
		_, err := strconv.ParseUint(fmt.Sprint(v), 8, 12)
		ok = err == nil && len(fmt.Sprint(v)) == 4
	case "long":
		n, number := v.(float64)
		ok = number && n == float64(int64(n))
	case "keyword", "match_only_text":
		_, ok = v.(string)
	case "keyword[]":
		list, isList := v.([]any)
		for ok = isList && len(list) > 0; len(list) > 0; list = list[1:] {
			_, text := list[0].(string)
			ok = ok && text
		}
	}
	if !ok {
		t.Errorf("%s is %v (%T), want %q", name, v, v, ecsFields[name])
	}
}

// l2tReader reads log2timeline's CSV as plaso's tools do: rows by Python's csv,
// 17 columns, a date of month, day and year, a zone, MACB.
const l2tReader = `
import csv, datetime, sys
rows = list(csv.DictReader(sys.stdin, strict=True))
assert rows and list(rows[0]) == "date time timezone MACB source sourcetype type user host short desc version filename inode notes format extra".split(), rows[:1]
for r in rows:
    assert None not in r and None not in r.values(), r
    datetime.datetime.strptime(r["date"] + " " + r["time"], "%m/%d/%Y %H:%M:%S")
    assert r["timezone"] == "UTC" and len(r["MACB"]) == 4 and set(r["MACB"]) <= set("MACB."), r
    assert r["version"] == "2" and r["desc"] and r["short"] and r["filename"], r
print(len(rows))
`

func TestL2TReader(t *testing.T) {
	data := formatted(t, "l2tcsv")
	cmd := servertest.Runtime(t, "python", "-c", l2tReader)
	cmd.Stdin = bytes.NewReader(data)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if want := fmt.Sprintln(len(objects(t, formatted(t, "jsonl"))) - 1); string(out) != want { // jsonl ends with a summary
		t.Errorf("%s rows, want %s", out, want)
	}
}

// mactime(1) of the Sleuth Kit shows every event at its time, and each file at its four.
func TestMactime(t *testing.T) {
	mactime := servertest.Installed(t, "sleuthkit", "/usr/bin/mactime")
	body := filepath.Join(t.TempDir(), "body")
	if err := os.WriteFile(body, formatted(t, "bodyfile"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(mactime, "-b", body, "-d", "-y", "-z", "UTC").Output()
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(bytes.NewReader(out))
	r.LazyQuotes = true
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct{ at, macb, what string }{
		{"2026-01-01T00:00:00Z", "macb", "[key-written, recorded]"},
		{"2026-01-01T00:00:01Z", "macb", "[entry-added, inferred]"},
		{"2026-01-01T00:01:40Z", "macb", "[key-deleted, recorded]"},
		{"2026-01-01T00:01:40Z", "macb", "[flushed, recorded]"},
		{"2026-01-05T10:00:00Z", "macb", "[server-started, recorded]"},
		{"2026-01-01T01:00:00Z", "macb", "[key-expires, recorded]"},
		{"2026-03-01T12:00:00Z", "m", "appendonly.aof"},
	} {
		if !slices.ContainsFunc(rows, func(r []string) bool {
			return len(r) == 8 && r[0] == want.at && strings.HasPrefix(r[2], want.macb) && strings.Contains(r[7], want.what)
		}) {
			t.Errorf("mactime shows no %s at %s:\n%s", want.what, want.at, out)
		}
	}
}

// A file has its line in a bodyfile if any of its times lies in the span that was
// asked for.
func TestBodyfileSpan(t *testing.T) {
	dir := directory(t, map[string]string{"appendonly.aof": command("SET", "k", "1")})
	in, err := source.New(t.Context(), []string{dir}, source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	tl, err := New(t.Context(), in, Options{From: time.Date(2026, 3, 1, 12, 0, 1, 0, time.UTC)}) // behind the mtime
	if err != nil {
		t.Fatal(err)
	}
	defer tl.Close()
	var out bytes.Buffer
	if err := Write(tl, NewWriter("bodyfile", &out)); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "appendonly.aof|"); n != 1 {
		t.Errorf("%d lines of the file:\n%s", n, out.String())
	}
}
