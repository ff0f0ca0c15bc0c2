package source

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// isText reports whether head reads as text: no NUL, next to no control
// characters, and UTF-8 but for a few bytes of some other encoding.
func isText(head []byte) bool {
	if bytes.IndexByte(head, 0) >= 0 {
		return false
	}
	control, invalid := 0, 0
	for rest := head; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		switch {
		case r == utf8.RuneError && n == 1 && (utf8.FullRune(rest) || len(head) < sniffHead):
			invalid++
		case r < ' ' && !strings.ContainsRune("\t\n\v\f\r\b\x1b", r), r == 0x7f:
			control++
		}
		rest = rest[n:]
	}
	return control*100 <= len(head)*2 && invalid*100 <= len(head)*15
}

// How many lines of its kind a text must have, in percent of the lines that are
// neither empty nor comments, to be called a kind.
const (
	mostLines = 60
	allLines  = 100
)

// sniffText says which kind of text head, the start of a text file, is.
func sniffText(head []byte) Kind {
	var lines, manifest, acl, conf, nodes, log, history int
	for line := range bytes.Lines(head) {
		if len(line) == len(head) || line[len(line)-1] == '\n' || len(head) < sniffHead {
			line = bytes.TrimSpace(line)
		} else {
			break // cut by the end of head
		}
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		lines++
		word, rest, _ := strings.Cut(string(line[:min(len(line), 512)]), " ")
		switch {
		case isManifestLine(word, rest):
			manifest++
		case isLogLine(word, rest):
			log++
		case isNodesLine(word, rest):
			nodes++
		}
		if isACLLine(word, rest) {
			acl++
		}
		if directives[strings.ToLower(word)] && rest != "" {
			conf++
		}
		if commands[strings.ToLower(word)] {
			history++
		}
	}
	share := func(n, percent int) bool { return n > 0 && n*100 >= lines*percent }
	switch {
	case share(manifest, allLines):
		return Manifest
	case share(acl, allLines):
		return ACL
	case share(nodes, mostLines):
		return Nodes
	case log > 0 && (share(log, 5) || log > 20): // banners and stack traces stand between
		return Log
	case share(conf, mostLines):
		return Conf
	case share(history, mostLines):
		return History
	}
	return Text
}

// isManifestLine knows the lines that aof.c, getAofManifestAsString, writes: pairs of
// words, of which file, seq and type are a must. One that lacks one of them is of a
// manifest that is damaged, which its parser says.
func isManifestLine(word, rest string) bool {
	if !isManifestWord(word) {
		return false
	}
	words := strings.Fields(word + " " + rest)
	found := 0
	for _, must := range []string{"file", "seq", "type"} {
		if slices.Contains(words, must) {
			found++
		}
	}
	return found == 3 || found == 2 && len(words)%2 == 0
}

func isManifestWord(w string) bool { return w == "file" || w == "seq" || w == "type" }

// isACLLine knows what acl.c, ACLSaveToFile, writes: "user <name> <rule>…".
func isACLLine(word, rest string) bool {
	_, rules, _ := strings.Cut(strings.TrimSpace(rest), " ")
	if word != "user" || rules == "" {
		return false
	}
	for _, r := range strings.Fields(rules) {
		switch r {
		case "on", "off", "nopass", "resetpass", "resetkeys", "resetchannels", "allkeys", "allchannels", "allcommands", "nocommands", "reset", "sanitize-payload", "skip-sanitize-payload":
			return true
		}
		if strings.ContainsRune("><#!~%&+-(", rune(r[0])) {
			return true
		}
	}
	return false
}

// isNodesLine knows what cluster_legacy.c, clusterSaveConfig, writes: a line a
// node, "<40 hex digits> <address> <flags> …", and one that begins "vars".
func isNodesLine(word, rest string) bool {
	if word == "vars" {
		return strings.HasPrefix(rest, "currentEpoch ")
	}
	return len(word) == 40 && strings.Trim(word, "0123456789abcdef") == "" &&
		(strings.Contains(rest, "master") || strings.Contains(rest, "slave") || strings.Contains(rest, "handshake") || strings.Contains(rest, "noaddr"))
}

// isLogLine knows what server.c, serverLogRaw, writes: "<pid>:<role> <day>
// <month> <year> <time> <level> …", before Redis 3.0 "[<pid>] <day> …", and
// Valkey's log-format logfmt, "pid=<pid> role=…".
func isLogLine(word, rest string) bool {
	if strings.HasPrefix(word, "pid=") {
		return strings.HasPrefix(rest, "role=")
	}
	pid, role, ok := strings.Cut(word, ":")
	if !ok && len(word) > 2 && word[0] == '[' && word[len(word)-1] == ']' {
		pid, role = word[1:len(word)-1], "M"
	}
	if pid == "" || strings.Trim(pid, "0123456789") != "" || len(role) != 1 || !strings.Contains("MSCXR", role) {
		return false
	}
	f := strings.Fields(rest)
	return len(f) >= 4 && len(f[1]) == 3 && strings.Trim(f[0], "0123456789") == "" && strings.Contains("JanFebMarAprMayJunJulAugSepOctNovDec", f[1])
}
