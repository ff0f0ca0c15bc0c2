package scan

import "bytes"

// shellFamily finds commands that run what they fetch or unpack.
var shellFamily = []rule{
	{id: "pipe-to-shell", description: "Command that runs what it fetches", category: Artefact, severity: High, confidence: Likely, rank: rankCommand, technique: "T1059.004",
		keywords: []string{"| sh", "|sh", "| bash", "|bash", "|\tsh", "|\tbash", "| /bin/", "|/bin/", "| /usr/bin/", "|/usr/bin/", "| python", "|python", "| perl", "|perl", "| sudo", "|sudo", "| zsh", "| ash",
			"<(curl ", "<(wget ", "$(curl ", "$(wget ", "`curl ", "`wget "}, find: findPipe, next: nextShell},
	{id: "download-and-run", description: "Commands that fetch a file, make it executable and run it", category: Artefact, severity: High, confidence: Likely, rank: rankCommand, technique: "T1105",
		keywords: []string{"chmod +x ", "chmod u+x ", "chmod a+x ", "chmod 777 ", "chmod 755 ", "chmod 775 ", "chmod 744 ", "chmod 700 ", "chmod 0777 ", "chmod 0755 "}, find: findDownload, next: nextShell},
	{id: "download-and-run", description: "Commands that fetch a script and run it", category: Artefact, severity: High, confidence: Likely, rank: rankCommand, technique: "T1105",
		keywords: []string{";sh ", "; sh ", "&&sh ", "&& sh ", ";bash ", "; bash ", "&&bash ", "&& bash "}, find: findRunOfScript, next: nextShell},
	{id: "pipe-to-shell", description: "Program of one line that runs what it fetches", category: Artefact, severity: High, confidence: Likely, rank: rankCommand, technique: "T1059",
		keywords: []string{"urlopen(", "uri.open(", "file_get_contents(\"http", "file_get_contents('http", "lwp::simple", "require(\"http", "require('http"}, find: findEvalOfURL, next: nextShell},
	{id: "download-and-run", description: "Commands that fetch a file to a temporary directory and run it", category: Artefact, severity: High, confidence: Likely, rank: rankCommand, technique: "T1105",
		keywords: []string{" /tmp/", " /dev/shm/", " /var/tmp/", " /var/run/"}, find: findRunOfTemp, next: nextShell},
	{id: "encoded-command", description: "Command that decodes and runs text", category: Artefact, severity: Critical, confidence: Likely, rank: rankCommand, technique: "T1027.010",
		keywords: []string{"base64 -d", "base64 --d", "{base64,-d", "xxd -r", "b64decode(", "decode_base64(", "-encodedcommand ", "-enc ", " -e jab", " -e sqb", " -e aqb", " -e kab"}, find: findEncoded, next: nextShell},
}

const nextShell = "find out what was run: look for the address in the logs of the host and the network, and isolate the host"

// fetchers are the programs that fetch, under the names that intruders gave
// them as well.
var fetchers = map[string]bool{"curl": true, "wget": true, "lynx": true, "fetch": true, "cd1": true, "wd1": true, "cdt": true, "wdt": true, "cur": true, "wge": true,
	"axel": true, "aria2c": true, "ftpget": true, "tftp": true, "wget1": true, "curl1": true}

// findPipe: curl … URL | sh, bash <(curl URL), sh -c "$(wget -O- URL)".
func findPipe(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	begin, end := lineAround(d, from)
	var at, url int
	if d[from] == '|' {
		stop := interpreterAt(d[:end], from+1)
		if stop == 0 || stop < end && isWord(d[stop]) || !afterCommand(d[stop:end]) {
			return
		}
		at, url = begin+fetcherOf(d[begin:from]), from
		if at < begin {
			return
		}
	} else {
		before := bytes.TrimRight(d[begin:from], " \t\"'")
		word := before[bytes.LastIndexAny(before, " \t;&|(/")+1:]
		if !interpreters[string(word)] && string(word) != "-c" && string(word) != "eval" && string(word) != "source" && string(word) != "." && (d[from] != '`' || len(word) > 0) {
			return
		}
		at, url = from+2, end
		if d[from] == '`' {
			at = from + 1
		}
	}
	w.reportInstaller(r, f, from, d[at:url], isStealthy(d[begin:end]))
}

// reportInstaller reports the line at from, which runs what a part of it fetches. If
// that is published and nothing is hidden, it may be from an installation guide.
func (w *worker) reportInstaller(r *rule, f *fragment, from int, source []byte, stealthy bool) {
	d := f.data
	begin, end := lineAround(d, from)
	switch doubtful := isPublished(source) && !isPadded(d) && schedule(bytes.TrimLeft(d[begin:end], " \t")) == 0 && !stealthy; {
	case !doubtful:
		w.reportLine(r, f, from)
	case f.parent == nil && w.leaf.field.len() == 0 && !bytes.ContainsAny(bytes.TrimSpace(d), "\n"):
		// Nothing but the command, as an installation guide gives it, too.
		m := w.reportLine(r, f, from)
		m.severity, m.confidence = Medium, Possible
	default:
		w.exclude(installCommand)
	}
}

// installCommand: curl https://get.example.org | sh, as documentation has it.
const installCommand reason = "install-command"

// fetcherOf returns where the command begins that fetches what a pipe ends in;
// -1 if there is none, or if it stands in a sentence.
func fetcherOf(line []byte) int {
	url := bytes.LastIndex(line, []byte("://"))
	if url < 0 {
		url = len(line)
	} else {
		url = runBack(line, url, 8, isLetter)
	}
	at := bytes.LastIndexAny(line[:url], ";&|({`") + 1
	if at == 0 {
		if n := schedule(bytes.TrimLeft(line, " \t")); n > 0 {
			at = len(line) - len(bytes.TrimLeft(line, " \t")) + n
		}
	}
	scheduled := at > 0
	for i, words := at, 0; words < 16; words++ {
		i = run(line, i, 64, isSpace)
		end := run(line, i, maxLine, func(b byte) bool { return b > ' ' })
		if end == i || i >= url && words == 0 {
			return -1
		}
		word := bytes.Trim(line[i:end], `"'`)
		if k := bytes.LastIndexByte(word, '/'); k >= 0 && i < url {
			word = word[k+1:]
		}
		switch {
		case introducing[string(word)] || bytes.IndexByte(word, '=') > 0:
		case fetchers[string(word)] && optionsOnly(line[end:], url-end), url < len(line) && isCommandName(word) && optionsOnly(line[end:], url-end):
			return i // one that nobody knows counts, too, if a URL is its argument
		case scheduled && words == 0 && isCommandName(word): // the user of a cron table
		default:
			return -1
		}
		i = end
	}
	return -1
}

func isCommandName(v []byte) bool {
	if len(v) == 0 || len(v) > 16 || v[0] < 'a' || v[0] > 'z' {
		return false
	}
	for _, b := range v {
		if b >= 'A' && b <= 'Z' || !isWord(b) && b != '-' && b != '.' {
			return false
		}
	}
	return true
}

// optionsOnly reports whether up to a place there are only options and their
// arguments: a sentence has words there.
func optionsOnly(rest []byte, to int) bool {
	option := false
	for _, word := range bytes.Fields(rest[:max(0, min(to, len(rest)))]) {
		isOption := word[0] == '-'
		if !isOption && !option && bytes.IndexByte(word, '/') <= 0 && word[0] != '"' && word[0] != '\'' && !isDigit(word[0]) {
			return false
		}
		option = isOption
	}
	return true
}

// isPublished reports whether a command fetches by TLS from a host that has a
// name: what installation guides tell one to do.
func isPublished(source []byte) bool {
	i := bytes.LastIndex(source, []byte("https://"))
	if i < 0 {
		return false
	}
	host := source[i+len("https://"):]
	host = host[:run(host, 0, 256, func(b byte) bool { return isAlnum(b) || b == '.' || b == '-' || b == ':' })]
	return !isNumeric(host)
}

var stealth = newWordSet([]string{">/dev/null", "> /dev/null", "&>/dev/null", "--insecure", " -k ", "-fskl", "-fsslk", "--no-check-certificate", "nohup ", "base64", "pastebin", "transfer.sh", ".onion", "/dev/shm", "/tmp/", "/raw/"})

// isStealthy reports whether a command hides what it does.
func isStealthy(line []byte) bool { return stealth.match(line) }

var (
	fetchWords = newWordSet([]string{"curl ", "wget ", "cd1 ", "wd1 ", "lynx ", "tftp ", "ftpget ", "urlretrieve"})
	plainURLs  = newWordSet([]string{"http://", "ftp://", "https://" + digits(1), "transfer.sh", "pastebin", "tftp "})
	tempDirs   = newWordSet([]string{"/tmp/", "cd /tmp", "/dev/shm", "/var/run/", "/var/tmp"})
	evaluates  = newWordSet([]string{"exec(", "eval(", "eval "})
)

// findDownload: wget http://… -O /tmp/x; chmod +x /tmp/x; /tmp/x.
func findDownload(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	begin, end := lineAround(d, from)
	if !commandAt(d[begin:end], from-begin) {
		return
	}
	file := d[to:run(d, to, 256, func(b byte) bool { return b > ' ' && b != ';' && b != '&' && b != '|' })]
	before, after := d[max(0, from-maxLine):from], d[to:min(len(d), to+maxLine)]
	if len(file) == 0 || !fetchWords.match(before) || !plainURLs.match(before) || !tempDirs.match(near(d, from, to, maxLine)) && !isPadded(d) {
		return
	}
	name := file[bytes.LastIndexByte(file, '/')+1:]
	if bytes.Count(after, name) > 1 {
		w.reportLine(r, f, from)
	}
}

// findRunOfTemp: curl http://… -o /tmp/x && sh /tmp/x. It looks at the second
// mention of the file, behind the interpreter.
func findRunOfTemp(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	begin, end := lineAround(d, from)
	before := bytes.TrimRight(d[begin:from], " \t")
	stop := bytes.LastIndexAny(before, ";&|({`") + 1
	if at := interpreterAt(before, stop); stop == 0 || at != len(before) {
		return
	}
	file := d[from+1 : run(d, from+1, 256, func(b byte) bool { return b > ' ' && b != ';' && b != '&' && b != '|' && b != '"' && b != '\'' })]
	if fetched := before[:stop]; bytes.Contains(fetched, file) && fetchWords.match(fetched) && plainURLs.match(fetched) && commandAt(d[begin:end], stop) {
		w.reportLine(r, f, from)
	}
}

// findRunOfScript: wget http://…/a.sh; sh a.sh.
func findRunOfScript(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	begin, _ := lineAround(d, from)
	fetched := d[begin:from]
	file := d[to:run(d, to, 128, func(b byte) bool { return b > ' ' && b != ';' && b != '&' && b != '|' && b != '"' && b != '\'' })]
	if len(file) > 1 && file[0] != '-' && bytes.Contains(fetched, file) && fetchWords.match(fetched) && plainURLs.match(fetched) {
		w.reportLine(r, f, from)
	}
}

// maxOneLiner is the length of the longest line that is a program of its own. What
// a packer makes of a library is longer.
const maxOneLiner = 512

// findEvalOfURL: python -c 'exec(urlopen("http://…").read())', and so in Perl, Ruby,
// PHP and Node.
func findEvalOfURL(w *worker, r *rule, f *fragment, from, to int) {
	begin, end := lineAround(f.data, from)
	line := f.data[begin:end]
	if len(line) > maxOneLiner || !bytes.Contains(line, []byte("://")) || !evaluates.match(line) {
		return
	}
	for at := 0; at < from-begin; at++ {
		if stop := interpreterAt(line, at); stop > 0 && (at == 0 || !isWord(line[at-1])) && commandAt(line, at) && bytes.IndexByte(line[stop:], '-') >= 0 {
			w.reportLine(r, f, from)
			return
		}
	}
}

// findEncoded: echo … | base64 -d | bash, exec(base64.b64decode('…')),
// powershell -enc ….
func findEncoded(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	begin, end := lineAround(d, from)
	line, before := d[begin:end], d[begin:from]
	switch d[to-1] {
	case 'b', 'B': // powershell -e JAB…, as $ begins in UTF-16
		if !hasFold(before, "powershell") && !hasFold(before, "pwsh") || run(d, to, minBase64, isStd64)-to < minBase64 {
			return
		}
	case '(': // b64decode(
		if !hasFold(before, "exec(") && !hasFold(before, "eval(") && !hasFold(before, "system(") {
			return
		}
	case ' ':
		if !hasFold(before, "powershell") && !hasFold(before, "pwsh") {
			return
		}
	default:
		runs := d[from] == '{' && bytes.Contains(before, []byte("{echo,")) // {echo,…}|{base64,-d}|{bash,-i}: without spaces
		if k := bytes.IndexByte(d[to:end], '|'); k >= 0 && len(bytes.Fields(d[to:to+k])) <= 2 {
			stop := interpreterAt(d[:end], to+k+1)
			runs = runs || stop > 0 && (stop == end || !isWord(d[stop]))
		}
		open := bytes.LastIndex(before, []byte("$("))
		if k := bytes.LastIndexByte(before, '`'); k > open {
			open = k
		}
		if open >= 0 {
			lead := bytes.TrimRight(before[:open], " \t\"'")
			word := lead[bytes.LastIndexAny(lead, " \t;&|(")+1:]
			runs = runs || string(word) == "eval" || string(word) == "-c"
		}
		if !runs || !fetchWords.match(before) && !bytes.Contains(before, []byte("://")) && longestBase64(line).len() < minBase64 {
			return
		}
	}
	w.reportLine(r, f, from)
	w.openPayload(f, begin, line)
}

// openPayload decodes the longest base64 text of a line and scans it.
func (w *worker) openPayload(f *fragment, begin int, line []byte) {
	s := longestBase64(line)
	text := line[s.from:s.to]
	enc := base64Encoding(text)
	if enc == nil || len(text) < minBase64 {
		return
	}
	if f.depth >= maxDepth || !w.budget.element() || !w.budget.spend(enc.DecodedLen(len(text))) {
		w.limited("base64")
		return
	}
	buf := make([]byte, enc.DecodedLen(len(text)))
	if n, err := enc.Decode(buf, text); err == nil && isText(buf[:n]) {
		w.child(f, piece{kind: "base64", data: buf[:n], from: begin + int(s.from), to: begin + int(s.to)}, nil, 0)
	}
}

// longestBase64 returns where the longest word of base64 stands in a line.
func longestBase64(line []byte) (s span) {
	for i := 0; i < len(line); i++ {
		if end := run(line, i, len(line), isStd64); end > i {
			if end-i > s.len() {
				s = span{uint32(i), uint32(end)}
			}
			i = end
		}
	}
	return s
}

// hasFold reports whether words occur in d in any case; words are in lower case.
func hasFold(d []byte, words string) bool {
	for i := 0; i+len(words) <= len(d); i++ {
		if words != "" && !isLetter(words[0]) {
			k := bytes.IndexByte(d[i:], words[0])
			if k < 0 {
				return false
			}
			i += k
		}
		if foldPrefix(d[i:], words) {
			return true
		}
	}
	return false
}
