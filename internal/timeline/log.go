package timeline

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// logReader collects the lines of a server's or a sentinel's log.
type logReader struct {
	lines
	c      *collector
	source string
}

// lines puts lines together that arrive in parts.
type lines struct {
	line []byte
	off  int64
}

func (r *logReader) event(e *keyspace.Event) error {
	line, off, ok := r.whole(e)
	if !ok {
		return nil
	}
	at, of, message, ok := parseLog(line, r.c.o.Zone)
	if !ok {
		r.c.t.Summary.Undated++
		return nil
	}
	kind, technique := classify(message)
	return r.c.add(&Event{Time: at.UTC(), Basis: Recorded, Of: of, Kind: kind, Message: message, Source: r.source, Offset: off, DB: -1, Technique: technique})
}

// whole returns a line once it is complete. A long one is cut.
func (r *lines) whole(e *keyspace.Event) (line string, off int64, ok bool) {
	if e.Kind != keyspace.Element {
		return "", 0, false
	}
	if e.Part.Begins() {
		r.line, r.off = r.line[:0], e.Pos.Offset
	}
	if room := maxText - len(r.line); room > 0 {
		r.line = append(r.line, e.Value[:min(len(e.Value), room)]...)
	}
	return string(r.line), r.off, e.Part.Ends()
}

// Lines as serverLogRaw writes them (server.c): the legacy format with its three
// forms of a timestamp, and logfmt.
var (
	legacyLine = regexp.MustCompile(`^\[?\d{1,10}(?::[XCSM])?\]? (\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d\.\d{3}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(?:Z|[+-]\d\d:?\d\d)|\d{13}) [.\-*#] (.*)$`)
	logfmtLine = regexp.MustCompile(`^pid=\d{1,10} role=\S+ timestamp="([^"]{1,40})" level=\S+ message="(.*)"$`)
)

// parseLog splits a line into its time and its text.
func parseLog(line string, zone *time.Location) (at time.Time, of, message string, ok bool) {
	m := legacyLine.FindStringSubmatch(line)
	if m == nil {
		if m = logfmtLine.FindStringSubmatch(line); m == nil {
			return time.Time{}, "", "", false
		}
		m[2] = strings.ReplaceAll(m[2], `\"`, `"`)
	}
	at, of, ok = parseStamp(m[1], zone)
	return at, of, m[2], ok && plausible(at.UnixMilli())
}

func parseStamp(s string, zone *time.Location) (time.Time, string, bool) {
	if ms, err := strconv.ParseInt(s, 10, 64); err == nil {
		return time.UnixMilli(ms), "log line", true
	}
	for _, layout := range []string{"2006-01-02T15:04:05.000Z07:00", "2006-01-02T15:04:05.000Z0700"} {
		if at, err := time.Parse(layout, s); err == nil {
			return at, "log line", true
		}
	}
	at, err := time.ParseInLocation("2 Jan 2006 15:04:05.000", s, zone)
	return at, "log line, zone taken as " + zone.String(), err == nil
}

// What servers say of what an examiner looks for: the beginnings of messages in
// server.c, replication.c, module.c, rdb.c, aof.c, networking.c and sentinel.c of
// Redis and Valkey.
var messages = []struct{ begins, kind, technique string }{
	{"Ready to accept connections", "server-started", ""},
	{"Server initialized", "server-started", ""},
	{"Server started", "server-started", ""},
	{"User requested shutdown", "server-stopped", ""},
	{"Received SIG", "server-stopped", ""},
	{"Redis is now ready to exit", "server-stopped", ""},
	{"Valkey is now ready to exit", "server-stopped", ""},
	{"Possible SECURITY ATTACK detected", "attack-detected", "T1190"},
	{"Module '", "module-event", "T1129"},
	{"Module ", "module-event", "T1129"},
	{"REPLICAOF ", "replication-changed", "T1020"},
	{"SLAVE OF ", "replication-changed", "T1020"},
	{"MASTER MODE enabled", "replication-changed", ""},
	{"PRIMARY MODE enabled", "replication-changed", ""},
	{"Connecting to MASTER", "replication-changed", ""},
	{"Connecting to PRIMARY", "replication-changed", ""},
	{"MASTER <-> REPLICA sync: Flushing old data", "flushed", "T1485"},
	{"PRIMARY <-> REPLICA sync: Flushing old data", "flushed", "T1485"},
	{"Full resync from ", "replication-sync", ""},
	{"Full resync requested by ", "replication-sync", "T1020"},
	{"Replica ", "replication-sync", ""},
	{"CONFIG REWRITE executed", "config-rewritten", ""},
	{"DB saved on disk", "snapshot-saved", ""},
	{"Background saving started", "snapshot-started", ""},
	{"Background saving terminated with success", "snapshot-saved", ""},
	{"Background saving", "snapshot-failed", ""},
	{"Can't save in background", "snapshot-failed", ""},
	{"Write error saving DB on disk", "snapshot-failed", ""},
	{"Error moving temp DB file", "snapshot-failed", ""},
	{"Background append only file rewriting started", "log-rewrite-started", ""},
	{"Background AOF rewrite terminated with success", "log-rewritten", ""},
	{"Background AOF rewrite finished successfully", "log-rewritten", ""},
	{"Background AOF rewrite terminated", "log-rewrite-failed", ""},
	{"Background AOF rewrite has repeatedly failed", "log-rewrite-failed", ""},
	{"Can't rewrite append only file", "log-rewrite-failed", ""},
	{"Write error writing append only file", "log-rewrite-failed", ""},
	{"Error moving temp append only file", "log-rewrite-failed", ""},
	{"DB loaded from", "data-loaded", ""},
	{"ACL ", "acl-event", ""},
	{"+switch-master", "failover", ""},
	{"+failover", "failover", ""},
	{"Failed opening the temp RDB file", "snapshot-failed", "T1053.003"},
	{"Failed opening the RDB file", "snapshot-failed", "T1053.003"},
}

func classify(message string) (kind, technique string) {
	message = strings.TrimLeft(message, " ")
	for _, m := range messages {
		if strings.HasPrefix(message, m.begins) {
			return m.kind, m.technique
		}
	}
	return "logged", ""
}

// historyReader collects the commands of a CLI's history, which has no times: the
// file's last change is the latest that is possible.
type historyReader struct {
	lines
	c    *collector
	file *source.File
}

// told are the first words of commands that change a server rather than its data.
var told = map[string]bool{"config": true, "slaveof": true, "replicaof": true, "module": true, "flushall": true, "flushdb": true, "debug": true, "shutdown": true,
	"acl": true, "script": true, "function": true, "swapdb": true, "save": true, "bgsave": true, "bgrewriteaof": true, "migrate": true, "failover": true,
	"eval": true, "evalsha": true, "fcall": true}

func (r *historyReader) event(e *keyspace.Event) error {
	line, off, ok := r.whole(e)
	if !ok {
		return nil
	}
	words := bytes.Fields([]byte(line))
	if len(words) == 0 || !told[strings.ToLower(string(words[0]))] {
		return nil
	}
	return r.c.bounded(&Event{Kind: "typed", Message: "typed at a CLI: " + shown(words), Source: r.file.Path, Offset: off}, "mtime of the file", time.Time{}, r.file.Modified.UTC(), -1, nil)
}
