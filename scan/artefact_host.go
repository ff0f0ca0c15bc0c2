package scan

import "bytes"

// hostFamily finds commands that make an intruder at home on a host: accounts,
// rights, keys, tables that start programs, and what hides or protects them.
var hostFamily = []rule{
	{id: "account-creation", description: "Command that creates a privileged account or sets its password", category: Artefact, severity: Critical, confidence: Likely, rank: rankCommand, technique: "T1136.001",
		keywords: []string{"useradd ", "adduser ", "usermod ", "chpasswd"}, find: findAccount, next: "look for accounts in /etc/passwd that nobody knows, and for a second one with user id 0"},
	{id: "privileged-file-write", description: "Command that writes to a file which grants access or starts programs", category: Artefact, severity: Critical, confidence: Likely, rank: rankCommand, technique: "T1098.004",
		keywords: []string{"authorized_keys", "/etc/sudoers", "nopasswd", "/etc/passwd", "/etc/ld.so.preload", "/var/spool/cron", "/etc/cron", "crontab -", "/etc/rc.local"}, find: findFileWrite,
		next: "compare the file with a known state of the host"},
	{id: "privileged-account-line", description: "Line of a table of accounts or rights that makes somebody root", category: Artefact, severity: Critical, confidence: Likely, rank: rankCommand, technique: "T1136.001",
		keywords: []string{":0:0:", "nopasswd:all", "nopasswd: all"}, find: findRootLine, next: "look for the line in /etc/passwd and under /etc/sudoers.d"},
	{id: "defence-evasion", description: "Command that protects files, switches protection off or clears traces", category: Artefact, severity: High, confidence: Likely, rank: rankCommand, technique: "T1562.001",
		keywords: []string{"chattr ", "setenforce 0", "ufw disable", "iptables -f", "aliyun", "histfile=", "unset histfile", "history -c", "apparmor"}, find: findEvasion, next: nextShell},
	{id: "hidden-program", description: "Program started from a directory for temporary files", category: Artefact, severity: High, confidence: Likely, rank: rankCommand, technique: "T1543.002",
		keywords: []string{"ld_preload=/tmp/", "ld_preload=/dev/shm/", "ld_preload=/var/tmp/", "execstart=/tmp/", "execstart=/dev/shm/", "execstart=/var/tmp/", "nohup /tmp/.", "nohup /dev/shm/", "nohup /var/tmp/.", "\n/tmp/.", "\n/dev/shm/.", "\n/var/tmp/."}, find: findHidden, next: nextShell},
	{id: "privilege-escalation", description: "Command that leaves a shell with root's rights, or a container for its host", category: Artefact, severity: High, confidence: Likely, rank: rankCommand, technique: "T1548.001",
		keywords: []string{"chmod 4755 ", "chmod 4777 ", "chmod u+s ", "chmod +s ", "nsenter -t 1 ", "nsenter --target 1 ", "/release_agent", "\"nsenter\",\"-t\",\"1\"", " -v /:/"}, find: findEscalation, next: nextShell},
	{id: "network-scan", description: "Command that looks for other servers", category: Artefact, severity: High, confidence: Likely, rank: rankCommand, technique: "T1046",
		keywords: []string{"masscan ", "pnscan ", "zmap ", "zgrab ", "zgrab2 "}, find: findScan, next: nextShell},
	{id: "metadata-theft", description: "Command that sends a cloud host's credentials on", category: Artefact, severity: High, confidence: Likely, rank: rankCommand, technique: "T1552.005",
		keywords: []string{"169.254.169.254/latest/meta-data/iam/security-credentials"}, find: findMetadata, next: "end the sessions of the host's role, and isolate the host"},
}

func findHidden(w *worker, r *rule, f *fragment, from, to int) {
	switch lower(f.data[from]) {
	case 'l':
		w.reportLine(r, f, from).technique = "T1574.006"
	case 'n':
		w.reportLine(r, f, from).technique = "T1564.001"
	case '\n': // a line of a script that starts it and goes on
		if begin, end := lineAround(f.data, to); bytes.HasSuffix(bytes.TrimRight(f.data[begin:end], " \t\r"), []byte("&")) {
			w.reportLine(r, f, to).technique = "T1564.001"
		}
	default:
		w.reportLine(r, f, from)
	}
}

var shellFiles = newWordSet([]string{"bash", "/sh", "/tmp/", "/dev/shm/", "/var/tmp/"})

// findEscalation: cp /bin/bash /tmp/.b; chmod 4755 /tmp/.b, docker run -v /:/mnt.
func findEscalation(w *worker, r *rule, f *fragment, from, to int) {
	begin, end := lineAround(f.data, from)
	line := f.data[begin:end]
	switch lower(f.data[from]) {
	case 'c':
		if commandAt(line, from-begin) && shellFiles.match(f.data[to:end]) {
			w.reportLine(r, f, from)
		}
	case '/': // echo CMD > /tmp/cgrp/release_agent
		if before := line[:from-begin]; bytes.IndexByte(before, '>') > 0 && hasFold(before, "echo ") {
			w.reportLine(r, f, from).technique = "T1611"
		}
	case ' ':
		if hasFold(line, "docker") && hasFold(line, "chroot") {
			w.reportLine(r, f, from).technique = "T1611"
		}
	default: // nsenter
		if d := f.data; d[to-1] != ' ' || to < len(d) && d[to] == '-' {
			w.reportLine(r, f, from).technique = "T1611"
		}
	}
}

// findScan: masscan 0.0.0.0/0 -p6379.
func findScan(w *worker, r *rule, f *fragment, from, to int) {
	begin, end := lineAround(f.data, from)
	at := runBack(f.data, from, 16, func(b byte) bool { return isWord(b) || b == '/' || b == '.' })
	rest := f.data[to:end]
	if bytes.Contains(rest, []byte("6379")) && (afterCommand(rest) || bytes.Contains(rest, []byte(" --port"))) && commandAt(f.data[begin:end], at-begin) {
		w.reportLine(r, f, from)
	}
}

// findMetadata: curl of the address, whose output goes to another host.
func findMetadata(w *worker, r *rule, f *fragment, from, to int) {
	begin, end := lineAround(f.data, from)
	if fetchWords.match(f.data[begin:from]) && bytes.IndexByte(f.data[to:end], '|') >= 0 && fetchWords.match(f.data[to:end]) {
		w.reportLine(r, f, from)
	}
}

// findAccount: useradd with rights or a password, echo user:password | chpasswd.
func findAccount(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	begin, end := lineAround(d, from)
	line := d[begin:end]
	if d[to-1] != ' ' { // chpasswd
		before := bytes.TrimRight(line[:from-begin], " \t")
		before = bytes.TrimSuffix(before, []byte("sudo"))
		if before = bytes.TrimRight(before, " \t"); !bytes.HasSuffix(before, []byte("|")) || bytes.IndexByte(before, ':') < 0 {
			return
		}
		w.reportLine(r, f, from)
		return
	}
	at := runBack(d, from, 16, func(b byte) bool { return isWord(b) || b == '/' }) // of the path
	if commandAt(line, at-begin) && afterCommand(d[to:end]) && privileged.match(d[to-1:end]) {
		w.reportLine(r, f, from)
	}
}

var privileged = newWordSet([]string{" -u 0", " -o ", " --uid 0", " -ou 0", " -g 0", " -g root", " -g sudo", " -g wheel", " -ag sudo", " -ag wheel", " -p ", " --password ", "passwd", " -aG docker"})

var (
	redirects = newWordSet([]string{">>", "> /", ">/", "> ~", ">~", "tee ", "cp ", "mv ", "| crontab -", "|crontab -"})
	produces  = newWordSet([]string{"echo ", "printf ", "cat ", "curl ", "wget ", "mv ", "cp "})
)

// fileTechniques say what writing to a file is for.
var fileTechniques = []struct{ file, technique string }{
	{"cron", "T1053.003"}, {"sudoers", "T1548.003"}, {"nopasswd", "T1548.003"}, {"passwd", "T1136.001"}, {"ld.so.preload", "T1574.006"}, {"rc.local", "T1037.004"},
}

// findFileWrite: echo … >> /root/.ssh/authorized_keys.
func findFileWrite(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	begin, end := lineAround(d, from)
	begin, end = trimmed(d, begin, end)
	line := d[begin:end]
	if !redirects.match(line) || !produces.match(line) || d[to-1] == '-' && to < len(d) && isLetter(d[to]) { // an option of crontab, not its standard input
		return
	}
	at := schedule(line)
	first := bytes.TrimLeft(line[at:], "({ ")
	first = first[:run(first, 0, 32, isWord)]
	if len(first) == 0 || first[0] >= 'A' && first[0] <= 'Z' || first[0] == 'u' && string(first) == "use" {
		return // a sentence
	}
	if !commandAt(line, bytes.Index(line, anyOf(line, "echo ", "printf ", "cat ", "curl ", "wget ", "mv ", "cp "))) {
		return
	}
	m := w.report(r, f, begin, end)
	for _, t := range fileTechniques {
		if hasFold(d[from:to], t.file) {
			m.technique = t.technique
			return
		}
	}
}

// anyOf returns the first of some words that occurs in a line.
func anyOf(line []byte, words ...string) []byte {
	for _, w := range words {
		if bytes.Contains(line, []byte(w)) {
			return []byte(w)
		}
	}
	return nil
}

// findEvasion: chattr +i on a file that grants access, and, in a script that
// also fetches from an address, what switches protection off.
func findEvasion(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	begin, end := lineAround(d, from)
	rest := d[to:end]
	if d[to-1] == ' ' { // chattr
		option := bytes.TrimLeft(rest, " ")
		if len(option) < 2 || option[0] != '+' && option[0] != '-' || !commandAt(d[begin:end], from-begin) || !guarded.match(rest) {
			return
		}
		w.reportLine(r, f, from).technique = "T1222.002"
		return
	}
	text := near(d, from, to, 2*maxLine)
	if fetchWords.match(text) && plainURLs.match(text) && isHostile(text) {
		w.reportLine(r, f, from)
	}
}

var guarded = newWordSet([]string{"/etc/", ".ssh", "/var/spool/", "/usr/bin", "/bin/", "/tmp/", "authorized_keys", "cron"})

// findRootLine: a line of passwd(5) with user id 0 that is not root's, or one of
// sudoers(5) that asks for no password, and nothing else in it.
func findRootLine(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	begin, end := lineAround(d, from)
	begin, end = trimmed(d, begin, end)
	name := run(d, begin, 33, isNameByte)
	if name == begin || name > from || f.isName {
		return
	}
	if d[from] == ':' {
		// name:password:0:0:comment:home:shell
		if d[name] == ':' && (name+1 == from || d[name+1] == 'x' || d[name+1] == '$' || name == from) && bytes.Count(d[begin:end], []byte(":")) == 6 && string(d[begin:name]) != "root" && d[end-1] != ':' && bytes.LastIndexByte(d[begin:end], '/') > 0 {
			w.report(r, f, begin, end)
		}
		return
	}
	if to == end && bytes.Contains(d[name:from], []byte("ALL")) && bytes.IndexByte(d[name:from], '=') > 0 && isSpace(d[name]) {
		w.report(r, f, begin, end).technique = "T1548.003"
	}
}
