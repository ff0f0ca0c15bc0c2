package scan

import "bytes"

// credentialFileFamily finds passwords where neither a sign of assignment nor a
// format marks them: in .netrc, and behind the options of programs.
var credentialFileFamily = []rule{
	{id: "netrc-password", description: "Password of a .netrc file", category: Password, severity: High, confidence: Likely, rank: rankFormat,
		keywords: []string{"password ", "password\t"}, find: findNetrc, next: "change the password at the host that the line names"},
	{id: "command-line-password", description: "Password in the command line of a client", category: Password, severity: High, confidence: Likely, rank: rankFormat,
		keywords: []string{"sshpass ", "mysql ", "mysqldump ", "mysqladmin ", "mariadb ", "mariadb-dump ", "mongosh ", "mongodump ", "ldapsearch "}, find: findClientPassword, next: "change the password"},
}

// aroundNetrc is how far before its password an entry of .netrc begins.
const aroundNetrc = 512

// findNetrc: machine host login user password secret, on one line or several.
func findNetrc(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	if from == 0 || !isSpace(d[from-1]) {
		return
	}
	before := d[max(0, from-aroundNetrc):from]
	if k := bytes.LastIndex(before, []byte("machine ")); k < 0 || !bytes.Contains(before[k:], []byte("login ")) || k > 0 && !isSpace(before[k-1]) {
		return
	}
	w.clientPassword(r, f, to)
}

// clientPassword reports the word at i.
func (w *worker) clientPassword(r *rule, f *fragment, i int) {
	from, to := valueAt(f.data, i, false)
	v := f.data[from:to]
	if len(v) < minPassword || len(v) > maxPassword {
		return
	}
	if placeholder(v) || isPlainWord(v) || v[0] == '-' || v[0] == '$' {
		w.exclude(placeholderValue)
		return
	}
	w.report(r, f, from, to)
}

// findClientPassword: mysql -psecret, sshpass -p secret, ldapsearch -w secret.
func findClientPassword(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	_, end := lineAround(d, from)
	line := d[to-1 : min(end, to+maxLine)]
	option, glued := " -p", bytes.HasPrefix(d[from:], []byte("m")) && d[from+1] != 'o'
	if d[from] == 'l' {
		option = " -w"
	}
	k := bytes.Index(line, []byte(option))
	if k < 0 || bytes.ContainsAny(line[:k], ";|&") {
		return
	}
	at := to - 1 + k + len(option)
	switch {
	case at >= end:
		return
	case d[at] == ' ' && !glued:
		at++
	case d[at] == ' ', !glued && d[from] != 's':
		return // -p alone asks for it; -port is another option
	}
	w.clientPassword(r, f, at)
}

// isAuthName reports whether a name is that of a user and a password in base64:
// auths of Docker, _auth of npm.
func isAuthName(name []byte) bool {
	switch string(name) {
	case "auth", "_auth", "basicAuth", "basic_auth", "Auth":
		return true
	}
	return false
}

// basicCredential reports the password of user:password.
func (w *worker) basicCredential(f *fragment) {
	k := bytes.IndexByte(f.data, ':')
	if k <= 0 || !isText(f.data) || bytes.IndexByte(f.data[:k], ' ') >= 0 {
		return
	}
	if v := f.data[k+1:]; len(v) >= minPassword && !placeholder(v) && !isPlainWord(v) {
		w.report(w.s.byClass[namePassword], f, k+1, len(f.data))
	}
}
