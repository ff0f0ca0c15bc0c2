package scan

import "bytes"

// hashFamily finds password hashes by the formats that name their function, as
// crypt(5), PHC strings, Django, Werkzeug, phpass, LDAP and PostgreSQL write
// them.
var hashFamily = []rule{
	{id: "password-hash-bcrypt", description: "bcrypt password hash", category: PasswordHash, severity: High, confidence: Confirmed, rank: rankProof,
		keywords: []string{"$2a$", "$2b$", "$2y$", "$2x$"}, find: findBcrypt, next: nextHash},
	{id: "password-hash-argon2", description: "Argon2 password hash", category: PasswordHash, severity: High, confidence: Confirmed, rank: rankProof,
		keywords: []string{"$argon2"}, find: findPHC, next: nextHash},
	{id: "password-hash-scrypt", description: "scrypt password hash", category: PasswordHash, severity: High, confidence: Confirmed, rank: rankProof,
		keywords: []string{"$scrypt$", "scrypt:", "scrypt$", "$7$"}, find: findScrypt, next: nextHash},
	{id: "password-hash-pbkdf2", description: "PBKDF2 password hash", category: PasswordHash, severity: High, confidence: Confirmed, rank: rankProof,
		keywords: []string{"pbkdf2"}, find: findPBKDF2, next: nextHash},
	{id: "password-hash-phpass", description: "phpass password hash (WordPress, phpBB, Drupal)", category: PasswordHash, severity: High, confidence: Confirmed, rank: rankProof,
		keywords: []string{"$p$", "$h$", "$s$", "$wp$"}, find: findPhpass, next: nextHash},
	{id: "password-hash-crypt", description: "Unix crypt password hash", category: PasswordHash, severity: High, confidence: Confirmed, rank: rankProof,
		keywords: []string{"$1$", "$5$", "$6$", "$y$", "$gy$", "$apr1$"}, find: findCrypt, next: nextHash},
	{id: "password-hash-ldap", description: "LDAP password hash", category: PasswordHash, severity: High, confidence: Confirmed, rank: rankProof,
		keywords: []string{"{ssha", "{sha", "{smd5}", "{md5}", "{crypt}", "{pbkdf2", "{bcrypt}"}, find: findLDAP, next: nextHash},
	{id: "password-hash-scram", description: "SCRAM verifier (PostgreSQL, MongoDB, Kafka)", category: PasswordHash, severity: High, confidence: Confirmed, rank: rankProof,
		keywords: []string{"scram-sha-"}, find: findSCRAM, next: nextHash},
	{id: "password-hash-django", description: "Salted password hash of Django's older hashers", category: PasswordHash, severity: High, confidence: Likely, rank: rankProof,
		keywords: []string{"sha1$", "md5$", "bcrypt_sha256$", "bcrypt$"}, find: findDjango, next: nextHash},
	{id: "password-hash-mysql", description: "Password hash of MySQL or MariaDB", category: PasswordHash, severity: High, confidence: Likely, rank: rankProof,
		keywords: mysqlKeywords(), find: findMySQL, next: nextHash},
}

// mysqlKeywords are the star and the first digit of mysql_native_password.
func mysqlKeywords() []string {
	var out []string
	for _, b := range "0123456789abcdef" {
		out = append(out, "*"+string(b))
	}
	return out
}

// findMySQL: a star and 40 hexadecimal digits in capitals.
func findMySQL(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	end := run(d, from+1, 41, isHex)
	if s := shapeOf(d[from+1 : end]); end-from != 41 || s.lower > 0 || s.distinct < 8 {
		return
	}
	w.token(r, f, from, end, func(b byte) bool { return isWord(b) || b == '*' || b == '/' })
}

const nextHash = "have the password changed: weak ones are found offline from the hash"

// isCrypt64 is the alphabet of crypt(3) and bcrypt.
func isCrypt64(b byte) bool { return isAlnum(b) || b == '.' || b == '/' }

// findBcrypt: $2b$ cost $ 22 characters of salt, 31 of hash (crypt_blowfish).
func findBcrypt(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	if len(d)-to < 56 || !isDigit(d[to]) || !isDigit(d[to+1]) || d[to+2] != '$' {
		return
	}
	end := run(d, to+3, 54, isCrypt64)
	if end-to-3 != 53 {
		return
	}
	// Spring and Django put the name of the encoder before it.
	for _, p := range [...]string{"{bcrypt}", "bcrypt$", "bcrypt_sha256$"} {
		if from >= len(p) && string(d[from-len(p):from]) == p {
			from -= len(p)
			break
		}
	}
	w.token(r, f, from, end, isCrypt64)
}

// findPHC: $argon2id$v=19$m=65536,t=3,p=4$salt$hash, the PHC string format.
func findPHC(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	end := run(d, to, 512, func(b byte) bool {
		return isStd64(b) || b == '$' || b == '=' || b == ',' || b == '-' || b == '_' || b == '.'
	})
	parts := bytes.Split(d[from:end], []byte("$"))
	if len(parts) < 5 || len(parts[len(parts)-1]) < 16 || len(parts[len(parts)-2]) < 8 || !bytes.Contains(d[from:end], []byte("m=")) {
		return
	}
	if p := []byte("argon2"); from >= len(p) && bytes.Equal(d[from-len(p):from], p) { // Django: argon2$argon2id$…
		from -= len(p)
	}
	w.report(r, f, from, end)
}

func isPHC(b byte) bool { return isCrypt64(b) || b == '+' || b == '=' || b == '-' || b == '_' }

// findScrypt: Werkzeug's scrypt:32768:8:1$salt$hex, Django's scrypt$…, passlib's
// $scrypt$ln=16,r=8,p=1$salt$hash, and crypt(5)'s $7$.
func findScrypt(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	if from > 0 && isWord(d[from-1]) {
		return
	}
	end := run(d, to, 512, func(b byte) bool { return isPHC(b) || b == '$' || b == ':' || b == ',' })
	v := d[from:end]
	dollars := bytes.Count(v, []byte("$"))
	last := v[bytes.LastIndexByte(v, '$')+1:]
	if dollars < 2 || len(last) < 32 || !hasDigit(v[to-from:]) {
		return
	}
	w.report(r, f, from, end)
}

// findPBKDF2: Django's pbkdf2_sha256$iterations$salt$hash, Werkzeug's
// pbkdf2:sha256:iterations$salt$hex, passlib's $pbkdf2-sha256$…, Flask's and
// Grafana's kin.
func findPBKDF2(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	begin := from
	if begin > 0 && d[begin-1] == '$' {
		begin--
	} else if begin > 0 && isWord(d[begin-1]) {
		return
	}
	end := run(d, to, 512, func(b byte) bool { return isPHC(b) || b == '$' || b == ':' })
	v := d[begin:end]
	dollars := bytes.Count(v, []byte("$"))
	last := v[bytes.LastIndexByte(v, '$')+1:]
	if dollars < 2 || len(last) < 20 || !hasDigit(v[to-begin:]) {
		return
	}
	w.report(r, f, begin, end)
}

func hasDigit(b []byte) bool {
	for _, c := range b {
		if isDigit(c) {
			return true
		}
	}
	return false
}

// findPhpass: $P$ or $H$, one character of cost, 8 of salt, 22 of hash; Drupal's
// $S$ is 55 characters long; WordPress 6.8 puts $wp before a bcrypt hash.
func findPhpass(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	switch {
	case foldPrefix(d[from:], "$wp$"):
		if end := run(d, to, 70, func(b byte) bool { return isCrypt64(b) || b == '$' }); end-from == 63 {
			w.report(r, f, from, end)
		}
		return
	case d[from+1] != 'P' && d[from+1] != 'H' && d[from+1] != 'S':
		return
	}
	want := 31
	if d[from+1] == 'S' {
		want = 52
	}
	if end := run(d, to, want+1, isCrypt64); end-to == want {
		w.token(r, f, from, end, isCrypt64)
	}
}

// findCrypt: $id$[rounds=n$]salt$hash, crypt(5).
func findCrypt(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	if from > 0 && (isWord(d[from-1]) || d[from-1] == '$') {
		return
	}
	at := to
	if bytes.HasPrefix(d[at:], []byte("rounds=")) {
		at = run(d, at+7, 10, isDigit)
		if at >= len(d) || d[at] != '$' {
			return
		}
		at++
	}
	parts := 1
	if d[from+1] == 'y' || d[from+1] == 'g' { // yescrypt: parameters come first
		parts = 2
	}
	for range parts {
		end := run(d, at, 128, isCrypt64)
		if end == at || end >= len(d) || d[end] != '$' {
			return
		}
		at = end + 1
	}
	end := run(d, at, 100, isCrypt64)
	switch n := end - at; d[from+1] {
	case '1', 'a':
		if n != 22 {
			return
		}
	case '5', 'y', 'g':
		if n != 43 {
			return
		}
	case '6':
		if n != 86 {
			return
		}
	}
	w.report(r, f, from, end)
}

// findLDAP: {SSHA}base64 and its kin (RFC 2307).
func findLDAP(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	if d[to-1] != '}' {
		k := run(d, to, 16, func(b byte) bool { return isAlnum(b) || b == '-' })
		if k == len(d) || d[k] != '}' {
			return
		}
		to = k + 1
	}
	end := run(d, to, 256, func(b byte) bool { return isPHC(b) || b == '$' })
	v := d[to:end]
	if len(v) >= 20 && (from == 0 || !isWord(d[from-1])) && hasDigit(v) && (v[0] == '$' || base64Encoding(v) != nil || bytes.IndexByte(v, '$') > 0) && !readable(v) {
		w.report(r, f, from, end)
	}
}

// findSCRAM: SCRAM-SHA-256$4096:salt$StoredKey:ServerKey (PostgreSQL).
func findSCRAM(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	end := run(d, to, 512, func(b byte) bool { return isStd64(b) || b == '$' || b == ':' || b == '=' })
	v := d[to:end]
	if bytes.Count(v, []byte("$")) == 2 && bytes.Count(v, []byte(":")) == 2 && len(v) > 80 {
		w.report(r, f, from, end)
	}
}

// findDjango: sha1$salt$hex, md5$salt$hex.
func findDjango(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	if from > 0 && (isWord(d[from-1]) || d[from-1] == '$') || to < len(d) && d[to] == '$' {
		return
	}
	salt := run(d, to, 64, isAlnum)
	if salt == to || salt >= len(d) || d[salt] != '$' {
		return
	}
	end := run(d, salt+1, 65, isHex)
	if n := end - salt - 1; n == 32 || n == 40 {
		w.token(r, f, from, end, isAlnum)
	}
}
