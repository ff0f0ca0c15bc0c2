package generated

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/fixtures"
)

// maker makes random things. The same seed makes the same.
type maker struct{ fixtures.Random }

const url64 = fixtures.Alphanum + "-_"

func (m maker) pick(s ...string) string { return s[m.IntN(len(s))] }

var words = strings.Fields("anchor basil cedar delta ember falcon garnet harbor indigo juniper kettle lantern meadow nectar orchid pepper quartz raven saddle timber umber velvet walnut yonder zephyr")

func (m maker) word() string { return words[m.IntN(len(words))] }

func title(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// A category is one kind of secret. Secrets of a known format are found under any
// name; the others only under one that says what they are.
type category struct {
	name    string
	generic bool
	names   []string // of fields that hold one
	make    func(m maker) string
}

var neutral = []string{"value", "note", "data", "output", "x", "content", "line", "result", "v1", "extra"}

func (m maker) password() string {
	switch m.IntN(5) {
	case 0:
		return m.From(fixtures.Alphanum, 8+m.IntN(8)) + m.From("!#%*+-?@_", 1) + m.From(fixtures.Alphanum, 4)
	case 1:
		return title(m.word()) + m.From(fixtures.Digits, 2+m.IntN(3)) + m.From("!?#*", 1)
	case 2:
		return m.word() + "-" + m.word() + "-" + m.word() + "-" + m.word() + m.From(fixtures.Digits, 2)
	case 3:
		return m.From(fixtures.Lower, 3) + m.From(fixtures.Upper, 3) + m.From(fixtures.Digits, 3) + m.From(fixtures.Alphanum, 3+m.IntN(4))
	}
	return title(m.word()) + m.From("$&_.", 1) + m.word() + m.From(fixtures.Digits, 2)
}

func (m maker) random() string {
	switch m.IntN(4) {
	case 0:
		return m.Hex(64)
	case 1:
		return m.From(fixtures.Alphanum, 40+m.IntN(24))
	case 2:
		return base64.StdEncoding.EncodeToString(m.Bytes(32))
	}
	return base64.RawURLEncoding.EncodeToString(m.Bytes(32))
}

func (m maker) jwt() string {
	part := func(v any) string {
		b, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	text := part(map[string]any{"alg": "HS256", "typ": "JWT"}) + "." + part(map[string]any{"sub": m.UUID(), "iat": 1700000000 + m.IntN(1e7), "exp": 1900000000 + m.IntN(1e7), "scope": "read"})
	h := hmac.New(sha256.New, m.Bytes(32))
	h.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

func (m maker) privateKey() string {
	if m.IntN(2) == 0 {
		der, _ := x509.MarshalPKCS8PrivateKey(ed25519.NewKeyFromSeed(m.Bytes(32)))
		return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE" + " KEY", Bytes: der}))
	}
	curve := elliptic.P256()
	d := m.Bytes(32)
	d[0] = 0x0f
	key, err := ecdsa.ParseRawPrivateKey(curve, d)
	if err != nil {
		panic(err)
	}
	der, _ := x509.MarshalECPrivateKey(key)
	return string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE" + " KEY", Bytes: der}))
}

func (m maker) hash() string {
	const itoa64 = "./" + fixtures.Alphanum
	switch m.IntN(5) {
	case 0:
		return "$2b$12$" + m.From(itoa64, 21) + m.From(".Oeu", 1) + m.From(itoa64, 30) + m.From(".Oeu", 1)
	case 1:
		return "$argon2id$v=19$m=65536,t=3,p=4$" + base64.RawStdEncoding.EncodeToString(m.Bytes(16)) + "$" + base64.RawStdEncoding.EncodeToString(m.Bytes(32))
	case 2:
		return "pbkdf2_sha256$600000$" + m.From(fixtures.Alphanum, 22) + "$" + base64.StdEncoding.EncodeToString(m.Bytes(32))
	case 3:
		return "$6$" + m.From(itoa64, 16) + "$" + m.From(itoa64, 86)
	}
	return "$P$B" + m.From(itoa64, 30)
}

// The formats are those that the services document, or that their clients check.
var categories = []category{
	{"github-token", false, neutral, func(m maker) string {
		return "gh" + m.pick("p", "o", "s", "u") + "_" + fixtures.Checked62(m.From(fixtures.Alphanum, 30))
	}},
	{"npm-token", false, neutral, func(m maker) string { return "np" + "m_" + fixtures.Checked62(m.From(fixtures.Alphanum, 30)) }},
	{"gitlab-token", false, neutral, func(m maker) string { return "gl" + "pat-" + m.From(url64[:63], 20) }},
	{"slack-token", false, neutral, func(m maker) string {
		return "xo" + "xb-" + m.From("123456789", 1) + m.From(fixtures.Digits, 11) + "-" + m.From("123456789", 1) + m.From(fixtures.Digits, 12) + "-" + m.From(fixtures.Alphanum, 24)
	}},
	{"slack-webhook", false, neutral, func(m maker) string {
		return "https://hooks.slack." + "com/services/T" + m.From(fixtures.Digits+fixtures.Upper, 10) + "/B" + m.From(fixtures.Digits+fixtures.Upper, 10) + "/" + m.From(fixtures.Alphanum, 24)
	}},
	{"stripe-key", false, neutral, func(m maker) string {
		return m.pick("sk", "rk") + "_li" + "ve_" + m.From(fixtures.Alphanum, 24+75*m.IntN(2))
	}},
	{"stripe-webhook-secret", false, neutral, func(m maker) string { return "wh" + "sec_" + m.From(fixtures.Alphanum, 32) }},
	{"openai-key", false, neutral, func(m maker) string {
		return "s" + "k-" + "proj-" + m.From(fixtures.Alphanum, 74) + "T3Blbk" + "FJ" + m.From(fixtures.Alphanum, 74)
	}},
	{"anthropic-key", false, neutral, func(m maker) string { return "sk-" + "ant-api03-" + m.From(url64, 93) + "AA" }},
	{"google-api-key", false, neutral, func(m maker) string { return "AI" + "za" + m.From(url64, 35) }},
	{"sendgrid-key", false, neutral, func(m maker) string { return "S" + "G." + m.From(url64, 22) + "." + m.From(url64, 43) }},
	{"pypi-token", false, neutral, func(m maker) string { return "pypi-" + "AgEIcHlwaS5vcmc" + m.From(url64, 150) }},
	{"twilio-key", false, neutral, func(m maker) string { return "S" + "K" + m.Hex(32) }},
	{"telegram-bot-token", false, neutral, func(m maker) string {
		return m.From("123456789", 1) + m.From(fixtures.Digits, 9) + ":A" + "A" + m.From(url64, 33)
	}},
	{"huggingface-token", false, neutral, func(m maker) string { return "h" + "f_" + m.From(fixtures.Upper+fixtures.Lower, 34) }},
	{"digitalocean-token", false, neutral, func(m maker) string { return "dop" + "_v1_" + m.Hex(64) }},
	{"shopify-token", false, neutral, func(m maker) string { return "shp" + "at_" + m.Hex(32) }},
	{"azure-storage", false, neutral, func(m maker) string {
		return "DefaultEndpointsProtocol=https;AccountName=" + m.word() + m.From(fixtures.Digits, 3) + ";AccountKey=" + base64.StdEncoding.EncodeToString(m.Bytes(64)) + ";EndpointSuffix=core.windows.net"
	}},
	{"aws-access-key-id", false, neutral, func(m maker) string { return "AK" + "IA" + m.From(fixtures.Upper+"234567", 16) }},
	{"jwt", false, neutral, maker.jwt},
	{"private-key", false, neutral, maker.privateKey},
	{"password-hash", false, neutral, maker.hash},
	{"db-url", false, neutral, func(m maker) string {
		return m.pick("postgres", "mysql", "mongodb", "redis", "amqp") + "://" + m.word() + ":" + m.From(fixtures.Alphanum, 16) + "@" + m.word() + ".internal:5432/" + m.word()
	}},
	{"basic-auth-url", false, neutral, func(m maker) string {
		return "https://" + m.word() + ":" + m.From(fixtures.Alphanum, 18) + "@" + m.word() + ".example.org/repo"
	}},
	{"vendor-token", false, neutral, func(m maker) string {
		return m.pick("hvb"+".AAAAAQ"+m.From(fixtures.Alphanum, 140), "tvly"+"-"+m.From(fixtures.Alphanum, 32), "CFPAT"+"-"+m.From(fixtures.Alphanum, 43), "xnd"+"_production_"+m.From(fixtures.Alphanum, 58),
			"nfp"+"_"+m.From(fixtures.Alphanum, 36), "jina"+"_"+m.From(fixtures.Alphanum, 60), "pat"+"-na1-"+m.UUID(), "pat"+m.From(fixtures.Alphanum, 14)+"."+m.Hex(64))
	}},
	{"password-hash-dumped", false, neutral, func(m maker) string {
		return m.pick("$krb5"+"tgs$23$*svc$CORP$http/a*$"+m.Hex(32)+"$"+m.Hex(400), "0x0200"+m.Hex(136))
	}},
	{"oauth-token", true, []string{"access_token", "refresh_token", "accessToken", "refreshToken", "oauth_token", "id_token", "bearer_token", "auth_token"},
		func(m maker) string { return m.From(fixtures.Alphanum, 40+m.IntN(30)) }},
	{"password-field", true, []string{"password", "passwd", "db_password", "smtp_pass", "userPassword", "admin_pwd", "MYSQL_ROOT_PASSWORD", "passphrase", "adminPassword", "ldap_bind_password", "spring.datasource.password", "PGPASSWORD"}, maker.password},
	{"session-secret", true, []string{"session_secret", "SECRET_KEY_BASE", "csrf_token", "cookie_secret", "sessionSecret", "SECRET_KEY", "jwt_secret", "csrfToken", "signing_secret", "_csrf_token"}, maker.random},
	{"api-key-generic", true, []string{"api_key", "apikey", "apiKey", "x-api-key", "API_KEY", "service_key", "client_secret", "private_token", "api_secret", "secretAccessKey", "encryption_key"},
		func(m maker) string {
			return m.pick(m.Hex(32), m.From(fixtures.Alphanum, 32), m.From(fixtures.Alphanum, 40), m.From(url64, 43))
		}},
}
