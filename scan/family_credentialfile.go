package scan

import "bytes"

// credentialFileFamily finds passwords where neither a sign of assignment nor a
// format marks them: in .netrc, and behind the options of programs.
var credentialFileFamily = []rule{
	{id: "netrc-password", description: "Password of a .netrc file", category: Password, severity: High, confidence: Likely, rank: rankFormat,
		keywords: []string{"password ", "password\t"}, find: findNetrc, next: "change the password at the host that the line names"},
	{id: "command-line-password", description: "Password in the command line of a client", category: Password, severity: High, confidence: Likely, rank: rankFormat,
		keywords: []string{"sshpass ", "mysql ", "mysqldump ", "mysqladmin ", "mariadb ", "mariadb-dump ", "mongosh ", "mongodump ", "ldapsearch ", "docker login ", "podman login "}, find: findClientPassword, next: "change the password"},
	{id: "command-line-password", description: "Password in a command", category: Password, severity: High, confidence: Likely, rank: rankFormat,
		keywords: []string{"htpasswd -b", "htpasswd -nb", "net use ", "runas ", "convertto-securestring "}, find: findArgumentPassword, next: "change the password"},
	{id: "sql-password", description: "Password in a statement of SQL", category: Password, severity: High, confidence: Likely, rank: rankFormat,
		keywords: []string{" identified by '", " identified by \"", " with password '", " encrypted password '", " identified with mysql_native_password by '", " identified with caching_sha2_password by '"}, find: findSQLPassword, next: "change the password of the account in the database"},
	{id: "pgpass-password", description: "Password of a .pgpass file", category: Password, severity: High, confidence: Likely, rank: rankFormat,
		keywords: []string{":5432:", ":5433:", ":6432:"}, find: findPgpass, next: "change the password of the account in the database"},
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
	option, glued := " -p", d[from] == 'm' && d[from+1] != 'o'
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

// findArgumentPassword: htpasswd -b file user secret, net use \\\\host /user:name secret,
// ConvertTo-SecureString "secret".
func findArgumentPassword(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	_, end := lineAround(d, from)
	begin, n := to, 0
	switch lower(d[from]) {
	case 'h':
		n = 3
		if d[from+len("htpasswd -")] == 'n' { // to the standard output: no file
			n = 2
		}
	case 'n', 'r':
		user := bytes.Index(d[to:end], []byte("/user:"))
		if user < 0 {
			return
		}
		begin, n = to+user, 1
	}
	for ; n > 0; n-- {
		begin = run(d, begin, end-begin, func(b byte) bool { return b > ' ' })
		begin = run(d, begin, end-begin, isSpace)
	}
	if begin < end {
		w.clientPassword(r, f, begin)
	}
}

// findSQLPassword: CREATE USER 'name'@'host' IDENTIFIED BY 'secret', ALTER USER name
// WITH PASSWORD 'secret'.
func findSQLPassword(w *worker, r *rule, f *fragment, from, to int) {
	w.clientPassword(r, f, to-1)
}

// findPgpass: host:port:database:user:secret, alone on its line.
func findPgpass(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	begin, end := lineAround(d, from)
	if f.isName || bytes.IndexByte(d[begin:from], ':') >= 0 || bytes.ContainsAny(d[begin:end], " \t/@\"'") {
		return
	}
	parts := bytes.Split(bytes.TrimSpace(d[to:end]), []byte(":"))
	if len(parts) != 3 || begin == from || len(parts[0]) == 0 || len(parts[1]) == 0 {
		return
	}
	w.clientPassword(r, f, to+len(parts[0])+1+len(parts[1])+1)
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
