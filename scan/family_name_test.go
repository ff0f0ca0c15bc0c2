package scan

import (
	"encoding/base64"
	hexadecimal "encoding/hex"
	"strings"
	"testing"
)

func TestClassifyName(t *testing.T) {
	for class, names := range map[nameClass]string{
		namePassword: "password passwd db_password DB_PASSWORD smtpPass userPassword password2 mysql_pwd user_passphrase dbpassword admin.password passwords root_pw пароля Пароль parolă mật_khẩu كلمة_المرور รหัสผ่าน geslo",
		nameSecret:   "secret client_secret clientSecret app_secret webhook_secret credentials aws_secret secret_value",
		nameToken:    "token access_token accessToken refresh-token auth_token id_token bearer_token authtoken reset_token password_reset_token jwt",
		nameKey:      "api_key apiKey API_KEY apikey secret_key private_key encryptionKey aws_access_key x-api-key stripe_key SECRET_KEY_BASE activation_key privkey",
		nameHash:     "password_hash hashed_password encrypted_password passwordHash",
		nameSession:  "csrf_token csrfToken _csrf csrfSecret session_token session_secret _auth_user_hash xsrf_token",
		nameNone: "key name user id password_count password_attempts password_reset_required token_type token_expires key_id secret_name public_key publicKey cache_key " +
			"primary_key idempotency_key passport compass bypass monkey keyboard token_count access_key_id has_password password_policy tokens_used session_id email sort_key api_key_id " +
			"password_updated_at last_password_change secretary tokenizer keys password-sync secret-rotation token_worker",
		nameNeutral: "value data",
	} {
		for name := range strings.FieldsSeq(names) {
			if got := classifyName([]byte(name)); got != class {
				t.Errorf("%s: class %d, want %d", name, got, class)
			}
		}
	}
}

// base32Of is random text in base 32.
func base32Of(name string, n int) string {
	return random(name, n-1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") + "7"
}

// Whatever a name's class is, one of the keywords that lead to classifyName
// must stand in it.
func TestNounKeywordsCoverNames(t *testing.T) {
	nouns := newWordSet(nounKeywords)
	for word, role := range nameWords {
		switch role {
		case rolePassword, roleSecret, roleToken, roleKey:
			if class := classifyName([]byte("api_" + word)); class > nameNeutral && isASCII([]byte(word)) && !nouns.match([]byte(word)) {
				t.Errorf("%s has class %d, but no keyword leads to it", word, class)
			}
		}
	}
	for _, tail := range runTogether {
		if !nouns.match([]byte(tail.tail)) && !strings.Contains(tail.tail, "sess") {
			t.Errorf("no keyword leads to %s", tail.tail)
		}
	}
}

func TestNameFamily(t *testing.T) {
	password := "Vq7" + random("p", 5, lowerAlphabet) + "#29"
	phrase := "harbor-" + "willow-" + "quartz" + "81"
	hex := random("h", 32, hexAlphabet)
	token := random("tok", 40, alnumAlphabet)
	testFamily(t, []familyCase{
		{name: "password field", field: "password", value: password, rule: "generic-password"},
		{name: "words as a password", field: "db_password", value: phrase, rule: "generic-password"},
		{name: "passphrase", field: "passphrase", value: "harbor willow quartz tundra", rule: "generic-password"},
		{name: "password in JSON", value: `{"smtp_pass": "` + password + `", "port": 587}`, rule: "generic-password", secret: password},
		{name: "password with a percent sign", value: `{"password": "Hq%Fez9!x"}`, rule: "generic-password", secret: "Hq%Fez9!x"},
		{name: "password with escapes", value: `{"password": "a\"b\\c\u0041#9"}`, rule: "generic-password", secret: `a"b\cA#9`},
		{name: "password in a list of variables", value: `[{"name": "DB_PASSWORD", "value": "` + password + `"}]`, rule: "generic-password", secret: password},
		{name: "assignment", value: "host=db2\ndb_password=" + password + "\nport=1", rule: "generic-password", secret: password},
		{name: "YAML", value: "db:\n  password: " + password + "\n  host: x\n", rule: "generic-password", secret: password},
		{name: "quoted YAML", value: "password: '" + password + "'", rule: "generic-password", secret: password},
		{name: "option", value: "mysqldump --password " + password + " --all", rule: "generic-password", secret: password},
		{name: "XML", value: "<config><password>" + password + "</password></config>", rule: "generic-password", secret: password},
		{name: "escaped JSON in text", value: `request failed: {\"password\":\"` + password + `\"}`, rule: "generic-password", secret: password},
		{name: "among binary data", value: "\x00\x01\x02\xffpassword=" + password + "\x00\xfe", rule: "generic-password", secret: password},
		{name: "form", value: "user=x&password=" + password[:6] + "%2B&go=1", rule: "generic-password", secret: password[:6] + "+"},
		{name: "pass in a query", value: "u=x;pass=" + "hunter2go" + ";x=1", rule: "generic-password", secret: "hunter2go"},
		{name: "identifier-like", value: "DB_PASSWORD=Vq7xk29abcd\nDB_HOST=x", rule: "generic-password", secret: "Vq7xk29abcd"},
		{name: "plain word", value: "password: willowquartz\nhost: x", rule: "generic-password", secret: "willowquartz"},
		{name: "unseal key", field: "unseal_key", value: random("unseal", 43, stdAlphabet) + "=", rule: "generic-api-key"},
		{name: "api key", field: "api_key", value: hex, rule: "generic-api-key"},
		{name: "key that begins like a container", field: "private_token", value: "eF6P" + "Ry_1" + token, rule: "generic-token"},
		{name: "token", field: "access_token", value: token, rule: "generic-token"},
		{name: "bearer", field: "authorization", value: "Bearer " + token, rule: "generic-token", secret: token},
		{name: "bearer in text", value: "Authorization: Bearer " + token + "\r\nHost: x", rule: "generic-token", secret: token},
		{name: "client secret", field: "client_secret", value: token, rule: "generic-secret"},
		{name: "csrf", field: "csrf_token", value: hex, rule: "session-secret"},
		{name: "hash", field: "password_hash", value: random("sha", 64, hexAlphabet), rule: "password-hash-field"},
		{name: "value under a name", value: `{"credentials": {"value": "` + token + `"}}`, rule: "generic-secret", secret: token},
		{name: "member of a collection", value: `{"api_keys": {"acme": "` + token + `"}}`, rule: "generic-api-key", secret: token},

		{name: "ampersand in a file", value: "DB_PASSWORD=Basil&umber16\n", rule: "generic-password", secret: "Basil&umber16"},
		{name: "percent in a password", field: "smtp_pass", value: "ilzoDOCxgtq%61O7", rule: "generic-password"},
		{name: "random text with a word and a sign", field: "SECRET_KEY", value: "a3lcxRWNoiZCuE2bJBshZTNuU4uupbZzW9SWDPwF7dM=", rule: "generic-api-key"},
		{name: "in hex", field: "smtp_pass", value: hexadecimal.EncodeToString([]byte(password)), rule: "generic-password", secret: password},
		{name: "passphrase in base64", value: base64.StdEncoding.EncodeToString([]byte("copper-willow-ember87")), rule: "generic-password", secret: "copper-willow-ember87"},

		{name: "short password in base64", field: "admin_pwd", value: base64.StdEncoding.EncodeToString([]byte("Quartz46!")), rule: "generic-password", secret: "Quartz46!"},
		{name: "short password that is no base64", field: "admin_pwd", value: "Quartz46abcd", rule: "generic-password"},

		{name: "subscription key", value: "Ocp-Apim-Subscription-Key: " + hex + "\r\n", rule: "generic-api-key", secret: hex},
		{name: "of Okta", value: "Authorization: SSWS 00" + token, rule: "generic-token", secret: "00" + token},
		{name: "seed of one-time passwords", field: "totp_seed", value: base32Of("seed", 16), rule: "generic-secret"},
		{name: "long seed", field: "seed", value: base32Of("long seed", 32), rule: "generic-secret"},
		{name: "words of a wallet", field: "mnemonic", value: "abandon ability able above absent absorb abstract absurd abuse access accident acid", rule: "generic-secret"},
		{name: "AWS secret as skey", field: "skey", value: token[:38] + "+/", rule: awsSecret},
		{name: "password among messages", value: `{"errors": 0, "password": "Vq7xk29abcd"}`, rule: "generic-password", secret: "Vq7xk29abcd"},

		{name: "another script in YAML", value: "имя: x\nпароль: " + password + "\n", rule: "generic-password", secret: password},
		{name: "in a form", value: "a=1&hasło=" + password[:7] + "&b=2", rule: "generic-password", secret: password[:7]},
		{name: "key in German", field: "zugriffsschluessel", value: token, rule: "generic-api-key"},
		{name: "key in French", value: `{"clé_api": "` + token + `"}`, rule: "generic-api-key", secret: token},
		{name: "key in French, without the accent", field: "cleSecrete", value: token, rule: "generic-api-key"},
		{name: "key in Portuguese", field: "chave_secreta", value: token, rule: "generic-api-key"},
		{name: "key in Turkish", field: "gizli_anahtar", value: token, rule: "generic-api-key"},
		{name: "key in Russian", field: "ключ_api", value: token, rule: "generic-api-key"},
		{name: "token in French", field: "jetonAcces", value: token, rule: "generic-token"},
		{name: "token in Chinese", field: "访问令牌", value: token, rule: "generic-token"},
		{name: "token in Japanese", value: `{"アクセストークン": "` + token + `"}`, rule: "generic-token", secret: token},
		{name: "secret in German", field: "client_geheimnis", value: token, rule: "generic-secret"},
		{name: "password in Chinese", field: "用户密码", value: password, rule: "generic-password"},
		{name: "password in a sentence of Chinese", value: "账号：kim，密码：" + password + "\n", rule: "generic-password", secret: password},
		{name: "password in YAML of Japanese", value: "ID: 7\nパスワード: " + password + "\n", rule: "generic-password", secret: password},
		{name: "clave of a user", field: "clave_usuario", value: password, rule: "generic-password"},
		{name: "clave of an item", field: "clave_articulo", value: "REF-36066171"},
		{name: "code of an item", field: "clave", value: "JK9MO76Q15"},
		{name: "code of an item in a log", value: "nivel=info clave=zx/9931-a7\n"},
		{name: "clave alone", field: "clave", value: password, rule: "generic-password"},
		{name: "keyword in Spanish", field: "palabras_clave", value: password},
		{name: "keyword in Portuguese", field: "palavrachave", value: password},
		{name: "address of a coin", field: "token_mint", value: random("mint", 44, alnumAlphabet)},
		{name: "key of an item in German", field: "artikelschluessel", value: "ART-360661-XQ7"},
		{name: "word of a list that is a key", value: `{"pepper": "` + hex + `"}`},
		{name: "key of a cache in French", field: "cle_cache", value: hex},
		{name: "number of an invoice in Portuguese", field: "chave_nfe", value: random("nfe", 44, "0123456789")},
		{name: "label in Chinese", field: "密码", value: "请输入密码"},
		{name: "where a secret is", field: "db", value: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-Xq7Zk2"},
		{name: "seed of a game", field: "seed", value: "8Q2MZK1B9R0XWT4H"},
		{name: "short seed", field: "seed", value: base32Of("seed", 16)},
		{name: "digest as skey", field: "skey", value: random("sha1", 40, hexAlphabet)},
		{name: "sentence as a mnemonic", field: "mnemonic", value: "every good boy deserves fudge and the cow jumps over that moon"},
		{name: "label", field: "new_password", value: "Neues Passwort"},
		{name: "label in one word", field: "password", value: "Wachtwoordbevestigen"},
		{name: "label in another script", field: "password", value: "Пароль"},
		{name: "message", field: "password", value: "must_contain_number"},
		{name: "message in capitals", field: "password", value: "MISSING_UPPERCASE"},
		{name: "message with dots", field: "password", value: "password.mustMatch"},
		{name: "validation of Laravel", field: "password", value: "required|min:8|confirmed"},
		{name: "validation of Go", field: "password", value: "required,min=8,max=72"},
		{name: "bound", field: "api_key", value: "required|alpha_num|size:32"},
		{name: "pattern", field: "password", value: "^(?=.*[A-Z])(?=.*[0-9]).{8,}$"},
		{name: "column", value: `{"password": "varchar(60)", "secret": "varbinary(64)"}`},
		{name: "GraphQL", value: "query Login($password: String!, $token: ID) { login(password: $password, token: $token) { id } }"},
		{name: "packed script", value: "function f(e){password=t.Xyw;passwd=n(17);token:e.qRst,secret:r.secret}"},
		{name: "padding that reads like a name", value: `<script nonce="k3+aPw=="></script>`},
		{name: "base64 whose end reads like a name", value: `style-src 'sha256-Qx7ZtR2mKc9LwVb4Hy8Nf1Jd3Gs5Pa6Te0Ui+/pw='; report-uri /csp-7Xq`},
		{name: "base64 with a word in it", value: `style-src 'sha256-Qx7ZtR2mKc9LwVb4Hy8Nf1Jd3Gs5PWa6Te0UiPw4Zk8='; report-uri /csp-7Xq`},
		{name: "a path before a name", value: `GET /deploy/hosts/production/pw=Vq7xk#29ab`, rule: "generic-password", secret: "Vq7xk#29ab"},
		{name: "path", value: "pwd: /home/dave/x"},
		{name: "battle pass", field: "battle_pass", value: "S3T17"},
		{name: "boarding pass", field: "boardingPass", value: "X7QZ2K"},
		{name: "ski pass", field: "skipass", value: "3 days"},
		{name: "failures", field: "failed_password", value: "1007"},
		{name: "page token", value: `{"next_page_token": "` + token + `", "sync_token": "` + token[:16] + `"}`},
		{name: "level", field: "secret_level", value: "Level-10-B"},
		{name: "checksum of a secret", value: `{"checksum/secret": "` + random("cs", 64, hexAlphabet) + `"}`},
		{name: "account of a chain", field: "token", value: "0x" + random("0x", 40, hexAlphabet)},
		{name: "member of no collection", value: `{"password-settings": {"content_md5": "` + token[:22] + `=="}}`},
		{name: "slug in base64", value: base64.StdEncoding.EncodeToString([]byte("copper-willow-ember-87"))},
		{name: "placeholder", field: "password", value: "change" + "me"},
		{name: "assignment of a placeholder", field: "password", value: "password=<password>"},
		{name: "stars", field: "password", value: "********"},
		{name: "template", field: "token", value: "{{ .Values.token }}"},
		{name: "variable", field: "token", value: "${TOKEN}"},
		{name: "instruction", field: "api_key", value: "YOUR_API_KEY_HERE"},
		{name: "null", field: "password", value: "null"},
		{name: "flag", field: "password_reset_required", value: "true"},
		{name: "count", field: "password_attempts", value: "31415"},
		{name: "type", field: "token_type", value: "Bearer"},
		{name: "prose", value: "Your password must have 12 characters"},
		{name: "prose under a name", field: "password", value: "must have at least 12 characters and a digit"},
		{name: "prose about tokens", value: "token ring networks carry a token between stations"},
		{name: "digest", field: "checksum", value: random("md5", 32, hexAlphabet)},
		{name: "digest alone", value: random("sha", 64, hexAlphabet)},
		{name: "uuid", field: "request_id", value: "9a3d5b25-d650-4e3b-8f11-80698f8629f7"},
		{name: "location", field: "token_source", value: "https://login.corp.test/oauth/token"},
		{name: "public key", field: "public_key", value: random("pk", 44, stdAlphabet)},
		{name: "cache key", field: "cache_key", value: random("ck", 64, hexAlphabet)},
		{name: "sentence with a key", value: "press any key: continue"},
		{name: "code", value: "if pw := c.pw; pass = strings.ReplaceAll(pass, x) { token := dec.tokenStack[:n-1] }"},
		{name: "code with names", value: "secret = dk.encryptionKey1024\nkey_secret := testRSA2048PrivateKey"},
		{name: "test log", value: "PASS: gdb.arch/amd64-byte.exp: check 17\nPASS: x86_64 mode"},
		{name: "digest with its name", field: "api_keys", value: "sha512-" + random("sri", 86, stdAlphabet) + "=="},
		{name: "word", field: "token", value: "authorization_code"},
	})
}

// What only a key's name promises must look random to count.
func TestKeyNames(t *testing.T) {
	token := random("tok", 40, alnumAlphabet)
	for _, c := range []struct {
		key, value string
		found      bool
	}{
		{"app:api_key", token, true},
		{"reset_token:8f31c0aa9d", token, true},
		{"reset_token:8f31c0aa9d", "4711", false},
		{"app:password", "Vq7xk#29ab", true},
		{"app:password", "willow", false},
		{"app:jwt_secret", random("hex", 64, hexAlphabet), true},
		{"app:jwt_secret:17", random("hex", 64, hexAlphabet), false},
		{"reset:ivy.novak@inbox.test", random("reset", 32, alnumAlphabet), true},
		{"password_reset:4711", random("reset", 64, hexAlphabet), true},
		{"reset:4711", "9a3d5b25-d650-4e3b-8f11-80698f8629f7", false},
		{"verify:4711", random("mongo", 24, hexAlphabet), false},
		{"verify:4711", "pending-confirmation", false},
		{"reset", random("reset", 32, alnumAlphabet), false},
		{"app:tokens", random("hex", 64, hexAlphabet), false},
		{"svc:auth:e29f7c88", token, false},
		{"user:17", token, false},
		{"token:count", "40000000", false},
		{"refresh_token:user17", token, true},
		{"api_key:tenant-4", token, true},
		{"password:user17", "Vq7xk#29ab", false},
		{"token:price7", "64231.5", false},
		{"lock:refresh_token", token, false},
		{"lock:refresh_token:user17", token, false},
		{"de:password:4711", "Bitte eingeben", false},
		{"translations:de:api.password", "min8chars", false},
		{"token:0x" + random("0x", 40, hexAlphabet), "1", false},
	} {
		if found := findingsIn(t, c.key, c.value); (len(found) > 0) != c.found {
			t.Errorf("%s: found %s", c.key, brief(found))
		}
	}
}

// A counter is kept under a digest of what it counts; what is looked up under a key
// is the key itself.
func TestSecretsInKeys(t *testing.T) {
	token := random("tok", 40, alnumAlphabet)
	digest := random("digest", 40, hexAlphabet)
	for key, secret := range map[string]string{
		"api_key:" + token:                    token,
		"rl:api_key:" + token:                 token,
		"api_key:" + token + ":minute":        token,
		"oauth:access_token:" + digest:        digest,
		"rl:api_key:" + digest:                "",
		"ratelimit:token:" + digest + ":hour": "",
		"stats|api_key|" + digest:             "",
	} {
		found := findingsIn(t, key, "17")
		if secret == "" && len(found) > 0 || secret != "" && (len(found) != 1 || found[0].Secret != secret) {
			t.Errorf("%s: found %s", strings.ReplaceAll(strings.ReplaceAll(key, token, "T"), digest, "D"), brief(found))
		}
	}
	for _, key := range []string{"leader:password-sync", "leader:token", "lock:api_key"} {
		if found := findingsIn(t, key, "ocean-5-ph64g"); len(found) > 0 {
			t.Errorf("%s: found %s", key, brief(found))
		}
	}
}
