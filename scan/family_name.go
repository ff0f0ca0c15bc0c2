package scan

import "bytes"

// nameFamily finds what only its name gives away: the value of a field, a JSON
// member, a variable or a key that is called password, api_key, access_token …
// Entropy alone reports nothing; the name must promise a secret, and the value
// must be able to keep the promise.
var nameFamily = []rule{
	{id: "generic-password", description: "Password in a field or variable of that name", category: Password, severity: High, confidence: Likely, rank: rankName, find: byName,
		next: "change the password wherever it is used"},
	{id: "generic-secret", description: "Secret in a field or variable of that name", category: Credential, severity: High, confidence: Likely, rank: rankName, find: byName,
		next: "rotate the secret at the service that it belongs to"},
	{id: "generic-api-key", description: "Key in a field or variable of that name", category: Credential, severity: High, confidence: Likely, rank: rankName, find: byName,
		next: "revoke the key at the service that issued it"},
	{id: "generic-token", description: "Token in a field or variable of that name", category: Token, severity: High, confidence: Likely, rank: rankName, find: byName,
		next: "revoke the token at the service that issued it"},
	{id: "session-secret", description: "Anti-forgery token or session secret", category: Session, severity: Medium, confidence: Likely, rank: rankName, find: byName,
		next: "end the session"},
	{id: "password-hash-field", description: "Password hash in a field of that name", category: PasswordHash, severity: High, confidence: Likely, rank: rankName, find: byName,
		next: "have the password changed"},
}

// nameRuleIDs says which rule reports a class.
var nameRuleIDs = [...]string{
	nameSeed: "generic-secret", nameHash: "password-hash-field", nameSession: "session-secret", nameKey: "generic-api-key", nameToken: "generic-token",
	nameSecret: "generic-secret", namePassword: "generic-password",
}

// byName is nothing: no keyword leads to these rules but the names that
// classifyName judges.
func byName(*worker, *rule, *fragment, int, int) {}

// nounKeywords are what every name with a class contains.
var nounKeywords = []string{
	"passw", "passphrase", "passcode", "pass", "pwd", "psw", "pw", "kennwort", "senha", "contrase", "mdp", "wachtwoord", "losenord", "salasana", "adgangskode", "haslo", "heslo", "parol", "jelsz", "sifre", "ifre", "senord", "clave", "psk", "masterauth",
	"hasło", "арол", "lozinka", "zaporka", "geslo", "slapta", "salas", "sandi", "contrasenya", "pasahitza", "lykilor", "parool",
	"secret", "credential", "creds", "cred", "seed", "mnemonic", "token", "bearer", "jwt", "authorization", "key", "csrf", "xsrf", "phpsessid", "jsessionid", "connect.sid", "asp.net_sessionid", "user_hash", "auth_hash",
}

// Lengths of values that names give away.
const (
	minPassword = 4
	minSecret   = 8
	minKey      = 12
	maxPassword = 128
	maxSecret   = 4 << 10
)

// judge reports f.data[from:to] if it can be what a name of this class
// promises. strong: the name stands right at the value.
func (w *worker) judge(f *fragment, from, to int, name []byte, class nameClass, strong bool) {
	from, to = trimmed(f.data, from, to)
	if to-from > 2 && (f.data[from] == '"' || f.data[from] == '\'') && f.data[to-1] == f.data[from] {
		from, to = from+1, to-1
	}
	if skip := schemeLen(f.data[from:to]); skip > 0 { // Authorization: Bearer …
		from += skip
		if class < nameToken {
			class = nameToken
		}
	}
	v := f.data[from:to]
	if len(v) < minPassword {
		return
	}
	confidence, why := plausible(v, class, strong)
	if why == hashValue && w.keyNames() {
		confidence, why = plausible(v, class, true)
	}
	if why == notExcluded && class == namePassword && name != nil && !f.assigns && !isChosen(v) && w.amongMessages() {
		why = wordValue
	}
	if why == notExcluded && class == nameSeed && len(v) < sureSeed && !w.amongFactors() {
		why = notRandom
	}
	if class == nameSeed && why == notExcluded && len(v) == awsSecretLen && isAWSSecret(v) {
		w.report(w.s.byID[awsSecret], f, from, to).confidence = confidence
		return
	}
	if why != notExcluded {
		w.exclude(why)
		return
	}
	r := w.s.byClass[class]
	if class != namePassword && len(v) == awsSecretLen && (isAWSName(name) || isAWSName(w.b.bytes(w.key.name))) && isAWSSecret(v) {
		r, confidence = w.s.byID[awsSecret], Likely
	}
	w.report(r, f, from, to).confidence = confidence
}

// schemeLen returns the length of an HTTP authentication scheme (RFC 9110) and
// the spaces behind it.
func schemeLen(v []byte) int {
	for _, scheme := range [...]string{"bearer", "token", "apikey", "api-key", "ssws"} {
		if foldPrefix(v, scheme) && len(v) > len(scheme)+1 && v[len(scheme)] == ' ' {
			i := len(scheme)
			for i < len(v) && v[i] == ' ' {
				i++
			}
			return i
		}
	}
	return 0
}

// plausible judges a value by what its name promises.
func plausible(v []byte, class nameClass, strong bool) (Confidence, reason) {
	switch {
	case placeholder(v):
		return 0, placeholderValue
	case isPlainWord(v), isTypeName(v):
		return 0, wordValue
	case isConstraint(v):
		return 0, codeValue
	case bytes.Contains(v, []byte("://")), v[0] == '/' && bytes.Count(v, []byte("/")) > 1 && (readable(v) || shapeOf(v).upper == 0), bytes.HasPrefix(v, []byte("./")):
		return 0, locationValue
	}
	switch class {
	case namePassword:
		return plausiblePassword(v, strong)
	case nameHash:
		return plausibleHash(v)
	case nameSeed:
		return plausibleSeed(v)
	}
	return plausibleSecret(v, class, strong)
}

func plausiblePassword(v []byte, strong bool) (Confidence, reason) {
	s := shapeOf(v)
	confidence := Likely
	if !strong {
		confidence = Possible
	}
	switch {
	case len(v) > maxPassword:
		return 0, tooLong
	case isDigits(v) && len(v) <= 12 && strong:
		return Possible, notExcluded // a PIN, or the worst of passwords
	case isNumeric(v):
		return 0, countValue
	case isUUID(v):
		return 0, identifierValue
	case !strong && s.hex == len(v) && len(v) >= 32:
		return 0, hashValue
	case s.space > 0 && (!strong || !isPassphrase(v)):
		return 0, proseValue
	case !isText(v):
		return 0, notRandom
	case !strong && len(v) < 8, !strong && s.digit == 0 && s.other == 0:
		return 0, notRandom
	case s.lower+s.upper == len(v) && !strong, isLabel(v):
		return 0, wordValue
	}
	if s.lower == len(v) && len(v) < 8 {
		confidence = Possible
	}
	return confidence, notExcluded
}

// isPassphrase tells a passphrase from a sentence about passwords.
func isPassphrase(v []byte) bool {
	words := bytes.Fields(v)
	if len(words) > 8 || bytes.HasSuffix(v, []byte(".")) {
		return false
	}
	for _, word := range words {
		switch string(bytes.ToLower(bytes.Trim(word, ".,;:!?"))) {
		case "must", "should", "please", "characters", "the", "is", "was", "has", "have", "your", "you", "a", "an", "at", "be", "for", "to", "of", "and", "or",
			"not", "with", "password", "passwords", "token", "enter", "login", "reset", "invalid", "required", "user", "see", "in", "on", "no":
			return false
		}
	}
	return true
}

// isHiddenPassphrase recognises a passphrase of dice words with a number at its
// end, correct-horse-battery42, that nobody encodes in base64 but to hide it. A
// slug has a dash before its number.
func isHiddenPassphrase(v []byte) bool {
	n := len(v)
	for n > 0 && isDigit(v[n-1]) {
		n--
	}
	if tail := len(v) - n; tail < 2 || tail > 4 || n < 12 {
		return false
	}
	words, letters := 1, 0
	for _, b := range v[:n] {
		switch {
		case b >= 'a' && b <= 'z':
			letters++
			continue
		case b != '-' && b != '_' && b != '.' && b != ' ', letters < 3:
			return false
		}
		words, letters = words+1, 0
	}
	return words >= 3 && letters >= 3
}

// plausibleHash accepts digests of the usual lengths, in hex or base64; the
// formats that name their function are hashFamily's.
func plausibleHash(v []byte) (Confidence, reason) {
	s := shapeOf(v)
	if s.hex == len(v) {
		switch len(v) {
		case 32, 40, 56, 64, 96, 128:
			return Likely, notExcluded
		}
		return 0, tooShort
	}
	if len(v) >= 24 && s.space == 0 && base64Encoding(v) != nil && entropy(v) > 3.5 && !readable(v) {
		return Possible, notExcluded
	}
	return 0, notRandom
}

func plausibleSecret(v []byte, class nameClass, strong bool) (Confidence, reason) {
	s := shapeOf(v)
	least := minKey
	if class == nameSecret {
		least = minSecret
	}
	switch {
	case len(v) < least:
		return 0, tooShort
	case len(v) > maxSecret:
		return 0, tooLong
	case s.space > 0:
		return 0, proseValue
	case isNumeric(v):
		return 0, countValue
	case isLabelledDigest(v):
		return 0, hashValue
	case isChainAddress(v):
		return 0, publicValue
	case isLabelledCount(v):
		return 0, identifierValue
	case !isText(v), bytes.ContainsAny(v, "<>{}\"'"):
		return 0, notRandom
	case class == nameToken && !strong && isIdentifierValue(v):
		return 0, identifierValue
	case isUUID(v):
		if !strong || class == nameKey {
			return 0, identifierValue
		}
		return Possible, notExcluded
	case isULID(v) && !strong:
		return 0, identifierValue
	case s.hex == len(v) && !strong && (len(v) == 32 || len(v) == 40 || len(v) == 64):
		return 0, hashValue
	case s.digit == 0 && (s.upper == 0 || s.lower == 0 || len(v) < 20):
		return 0, wordValue
	}
	need := 3.0
	if len(v) < 16 {
		need = 2.7
	}
	if entropy(v) < need {
		return 0, notRandom
	}
	if s.hex < len(v) && readable(v) {
		// Words with a few digits: a weak secret, or the name of one.
		if !strong || s.digit < 2 || s.dash > 1 || class != nameSecret {
			return 0, notRandom
		}
		return Possible, notExcluded
	}
	if !strong {
		return Possible, notExcluded
	}
	return Likely, notExcluded
}

// isLabelledDigest recognises sha512-… of Subresource Integrity and sha256:… of
// container images.
func isLabelledDigest(v []byte) bool {
	return foldPrefix(v, "sha") && len(v) > 40 && isDigit(v[3]) && (v[4] == '-' || v[4] == ':' || v[6] == '-' || v[6] == ':')
}

// Bounds of an assignment.
const (
	maxNameBefore = 64
	maxNameAfter  = 32
	maxValue      = 1 << 10
)

// assignment takes an assignment apart whose name contains the noun
// f.data[from:to]: NAME=value, "name": "value", name => 'value', --name value,
// <name>value</name>.
func (w *worker) assignment(f *fragment, from, to int) {
	d := f.data
	if to <= f.assigned {
		return // part of a name or a value that was looked at
	}
	end := run(d, to, maxNameAfter, isNameByte)
	at := end
	// Quotes around the name, perhaps escaped, a bracket, spaces.
	tag, compared := false, false
	for n := 0; at < len(d) && n < 4; n++ {
		switch d[at] {
		case '"', '\'', '\\', ']', '`', ' ', '\t':
			at++
			continue
		}
		break
	}
	switch {
	case at >= len(d):
		return
	case d[at] == '=' || d[at] == ':':
		at++
		if at < len(d) && (d[at] == '=' || d[at] == '>') {
			compared = d[at] == '='
			at++
		}
	case d[at] == ',' && at > end && at+2 < len(d) && isArgument(d, from):
		at++ // define('DB_PASSWORD', 'value')
	case d[at] == '>' && at == end:
		at++
		tag = true
	case at > end && isOption(d, from):
		// --password value
	default:
		return
	}
	begin := runBack(d, from, maxNameBefore, isNameByte)
	class := classifyName(d[begin:end])
	if class <= nameNeutral || class == nameHash && tag {
		f.assigned = end
		return
	}
	for at < len(d) && (d[at] == ' ' || d[at] == '\t') {
		at++
	}
	valueFrom, valueTo := valueAt(d, at, tag)
	f.assigned = valueFrom
	f.assigns = f.assigns || begin <= 2 && valueFrom < len(d) // else the sign is padding
	if valueTo-valueFrom < minPassword {
		return
	}
	if end-begin <= 2 && !isText(d[max(0, begin-4):begin]) { // two letters among bytes
		return
	}
	if compared && at == end+2 { // the padding of base64, behind what reads like a word
		return
	}
	if f.inName {
		valueTo = valueFrom + len(firstSegment(d[valueFrom:valueTo]))
		if isWhose(d[valueFrom:valueTo], class) {
			w.exclude(identifierValue)
			return
		}
		if isDigest(d[valueFrom:valueTo]) && countsSomething(d[:begin]) {
			w.exclude(hashValue)
			return
		}
	}
	if isResourceName(d, begin) {
		w.exclude(locationValue)
		return
	}
	if n := schemeLen(d[valueFrom:min(len(d), valueFrom+maxValue)]); n > 0 {
		valueFrom += n
		_, valueTo = valueAt(d, valueFrom, tag)
		if valueTo-valueFrom < minPassword {
			return
		}
	}
	f.assigned = max(f.assigned, valueTo)
	if quoted := d[valueFrom-1] == '"' || d[valueFrom-1] == '\'' || d[valueFrom-1] == '`'; !quoted && !tag && (compared || isCodeAt(d, begin, end, valueFrom, valueTo, class)) {
		w.exclude(codeValue)
		return
	}
	w.judge(f, valueFrom, valueTo, d[begin:end], class, true)
	for _, r := range w.s.generic {
		if hasKeyword(r, d[begin:end]) {
			w.regex(r, f, begin, end)
		}
	}
}

// isCodeAt reports whether the assignment of an unquoted value is a statement of
// a program, or a pair of a list of measurements, rather than a line of a
// configuration.
func isCodeAt(d []byte, begin, end, valueFrom, valueTo int, class nameClass) bool {
	v := d[valueFrom:valueTo]
	short := end-begin <= 4 // pass, pw: an outcome as often as a password
	lineFrom, lineTo := lineAround(d, begin)
	lineFrom, lineTo = trimmed(d, lineFrom, max(lineTo, valueTo))
	alone := lineFrom == begin && lineTo == valueTo
	switch {
	case isMinified(v) && !alone:
		return true
	case isCode(v):
		if d[valueFrom-1] == '=' { // NAME=value, as shells and forms have it
			return bytes.ContainsAny(v, "()[]{}")
		}
		return !alone || short || class != namePassword || bytes.ContainsAny(v, "()[]{}.")
	case short:
		s := shapeOf(v)
		return !alone && (s.digit == 0 || s.lower+s.upper == 0 || bytes.IndexByte(d[end:valueFrom], '=') < 0)
	}
	return false
}

// isWhose reports whether what follows in a name says whose the password is rather
// than what: password:4711, password:alice.
func isWhose(v []byte, class nameClass) bool {
	return isDigits(v) || class == namePassword && !isChosen(v) && shapeOf(v).other == 0
}

// firstSegment returns what stands before the next separator of a key.
func firstSegment(v []byte) []byte {
	if k := bytes.IndexAny(v, ":|"); k > 0 {
		return v[:k]
	}
	return v
}

// isDigest reports whether v has the form of a digest in hex.
func isDigest(v []byte) bool {
	return (len(v) == 32 || len(v) == 40 || len(v) == 64 || len(v) == 128) && run(v, 0, len(v), isHex) == len(v)
}

// countsSomething reports whether a part of a key says that its value is a count: of
// requests by whoever the next part is the digest of.
func countsSomething(key []byte) bool {
	for i := 0; i < len(key); {
		end := run(key, i, len(key), isAlnum)
		if counters[string(bytes.ToLower(key[i:end]))] {
			return true
		}
		i = end + 1
	}
	return false
}

var counters = setOf("rl ratelimit ratelimiter ratelimits rate limit limiter limits throttle throttling throttler quota quotas usage hits counter counters count counts stats metrics attempts")

// isResourceName reports whether the word at i stands in a name of Amazon's, which
// says where a secret is: arn:aws:secretsmanager:…:secret:….
func isResourceName(d []byte, i int) bool {
	begin := runBack(d, i, maxNameBefore+maxNameAfter, func(b byte) bool { return isNameByte(b) || b == ':' || b == '/' })
	return foldPrefix(d[begin:], "arn:")
}

// isMinified recognises what a packer of scripts leaves of a member: t.Xy, or
// e.token,secret:r.secret.
func isMinified(v []byte) bool {
	n := run(v, 0, 2, isLetter)
	if n == 0 || n == len(v) || v[n] != '.' {
		return false
	}
	from := n + 1
	n = run(v, from, 32, func(b byte) bool { return isLetter(b) || b == '_' || b == '$' })
	return n > from && (n == len(v) || v[n] == ',' || v[n] == ')' || v[n] == '}' || v[n] == '.' && n-from > 2)
}

func hasKeyword(r *rule, name []byte) bool {
	for _, k := range r.keywords {
		for i := 0; i+len(k) <= len(name); i++ {
			if foldPrefix(name[i:], k) {
				return true
			}
		}
	}
	return false
}

func isNameByte(b byte) bool { return isAlnum(b) || b == '_' || b == '-' || b == '.' || b >= 0x80 }

// isArgument reports whether the word at i begins a quoted text that is the first
// argument of a call.
func isArgument(d []byte, i int) bool {
	i = runBack(d, i, maxNameBefore, isNameByte)
	if i == 0 || d[i-1] != '\'' && d[i-1] != '"' {
		return false
	}
	i = runBack(d, i-1, 4, isSpace)
	return i > 0 && d[i-1] == '('
}

// isOption reports whether the word at i is a command line's option.
func isOption(d []byte, i int) bool {
	begin := runBack(d, i, maxNameBefore, isNameByte)
	return begin+2 < len(d) && d[begin] == '-' && d[begin+1] == '-'
}

// endsPair reports whether an ampersand ends a value: what follows is another
// pair of a form, a reference of HTML, or a command.
func endsPair(rest []byte) bool {
	n := run(rest, 0, maxNameBefore, isNameByte)
	return n == 0 || n < len(rest) && (rest[n] == '=' || rest[n] == '%' || rest[n] == '[' || rest[n] == ';')
}

// valueAt returns the bounds of the value that begins at i: up to the closing
// quote if it is quoted, else up to what ends a word in forms, shells, YAML,
// URLs and connection strings.
func valueAt(d []byte, i int, tag bool) (from, to int) {
	limit := min(len(d), i+maxValue)
	escaped := i+1 < limit && d[i] == '\\'
	if escaped {
		i++
	}
	if i < limit && (d[i] == '"' || d[i] == '\'' || d[i] == '`') {
		quote := d[i]
		for j := i + 1; j < limit; j++ {
			switch {
			case d[j] == quote:
				if escaped && d[j-1] == '\\' {
					return i + 1, j - 1
				}
				return i + 1, j
			case d[j] == '\\' && !escaped:
				j++
			case d[j] == '\n':
				return i + 1, j
			}
		}
		return i + 1, limit
	}
	if i > 0 && i < limit && d[i] == '{' && d[i-1] == '=' { // of ODBC
		if j := bytes.IndexByte(d[i:limit], '}') + i; j > i && (j+1 == len(d) || d[j+1] == ';') {
			return i + 1, j
		}
	}
	for j := i; j < limit; j++ {
		b := d[j]
		switch {
		case b <= ' ', b == 0x7f, b == '"', b == '\'', b == '`', b == '&' && endsPair(d[j+1:limit]), b == ';', b == '<', b == '\\' && j+1 < limit && (d[j+1] == 'n' || d[j+1] == '"' || d[j+1] == 'r'):
			return i, j
		case b >= 0x80 && !validRune(d[j:limit]):
			return i, j
		case (b == ',' || b == ')' || b == '}' || b == ']' || b == '|') && (j+1 == len(d) || isSpace(d[j+1]) || d[j+1] == '"' || d[j+1] == ',' || d[j+1] == '}'):
			return i, j
		case b == '>' && tag:
			return i, j
		}
		if b >= 0xC0 {
			for j+1 < limit && d[j+1]&0xC0 == 0x80 {
				j++
			}
		}
	}
	return i, limit
}
