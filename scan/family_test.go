package scan

import (
	"strings"
	"testing"
)

func TestConnectionFamily(t *testing.T) {
	pw := random("pw", 16, alnumAlphabet)
	azure := "DefaultEndpointsProtocol=https;AccountName=rkouya;Account" + "Key=" + random("az", 86, stdAlphabet) + "==;EndpointSuffix=core.windows.net"
	testFamily(t, []familyCase{
		{name: "postgres", value: "postgres://svc_app:" + pw + "@db1.internal:5432/app", rule: "connection-string"},
		{name: "mongodb with options", value: "mongodb+srv://svc_app:" + pw + "@cluster0.ab1cd.mongodb.net/prod?retryWrites=true", rule: "mongodb-connection-string"},
		{name: "redis without a user", value: "redis://:" + pw + "@10.0.0.7:6379/0", rule: "connection-string"},
		{name: "in a sentence", value: "see amqp://q:" + pw + "@mq.internal/v1, then go on", rule: "connection-string", secret: "amqp://q:" + pw + "@mq.internal/v1"},
		{name: "caret in the password", value: "postgres://svc_app:" + pw + "^x@db1.internal/app", rule: "connection-string"},
		{name: "web", value: "https://svc_app:" + pw + "@artifacts.internal/repo", rule: "basic-auth-url"},
		{name: "git remote", value: "url = https://oauth2:" + pw + "@git.internal/a/b.git\n", rule: "basic-auth-url", secret: "https://oauth2:" + pw + "@git.internal/a/b.git"},
		{name: "azure", value: azure, rule: "azure-storage-account-key"},
		{name: "azure in an assignment", value: "CONN=" + azure + "\nX=1", rule: "azure-storage-account-key", secret: azure},

		{name: "no password", value: "ssh://git@git.internal:22/team/app.git"},
		{name: "no user", value: "postgres://db1.internal:5432/app"},
		{name: "plain", value: "https://cdn.synthetic.test/a/9fb519e5510db85ca300.js"},
		{name: "at sign in the path", value: "https://medium.test/@someone/a:b@c"},
		{name: "example", value: "postgres://user:" + "password@localhost/db"},
		{name: "variable", value: "postgres://app:${DB_PASSWORD}@db/app"},
		{name: "stars", value: "redis://default:***@cache:6379"},
		{name: "syntax", value: "scheme://[user:passwd@]proxy.server:port"},
	})
}

func TestHashFamily(t *testing.T) {
	salt, b := random("salt", 22, alnumAlphabet), random("hash", 43, alnumAlphabet)
	testFamily(t, []familyCase{
		{name: "bcrypt", value: bcryptHash("b"), rule: "password-hash-bcrypt"},
		{name: "bcrypt of Spring", value: "{bcrypt}" + bcryptHash("s"), rule: "password-hash-bcrypt"},
		{name: "bcrypt in a form", value: "h=" + strings.ReplaceAll(bcryptHash("f"), "$", "%24"), rule: "password-hash-bcrypt", secret: bcryptHash("f")},
		{name: "argon2", value: "$argon" + "2id$v=19$m=65536,t=3,p=4$" + salt + "$" + b, rule: "password-hash-argon2"},
		{name: "django pbkdf2", value: "pbkdf2" + "_sha256$600000$" + salt + "$" + b + "=", rule: "password-hash-pbkdf2"},
		{name: "werkzeug pbkdf2", value: "pbkdf2" + ":sha256:260000$" + salt + "$" + random("w", 64, hexAlphabet), rule: "password-hash-pbkdf2"},
		{name: "werkzeug scrypt", value: "scrypt" + ":32768:8:1$" + salt + "$" + random("w", 128, hexAlphabet), rule: "password-hash-scrypt"},
		{name: "phpass", value: "$P" + "$B" + random("pp", 30, cryptAlphabet), rule: "password-hash-phpass"},
		{name: "sha512crypt", value: "root:$6" + "$" + random("sc", 8, cryptAlphabet) + "$" + random("sc2", 86, cryptAlphabet) + ":19000:0", rule: "password-hash-crypt",
			secret: "$6" + "$" + random("sc", 8, cryptAlphabet) + "$" + random("sc2", 86, cryptAlphabet)},
		{name: "yescrypt", value: "$y" + "$j9T$" + salt + "$" + random("ye", 43, cryptAlphabet), rule: "password-hash-crypt"},
		{name: "ldap", value: "{SS" + "HA}" + random("ld", 32, stdAlphabet), rule: "password-hash-ldap"},
		{name: "scram", value: "SCRAM" + "-SHA-256$4096:" + random("a", 24, stdAlphabet) + "$" + random("b", 43, stdAlphabet) + "=:" + random("c", 43, stdAlphabet) + "=", rule: "password-hash-scram"},
		{name: "django sha1", value: "sha1" + "$" + salt[:8] + "$" + random("s1", 40, hexAlphabet), rule: "password-hash-django"},

		{name: "changelog", value: "{shaping => shape}/data/aots/fonts/classdef1_font1.otf"},
		{name: "bcrypt cut short", value: bcryptHash("b")[:50]},
		{name: "name of a function", value: "pbkdf2_hmac is slow, argon2id$ is not"},
		{name: "price", value: "costs $6$ or $1$ each"},
	})
}

func TestPrivateKeyFamily(t *testing.T) {
	key := privateKeyPEM(t)
	escaped := strings.ReplaceAll(key, "\n", `\n`)
	public := strings.ReplaceAll(key, "PRIVATE", "PUBLIC")
	testFamily(t, []familyCase{
		{name: "PKCS#8", value: key, rule: "private-key"},
		{name: "in JSON", value: `{"type": "service_account", "private_key": "` + escaped + `"}`, rule: "private-key", secret: key},
		{name: "with escaped line breaks", value: "DEPLOY_KEY=" + escaped + " x", rule: "private-key", secret: key},
		{name: "in text", value: "key:\n" + key + "and more", rule: "private-key", secret: key},
		{name: "public key", value: public},
		{name: "documentation", value: "-----BEGIN RSA PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----"},
		{name: "public ssh key", value: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + random("e", 43, stdAlphabet) + " git@host"},
	})
}

func TestJWTFamily(t *testing.T) {
	token := jwtToken("j", `{"sub":"42","exp":1900000000}`)
	testFamily(t, []familyCase{
		{name: "alone", value: token, rule: "jwt"},
		{name: "in a header", value: "Bearer " + token + "\n", rule: "jwt", secret: token},
		{name: "in JSON", value: `{"id_token":"` + token + `"}`, rule: "jwt", secret: token},
		{name: "cut short", value: "eyJmb28.PH3TqC513r03.Iq1vfebCg8"},
		{name: "base64 of JSON", value: "eyJhIjoxfQ.eyJhIjoxfQ"},
	})
	found := findingsIn(t, "k", token)
	if len(found) != 1 || found[0].ExpiresAt != "2030-03-17T17:46:40Z" || found[0].TTLBasis != "token" {
		t.Errorf("expiry of the token not taken over: %s", brief(found))
	}
}

func TestValkeyFamily(t *testing.T) {
	pw := random("vk", 18, alnumAlphabet)
	testFamily(t, []familyCase{
		{name: "requirepass", value: "port 6379\nrequirepass " + pw + "\nappendonly yes", rule: "valkey-password", secret: pw},
		{name: "quoted", value: `masterauth "` + pw + `"`, rule: "valkey-password", secret: pw},
		{name: "config set", value: "CONFIG SET requirepass " + pw, rule: "valkey-password", secret: pw},
		{name: "sentinel", value: "sentinel auth-pass mymaster " + pw, rule: "valkey-password", secret: pw},
		{name: "redis-cli", value: "redis-cli -h cache -a " + pw + " ping", rule: "valkey-password", secret: pw},
		{name: "acl", value: "user app on >" + pw + " ~* +@all", rule: "valkey-acl-password", secret: pw},
		{name: "acl hash", value: "user app on #" + random("ah", 64, hexAlphabet) + " ~* +@all", rule: "valkey-acl-hash", secret: random("ah", 64, hexAlphabet)},
		{name: "commented default", value: "# requirepass " + "foobared"},
		{name: "about it", value: "the requirepass directive sets it"},
		{name: "quotation", value: "> said the user >hello"},
	})
}

func TestPersonalData(t *testing.T) {
	visa, master := cardNumber("4539", "v", 16), cardNumber("52", "m", 16)
	spaced := visa[:4] + " " + visa[4:8] + " " + visa[8:12] + " " + visa[12:]
	wrong := []byte(visa)
	wrong[15] = '0' + (wrong[15]-'0'+1)%10
	german := ibanNumber("DE", random("de", 18, digitAlphabet))
	british := ibanNumber("GB", "NWBK"+random("gb", 14, digitAlphabet))
	testFamily(t, []familyCase{
		{name: "visa", value: visa, rule: "card-number"},
		{name: "under a neutral name", field: "note", value: visa, rule: "card-number"},
		{name: "of an order", field: "orderId", value: visa},
		{name: "a place", field: "geohash", value: visa},
		{name: "an invoice", field: "invoice_no", value: visa},
		{name: "a count", field: "bytes_total", value: visa},
		{name: "a number of a card", field: "card_id", value: visa, rule: "card-number"},
		{name: "mastercard in JSON", value: `{"pan": ` + master + `}`, rule: "card-number", secret: master},
		{name: "with spaces", value: "card " + spaced + " exp 09/29", rule: "card-number", secret: spaced},
		{name: "wrong check digit", value: string(wrong)},
		{name: "test card", value: "4111111111111111"},
		{name: "inside a longer number", value: visa + "77"},
		{name: "microseconds", value: "1760742817406921"},
		{name: "iban", value: german, rule: "iban"},
		{name: "british iban", value: "IBAN: " + british + ".", rule: "iban", secret: british},
		{name: "iban in groups", value: german[:4] + " " + german[4:8] + " " + german[8:12] + " " + german[12:16] + " " + german[16:20] + " " + german[20:], rule: "iban"},
		{name: "wrong iban", value: german[:21] + string('0'+(german[21]-'0'+1)%10)},
		{name: "e-mail", value: "ivy.novak@inbox.test", rule: "email"},
		{name: "e-mail in text", value: "From: Ivy <ivy.novak@inbox.test>", rule: "email", secret: "ivy.novak@inbox.test"},
		{name: "example e-mail", value: "user@example.com"},
		{name: "no domain", value: "git@host"},
		{name: "module", value: "toolchain@v0.0.1-go1.999testmod.android-arm"},
		{name: "name in code", value: "m.Path@m.Version"},
		{name: "image", value: "logo@2x.png"},
	})
}
