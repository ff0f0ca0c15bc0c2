package crypt_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/armor"
	"golang.org/x/crypto/ssh"

	"github.com/valkeyfs/valkeyfs/crypt"
)

func seal(t testing.TB, plain []byte, armored bool, to ...age.Recipient) []byte {
	t.Helper()
	var out bytes.Buffer
	dst := io.Writer(&out)
	var a io.WriteCloser
	if armored {
		a = armor.NewWriter(&out)
		dst = a
	}
	w, err := age.Encrypt(dst, to...)
	if err == nil {
		_, err = w.Write(plain)
	}
	if err == nil {
		err = w.Close()
	}
	if err == nil && armored {
		err = a.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func newIdentity(t testing.TB) *age.X25519Identity {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func sshIdentity(t testing.TB, passphrase []byte) (file []byte, to age.Recipient) {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var block *pem.Block
	if passphrase != nil {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "", passphrase)
	} else {
		block, err = ssh.MarshalPrivateKey(key, "")
	}
	if err != nil {
		t.Fatal(err)
	}
	sshPub, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	to, err = agessh.NewEd25519Recipient(sshPub)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(block), to
}

func TestOpen(t *testing.T) {
	plain := bytes.Repeat([]byte("valkey"), 40_000) // more than three chunks
	native := newIdentity(t)
	sshFile, sshTo := sshIdentity(t, nil)
	identityFiles := []string{"# a comment\n" + native.String() + "\n", string(sshFile)}
	var ids []age.Identity
	for _, f := range identityFiles {
		more, err := crypt.ParseIdentities(strings.NewReader(f))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, more...)
	}
	for _, to := range []age.Recipient{native.Recipient(), sshTo} {
		for _, armored := range []bool{false, true} {
			sealed := seal(t, plain, armored, to)
			if !crypt.Sniff(sealed[:64]) {
				t.Errorf("armored %v: not recognised", armored)
			}
			r, err := crypt.Open(iotest.HalfReader(bytes.NewReader(sealed)), ids...)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(got, plain) {
				t.Errorf("armored %v: %d bytes, %v; want %d", armored, len(got), err, len(plain))
			}
		}
	}
}

func open(sealed io.Reader, ids ...age.Identity) (int, error) {
	r, err := crypt.Open(sealed, ids...)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(io.Discard, r)
	return int(n), err
}

func TestOpenWithoutItsIdentity(t *testing.T) {
	sealed := seal(t, []byte("x"), false, newIdentity(t).Recipient())
	for _, ids := range [][]age.Identity{nil, {newIdentity(t)}} {
		if _, err := open(bytes.NewReader(sealed), ids...); !errors.Is(err, crypt.ErrNoIdentity) {
			t.Errorf("%d identities: %v", len(ids), err)
		}
	}
	pass, err := age.NewScryptRecipient("synthetic")
	if err != nil {
		t.Fatal(err)
	}
	pass.SetWorkFactor(2)
	if _, err := open(bytes.NewReader(seal(t, []byte("x"), false, pass)), newIdentity(t)); !errors.Is(err, crypt.ErrPassphrase) {
		t.Errorf("passphrase: %v", err)
	}
}

// Every cut of a sealed file is noticed, and is not taken for a change.
func TestOpenTruncated(t *testing.T) {
	id := newIdentity(t)
	for _, armored := range []bool{false, true} {
		sealed := seal(t, bytes.Repeat([]byte{7}, 70_000), armored, id.Recipient())
		for cut := 0; cut < len(sealed)-1; cut += 1 + cut/16 {
			if _, err := open(bytes.NewReader(sealed[:cut]), id); err == nil {
				t.Errorf("armored %v, cut at %d of %d: no error", armored, cut, len(sealed))
			} else if !armored && cut > 300 && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, crypt.ErrSealBroken) {
				t.Errorf("cut at %d: %v", cut, err)
			}
		}
	}
}

func TestOpenChanged(t *testing.T) {
	id := newIdentity(t)
	sealed := seal(t, bytes.Repeat([]byte{7}, 70_000), false, id.Recipient())
	sealed[len(sealed)-100] ^= 1
	n, err := open(bytes.NewReader(sealed), id)
	if !errors.Is(err, crypt.ErrSealBroken) {
		t.Errorf("changed byte: %v", err)
	}
	if n != 64<<10 {
		t.Errorf("%d bytes came before the changed chunk, want one chunk", n)
	}
}

// TestOpenOfAnotherKind: what does not begin as an age file is said not to.
func TestOpenOfAnotherKind(t *testing.T) {
	for text, want := range map[string]bool{
		"REDIS0011 and more than a line of it": true, strings.Repeat("\n", 2000) + armor.Header: true,
		"\n" + armor.Header + "\nnothing": false, "age-encryption": false, "": false,
	} {
		_, err := crypt.Open(strings.NewReader(text))
		if got := err != nil && strings.Contains(err.Error(), "no age file"); got != want || want && !errors.Is(err, crypt.ErrSealBroken) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

func TestOpenPassesReadErrors(t *testing.T) {
	id := newIdentity(t)
	sealed := seal(t, bytes.Repeat([]byte{7}, 70_000), false, id.Recipient())
	broken := errors.New("medium")
	r := io.MultiReader(bytes.NewReader(sealed[:66_000]), iotest.ErrReader(broken))
	if _, err := open(r, id); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestParseIdentitiesRefuses(t *testing.T) {
	locked, _ := sshIdentity(t, []byte("synthetic"))
	for name, in := range map[string]string{
		"empty":             "",
		"comment":           "# nothing\n",
		"no identity":       "hello\n",
		"sealed":            "age-encryption.org/v1\n-> X25519 x\n",
		"locked SSH key":    string(locked),
		"something PEM":     "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		"recipient instead": newIdentity(t).Recipient().String(),
	} {
		if ids, err := crypt.ParseIdentities(strings.NewReader(in)); err == nil {
			t.Errorf("%s: %d identities, want an error", name, len(ids))
		}
	}
}

func TestSniff(t *testing.T) {
	for in, want := range map[string]bool{
		"age-encryption.org/v1\n-> X25519":        true,
		"\n -----BEGIN AGE ENCRYPTED FILE-----\n": true,
		"age-encryption.org/v2\n":                 false,
		"-----BEGIN OPENSSH PRIVATE KEY-----\n":   false,
		"REDIS0011":                               false,
		"":                                        false,
		strings.Repeat(" ", 2000) + armor.Header:  false,
	} {
		if got := crypt.Sniff([]byte(in)); got != want {
			t.Errorf("Sniff(%.40q) = %v", in, got)
		}
	}
}

func FuzzOpen(f *testing.F) {
	id := newIdentity(f)
	sealed := seal(f, []byte("seed"), false, id.Recipient())
	f.Add(sealed)
	f.Add(seal(f, []byte("seed"), true, id.Recipient()))
	f.Fuzz(func(t *testing.T, in []byte) {
		if n, err := open(bytes.NewReader(in), id); err == nil && !crypt.Sniff(in) {
			t.Errorf("%d bytes out of a file that is not sealed", n)
		}
	})
}
