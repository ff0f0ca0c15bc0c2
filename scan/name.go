package scan

import (
	"bytes"
	"strings"
)

// A nameClass says what a name – a field, a JSON key, the last part of a key, a
// variable – promises of the value that bears it. Classes are ordered: of two
// names the one of the higher class says more.
type nameClass uint8

const (
	nameNone    nameClass = iota
	nameNeutral           // value, data, payload: the name around it decides
	nameSeed              // seed, mnemonic, skey: a secret only if the value has the shape of one
	nameHash              // password_hash
	nameSession           // csrf_token, session_secret
	nameKey               // api_key
	nameToken             // access_token
	nameSecret            // client_secret
	namePassword
)

// The parts that words play in a name. A name is judged by its last noun and
// by what follows it: token is a credential, token_count is not.
type wordRole uint8

const (
	roleOther     wordRole = iota
	rolePassword           // noun
	roleSecret             // noun
	roleToken              // noun
	roleKey                // noun, only behind a qualifier: key alone names all kinds of things
	roleSeed               // noun, for values of a few shapes
	roleHash               // turns a password into its hash
	roleSession            // turns a token into a session's
	roleQualifier          // makes key a credential
	roleAbout              // behind a noun: not the value but something about it; before key: another kind of key
	roleDenial             // makes of what follows a question or a number: has_password
	roleNeutral            // changes nothing
	roleContent            // a name that says only that a value follows
)

// nameWords lists the words that matter, as they stand in field names of the
// frameworks and services that keep data in Valkey.
var nameWords = roles(map[wordRole]string{
	rolePassword:  "password passwords passord passe motdepasse mdp wachtwoord losenord lösenord salasana adgangskode haslo hasło heslo parola parolă parolei parool jelszo jelszó lozinka лозинка zaporka geslo slaptažodis slaptazodis salasõna katasandi contrasenya pasahitza lykilord lykilorð sifre şifre clave parol пароль пароля паролю парола κωδικός κωδικος συνθηματικό סיסמה סיסמא المرور گذرواژه पासवर्ड รหัสผ่าน khẩu 密码 密碼 口令 パスワード 비밀번호 비번 암호 暗証番号 psk presharedkey bindpw bindpassword dbpw userpw authpw adminpw passwds passwd passwort pwd pwds pass passphrase passphrases passcode psw pswd pw kennwort senha contrasena contraseña palavrapasse sifresi şifresi matkhau mima requirepass masterauth userpass rootpw rootpass",
	roleSecret:    "secret secrets credential credentials creds cred geheimnis geheim segredo segreto secreto sekret シークレット 시크릿 секрет",
	roleToken:     "token tokens bearer jwt authorization jeton jetons zugriffstoken zugangstoken toegangstoken lingpai 令牌 トークン 토큰 токен токена",
	roleKey:       "key keys " + foreignKeys,
	roleSeed:      "seed mnemonic skey",
	roleHash:      "hash hashed digest encrypted crypt bcrypt argon2 hashes",
	roleSession:   "csrf xsrf session sess cookie antiforgery",
	roleQualifier: "api access secret private auth encryption encrypt decryption signing signature sign master account shared service client app application license deploy webhook hmac aes rsa ssh storage sas admin server write consumer cipher crypto vapid stripe sendgrid twilio openai aws gcp azure google maps ingest integration security recovery activation unseal root app jwt oauth subscription fernet tacacs radius wrapping mailgun anthropic mistral cohere groq deepseek gemini sentry datadog newrelic github gitlab slack algolia pinecone cloudflare mailchimp postmark plaid adyen paypal braintree " + foreignQualifiers,
	roleAbout:     "count counts attempt attempts tries retries length len policy policies required requirement requirements reset expires expiry expired expire expiration exp ttl type kind name names id ids uuid public publishable pub url uri path file filename updated changed changes modified created last at date time timestamp version hint enabled disabled strength kind score valid verified age days limit limits rule rules column prompt address addr help text title description desc status state level levels item items santa garden weapon ingredient algorithm alg algo format index offset size usage used total number scope scopes prefix suffix cache primary foreign sort partition row idempotency lookup routing issuer audience source target history change login notice bucket sync synchronization rotation rotator migration migrator worker queue scheduler ring rings network economy symbol fingerprint thumbprint mint",
	roleDenial:    "has is needs must min max num no show use enable disable require requires forgot with without allow skip hide checksum etag failed failure failures wrong invalid incorrect missing weak error errors validation placeholder label message",
	roleNeutral:   "plain plaintext new old current prod production dev staging default live test env base base64 b64 hex enc encoded my user the db database main usuario utilisateur benutzer utente nueva nuevo nouveau neues nova novo nuova actual atual anterior",
	roleContent:   "value val data payload content contents body v text str string raw",
})

// In many languages what kind of a key it is may stand behind the word: clé_api,
// chave_secreta.
const (
	foreignKeys       = "schluessel schlüssel cle clé clef cles clés chave chaves chiave chiavi llave llaves sleutel klucz anahtar anahtari anahtarı ключ"
	foreignQualifiers = "secrete secrète secretes secreta segreta geheime geheimer geheimes privada privado privée privee privata zugriffs zugangs accès acces acceso acesso accesso dostępu dostepu erisim erişim gizli tajny секретный доступа"
)

var isForeignKey, followsKey = setOf(foreignKeys), setOf("api secret " + foreignQualifiers)

func roles(lists map[wordRole]string) map[string]wordRole {
	out := map[string]wordRole{}
	// Ascending: of two roles the later, more general one gives way.
	for role := roleContent; role > roleOther; role-- {
		start := 0
		list := lists[role] + " "
		for i := range list {
			if list[i] == ' ' {
				if w := list[start:i]; w != "" {
					out[w] = role
				}
				start = i + 1
			}
		}
	}
	return out
}

// runTogether are nouns that names carry at their end without a break.
var runTogether = []struct {
	tail  string
	class nameClass
	not   []string
}{
	{"密码", namePassword, nil}, {"密碼", namePassword, nil}, {"口令", namePassword, nil}, {"パスワード", namePassword, nil}, {"비밀번호", namePassword, nil},
	{"令牌", nameToken, nil}, {"トークン", nameToken, nil}, {"토큰", nameToken, nil}, {"シークレット", nameSecret, nil},
	{"密钥", nameKey, nil}, {"密鑰", nameKey, nil}, {"秘钥", nameKey, nil}, {"私钥", nameKey, nil}, {"秘密鍵", nameKey, nil}, {"秘密キー", nameKey, nil}, {"apiキー", nameKey, nil}, {"비밀키", nameKey, nil},
	{"zugriffsschluessel", nameKey, nil}, {"zugriffsschlüssel", nameKey, nil}, {"zugangsschluessel", nameKey, nil}, {"apischluessel", nameKey, nil}, {"apischlüssel", nameKey, nil}, {"geheimschluessel", nameKey, nil},
	{"password", namePassword, nil}, {"passwd", namePassword, nil}, {"passphrase", namePassword, nil}, {"passcode", namePassword, nil},
	{"pwd", namePassword, []string{"cwd"}},
	{"pass", namePassword, []string{"bypass", "compass", "trespass", "overpass", "underpass", "encompass", "surpass", "skipass", "boardingpass", "seasonpass", "battlepass", "gamepass", "daypass", "reisepass"}},
	{"csrftoken", nameSession, nil}, {"xsrftoken", nameSession, nil}, {"sessiontoken", nameSession, nil}, {"sessionsecret", nameSession, nil},
	{"secret", nameSecret, nil},
	{"token", nameToken, nil},
	{"apikey", nameKey, nil}, {"secretkey", nameKey, nil}, {"privatekey", nameKey, nil}, {"privkey", nameKey, nil}, {"accesskey", nameKey, nil}, {"authkey", nameKey, nil},
	{"accountkey", nameKey, nil}, {"encryptionkey", nameKey, nil}, {"masterkey", nameKey, nil}, {"signingkey", nameKey, nil}, {"sharedaccesskey", nameKey, nil}, {"hmackey", nameKey, nil}, {"secretkeybase", nameSecret, nil},
}

// maxName is how much of a name is looked at, from its end.
const maxName = 96

// classifyName judges a name by its words: split at everything that is no
// letter or digit and where case changes, as in accessToken or APIKey.
func classifyName(name []byte) nameClass {
	if len(name) > maxName {
		name = name[len(name)-maxName:]
	}
	var buf [maxName]byte
	var words [16]struct {
		from, to int
		role     wordRole
	}
	n, at := 0, 0
	start := 0
	flush := func() {
		if at > start {
			if n == len(words) {
				copy(words[:], words[1:])
				n--
			}
			words[n].from, words[n].to, words[n].role = start, at, roleOf(buf[start:at])
			n++
		}
		start = at
	}
	for i, b := range name {
		switch {
		case b >= 'A' && b <= 'Z':
			prevLow := i > 0 && (name[i-1] >= 'a' && name[i-1] <= 'z' || name[i-1] >= '0' && name[i-1] <= '9')
			endOfCaps := i > 0 && name[i-1] >= 'A' && name[i-1] <= 'Z' && i+1 < len(name) && name[i+1] >= 'a' && name[i+1] <= 'z'
			if prevLow || endOfCaps {
				flush()
			}
			buf[at] = lower(b)
			at++
		case b >= 'a' && b <= 'z', b >= '0' && b <= '9', b >= 0x80:
			buf[at] = b
			at++
		default:
			flush()
		}
	}
	flush()
	if n == 0 {
		return nameNone
	}
	if n == 1 && words[0].role == roleContent {
		return nameNeutral
	}

	if isCookieName(name) {
		return nameSession
	}
	session, csrf, hash, qualified, about, bare, vague := false, false, false, false, false, false, false
	class := nameNone
	for i := range n {
		w := buf[words[i].from:words[i].to]
		role := words[i].role
		noun := nameNone
		switch role {
		case rolePassword:
			if i > 0 && isOtherPass(w, buf[words[i-1].from:words[i-1].to]) {
				continue
			}
			noun, vague = namePassword, string(w) == "clave"
		case roleSecret:
			noun = nameSecret
			qualified = true
		case roleToken:
			if i > 0 && tokenKinds[string(buf[words[i-1].from:words[i-1].to])] {
				class = nameNone
				continue
			}
			noun = nameToken
			qualified = true
		case roleKey:
			if qualified && !about {
				noun = nameKey
			} else {
				class, bare = nameNone, isForeignKey[string(w)]
			}
		case roleSeed:
			noun = max(class, nameSeed)
		case roleHash:
			hash = true
			if class == namePassword || class == nameNone {
				continue
			}
		case roleSession:
			session = true
			csrf = csrf || isGuard(w)
			continue
		case roleQualifier:
			qualified = true
			if bare && followsKey[string(w)] {
				class = nameKey
			}
			continue
		case roleDenial:
			return nameNone
		case roleAbout:
			about = true
			class = nameNone
			continue
		case roleNeutral, roleContent:
			continue
		default:
			if noun = tailClass(w); noun == nameNone {
				if vague { // clave_articulo: the code of an item
					class = nameNone
				}
				continue
			}
		}
		if noun != nameNone {
			class = noun
			about = false
		}
	}
	if class == namePassword && hash {
		return nameHash
	}
	if class == nameNone && hash && qualified && !about {
		return nameSession // Django's _auth_user_hash
	}
	if session && (class == nameToken || class == nameSecret || class == nameKey) {
		return nameSession
	}
	if class == nameNone && csrf && !about {
		return nameSession
	}
	return class
}

// isOtherPass reports whether a word with another before it is something else than a
// password: boarding_pass, palabra_clave, which is a keyword.
func isOtherPass(w, before []byte) bool {
	switch string(w) {
	case "pass":
		return passKinds[string(before)]
	case "clave":
		return bytes.HasPrefix(before, []byte("palabra"))
	}
	return false
}

// isVague reports whether a name may mean a password or a code: clave.
func isVague(name []byte) bool { return hasFold(name, "clave") }

// passKinds make of a pass something else than a password: a ticket, or a run of a
// compiler. tokenKinds make of a token a place in a list, a lock or a piece of text.
var (
	passKinds = setOf("boarding battle season ski day week weekly month monthly daily annual bus train rail travel transit visitor event vip fast game gate festival museum " +
		"park parking gym class first second third render shadow compiler multi single low high band tests")
	tokenKinds = setOf("page next prev previous continuation continue pagination cursor resume scroll skip sync lock redlock fencing idempotency dedup dedupe pad eos bos unk sep cls mask prompt completion")
)

// isCookieName recognises the cookies in which frameworks keep a session's id.
func isCookieName(name []byte) bool {
	for _, cookie := range [...]string{"phpsessid", "jsessionid", "connect.sid", "asp.net_sessionid"} {
		if len(name) == len(cookie) && foldPrefix(name, cookie) {
			return true
		}
	}
	return false
}

// isGuard recognises the words that name an anti-forgery token without saying
// token.
func isGuard(w []byte) bool {
	switch string(w) {
	case "csrf", "xsrf", "antiforgery":
		return true
	}
	return false
}

// roleOf looks a word up, without the number that it may end in: password2.
func roleOf(w []byte) wordRole {
	if role, ok := nameWords[string(w)]; ok {
		return role
	}
	if !isASCII(w) {
		return nameWords[strings.ToLower(string(w))]
	}
	n := len(w)
	for n > 0 && isDigit(w[n-1]) {
		n--
	}
	return nameWords[string(w[:n])]
}

func tailClass(w []byte) nameClass {
	for _, t := range runTogether {
		if len(w) >= len(t.tail) && string(w[len(w)-len(t.tail):]) == t.tail {
			for _, not := range t.not {
				if len(w) >= len(not) && string(w[len(w)-len(not):]) == not {
					return nameNone
				}
			}
			return t.class
		}
	}
	return nameNone
}

// lastSegment returns the place and length of the part of a key that names its
// value: behind the last colon, slash or bar, identifiers left out, as in
// reset_token:8f31c0aa9d.
func lastSegment(key []byte) (at, n int) {
	for end := len(key); end > 0; {
		i := end - 1
		for i >= 0 && key[i] != ':' && key[i] != '/' && key[i] != '|' {
			i--
		}
		if i+1 < end && !looksLikeID(key[i+1:end]) {
			return i + 1, end - i - 1
		}
		if end = i; end < 0 {
			break
		}
	}
	return 0, 0
}

// oneTimeNames are of keys that hold what a link in a mail carries, and a login
// for whoever has it: reset:<who>. Without separators.
var oneTimeNames = setOf("reset resetpassword resetpw passwordreset pwreset pwdreset forgot forgotpassword passwordforgot recover recovery accountrecovery verify verification " +
	"verifyemail emailverify emailverification confirmation confirmemail emailconfirm emailconfirmation activate activation magic magiclink loginlink passwordless onetime")

// isOneTime reports whether a part of a key is one of these names.
func isOneTime(seg []byte) bool {
	var word [32]byte
	n := 0
	for _, b := range seg {
		if isAlnum(b) && n < len(word) {
			word[n] = lower(b)
			n++
		}
	}
	return oneTimeNames[string(word[:n])]
}

// looksLikeID reports whether a part of a key counts or identifies something or
// somebody rather than naming it: mostly digits, hex, or an address.
func looksLikeID(seg []byte) bool {
	if bytes.IndexByte(seg, '@') > 0 {
		return true
	}
	digits, hex := 0, 0
	for _, b := range seg {
		if b >= '0' && b <= '9' {
			digits++
			hex++
		} else if lower(b) >= 'a' && lower(b) <= 'f' || b == '-' {
			hex++
		}
	}
	return digits*2 > len(seg) || hex == len(seg) && digits > 0
}

// isAccount recognises the name of somebody, or of something that is counted, by
// the number at its end: user17, tenant-4.
func isAccount(seg []byte) bool {
	n := len(seg)
	for n > 0 && isDigit(seg[n-1]) {
		n--
	}
	return n > 0 && n < len(seg) && run(seg, 0, n, func(b byte) bool { return isLetter(b) || b == '-' || b == '_' || b == '.' }) == n
}

// isLock reports whether a part of a key says that it holds a lock: its value is
// whoever holds it.
func isLock(key []byte) bool {
	for seg := range bytes.SplitSeq(key, []byte(":")) {
		switch string(bytes.ToLower(seg)) {
		case "lock", "locks", "mutex", "redlock", "semaphore", "lease", "leases", "leader", "election":
			return true
		}
	}
	return false
}
