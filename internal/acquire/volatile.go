package acquire

import (
	"fmt"

	"github.com/valkeyfs/valkeyfs/internal/source"
)

// volatility ranks a file by how soon a running server may take it away: what a
// rewrite deletes or renames first, then what a snapshot replaces, then what only
// grows. A smaller rank is copied earlier.
func volatility(f *source.File) int {
	switch {
	case f.Role == source.Temporary:
		return 0
	case f.Role == source.HistoryFile || f.Role == source.Orphan:
		return 1
	case f.Kind == source.Manifest:
		return 2
	case f.Kind == source.AOF, f.Role == source.Base:
		return 3
	case f.Kind == source.RDB:
		return 4
	case f.Kind.IsText():
		return 5
	}
	return 6
}

// warnings tells what an examiner has to know of a copy.
func warnings(c *Custody, o Options) []string {
	var w []string
	var logs, temporary, touched, changed, unread, failed int
	for _, p := range c.Files {
		if p.file.Kind == source.AOF || p.file.Kind == source.Manifest {
			logs++
		}
		temporary += one(p.file.Role == source.Temporary)
		touched += one(p.file.Touched)
		changed += one(len(p.Changes) > 0)
		unread += one(p.Unread > 0)
		failed += one(p.Error != "")
	}
	var moved int
	for _, d := range c.Directories {
		moved += one(len(d.Changes) > 0)
	}
	say := func(n int, format string, args ...any) {
		if n > 0 {
			w = append(w, fmt.Sprintf(format, args...))
		}
	}
	say(changed, "%d files changed while they were copied: the server runs, or something else writes; their copies mix moments", changed)
	say(moved, "%d directories changed while their files were copied: some may have come or gone since they were listed", moved)
	say(temporary, "%d temporary files: a snapshot or a rewrite was under way, or one was broken off", temporary)
	if changed > 0 || temporary > 0 {
		say(logs, "a rewrite of the append-only file (BGREWRITEAOF, or auto-aof-rewrite-percentage) deletes the commands of the past: copy it before anything else, and stop the server by SIGKILL rather than SHUTDOWN if its files must stay as they are")
	}
	say(touched, "the access times of %d files changed by being read", touched)
	say(unread, "%d files have ranges that the medium did not deliver: zeros stand for them, see gaps", unread)
	say(failed, "%d files could not be copied: see error", failed)
	if o.Host.Synchronised != nil && !*o.Host.Synchronised {
		w = append(w, "the clock of this host is not synchronised: its times are its own")
	}
	if o.Case == "" || o.Examiner == "" {
		w = append(w, "no case or no examiner is named: --case and --examiner do")
	}
	return w
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}
