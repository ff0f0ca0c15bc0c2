package scan

import (
	"bytes"
	"slices"
)

// Traces of an attack: what an intruder stored, so that a snapshot written to
// the right place becomes a cron table, a list of SSH keys, a web page or a
// module, and what such files, logs and configurations then say. The families
// judge what a text does, never what its key is called. Techniques are numbers
// of MITRE ATT&CK for Enterprise.

// artefactFamilies lists the families, each a file of its own.
func artefactFamilies() [][]rule {
	families := [][]rule{
		cronFamily,
		sshKeyFamily,
		shellFamily,
		reverseShellFamily,
		hostFamily,
		webShellFamily,
		minerFamily,
		ransomFamily,
		luaFamily,
		executableFamily,
		takeoverFamily,
		gadgetFamily,
		windowsFamily,
	}
	for i, f := range families {
		families[i] = slices.Clone(f)
		for k := range f {
			families[i][k].find = limited(f[k].find)
		}
	}
	return families
}

// maxAsked is how often a rule is asked about one text. What surrounds a keyword
// decides, and a hostile text may consist of keywords.
const maxAsked = 512

// limited returns a finder that gives up on texts that ask too often.
func limited(find finder) finder {
	return func(w *worker, r *rule, f *fragment, from, to int) {
		asked := &w.ranTo[r.index]
		if asked.serial != f.serial {
			*asked = ranTo{serial: f.serial}
		}
		if asked.to++; asked.to <= maxAsked {
			find(w, r, f, from, to)
		} else if asked.to == maxAsked+1 {
			w.limited(r.id)
		}
	}
}

// Rules of these families claim overlapping stretches: the way in which a
// command is to be started says more than the command.
const (
	rankCommand  = rankFormat
	rankDelivery = rankProof
)

// lineBreaks counts the line breaks that a text begins and ends with. The
// payload of a snapshot that poses as a text file needs them: its own lines
// must not run into the bytes around them.
func lineBreaks(d []byte) (before, after int) {
	isBreak := func(b byte) bool { return b == '\n' || b == '\r' }
	before = run(d, 0, 64, isBreak)
	return before, len(d) - runBack(d, len(d), 64, isBreak)
}

// isPadded reports whether a text stands between line breaks.
func isPadded(d []byte) bool {
	before, after := lineBreaks(d)
	return before > 0 && after > 0
}

// near returns data[from:to] with what stands around it.
func near(d []byte, from, to, around int) []byte {
	return d[max(0, from-around):min(len(d), to+around)]
}

// reportLine claims the line around from, without the spaces around it.
func (w *worker) reportLine(r *rule, f *fragment, from int) *match {
	begin, end := lineAround(f.data, from)
	begin, end = trimmed(f.data, begin, end)
	return w.report(r, f, begin, end)
}

// interpreters run what they read.
var interpreters = map[string]bool{
	"sh": true, "bash": true, "dash": true, "ash": true, "zsh": true, "ksh": true, "busybox": true, "python": true, "python2": true, "python3": true,
	"perl": true, "ruby": true, "php": true, "node": true, "lua": true, "tclsh": true,
}

// interpreterAt returns the end of the name of an interpreter that is called at
// i, behind its path, sudo or env; 0 if there is none.
func interpreterAt(d []byte, i int) int {
	for range 4 {
		i = run(d, i, 16, isSpace)
		end := run(d, i, 64, func(b byte) bool { return isWord(b) || b == '/' || b == '.' })
		word := d[i:end]
		if k := bytes.LastIndexByte(word, '/'); k >= 0 {
			word = word[k+1:]
		}
		switch {
		case interpreters[string(word)]:
			return end
		case string(word) != "sudo" && string(word) != "env" && string(word) != "nohup" && string(word) != "exec":
			return 0
		}
		i = end
	}
	return 0
}

// afterCommand reports whether what follows a command on its line can: options,
// redirections, other commands, but no sentence.
func afterCommand(rest []byte) bool {
	rest = bytes.TrimLeft(rest, " \t")
	return len(rest) == 0 || bytes.IndexByte([]byte("-/><&|;)\"'`#\\}0123456789,]\n\r"), rest[0]) >= 0
}

// introducing are words behind which a shell expects a command.
var introducing = map[string]bool{"sudo": true, "nohup": true, "exec": true, "then": true, "do": true, "else": true, "time": true, "xargs": true, "env": true,
	"command": true, "setsid": true, "root": true, "-c": true, "sh": true, "bash": true, "/bin/sh": true, "/bin/bash": true}

// commandAt reports whether a command can begin at a place of a line: before it
// stands nothing, a cron schedule, or what ends or introduces a command.
func commandAt(line []byte, at int) bool {
	before := bytes.TrimRight(line[:at], " \t")
	trim := bytes.TrimLeft(before, " \t")
	if len(trim) == 0 || bytes.IndexByte([]byte(";&|({`'\"!@"), before[len(before)-1]) >= 0 {
		return true
	}
	if n := schedule(trim); n > 0 {
		trim = bytes.TrimLeft(trim[n:], " \t")
		return bytes.IndexByte(trim, ' ') < 0 // at most the user stands between them
	}
	last := trim[bytes.LastIndexByte(trim, ' ')+1:]
	return introducing[string(last)] || bytes.IndexByte(last, '=') > 0
}

// hostile are words of commands that fetch and run, hide, or persist. What
// administrators do as well is not among them.
var hostile = newWordSet([]string{
	"/dev/tcp/", "/dev/udp/", "base64 -d", "base64 --d", "python -c", "python3 -c", "perl -e", "chmod +x", "chmod 777", "chmod 755", "chmod a+x", "/tmp/.", "/dev/shm/",
	"/var/tmp/", "useradd", "nc -e", "ncat -e", " -e /bin/", "authorized_keys", "stratum+", "xmrig", "chattr", "ld.so.preload", "mkfifo", "bash -i", "sh -i", "pastebin",
	"transfer.sh", ".onion", "b64decode", "wget -o /tmp", "curl -o /tmp", "history -c",
})

// isHostile reports whether a command line does what intruders do.
func isHostile(command []byte) bool {
	if hostile.match(command) || bytes.HasPrefix(command, []byte("/tmp/")) {
		return true
	}
	for i := 0; i < len(command); i++ {
		if command[i] == '|' && interpreterAt(command, i+1) > 0 {
			return true
		}
	}
	return false
}
