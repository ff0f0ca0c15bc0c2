package keymaterial

import (
	"bytes"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Keys that the tools themselves make are read as they mean them. Each tool that
// the machine has is asked; which were missing is said.

type tools struct {
	*testing.T
	dir     string
	missing []string
}

func (t *tools) path(name string) string { return filepath.Join(t.dir, name) }

// run runs a tool; false if the machine does not have it.
func (t *tools) run(name string, args ...string) (string, bool) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.missing = append(t.missing, name)
		return "", false
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = t.dir
	cmd.Stdin = strings.NewReader("pass-phrase-1\npass-phrase-1\n")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out), true
}

func (t *tools) read(name string) []byte {
	t.Helper()
	data, err := os.ReadFile(t.path(name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestAgainstTools(tt *testing.T) {
	t := &tools{T: tt, dir: tt.TempDir()}
	for _, ask := range []func(){t.sshKeygen, t.openssl, t.puttygen, t.keytool, t.signers, t.gpg} {
		ask()
	}
	if len(t.missing) > 0 {
		t.Logf("not on this machine: %s", strings.Join(t.missing, ", "))
	}
}

var fingerprintInText = regexp.MustCompile(`SHA256:[A-Za-z0-9+/]{43}`)

func (t *tools) sshKeygen() {
	for kind, bits := range map[string]string{"rsa": "1024", "ecdsa": "384", "ed25519": "256"} {
		for _, passphrase := range []string{"", "pass-phrase-1"} {
			for _, format := range []string{"RFC4716", "PEM", "PKCS8"} {
				name := "ssh-" + kind + format + passphrase
				if _, ok := t.run("ssh-keygen", "-q", "-a", "1", "-t", kind, "-b", bits, "-m", format, "-N", passphrase, "-C", "comment", "-f", name); !ok {
					return
				}
				said, _ := t.run("ssh-keygen", "-l", "-f", name+".pub")
				k := PEM(t.read(name))
				if k == nil {
					t.Errorf("%s: not read", name)
					continue
				}
				if want := fingerprintInText.FindString(said); k.Fingerprint != want && !(k.Encrypted && k.Format != "OpenSSH" && k.Fingerprint == "") {
					t.Errorf("%s: %s, ssh-keygen says %s", name, k.Fingerprint, want)
				}
				if k.Encrypted != (passphrase != "") {
					t.Errorf("%s: encrypted %v", name, k.Encrypted)
				}
			}
		}
	}
}

func (t *tools) openssl() {
	if _, ok := t.run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "o.pem"); !ok {
		return
	}
	plain := PEM(t.read("o.pem"))
	if plain == nil || plain.Bits != 2048 {
		t.Fatalf("genpkey: %+v", plain)
	}
	for args, want := range map[string]Key{
		"-v2 aes-256-cbc":    {Cipher: "aes-256-cbc", KDF: "pbkdf2 2048"},
		"-scrypt":            {Cipher: "aes-256-cbc", KDF: "scrypt 16384"},
		"-v1 PBE-SHA1-3DES":  {Cipher: "3des-cbc", KDF: "pkcs12 sha1 2048"},
		"-v2 des3 -iter 777": {Cipher: "3des-cbc", KDF: "pbkdf2 777"},
	} {
		t.run("openssl", append([]string{"pkcs8", "-topk8", "-in", "o.pem", "-out", "e.pem", "-passout", "pass:x"}, strings.Fields(args)...)...)
		k := PEM(t.read("e.pem"))
		if k == nil || !k.Encrypted || k.Cipher != want.Cipher || k.KDF != want.KDF {
			t.Errorf("pkcs8 %s: %+v", args, k)
		}
		block, _ := pem.Decode(t.read("e.pem"))
		if k := Binary(block.Bytes); k == nil || !k.Encrypted {
			t.Errorf("pkcs8 %s in binary: %+v", args, k)
		}
	}
	t.run("openssl", "rsa", "-in", "o.pem", "-aes128", "-traditional", "-passout", "pass:x", "-out", "l.pem")
	if k := PEM(t.read("l.pem")); k == nil || k.Cipher != "aes-128-cbc" || k.Algorithm != "RSA" {
		t.Errorf("traditional: %+v", k)
	}
	t.run("openssl", "req", "-x509", "-new", "-key", "o.pem", "-subj", "/CN=x", "-out", "c.pem")
	for args, want := range map[string]string{"": "", "-nocerts": "", "-certpbe NONE": plain.Fingerprint, "-keypbe NONE -certpbe NONE": plain.Fingerprint} {
		t.run("openssl", append([]string{"pkcs12", "-export", "-inkey", "o.pem", "-in", "c.pem", "-passout", "pass:x", "-out", "s.p12"}, strings.Fields(args)...)...)
		k := Binary(t.read("s.p12"))
		if k == nil || k.Format != "PKCS#12" || k.Entries != 1 || k.Fingerprint != want || k.Encrypted == strings.Contains(args, "keypbe") {
			t.Errorf("pkcs12 %s: %+v", args, k)
		}
	}
	for password, isDefault := range map[string]bool{"changeit": true, "": true, "secret": true, "another": false} {
		for _, more := range []string{"-macalg sha1", "-macalg sha256", "-iter 10"} {
			t.run("openssl", append([]string{"pkcs12", "-export", "-inkey", "o.pem", "-in", "c.pem", "-passout", "pass:" + password, "-out", "d.p12"}, strings.Fields(more)...)...)
			if k := Binary(t.read("d.p12")); k == nil || k.Default != isDefault {
				t.Errorf("pkcs12 %s, password of %d characters: %+v", more, len(password), k)
			}
		}
	}
	t.run("openssl", "pkcs12", "-export", "-nokeys", "-in", "c.pem", "-certpbe", "NONE", "-passout", "pass:x", "-out", "n.p12")
	if k := Binary(t.read("n.p12")); k != nil {
		t.Errorf("a store of certificates: %+v", k)
	}
	t.run("openssl", "ecparam", "-name", "secp256k1", "-genkey", "-noout", "-out", "k1.pem")
	if k := PEM(t.read("k1.pem")); k == nil || k.Algorithm != "ECDSA secp256k1" {
		t.Errorf("secp256k1: %+v", k)
	}
	t.run("openssl", "dsaparam", "-genkey", "-noout", "-out", "dsa.pem", "1024")
	t.run("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", "dsa.pem", "-out", "dsa8.pem")
	a, b := PEM(t.read("dsa.pem")), PEM(t.read("dsa8.pem"))
	if a == nil || b == nil || a.Bits != 1024 || a.Fingerprint != b.Fingerprint {
		t.Errorf("DSA: %+v, %+v", a, b)
	}
}

func (t *tools) puttygen() {
	for _, version := range []string{"2", "3"} {
		for _, kind := range []string{"ed25519", "ecdsa"} {
			for _, passphrase := range []string{"", "pass-phrase-1"} {
				if err := os.WriteFile(t.path("pass"), []byte(passphrase), 0o600); err != nil {
					t.Fatal(err)
				}
				if _, ok := t.run("puttygen", "-q", "-t", kind, "-O", "private", "--new-passphrase", "pass", "--ppk-param", "version="+version, "-C", "somebody", "-o", "k.ppk"); !ok {
					return
				}
				said, _ := t.run("puttygen", "-l", "--old-passphrase", "pass", "k.ppk")
				text := t.read("k.ppk")
				k := PuTTY(text)
				if k == nil || k.Format != "PuTTY "+version || k.Comment != "somebody" || k.Encrypted != (passphrase != "") || k.Fingerprint != fingerprintInText.FindString(said) {
					t.Errorf("PPK %s %s: %+v, puttygen says %s", version, kind, k, said)
				}
				if passphrase == "" && PuTTY(bytes.Replace(text, []byte("somebody"), []byte("nobody"), 1)) != nil {
					t.Errorf("PPK %s: a wrong checksum is believed", version)
				}
			}
		}
	}
}

func (t *tools) keytool() {
	for _, c := range [][2]string{{"JKS", "changeit"}, {"JKS", "not-the-default"}, {"JCEKS", "changeit"}, {"PKCS12", "changeit"}} {
		kind, password := c[0], c[1]
		format := map[string]string{"PKCS12": "PKCS#12"}[kind]
		if format == "" {
			format = kind
		}
		name := kind + password
		if _, ok := t.run("keytool", "-genkeypair", "-storetype", kind, "-keystore", name, "-storepass", password, "-keypass", password, "-alias", "a", "-keyalg", "EC", "-dname", "CN=x"); !ok {
			return
		}
		k := Binary(t.read(name))
		if k == nil || k.Format != format || k.Entries != 1 || !k.Encrypted {
			t.Errorf("%s: %+v", name, k)
			continue
		}
		if k.Default != (password == "changeit") {
			t.Errorf("%s: default password %v", name, k.Default)
		}
		if format != "PKCS#12" && (k.Default != (password == "changeit") || k.Algorithm == "" || k.Fingerprint == "") {
			t.Errorf("%s: %+v", name, k)
		}
	}
}

func (t *tools) signers() {
	if _, ok := t.run("minisign", "-G", "-W", "-p", "m.pub", "-s", "m.key"); ok {
		k := Signer(lastLine(t.read("m.key")))
		if k == nil || k.Encrypted || !strings.Contains(string(t.read("m.pub")), k.Public) {
			t.Errorf("minisign: %+v", k)
		}
	}
	if _, ok := t.run("signify-openbsd", "-G", "-n", "-p", "s.pub", "-s", "s.sec"); ok {
		if k := Signer(lastLine(t.read("s.sec"))); k == nil || k.Encrypted {
			t.Errorf("signify: %+v", k)
		}
	}
}

func lastLine(text []byte) []byte {
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return lines[len(lines)-1]
}

func (t *tools) gpg() {
	t.Setenv("GNUPGHOME", t.path("gpg"))
	if err := os.Mkdir(t.path("gpg"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"ed25519", "rsa2048"} {
		if _, ok := t.run("gpg", "--batch", "--passphrase", "", "--quick-generate-key", kind+"@example.org", kind, "sign", "never"); !ok {
			return
		}
		list, _ := t.run("gpg", "--batch", "--with-colons", "--list-keys", kind+"@example.org")
		text, _ := t.run("gpg", "--batch", "--armor", "--export-secret-keys", kind+"@example.org")
		k := PEM([]byte(text))
		if k == nil || k.Encrypted || !strings.Contains(list, "fpr:::::::::"+k.Fingerprint+":") {
			t.Errorf("gpg %s: %+v", kind, k)
		}
	}
	t.run("gpgconf", "--kill", "all")
}
