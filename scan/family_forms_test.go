package scan

import (
	"encoding/base64"
	"strconv"
	"testing"
)

func TestCredentialFileFamily(t *testing.T) {
	pw := random("cf", 14, alnumAlphabet)
	auth := base64Std([]byte("deploy:" + pw))
	testFamily(t, []familyCase{
		{name: "netrc", value: "machine git.internal login bob password " + pw + "\n", rule: "netrc-password", secret: pw},
		{name: "netrc on lines", value: "machine git.internal\n  login bob\n  password " + pw + "\n", rule: "netrc-password", secret: pw},
		{name: "mysql", value: "mysqldump -u root -p" + pw + " app > app.sql", rule: "command-line-password", secret: pw},
		{name: "docker", value: "docker login -u bob -p " + pw + " registry.internal", rule: "command-line-password", secret: pw},
		{name: "htpasswd", value: "htpasswd -b /etc/nginx/.htpasswd bob " + pw, rule: "command-line-password", secret: pw},
		{name: "htpasswd to the output", value: "htpasswd -nb bob " + pw, rule: "command-line-password", secret: pw},
		{name: "net use", value: `net use \\srv\share /user:bob ` + pw, rule: "command-line-password", secret: pw},
		{name: "PowerShell", value: `ConvertTo-SecureString "` + pw + `" -AsPlainText -Force`, rule: "command-line-password", secret: pw},
		{name: "SQL", value: "CREATE USER 'bob'@'%' IDENTIFIED BY '" + pw + "';", rule: "sql-password", secret: pw},
		{name: "SQL of PostgreSQL", value: "ALTER ROLE bob WITH PASSWORD '" + pw + "';", rule: "sql-password", secret: pw},
		{name: "pgpass", value: "db.internal:5432:app:bob:" + pw + "\n", rule: "pgpass-password", secret: pw},
		{name: "SQL with a parameter", value: "ALTER USER bob IDENTIFIED BY '$1'"},
		{name: "a host and its ports", value: "db.internal:5432:5433"},
		{name: "docker without a password", value: "docker login -u bob --password-stdin"},
		{name: "path", value: "GET /user:bob abc"},
		{name: "sshpass", value: "sshpass -p " + pw + " ssh bob@h", rule: "command-line-password", secret: pw},
		{name: "ldapsearch", value: "ldapsearch -D cn=admin -w " + pw + " -b dc=x", rule: "command-line-password", secret: pw},
		{name: "docker", value: `{"auths":{"r.internal":{"auth":"` + auth + `"}}}`, rule: "generic-password", secret: pw},
		{name: "npm", value: "registry=https://r.internal/\n_auth=" + auth + "\n", rule: "authorization-header", secret: auth},
		{name: "define", value: "<?php define( 'DB_PASSWORD', '" + pw + "' );", rule: "generic-password", secret: pw},
		{name: "odbc", value: "DRIVER={ODBC Driver 17};SERVER=db;UID=sa;PWD={" + pw + "};", rule: "generic-password", secret: pw},
		{name: "of other scripts", field: "пароль", value: pw, rule: "generic-password"},

		{name: "asked for", value: "mysql -u root -p app"},
		{name: "port", value: "mongosh --host h --port 27017"},
		{name: "prose", value: "machine learning needs no login and a password of yours"},
		{name: "a label", field: "password", value: "Passwort"},
		{name: "compared", value: "if password == self.password:\n  pass"},
	})
}

func TestAddresses(t *testing.T) {
	pw := random("ad", 14, alnumAlphabet)
	sig := random("sas", 43, alnumAlphabet)
	testFamily(t, []familyCase{
		{name: "go", value: "app:" + pw + "@tcp(db:3306)/app?parseTime=true", rule: "connection-string"},
		{name: "oracle", value: "jdbc:oracle:thin:scott/" + pw + "@//db:1521/app", rule: "connection-string"},
		{name: "escaped at and slash", value: "postgres://app:p%40%2F" + pw + "@db/app", rule: "connection-string"},
		{name: "sas", value: "https://acme.blob.core.windows.net/c/b?sv=2022-11-02&se=2030-01-01&sr=b&sp=r&sig=" + sig + "%3D", rule: "azure-sas-signature", secret: sig + "="},
		{name: "another signature", value: "https://cdn.internal/a?v=1&sig=" + sig},
	})
}

func TestCookieFamily(t *testing.T) {
	sid := random("ck", 26, lowerAlphabet+digitAlphabet)
	testFamily(t, []familyCase{
		{name: "php", value: "Cookie: lang=de; PHPSESSID=" + sid + "; theme=x", rule: "session-cookie", secret: sid},
		{name: "django", value: "Set-Cookie: sessionid=" + sid + "; HttpOnly", rule: "session-cookie", secret: sid},
		{name: "parameter", value: "sessionid=" + sid[:10]},
		{name: "short", value: "Cookie: PHPSESSID=deleted; path=/"},
	})
}

func TestIssuers(t *testing.T) {
	discord := base64.RawURLEncoding.EncodeToString([]byte("8"+random("dc", 17, digitAlphabet))) + ".G" + random("d1", 5, alnumAlphabet) + "." + random("d2", 38, urlAlphabet)
	testFamily(t, []familyCase{
		{name: "discord", value: discord, rule: "discord-bot-token"},
		{name: "google client", value: "GOC" + "SPX-" + random("gc", 28, urlAlphabet), rule: "google-oauth-client-secret"},
		{name: "google refresh", value: "1/" + "/0" + random("gr", 100, urlAlphabet), rule: "google-oauth-refresh-token"},
		{name: "new relic", value: "NR" + "AK-" + random("nr", 27, "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"), rule: "new-relic-user-key"},
		{name: "square", value: "sq0" + "csp-" + random("sq", 43, urlAlphabet), rule: "square-secret"},
		{name: "tailscale", value: "tskey" + "-auth-k" + random("ts", 11, alnumAlphabet) + "CNTRL-" + random("ts2", 32, alnumAlphabet), rule: "tailscale-key"},
		{name: "fly", value: "fo" + "1_" + random("fl", 43, alnumAlphabet), rule: "fly-access-token"},
		{name: "facebook", value: "EA" + "A" + random("fb", 160, alnumAlphabet), rule: "facebook-access-token"},
		{name: "mysql", value: "*" + random("my", 40, "0123456789ABCDEF"), rule: "password-hash-mysql"},
		{name: "three words", value: "MTA.agent.is-a-program-that-carries-mail-everywhere"},
	})
}

func TestContainersOfOtherLanguages(t *testing.T) {
	pw := random("ol", 14, alnumAlphabet)
	etf := "\x83t\x00\x00\x00\x01d\x00\x08passwordm\x00\x00\x00\x0e" + pw
	wide := ""
	for _, r := range `{"password":"` + pw + `"}` {
		wide += string(r) + "\x00"
	}
	octets := `{"type":"Buffer","data":[`
	for i, b := range []byte(`password=` + pw + "\n") {
		if i > 0 {
			octets += ", "
		}
		octets += strconv.Itoa(int(b))
	}
	octets += "]}"
	for name, value := range map[string]string{
		"erlang": etf, "erlang in base64": base64Std([]byte(etf)), "erlang list": "\x83l\x00\x00\x00\x01h\x02d\x00\x08passwordm\x00\x00\x00\x0e" + pw + "j",
		"utf-16": wide, "utf-16 with a mark": "\xff\xfe" + wide, "utf-16 in base64": base64Std([]byte(wide)), "octets": octets,
	} {
		found := findingsIn(t, "k", value)
		if len(found) != 1 || found[0].Secret != pw {
			t.Errorf("%s: %d findings", name, len(found))
		}
	}
}
