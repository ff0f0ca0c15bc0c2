package scan

import "bytes"

// cliFamily finds passwords in commands as they were typed: lines of the
// histories of redis-cli and valkey-cli, and of scripts beside them. In a value,
// "auth" and a word behind it may be anything.
var cliFamily = []rule{
	{id: "valkey-password", description: "Password of a Valkey or Redis server", category: Password, severity: Critical, confidence: Likely, rank: rankFormat,
		keywords: []string{"auth ", "auth2 "}, find: findAuth, next: "change the password with ACL SETUSER or CONFIG SET requirepass, in the configuration and in every client"},
}

// maxCLIWords bounds the words of a command that are looked at.
const maxCLIWords = 24

// findAuth: AUTH [user] password, HELLO 3 AUTH user password, MIGRATE … AUTH
// password, MIGRATE … AUTH2 user password.
func findAuth(w *worker, r *rule, f *fragment, from, to int) {
	if f.parent != nil || w.key.kind() != textKind {
		return
	}
	begin, end := lineAround(f.data, from)
	line := f.data[begin:end]
	words := cliWords(line)
	if len(words) > 0 && line[words[0].to-1] == '>' { // a prompt
		words = words[1:]
	}
	if len(words) < 2 {
		return
	}
	is := func(i int, name string) bool {
		return bytes.EqualFold(line[words[i].from:words[i].to], []byte(name))
	}
	password := -1
	switch {
	case is(0, "auth") && len(words) == 3 && bytes.HasSuffix(line, []byte(".so")): // of PAM
		return
	case is(0, "auth") && len(words) <= 3:
		password = len(words) - 1
	case is(0, "hello"), is(0, "migrate"):
		for i := 1; i < len(words); i++ {
			switch {
			case is(i, "auth") && is(0, "migrate"):
				password = i + 1
			case is(i, "auth"), is(i, "auth2"):
				password = i + 2
			}
		}
	}
	if password < 0 || password >= len(words) {
		return
	}
	s := words[password]
	if v := line[s.from:s.to]; len(v) >= minPassword && !placeholder(v) && !isPlainWord(v) {
		w.report(r, f, begin+int(s.from), begin+int(s.to))
	}
}

// textKind is the type of what is a line of a file.
const textKind = "text"

// cliWords splits a command as the clients do: at spaces, but not in quotes.
func cliWords(line []byte) []span {
	var words []span
	for i := 0; i < len(line) && len(words) < maxCLIWords; {
		if isSpace(line[i]) {
			i++
			continue
		}
		from, end := i, 0
		if quote := line[i]; quote == '"' || quote == '\'' {
			from++
			for end = from; end < len(line) && line[end] != quote; end++ {
				if line[end] == '\\' && end+1 < len(line) {
					end++
				}
			}
			i = end + 1
		} else {
			end = run(line, i, len(line), func(b byte) bool { return !isSpace(b) })
			i = end
		}
		if end > from {
			words = append(words, span{uint32(from), uint32(end)})
		}
	}
	return words
}
