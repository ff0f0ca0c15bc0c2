package timeline

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/source"
)

var modified = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// directory writes files that were all last changed at one time.
func directory(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, modified, modified); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// made returns the timeline of a directory, its path cut from the sources, and
// without what the file system says.
func made(t *testing.T, dir string, o Options) ([]*Event, Summary) {
	t.Helper()
	in, err := source.New(t.Context(), []string{dir}, source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	tl, err := New(t.Context(), in, o)
	if err != nil {
		t.Fatal(err)
	}
	defer tl.Close()
	var all []*Event
	for e, err := range tl.Events {
		if err != nil {
			t.Fatal(err)
		}
		if e.File == nil {
			e.Source = strings.TrimPrefix(e.Source, dir+"/")
			all = append(all, e)
		}
	}
	return all, tl.Summary
}

// line is an event as the tests state it.
func line(e *Event) string {
	at := e.Time.UTC().Format("2006-01-02T15:04:05.999Z")
	if e.Basis == Bounded {
		at = optional(e.NotBefore) + ".." + optional(e.NotAfter)
	}
	return fmt.Sprintf("%s %s %s db%d %s %s:%d", at, e.Basis, e.Kind, e.DB, e.Key, e.Source, e.Offset)
}

func check(t *testing.T, got []*Event, want ...string) {
	t.Helper()
	var lines []string
	for _, e := range got {
		lines = append(lines, line(e))
	}
	if !slices.Equal(lines, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}

// command is a command as it stands in a log.
func command(args ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	return b.String()
}

func TestCommands(t *testing.T) {
	one, two := command("SELECT", "0")+command("SET", "a", "1"), command("FLUSHALL")
	three := "#TS:1767225600\r\n" + command("SET", "b", "1", "PXAT", "1767229200000")
	four := command("XADD", "s", "1767225601000-0", "f", "v")
	five := "#TS:1767225700\r\n" + command("DEL", "b") + command("REPLICAOF", "10.0.0.9", "6379")
	dir := directory(t, map[string]string{"appendonly.aof": one + two + three + four + five})
	got, sum := made(t, dir, Options{})
	at := func(parts ...string) int { return len(strings.Join(parts, "")) }
	set, stream, del := at(one, two)+len("#TS:1767225600\r\n"), at(one, two, three), at(one, two, three, four)+len("#TS:1767225700\r\n")
	check(t, got,
		fmt.Sprintf("..2026-01-01T00:00:00Z bounded flushed db-1  appendonly.aof:%d", at(one)),
		fmt.Sprintf("2026-01-01T00:00:00Z recorded key-written db0 b appendonly.aof:%d", set),
		fmt.Sprintf("2026-01-01T00:00:00Z recorded key-changed db0 s appendonly.aof:%d", stream),
		fmt.Sprintf("2026-01-01T00:00:01Z inferred entry-added db0 s appendonly.aof:%d", stream),
		fmt.Sprintf("2026-01-01T00:01:40Z recorded key-deleted db0 b appendonly.aof:%d", del),
		fmt.Sprintf("2026-01-01T00:01:40Z recorded never-logged db0  appendonly.aof:%d", del+len(command("DEL", "b"))),
		fmt.Sprintf("2026-01-01T01:00:00Z recorded key-expires db0 b appendonly.aof:%d", set),
	)
	if sum.Undated != 1 || !sum.Complete {
		t.Errorf("undated %d, complete %t; want the SET alone, and true", sum.Undated, sum.Complete)
	}
}

// What a rewrite has left of a log is told, and that it is no part of it now.
func TestRoles(t *testing.T) {
	flush := "#TS:1767225600\r\n" + command("FLUSHALL")
	dir := directory(t, map[string]string{
		"l.manifest":   "file l.2.incr.aof seq 2 type h\nfile l.3.incr.aof seq 3 type i\n",
		"l.1.incr.aof": flush, "l.2.incr.aof": flush, "l.3.incr.aof": flush, "temp-rewriteaof-7.aof": flush,
	})
	got, _ := made(t, dir, Options{})
	var roles []string
	for _, e := range got {
		roles = append(roles, e.Kind+" "+e.Source+" "+e.Role)
	}
	want := []string{"flushed l.3.incr.aof ", "flushed l.2.incr.aof history", "flushed l.1.incr.aof orphan", "flushed temp-rewriteaof-7.aof temp"}
	if !slices.Equal(roles, want) {
		t.Errorf("%q, want %q", roles, want)
	}
	for format, want := range map[string]string{"text": "  [history]", "l2tcsv": "role: history", "timesketch": `"role":"history"`, "jsonl": `"role":"history"`} {
		if got := string(written(t, dir, format)); !strings.Contains(got, want) {
			t.Errorf("%s: no %q in %s", format, want, got)
		}
	}
}

func TestBounds(t *testing.T) {
	dir := directory(t, map[string]string{"appendonly.aof": command("FLUSHDB")})
	got, _ := made(t, dir, Options{})
	check(t, got, "..2026-03-01T12:00:00Z bounded flushed db0  appendonly.aof:0")
}

func TestLogs(t *testing.T) {
	dir := directory(t, map[string]string{
		"valkey.log": "12:M 05 Jan 2026 10:00:00.123 * Ready to accept connections tcp\n" +
			"12:M 2026-01-05T10:00:01.000+01:00 # Possible SECURITY ATTACK detected. It looks like somebody is sending POST\n" +
			"12:S 1767607203000 * MASTER MODE enabled (user request from 'id=3')\n" +
			"a line of no date\n" +
			`pid=12 role=primary timestamp="2026-01-05T10:00:04.000Z" level=notice message="DB saved on disk"` + "\n",
		".valkeycli_history": "get a\nauth default hunter-secret\nconfig set dir /var/spool/cron\nconfig set requirepass hunter-secret\nacl setuser bob >hunter-secret\n",
	})
	got, sum := made(t, dir, Options{Zone: time.FixedZone("CET", 3600)})
	var lines []string
	for _, e := range got {
		lines = append(lines, e.Time.Format("15:04:05.000 ")+e.Kind+" "+e.Technique+" "+e.Message)
	}
	want := []string{
		"09:00:00.123 server-started  Ready to accept connections tcp",
		"09:00:01.000 attack-detected T1190 Possible SECURITY ATTACK detected. It looks like somebody is sending POST",
		"10:00:03.000 replication-changed  MASTER MODE enabled (user request from 'id=3')",
		"10:00:04.000 snapshot-saved  DB saved on disk",
		"12:00:00.000 typed  typed at a CLI: CONFIG set dir /var/spool/cron",
		"12:00:00.000 typed  typed at a CLI: CONFIG SET (2 arguments)",
		"12:00:00.000 typed  typed at a CLI: ACL SETUSER (2 arguments)",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	if sum.Undated != 1 {
		t.Errorf("undated: %d lines, want 1", sum.Undated)
	}
}

// A snapshot or a log that was only begun, or that failed, was not written.
func TestClassify(t *testing.T) {
	for message, want := range map[string]string{
		"Background saving started by pid 77": "snapshot-started", "Background saving terminated with success": "snapshot-saved", "DB saved on disk": "snapshot-saved",
		"Background saving error": "snapshot-failed", "Background saving terminated by signal 9": "snapshot-failed", "Can't save in background: fork: Cannot allocate memory": "snapshot-failed",
		"Write error saving DB on disk: No space left on device": "snapshot-failed", "Background append only file rewriting started by pid 78": "log-rewrite-started",
		"Background AOF rewrite terminated with success": "log-rewritten", "Background AOF rewrite finished successfully": "log-rewritten", "Background AOF rewrite terminated with error": "log-rewrite-failed",
		"Background AOF rewrite terminated by signal 9": "log-rewrite-failed", "Background AOF rewrite signal handler took 7us": "logged", "Can't rewrite append only file in background: fork: x": "log-rewrite-failed",
	} {
		if kind, _ := classify(message); kind != want {
			t.Errorf("%s: %s, want %s", message, kind, want)
		}
		if failed := strings.HasSuffix(want, "-failed"); failed != (ecsType(want) == "error") {
			t.Errorf("%s is %s in ECS", want, ecsType(want))
		}
	}
}

func TestParseLog(t *testing.T) {
	for _, l := range []string{
		"", "12:M", "12:M 05 Jan 10:00:00.123 * no year", "12:M 99 Jan 2026 10:00:00.123 * no such day",
		"12:M 05 Jan 2026 10:00:00 * no fraction", "12:M 9999999999999 * far off", `pid=1 role=x timestamp="yesterday" level=notice message="x"`,
	} {
		if at, _, message, ok := parseLog(l, time.UTC); ok {
			t.Errorf("%q: %v, %q", l, at, message)
		}
	}
}

func TestRange(t *testing.T) {
	dir := directory(t, map[string]string{"appendonly.aof": "#TS:1767225600\r\n" + command("SET", "a", "1") + "#TS:1767225700\r\n" + command("DEL", "a")})
	got, _ := made(t, dir, Options{From: time.Unix(1767225601, 0), Until: time.Unix(1767225701, 0)})
	check(t, got, fmt.Sprintf("2026-01-01T00:01:40Z recorded key-deleted db0 a appendonly.aof:%d", 32+len(command("SET", "a", "1"))))
	got, _ = made(t, dir, Options{Want: func(db int32, key []byte) bool { return string(key) == "other" }})
	check(t, got)
}

// Spilled or not, the timeline is the same.
func TestMemory(t *testing.T) {
	var b strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&b, "#TS:%d\r\n%s", 1767225600-i%7*100+i, command("SET", fmt.Sprint("key:", i), "v"))
	}
	dir := directory(t, map[string]string{"appendonly.aof": b.String()})
	all, _ := made(t, dir, Options{MaxMem: 64 << 20})
	few, _ := made(t, dir, Options{MaxMem: 1, Tmp: t.TempDir()})
	if len(all) != 3000 || len(few) != len(all) {
		t.Fatalf("%d and %d events", len(all), len(few))
	}
	for i := range all {
		if line(all[i]) != line(few[i]) {
			t.Fatalf("event %d: %s, spilled %s", i, line(all[i]), line(few[i]))
		}
		if i > 0 && all[i].Time.Before(all[i-1].Time) {
			t.Fatalf("event %d is out of order", i)
		}
	}
}

func TestFormats(t *testing.T) {
	dir := directory(t, map[string]string{"appendonly.aof": "#TS:1767225600\r\n" + command("SET", "=cmd|' /C'\n\x1b[2J\xff", "1") + command("FLUSHALL")})
	for _, format := range Formats {
		t.Run(format, func(t *testing.T) {
			out := written(t, dir, format)
			if bytes.ContainsAny(out, "\x1b\x00") {
				t.Errorf("control characters in %q", string(out))
			}
			rows := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
			switch format {
			case "jsonl", "timesketch", "ecs":
				for _, row := range rows {
					wants := map[string][]string{"jsonl": {"type"}, "timesketch": {"message", "datetime", "timestamp", "timestamp_desc"}, "ecs": {"@timestamp", "message", "ecs", "event"}}[format]
					var object map[string]any
					if err := json.Unmarshal([]byte(row), &object); err != nil {
						t.Fatalf("%s: %v", row, err)
					}
					for _, w := range wants {
						if object[w] == nil {
							t.Errorf("%s: no %s", row, w)
						}
					}
				}
			case "l2tcsv":
				records, err := csv.NewReader(bytes.NewReader(out)).ReadAll()
				if err != nil {
					t.Fatal(err)
				}
				if len(records) < 4 || len(records[0]) != 17 || records[0][0] != "date" {
					t.Errorf("%d records, the first %q", len(records), records[0])
				}
				for _, r := range records[1:] {
					if _, err := time.Parse("01/02/2006 15:04:05", r[0]+" "+r[1]); err != nil {
						t.Error(err)
					}
				}
			case "bodyfile":
				for _, row := range rows {
					if n := strings.Count(row, "|"); n != 10 {
						t.Errorf("%q has %d bars, want 10", row, n)
					}
				}
			}
		})
	}
}
