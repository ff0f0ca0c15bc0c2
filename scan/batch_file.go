package scan

import (
	"bytes"
	"path"
	"strconv"
	"strings"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// What a file says by itself, and not by a key: where a snapshot lies, and
// which commands stand in a log. The rule that judges it goes by its label.
const (
	labelFile    = "file"    // a leaf that is the path of a snapshot
	labelCommand = "command" // a leaf that is a command, its arguments joined by spaces
)

// maxCommand is how much of a command is looked at.
const maxCommand = 4 << 10

// header files the path of a snapshot that lies where none belongs.
func (c *collector) header(e *keyspace.Event) bool {
	c.major = 0
	if bytes.Equal(e.Value, []byte("RESP")) || misplaced([]byte(e.Pos.Source)) == "" {
		return true
	}
	return c.plain(e, labelFile, WhereAux, []byte(path.Base(e.Pos.Source)), []byte(e.Pos.Source))
}

// version notes which server wrote what follows.
func (c *collector) version(e *keyspace.Event) {
	if string(e.Key) == "redis-ver" || string(e.Key) == "valkey-ver" {
		major, _, _ := strings.Cut(string(e.Value), ".")
		c.major, _ = strconv.Atoi(major)
	}
}

// command files a command that no server writes to its log.
func (c *collector) command(e *keyspace.Event) bool {
	if !c.judgeCommand(e) {
		return false
	}
	if len(e.Args) == 0 || e.Op != keyspace.OpNeverLogged && !isModuleCommand(e.Args[0]) {
		return true
	}
	name := bytes.ToUpper(e.Args[0])
	switch string(name) {
	case "EVAL", "EVALSHA", "SCRIPT", "FCALL":
		// Before 7.0 servers wrote scripts as they were called, and one file
		// with another name (aof.c).
		if c.major < 7 && !strings.HasSuffix(e.Pos.Source, ".incr.aof") && !strings.HasSuffix(e.Pos.Source, ".base.aof") {
			return true
		}
	}
	return c.plain(e, labelCommand, WhereArgument, name, commandText(e.Args))
}

// commandText joins the arguments of a command.
func commandText(args [][]byte) []byte {
	var text []byte
	for i, a := range args {
		if i > 0 {
			text = append(text, ' ')
		}
		if text = append(text, a[:min(len(a), maxCommand)]...); len(text) >= maxCommand {
			return text[:maxCommand]
		}
	}
	return text
}

// isModuleCommand recognises the commands of the modules that intruders load.
func isModuleCommand(name []byte) bool {
	if len(name) != 10 && len(name) != 11 {
		return false
	}
	for _, n := range [...]string{"system.exec", "system.rev", "shell.exec"} {
		if len(name) == len(n) && foldPrefix(name, n) {
			return true
		}
	}
	return false
}

// plain files a leaf that belongs to no key.
func (c *collector) plain(e *keyspace.Event, label string, where Where, key, value []byte) bool {
	named := *e
	named.Key, named.Type = key, keyspace.TypeNone
	return c.in(&named, label) && c.leaf(&named, where, WhereKey, nil, value)
}

// labelled returns the rule for the leaves of a label.
func (s *Scanner) labelled(label string) *rule {
	switch label {
	case labelFile:
		return s.byID[misplacedSnapshot]
	case labelCommand:
		return s.byID[unloggedCommand]
	}
	return nil
}
