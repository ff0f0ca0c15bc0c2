package scan

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
	"密码", "密碼", "口令", "パスワード", "비밀번호", "令牌", "トークン", "토큰", "シークレット", "密钥", "密鑰", "秘钥", "私钥", "秘密鍵", "秘密キー", "apiキー", "비밀키", "секрет", "токен", "ключ",
	"palavra", "khau", "mima", "geheim", "sekret", "segre", "secreto", "jeton", "lingpai", "schluessel", "schlüssel", "cle", "clé", "chave", "chiav", "llave", "sleutel", "klucz", "anahtar",
	"hasło", "арол", "lozinka", "zaporka", "geslo", "slapta", "salas", "sandi", "contrasenya", "pasahitza", "lykilor", "parool",
	"secret", "credential", "creds", "cred", "seed", "mnemonic", "token", "bearer", "jwt", "authorization", "key", "csrf", "xsrf", "phpsessid", "jsessionid", "connect.sid", "asp.net_sessionid", "user_hash", "auth_hash",
}

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
	if why == notExcluded && class == namePassword && isVague(name) && isProductCode(v) {
		why = notRandom
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
