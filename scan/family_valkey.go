package scan

import "bytes"

// valkeyFamily finds the credentials of Valkey and Redis themselves, as they
// stand in configuration files, scripts and ACL lists (valkey.conf, acl.c).
var valkeyFamily = []rule{
	{id: "valkey-password", description: "Password of a Valkey or Redis server", category: Password, severity: Critical, confidence: Likely, rank: rankFormat,
		keywords: []string{"requirepass", "masterauth", "auth-pass", "primaryauth", "redis-cli", "valkey-cli", "rediscli_auth"}, find: findDirective, next: "change the password with ACL SETUSER or CONFIG SET requirepass, in the configuration and in every client"},
	{id: "valkey-acl-password", description: "Password in an ACL rule", category: Password, severity: Critical, confidence: Likely, rank: rankFormat,
		keywords: []string{" on >", " >", " off >"}, find: findACL, next: "change the password with ACL SETUSER"},
	{id: "valkey-acl-hash", description: "Password hash in an ACL rule", category: PasswordHash, severity: High, confidence: Likely, rank: rankFormat,
		keywords: []string{" #"}, find: findACL, next: "change the password with ACL SETUSER: a plain SHA-256 is found offline if it is weak"},
}

// maxLine bounds a line of configuration.
const maxLine = 1 << 10

// lineAround returns the bounds of the line around from.
func lineAround(d []byte, from int) (begin, end int) {
	least := max(0, from-maxLine)
	for begin = from; begin > least && d[begin-1] != '\n' && d[begin-1] != 0; begin-- {
	}
	rest := d[from:min(len(d), from+maxLine)]
	for _, stop := range [...]byte{'\n', '\r', 0} {
		if k := bytes.IndexByte(rest, stop); k >= 0 {
			rest = rest[:k]
		}
	}
	return begin, from + len(rest)
}

// findDirective: "requirepass secret", "sentinel auth-pass mymaster secret",
// "redis-cli -a secret".
func findDirective(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	_, end := lineAround(d, from)
	at := to
	switch word := bytes.ToLower(d[from:to]); {
	case bytes.HasSuffix(word, []byte("-cli")):
		i := bytes.Index(d[at:end], []byte(" -a "))
		if i < 0 {
			return
		}
		at += i + len(" -a")
	case bytes.Equal(word, []byte("rediscli_auth")):
		return // an assignment: nameFamily's
	case bytes.Equal(word, []byte("auth-pass")):
		// The name of the master comes first.
		at = run(d, at, 8, isSpace)
		at = run(d, at, 256, func(b byte) bool { return b > ' ' })
	}
	if at >= end || d[at] != ' ' && d[at] != '\t' {
		return
	}
	at = run(d, at, 16, func(b byte) bool { return b == ' ' || b == '\t' })
	valueFrom, valueTo := valueAt(d[:end], at, false)
	v := d[valueFrom:valueTo]
	if len(v) < minPassword || placeholder(v) || isPlainWord(v) {
		return
	}
	if s := shapeOf(v); s.lower == len(v) && wordiness(v) > 3 && bytes.IndexByte(d[valueTo:end], ' ') >= 0 {
		w.exclude(proseValue)
		return
	}
	w.report(r, f, valueFrom, valueTo)
}

// findACL: "user alice on >password ~* +@all", "user bob on #<sha256> …".
func findACL(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	begin, end := lineAround(d, from)
	if !bytes.Contains(d[begin:end], []byte("user ")) && !bytes.Contains(bytes.ToUpper(d[begin:from]), []byte("SETUSER ")) {
		return
	}
	if !bytes.ContainsAny(d[begin:end], "~+&") && !bytes.Contains(d[begin:end], []byte("allkeys")) && !bytes.Contains(d[begin:from], []byte(" on")) {
		return
	}
	stop := run(d, to, 256, func(b byte) bool { return b > ' ' && b != '"' })
	v := d[to:stop]
	if d[to-1] == '#' {
		if len(v) == 64 && shapeOf(v).hex == 64 {
			w.report(r, f, to, stop)
		}
		return
	}
	if len(v) >= minPassword && !placeholder(v) {
		w.report(r, f, to, stop)
	}
}
