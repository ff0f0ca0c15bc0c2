package sweep

import (
	"regexp"
	"strings"
	"sync"
)

// What a text holds beside the secrets that rules know is masked by its shape:
// what is assigned to a name such as password, and what looks as if it had been
// drawn at random. Digests and identifiers in hexadecimal are not: they are what
// files, replicas and runs are told apart by.

// assigned finds values behind names of secrets, as in password=…, "token": "…",
// requirepass …. Compiled when a text first may hold one.
var assigned = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)((?:pass(?:word|wd|phrase|code)?|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|auth-pass|masterauth|requirepass)["']?(?:\s*[=:]\s*|\s+)["']?)([^\s"'&;,]{4,})`)
})

// assignmentWords are what a text with such a value contains.
var assignmentWords = [...]string{"pass", "pwd", "secret", "token", "key", "masterauth"}

func mayAssign(s string) bool {
	if !strings.ContainsAny(s, "=: ") {
		return false
	}
	for _, w := range assignmentWords {
		for i := 0; i+len(w) <= len(s); i++ {
			if strings.EqualFold(s[i:i+len(w)], w) {
				return true
			}
		}
	}
	return false
}

// maskShapes masks what may be a secret by where it stands and what it looks like.
func maskShapes(s string) string {
	if mayAssign(s) {
		s = maskAssigned(s)
	}
	var out []byte
	done := 0
	for at := 0; at < len(s); {
		n := tokenRun(s[at:])
		if n == 0 {
			at++
			continue
		}
		if random(s[at : at+n]) {
			out = append(append(out, s[done:at]...), unknownName...)
			done = at + n
		}
		at += n
	}
	if done == 0 {
		return s
	}
	return string(append(out, s[done:]...))
}

// maskAssigned masks values behind names of secrets. Behind a mere space, a word
// is no value: "password reset" assigns nothing.
func maskAssigned(s string) string {
	var out []byte
	done := 0
	for _, m := range assigned().FindAllStringSubmatchIndex(s, -1) {
		name, value := s[m[2]:m[3]], s[m[4]:m[5]]
		sign := strings.TrimRight(name, " \t\"'")
		tight := sign[len(sign)-1] == '=' && len(name)-len(sign) <= 1
		if strings.HasPrefix(value, unknownName) || !tight && !mixed(value) {
			continue
		}
		out = append(append(out, s[done:m[4]]...), unknownName...)
		done = m[5]
	}
	if done == 0 {
		return s
	}
	return string(append(out, s[done:]...))
}

// mixed reports whether a word holds more than letters.
func mixed(s string) bool {
	letters, others := 0, 0
	for i := range len(s) {
		if isLetter(s[i]) {
			letters++
		} else if s[i] != '.' && s[i] != ':' && s[i] != ')' {
			others++
		}
	}
	return letters > 0 && others > 0
}

// leastRandom is the shortest run that can be told from words and numbers.
const leastRandom = 20

// random reports whether the characters of a run change between capitals, small
// letters and digits as often as those of a random token do. Names made of words
// and numbers change seldom; hexadecimal digits do not count.
func random(s string) bool {
	if len(s) < leastRandom {
		return false
	}
	var upper, lower, digit, numbers, changes int
	hex, last := true, byte(0)
	for i := range len(s) {
		kind := byte(0)
		switch c := s[i]; {
		case isDigit(c):
			if digit, kind = digit+1, '0'; last != '0' {
				numbers++
			}
		case c >= 'a' && c <= 'z':
			lower, kind, hex = lower+1, 'a', hex && c <= 'f'
		case c >= 'A' && c <= 'Z':
			upper, kind, hex = upper+1, 'A', hex && c <= 'F'
		default:
			hex = hex && c == '-'
		}
		if kind != last && kind != 0 {
			changes++
		}
		last = kind
	}
	switch {
	case hex:
		return false
	case upper > 1 && lower > 1 && digit > 0:
		return changes*2 >= len(s) || numbers > 1 && changes*3 >= len(s)
	case digit > 3 && upper+lower > 3:
		return len(s) >= 24 && changes*10 >= len(s)*3
	}
	return false
}
