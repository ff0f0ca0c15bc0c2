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
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"strings"
)

// maker makes random things. The same seed makes the same.
type maker struct{ *rand.Rand }

const (
	digits   = "0123456789"
	lower    = "abcdefghijklmnopqrstuvwxyz"
	upper    = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	alphanum = digits + upper + lower
	url64    = alphanum + "-_"
)

func (m maker) from(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[m.IntN(len(alphabet))]
	}
	return string(b)
}

func (m maker) hex(n int) string        { return m.from("0123456789abcdef", n) }
func (m maker) pick(s ...string) string { return s[m.IntN(len(s))] }

func (m maker) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(m.Uint32())
	}
	return b
}

func (m maker) uuid() string {
	return fmt.Sprintf("%s-%s-4%s-%s%s-%s", m.hex(8), m.hex(4), m.hex(3), m.from("89ab", 1), m.hex(3), m.hex(12))
}

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

// base62CRC is the checksum of GitHub's and npm's tokens.
func base62CRC(body string) string {
	sum, check := crc32.ChecksumIEEE([]byte(body)), make([]byte, 6)
	for i := range check {
		check[5-i] = (digits + upper + lower)[sum%62]
		sum /= 62
	}
	return string(check)
}

func (m maker) password() string {
	switch m.IntN(5) {
	case 0:
		return m.from(alphanum, 8+m.IntN(8)) + m.from("!#%*+-?@_", 1) + m.from(alphanum, 4)
	case 1:
		return title(m.word()) + m.from(digits, 2+m.IntN(3)) + m.from("!?#*", 1)
	case 2:
		return m.word() + "-" + m.word() + "-" + m.word() + "-" + m.word() + m.from(digits, 2)
	case 3:
		return m.from(lower, 3) + m.from(upper, 3) + m.from(digits, 3) + m.from(alphanum, 3+m.IntN(4))
	}
	return title(m.word()) + m.from("$&_.", 1) + m.word() + m.from(digits, 2)
}

func (m maker) random() string {
	switch m.IntN(4) {
	case 0:
		return m.hex(64)
	case 1:
		return m.from(alphanum, 40+m.IntN(24))
	case 2:
		return base64.StdEncoding.EncodeToString(m.bytes(32))
	}
	return base64.RawURLEncoding.EncodeToString(m.bytes(32))
}

func (m maker) jwt() string {
	part := func(v any) string {
		b, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	text := part(map[string]any{"alg": "HS256", "typ": "JWT"}) + "." + part(map[string]any{"sub": m.uuid(), "iat": 1700000000 + m.IntN(1e7), "exp": 1900000000 + m.IntN(1e7), "scope": "read"})
	h := hmac.New(sha256.New, m.bytes(32))
	h.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

func (m maker) privateKey() string {
	if m.IntN(2) == 0 {
		der, _ := x509.MarshalPKCS8PrivateKey(ed25519.NewKeyFromSeed(m.bytes(32)))
		return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE" + " KEY", Bytes: der}))
	}
	curve := elliptic.P256()
	d := m.bytes(32)
	d[0] = 0x0f
	key, err := ecdsa.ParseRawPrivateKey(curve, d)
	if err != nil {
		panic(err)
	}
	der, _ := x509.MarshalECPrivateKey(key)
	return string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE" + " KEY", Bytes: der}))
}

func (m maker) hash() string {
	const itoa64 = "./" + alphanum
	switch m.IntN(5) {
	case 0:
		return "$2b$12$" + m.from(itoa64, 21) + m.from(".Oeu", 1) + m.from(itoa64, 30) + m.from(".Oeu", 1)
	case 1:
		return "$argon2id$v=19$m=65536,t=3,p=4$" + base64.RawStdEncoding.EncodeToString(m.bytes(16)) + "$" + base64.RawStdEncoding.EncodeToString(m.bytes(32))
	case 2:
		return "pbkdf2_sha256$600000$" + m.from(alphanum, 22) + "$" + base64.StdEncoding.EncodeToString(m.bytes(32))
	case 3:
		return "$6$" + m.from(itoa64, 16) + "$" + m.from(itoa64, 86)
	}
	return "$P$B" + m.from(itoa64, 30)
}

// The formats are those that the services document, or that their clients check.
var categories = []category{
	{"github-token", false, neutral, func(m maker) string {
		body := m.from(alphanum, 30)
		return "gh" + m.pick("p", "o", "s", "u") + "_" + body + base62CRC(body)
	}},
	{"npm-token", false, neutral, func(m maker) string {
		body := m.from(alphanum, 30)
		return "np" + "m_" + body + base62CRC(body)
	}},
	{"gitlab-token", false, neutral, func(m maker) string { return "gl" + "pat-" + m.from(url64[:63], 20) }},
	{"slack-token", false, neutral, func(m maker) string {
		return "xo" + "xb-" + m.from("123456789", 1) + m.from(digits, 11) + "-" + m.from("123456789", 1) + m.from(digits, 12) + "-" + m.from(alphanum, 24)
	}},
	{"slack-webhook", false, neutral, func(m maker) string {
		return "https://hooks.slack." + "com/services/T" + m.from(digits+upper, 10) + "/B" + m.from(digits+upper, 10) + "/" + m.from(alphanum, 24)
	}},
	{"stripe-key", false, neutral, func(m maker) string { return m.pick("sk", "rk") + "_li" + "ve_" + m.from(alphanum, 24+75*m.IntN(2)) }},
	{"stripe-webhook-secret", false, neutral, func(m maker) string { return "wh" + "sec_" + m.from(alphanum, 32) }},
	{"openai-key", false, neutral, func(m maker) string {
		return "s" + "k-" + "proj-" + m.from(alphanum, 74) + "T3Blbk" + "FJ" + m.from(alphanum, 74)
	}},
	{"anthropic-key", false, neutral, func(m maker) string { return "sk-" + "ant-api03-" + m.from(url64, 93) + "AA" }},
	{"google-api-key", false, neutral, func(m maker) string { return "AI" + "za" + m.from(url64, 35) }},
	{"sendgrid-key", false, neutral, func(m maker) string { return "S" + "G." + m.from(url64, 22) + "." + m.from(url64, 43) }},
	{"pypi-token", false, neutral, func(m maker) string { return "pypi-" + "AgEIcHlwaS5vcmc" + m.from(url64, 150) }},
	{"twilio-key", false, neutral, func(m maker) string { return "S" + "K" + m.hex(32) }},
	{"telegram-bot-token", false, neutral, func(m maker) string {
		return m.from("123456789", 1) + m.from(digits, 9) + ":A" + "A" + m.from(url64, 33)
	}},
	{"huggingface-token", false, neutral, func(m maker) string { return "h" + "f_" + m.from(upper+lower, 34) }},
	{"digitalocean-token", false, neutral, func(m maker) string { return "dop" + "_v1_" + m.hex(64) }},
	{"shopify-token", false, neutral, func(m maker) string { return "shp" + "at_" + m.hex(32) }},
	{"azure-storage", false, neutral, func(m maker) string {
		return "DefaultEndpointsProtocol=https;AccountName=" + m.word() + m.from(digits, 3) + ";AccountKey=" + base64.StdEncoding.EncodeToString(m.bytes(64)) + ";EndpointSuffix=core.windows.net"
	}},
	{"aws-access-key-id", false, neutral, func(m maker) string { return "AK" + "IA" + m.from(upper+"234567", 16) }},
	{"jwt", false, neutral, maker.jwt},
	{"private-key", false, neutral, maker.privateKey},
	{"password-hash", false, neutral, maker.hash},
	{"db-url", false, neutral, func(m maker) string {
		return m.pick("postgres", "mysql", "mongodb", "redis", "amqp") + "://" + m.word() + ":" + m.from(alphanum, 16) + "@" + m.word() + ".internal:5432/" + m.word()
	}},
	{"basic-auth-url", false, neutral, func(m maker) string {
		return "https://" + m.word() + ":" + m.from(alphanum, 18) + "@" + m.word() + ".example.org/repo"
	}},
	{"oauth-token", true, []string{"access_token", "refresh_token", "accessToken", "refreshToken", "oauth_token", "id_token", "bearer_token", "auth_token"},
		func(m maker) string { return m.from(alphanum, 40+m.IntN(30)) }},
	{"password-field", true, []string{"password", "passwd", "db_password", "smtp_pass", "userPassword", "admin_pwd", "MYSQL_ROOT_PASSWORD", "passphrase", "adminPassword", "ldap_bind_password", "spring.datasource.password", "PGPASSWORD"}, maker.password},
	{"session-secret", true, []string{"session_secret", "SECRET_KEY_BASE", "csrf_token", "cookie_secret", "sessionSecret", "SECRET_KEY", "jwt_secret", "csrfToken", "signing_secret", "_csrf_token"}, maker.random},
	{"api-key-generic", true, []string{"api_key", "apikey", "apiKey", "x-api-key", "API_KEY", "service_key", "client_secret", "private_token", "api_secret", "secretAccessKey", "encryption_key"},
		func(m maker) string {
			return m.pick(m.hex(32), m.from(alphanum, 32), m.from(alphanum, 40), m.from(url64, 43))
		}},
}
