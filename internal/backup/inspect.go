package backup

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/valkeyfs/valkeyfs/aof"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
	"github.com/valkeyfs/valkeyfs/scan"
)

// A Command stands in a log although no server writes it there. A server that
// replays the log runs it, whatever its access control says.
type Command struct {
	Path   string
	Offset int64
	Name   string // of the server's own command, in upper case
}

func (c Command) String() string {
	return fmt.Sprintf("%s, offset %d: %s", c.Path, c.Offset, c.Name)
}

// maxCommands bounds how many of them are kept.
const maxCommands = 100

// A content is what a file turned out to hold.
type content struct {
	format     string
	checksum   string
	keys       uint64
	commands   uint64
	expiring   int64 // keys with an expiry
	server     string
	version    string
	replID     string
	replOffset int64
	end        int64 // behind the last command or EXEC; -1: all of the file
	strange    []Command
	stats      *scan.Stats
	findings   uint64 // of the severity that counts

	last, multi mark // the last command, and the last MULTI
}

// A mark is a command: its offset, and how many commands stand before it.
type mark struct {
	offset int64
	before uint64
}

// A reading says how files are looked at.
type reading struct {
	scanner *scan.Scanner // nil: nothing is scanned
	failOn  scan.Severity // the least severity that counts
	deep    bool          // decode every value, scanned or not
}

// inspect reads a snapshot or a log to its end. Anything wrong with it is an
// error: a snapshot that is cut off or fails its checksum, a log that ends inside
// a command, unless it is the one that a server writes to.
func (rd *reading) inspect(ctx context.Context, r io.Reader, path string, role Role, tail bool) (*content, error) {
	c := &content{end: -1, last: mark{offset: -1}, multi: mark{offset: -1}}
	var events keyspace.Seq
	switch role {
	case RoleSnapshot:
		o := rdb.Options{Source: path}
		if rd.scanner == nil && !rd.deep {
			o.Want = func(*keyspace.Event) bool { return false }
		}
		events = rdb.NewReader(r, o).Events(ctx)
	case RoleLog, RoleBase, RoleIncr:
		events = aof.NewReader(r, aof.Options{Source: path, Tail: tail}).Events(ctx)
	default:
		return c, nil
	}
	events = c.watch(events, path)
	if rd.scanner != nil {
		stats, err := rd.scanner.Scan(ctx, events, func(f *scan.Finding) error {
			if f.Severity >= rd.failOn {
				c.findings++
			}
			return nil
		})
		c.stats = &stats
		return c, err
	}
	for _, err := range events {
		if err != nil {
			return c, err
		}
	}
	return c, nil
}

// watch notes what passes.
func (c *content) watch(events keyspace.Seq, path string) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		for e, err := range events {
			if err == nil {
				err = c.note(e, path)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (c *content) note(e *keyspace.Event, path string) error {
	switch e.Kind {
	case keyspace.Header:
		if c.format == "" && string(e.Value) != "RESP" {
			c.format = string(e.Value) + " " + strconv.FormatInt(e.Index, 10)
		}
	case keyspace.Aux:
		c.aux(string(e.Key), string(e.Value))
	case keyspace.Key:
		if e.Encoding != keyspace.RESP {
			c.keys++
			if e.Expire != keyspace.NoExpire {
				c.expiring++
			}
		}
	case keyspace.Command:
		c.last = mark{e.Pos.Offset, c.commands}
		if spec, ok := aof.LookupCommand(e.Args[0]); ok && spec.Name == "MULTI" {
			c.multi = c.last
		}
		c.commands++
		if name, ok := strange(e.Args); ok && len(c.strange) < maxCommands {
			c.strange = append(c.strange, Command{path, e.Pos.Offset, name})
		}
	case keyspace.Torn:
		c.cut(e.Pos.Offset)
	case keyspace.Damage:
		return e.Err
	case keyspace.End:
		if v := keyspace.Checksum(e.Index); v != keyspace.ChecksumUnchecked {
			c.checksum = v.String()
			if v == keyspace.ChecksumFailed {
				return &keyspace.FormatError{Pos: e.Pos, What: "the snapshot's footer", Err: keyspace.ErrChecksum}
			}
		}
	}
	return nil
}

// cut takes back what stands at end and behind it: a command that is torn, or all
// since a MULTI without EXEC.
func (c *content) cut(end int64) {
	c.end = end
	switch {
	case c.multi.offset >= end:
		c.commands = c.multi.before
	case c.last.offset >= end:
		c.commands = c.last.before
	}
	c.strange = slices.DeleteFunc(c.strange, func(s Command) bool { return s.Offset >= end })
}

// aux takes what a snapshot says of its server (rdb.c, rdbSaveInfoAuxFields).
func (c *content) aux(name, value string) {
	switch name {
	case "valkey-ver":
		c.server, c.version = "valkey", value
	case "redis-ver":
		c.server, c.version = "redis", value
	case "repl-id":
		c.replID = value
	case "repl-offset":
		c.replOffset, _ = strconv.ParseInt(value, 10, 64)
	}
}

// strange reports whether a command is one that servers know and never log. What
// they do not know they refuse to load, unless a module brings it.
func strange(args [][]byte) (name string, ok bool) {
	if len(args) == 0 {
		return "", false
	}
	spec, known := aof.LookupCommand(args[0])
	if !known {
		return "", false
	}
	name = spec.Name
	if spec.Subcommands != nil && len(args) > 1 {
		sub, known := spec.Subcommand(args[1])
		if !known {
			return name, true
		}
		spec, name = sub, name+" "+sub.Name
	}
	return name, spec.Flags&aof.NeverLogged != 0
}
