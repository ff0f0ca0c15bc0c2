package crypt_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"filippo.io/age"
	"filippo.io/age/plugin"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/crypto/ssh"

	"github.com/valkeyfs/valkeyfs/crypt"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// sample is data of which some compresses and some does not.
func sample(n int) []byte {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	b := make([]byte, 0, n+64)
	for len(b) < n {
		if r.IntN(2) == 0 {
			b = append(b, strings.Repeat("user:1000:session ", r.IntN(4))...)
		} else {
			b = append(b, byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()))
		}
	}
	return b[:n]
}

func sealed(t testing.TB, plain []byte, o crypt.SealOptions) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := crypt.Seal(&out, o)
	if err == nil {
		_, err = io.Copy(w, iotest.HalfReader(bytes.NewReader(plain)))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func unseal(in io.Reader, ids ...age.Identity) ([]byte, error) {
	r, err := crypt.Unseal(in, 2, ids...)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

const frame = 4 << 20 // bytes of plaintext in one frame

func TestSealOpens(t *testing.T) {
	id := newIdentity(t)
	for _, n := range []int{0, 1, 100, frame - 1, frame, frame + 1, 2*frame + 12345} {
		plain := sample(n)
		for _, o := range []crypt.SealOptions{{Workers: 1}, {Workers: 3, Armor: true}, {Level: 9}} {
			o.Recipients = []age.Recipient{id.Recipient()}
			file := sealed(t, plain, o)
			got, err := unseal(iotest.HalfReader(bytes.NewReader(file)), id)
			if err != nil || !bytes.Equal(got, plain) {
				t.Errorf("%d bytes, %+v: got %d bytes, %v", n, o, len(got), err)
			}
			// What it is made of is age around one valid zstd file.
			r, err := crypt.Open(bytes.NewReader(file), id)
			if err != nil {
				t.Fatal(err)
			}
			z, err := zstd.NewReader(r)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(z); err != nil || !bytes.Equal(got, plain) {
				t.Errorf("%d bytes: zstd gives %d bytes, %v", n, len(got), err)
			}
			z.Close()
		}
	}
}

// What others make is opened: one long frame, frames without sizes, skippable
// frames, and no zstd at all.
func TestUnsealOthers(t *testing.T) {
	id := newIdentity(t)
	plain := sample(12 << 20)
	var stream bytes.Buffer
	w, err := zstd.NewWriter(&stream)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(plain)
	w.Close()
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	small := enc.EncodeAll(plain[:1<<20], nil)
	skip := []byte{0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4}
	for name, test := range map[string]struct{ inside, want []byte }{
		"one stream":          {stream.Bytes(), plain},
		"frame and stream":    {append(bytes.Clone(small), stream.Bytes()...), append(bytes.Clone(plain[:1<<20]), plain...)},
		"skippable and frame": {append(bytes.Clone(skip), small...), plain[:1<<20]},
		"frame and skippable": {append(bytes.Clone(small), skip...), plain[:1<<20]},
		"no zstd":             {plain[:1000], plain[:1000]},
		"empty":               {nil, nil},
	} {
		got, err := unseal(bytes.NewReader(seal(t, test.inside, false, id.Recipient())), id)
		if err != nil || !bytes.Equal(got, test.want) {
			t.Errorf("%s: %d bytes, %v; want %d", name, len(got), err, len(test.want))
		}
	}
}

// What lies in an authentic file but is no whole zstd file is an error.
func TestUnsealDamagedInside(t *testing.T) {
	id := newIdentity(t)
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	inside := enc.EncodeAll(sample(3<<20), nil)
	inside = append(inside, enc.EncodeAll(sample(100), nil)...)
	for cut := 5; cut < len(inside); cut += len(inside)/40 + 1 {
		if _, err := unseal(bytes.NewReader(seal(t, inside[:cut], false, id.Recipient())), id); !errors.Is(err, crypt.ErrSealBroken) {
			t.Errorf("cut at %d of %d: %v", cut, len(inside), err)
		}
	}
	changed := bytes.Clone(inside)
	changed[len(changed)/2] ^= 1
	if _, err := unseal(bytes.NewReader(seal(t, changed, false, id.Recipient())), id); !errors.Is(err, crypt.ErrSealBroken) {
		t.Errorf("changed: %v", err)
	}
}

// An empty file is a frame of nothing, without which zstd -d says that its input ended.
func TestSealEmpty(t *testing.T) {
	id := newIdentity(t)
	r, err := crypt.Open(bytes.NewReader(sealed(t, nil, crypt.SealOptions{Recipients: []age.Recipient{id.Recipient()}})), id)
	if err != nil {
		t.Fatal(err)
	}
	frame, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	var h zstd.Header
	if err := h.Decode(frame); err != nil {
		t.Errorf("%x: %v", frame, err)
	}
	zstd, err := zstd.NewReader(bytes.NewReader(frame))
	if err != nil {
		t.Fatal(err)
	}
	defer zstd.Close()
	if plain, err := io.ReadAll(zstd); err != nil || len(plain) > 0 {
		t.Errorf("%d bytes, %v", len(plain), err)
	}
}

// What is given up leaves nothing behind that runs or waits.
func TestGivenUp(t *testing.T) {
	id := newIdentity(t)
	whole := sealed(t, sample(9<<20), crypt.SealOptions{Recipients: []age.Recipient{id.Recipient()}})
	synctest.Test(t, func(t *testing.T) {
		w, err := crypt.Seal(io.Discard, crypt.SealOptions{Recipients: []age.Recipient{id.Recipient()}, Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(sample(9 << 20)); err != nil {
			t.Fatal(err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		r, err := crypt.Unseal(bytes.NewReader(whole), 2, id)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(r, make([]byte, 3<<20)); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestSealPassesWriteErrors(t *testing.T) {
	full := errors.New("no space")
	w, err := crypt.Seal(&failing{room: 6 << 20, err: full}, crypt.SealOptions{Recipients: []age.Recipient{newIdentity(t).Recipient()}})
	if err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 4<<20)
	for range 10 {
		rand.NewChaCha8([32]byte{}).Read(noise)
		if _, err = w.Write(noise); err != nil {
			break
		}
	}
	if e := w.Close(); !errors.Is(err, full) && !errors.Is(e, full) {
		t.Errorf("write: %v, close: %v", err, e)
	}
}

type failing struct {
	room int
	err  error
}

func (f *failing) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, f.err
	}
	return len(p), nil
}

func TestReseal(t *testing.T) {
	old, now := newIdentity(t), newIdentity(t)
	plain := sample(300_000)
	file := sealed(t, plain, crypt.SealOptions{Recipients: []age.Recipient{old.Recipient()}})
	var out bytes.Buffer
	if err := crypt.Reseal(t.Context(), &out, bytes.NewReader(file), crypt.SealOptions{Recipients: []age.Recipient{now.Recipient()}}, old); err != nil {
		t.Fatal(err)
	}
	if got, err := unseal(bytes.NewReader(out.Bytes()), now); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if _, err := unseal(bytes.NewReader(out.Bytes()), old); !errors.Is(err, crypt.ErrNoIdentity) {
		t.Errorf("the former recipient: %v", err)
	}
	if err := crypt.Reseal(t.Context(), io.Discard, bytes.NewReader(file[:len(file)-1]), crypt.SealOptions{Recipients: []age.Recipient{now.Recipient()}}, old); err == nil {
		t.Error("a file that is cut off was sealed anew")
	}
}

// Every kind of key seals and opens.
func TestKeys(t *testing.T) {
	asked := 0
	ui := crypt.UI{Passphrase: func(string) ([]byte, error) { asked++; return []byte("synthetic"), nil }}
	x, xTo, err := crypt.GenerateIdentity(false, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	pq, pqTo, err := crypt.GenerateIdentity(true, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(pqTo, "age1pq1") {
		t.Errorf("post-quantum recipient %.12s…", pqTo)
	}
	locked, lockedTo := sshIdentity(t, []byte("synthetic"))
	for name, test := range map[string]struct {
		identity []byte
		to       age.Recipient
	}{
		"x25519":          {x, parse(t, xTo)},
		"post-quantum":    {pq, parse(t, pqTo)},
		"locked SSH":      {locked, lockedTo},
		"sealed identity": {sealedWithPassphrase(t, x), parse(t, xTo)},
	} {
		ids, err := ui.ParseIdentities(bytes.NewReader(test.identity))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		file := sealed(t, []byte("hello"), crypt.SealOptions{Recipients: []age.Recipient{test.to}})
		if got, err := unseal(bytes.NewReader(file), ids...); err != nil || string(got) != "hello" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times for a passphrase, want 2", asked)
	}
	if _, err := crypt.Seal(io.Discard, crypt.SealOptions{Recipients: []age.Recipient{parse(t, xTo), parse(t, pqTo)}}); err == nil {
		t.Error("a classic recipient was allowed beside a post-quantum one")
	}
}

func parse(t testing.TB, s string) age.Recipient {
	t.Helper()
	r, err := crypt.ParseRecipient(s, crypt.UI{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func sealedWithPassphrase(t testing.TB, plain []byte) []byte {
	t.Helper()
	to, err := age.NewScryptRecipient("synthetic")
	if err != nil {
		t.Fatal(err)
	}
	to.SetWorkFactor(8)
	return seal(t, plain, true, to)
}

func TestPassphrase(t *testing.T) {
	file := sealedWithPassphrase(t, []byte("hello"))
	for pass, want := range map[string]error{"synthetic": nil, "wrong": crypt.ErrPassphrase} {
		ui := crypt.UI{Passphrase: func(string) ([]byte, error) { return []byte(pass), nil }}
		got, err := unseal(bytes.NewReader(file), ui.PassphraseIdentity("x"))
		if !errors.Is(err, want) || want == nil && string(got) != "hello" {
			t.Errorf("%s: %q, %v", pass, got, err)
		}
	}
	gone := errors.New("nobody is there")
	ui := crypt.UI{Passphrase: func(string) ([]byte, error) { return nil, gone }}
	if _, err := unseal(bytes.NewReader(file), ui.PassphraseIdentity("x")); !errors.Is(err, gone) {
		t.Errorf("nobody to ask: %v", err)
	}
}

func TestParseRecipients(t *testing.T) {
	_, to, err := crypt.GenerateIdentity(false, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	all, err := crypt.ParseRecipients(strings.NewReader("# a comment\n\n "+to+"\n"+to+"\n"), crypt.UI{})
	if err != nil || len(all) != 2 {
		t.Errorf("%d, %v", len(all), err)
	}
	secret := newIdentity(t).String()
	for _, in := range []string{"", "# none\n", "hello\n", to[:20] + "\n", secret + "\n", "ssh-ed25519 AAAA\n", strings.Repeat("x", 10_000)} {
		_, err := crypt.ParseRecipients(strings.NewReader(in), crypt.UI{})
		if err == nil {
			t.Errorf("%.20q was taken", in)
		} else if strings.Contains(err.Error(), secret[:20]) {
			t.Error("an error holds an identity")
		}
	}
}

// A recipient says who it is, by which its holder can be told from others.
func TestRecipientsSayWhoTheyAre(t *testing.T) {
	_, to, err := crypt.GenerateIdentity(true, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	public, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
	for in, want := range map[string]string{to: to, line + " me@host": line} {
		if got := fmt.Sprint(parse(t, in)); got != want {
			t.Errorf("%q says %q", in, got)
		}
	}
}

// Inspect takes what age makes, at every length round the chunks' ends, and tells
// what is cut off inside a chunk.
func TestInspect(t *testing.T) {
	id := newIdentity(t)
	for _, n := range []int{0, 1, 1000, 64<<10 - 1, 64 << 10, 64<<10 + 1, 128 << 10, 200_000} {
		file := seal(t, make([]byte, n), false, id.Recipient(), newIdentity(t).Recipient())
		s, err := crypt.Inspect(bytes.NewReader(file))
		if err != nil || s.Plain != int64(n) || len(s.Stanzas) != 2 || s.Stanzas[0] != "X25519" {
			t.Errorf("%d bytes: %+v, %v", n, s, err)
		}
	}
	file := seal(t, make([]byte, 100), false, id.Recipient())
	payload := len(file) - 100 - 16
	for cut := range payload + 16 { // from there on what is left may be a shorter chunk
		if _, err := crypt.Inspect(bytes.NewReader(file[:cut])); err == nil {
			t.Errorf("cut at %d of %d", cut, len(file))
		}
	}
	for i := range payload - 16 { // up to the nonce
		changed := bytes.Clone(file)
		changed[i] = '\x01'
		if _, err := crypt.Inspect(bytes.NewReader(changed)); err == nil {
			t.Errorf("byte %d of the header was changed", i)
		}
	}
}

func TestSignature(t *testing.T) {
	secret, public, err := crypt.GenerateSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	key, err := crypt.ParseSigningKey(bytes.NewReader(secret), crypt.UI{})
	if err != nil {
		t.Fatal(err)
	}
	pub, err := crypt.ParseVerifyingKey(public)
	if err != nil {
		t.Fatal(err)
	}
	if pub.ID() != key.Public().ID() {
		t.Errorf("ids %s and %s", pub.ID(), key.Public().ID())
	}
	message := []byte("a manifest\n")
	sig := key.Sign(message, "set x of y")
	if err := pub.Verify(message, sig); err != nil {
		t.Error(err)
	}
	for i := range message {
		changed := bytes.Clone(message)
		changed[i] ^= 1
		if pub.Verify(changed, sig) == nil {
			t.Errorf("byte %d was changed, and the signature fits", i)
		}
	}
	for i := bytes.IndexByte(sig, '\n'); i < len(sig); i++ { // the untrusted comment stands before
		for bit := range 8 {
			changed := bytes.Clone(sig)
			changed[i] ^= 1 << bit
			if pub.Verify(message, changed) == nil {
				t.Errorf("byte %d of the signature was changed, and it fits", i)
			}
		}
	}
	if pub.Verify(message, bytes.Replace(sig, []byte("set x"), []byte("set z"), 1)) == nil {
		t.Error("the trusted comment was changed, and the signature fits")
	}
	for _, in := range []string{"", "RWQ", string(secret)} {
		if _, err := crypt.ParseVerifyingKey([]byte(in)); err == nil {
			t.Errorf("%.10q is a public key", in)
		}
	}
}

// The commands of age and zstd open what is sealed here, and the other way round.
func TestInteroperates(t *testing.T) {
	dir := t.TempDir()
	x, xTo, err := crypt.GenerateIdentity(false, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(filepath.Join(dir, "x25519"), x, 0o600)
	recipients := map[string]string{"x25519": xTo}
	for _, kind := range []string{"ed25519", "rsa"} {
		if out, err := servertest.Tool(t, "ssh-keygen", "-q", "-t", kind, "-N", "", "-f", filepath.Join(dir, kind)).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		pub, err := os.ReadFile(filepath.Join(dir, kind+".pub"))
		if err != nil {
			t.Fatal(err)
		}
		recipients[kind] = strings.TrimSpace(string(pub))
	}
	plain := sample(5 << 20)
	for name, to := range recipients {
		for _, armor := range []bool{false, true} {
			file := sealed(t, plain, crypt.SealOptions{Recipients: []age.Recipient{parse(t, to)}, Armor: armor})
			got := pipe(t, pipe(t, file, "age", "-d", "-i", filepath.Join(dir, name)), "zstd", "-d", "-q", "-c")
			if !bytes.Equal(got, plain) {
				t.Errorf("%s, armor %v: age and zstd give %d bytes", name, armor, len(got))
			}
			identity, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			ids, err := crypt.ParseIdentities(bytes.NewReader(identity))
			if err != nil {
				t.Fatal(err)
			}
			args := []string{"-r", to}
			if armor {
				args = append(args, "-a")
			}
			theirs := pipe(t, pipe(t, plain, "zstd", "-3", "-T2", "-q", "-c"), "age", args...)
			if got, err := unseal(bytes.NewReader(theirs), ids...); err != nil || !bytes.Equal(got, plain) {
				t.Errorf("%s, armor %v: of theirs %d bytes, %v", name, armor, len(got), err)
			}
		}
	}
}

// The commands of age at the version of its library: post-quantum keys, which
// older ones lack, and a plugin.
func TestInteroperatesNewest(t *testing.T) {
	bin := t.TempDir()
	build := exec.Command("go", "build", "-o", bin, "filippo.io/age/cmd/age", "filippo.io/age/cmd/age-keygen", "filippo.io/age/cmd/age-plugin-batchpass")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	plain := sample(5 << 20)
	file := filepath.Join(t.TempDir(), "key")
	pipe(t, nil, "age-keygen", "-pq", "-o", file)
	to := strings.TrimSpace(string(pipe(t, nil, "age-keygen", "-y", file)))
	identity, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := crypt.ParseIdentities(bytes.NewReader(identity))
	if err != nil {
		t.Fatal(err)
	}
	ours := sealed(t, plain, crypt.SealOptions{Recipients: []age.Recipient{parse(t, to)}})
	if got := pipe(t, pipe(t, ours, "age", "-d", "-i", file), "zstd", "-d", "-q", "-c"); !bytes.Equal(got, plain) {
		t.Errorf("post-quantum: age and zstd give %d bytes", len(got))
	}
	if got, err := unseal(bytes.NewReader(pipe(t, pipe(t, plain, "zstd", "-q", "-c"), "age", "-r", to)), ids...); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("post-quantum: of theirs %d bytes, %v", len(got), err)
	}

	// The plugin takes its passphrase from the environment.
	t.Setenv("AGE_PASSPHRASE", "synthetic")
	t.Setenv("AGE_PASSPHRASE_WORK_FACTOR", "10")
	theirs := pipe(t, plain[:1000], "age", "-e", "-j", "batchpass")
	viaPlugin, err := crypt.ParseIdentities(strings.NewReader(plugin.EncodeIdentity("batchpass", nil)))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := unseal(bytes.NewReader(theirs), viaPlugin...); err != nil || !bytes.Equal(got, plain[:1000]) {
		t.Errorf("plugin: %d bytes, %v", len(got), err)
	}
}

// A plugin's recipients and identities work both ways, here and in Debian's age.
func TestPlugin(t *testing.T) {
	bin := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", bin, "./testdata/age-plugin-synthetic").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	id := newIdentity(t)
	to := plugin.EncodeRecipient("synthetic", []byte(id.Recipient().String()))
	text := plugin.EncodeIdentity("synthetic", []byte(id.String()))
	file := filepath.Join(t.TempDir(), "identity")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ids, err := crypt.ParseIdentities(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	plain := sample(100_000)
	ours := sealed(t, plain, crypt.SealOptions{Recipients: []age.Recipient{parse(t, to)}})
	if got := pipe(t, pipe(t, ours, "age", "-d", "-i", file), "zstd", "-d", "-q", "-c"); !bytes.Equal(got, plain) {
		t.Errorf("age and zstd give %d bytes", len(got))
	}
	theirs := pipe(t, pipe(t, plain, "zstd", "-q", "-c"), "age", "-r", to)
	for name, file := range map[string][]byte{"ours": ours, "theirs": theirs} {
		if got, err := unseal(bytes.NewReader(file), ids...); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("of %s %d bytes, %v", name, len(got), err)
		}
	}
}

// The command of minisign takes the keys and signatures, and the other way round.
// A key whose id begins with zeros is named without them.
func TestKeyIDAsMinisignPrintsIt(t *testing.T) {
	text := base64.StdEncoding.EncodeToString(append([]byte{'E', 'd', 0x34, 0x12, 0, 0, 0, 0, 0, 0}, make([]byte, ed25519.PublicKeySize)...))
	v, err := crypt.ParseVerifyingKey([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if v.ID() != "1234" {
		t.Errorf("the id is %s", v.ID())
	}
}

func TestMinisign(t *testing.T) {
	dir := t.TempDir()
	secret, public, err := crypt.GenerateSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	key, err := crypt.ParseSigningKey(bytes.NewReader(secret), crypt.UI{})
	if err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	os.WriteFile(in("k.pub"), public, 0o600)
	os.WriteFile(in("m"), []byte("message"), 0o600)
	os.WriteFile(in("m.minisig"), key.Sign([]byte("message"), "trust"), 0o600)
	out := pipe(t, nil, "minisign", "-V", "-m", in("m"), "-p", in("k.pub"))
	if !strings.Contains(string(out), "trust") {
		t.Errorf("minisign says %s", out)
	}
	pipe(t, nil, "minisign", "-G", "-W", "-f", "-p", in("theirs.pub"), "-s", in("theirs"))
	pipe(t, nil, "minisign", "-S", "-m", in("m"), "-s", in("theirs"))
	theirs, _ := os.ReadFile(in("theirs.pub"))
	sig, _ := os.ReadFile(in("m.minisig"))
	pub, err := crypt.ParseVerifyingKey(theirs)
	if err != nil {
		t.Fatal(err)
	}
	if err := pub.Verify([]byte("message"), sig); err != nil {
		t.Error(err)
	}
	theirSecret, _ := os.ReadFile(in("theirs"))
	if _, err := crypt.ParseSigningKey(bytes.NewReader(theirSecret), crypt.UI{}); err != nil {
		t.Error(err)
	}
}

func pipe(t *testing.T, in []byte, name string, args ...string) []byte {
	t.Helper()
	cmd := servertest.Tool(t, name, args...)
	cmd.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v: %s", name, args[0], err, stderr.Bytes())
	}
	return out
}

// FuzzSealOpen opens anything: what is sealed comes back as it was, whatever is
// done to the sealed file gives an error or the same, and nothing panics.
func FuzzSealOpen(f *testing.F) {
	id := newIdentity(f)
	f.Add([]byte("hello"), 0, byte(0), false)
	f.Add(sample(200_000), 70_000, byte(1), true)
	f.Add([]byte{}, 210, byte(0x80), false)
	f.Add([]byte("\x28\xb5\x2f\xfd"), -1, byte(0), false)
	f.Fuzz(func(t *testing.T, data []byte, at int, flip byte, cut bool) {
		file := sealed(t, data, crypt.SealOptions{Recipients: []age.Recipient{id.Recipient()}, Workers: 2})
		changed := bytes.Clone(file)
		if at >= 0 && at < len(file) {
			changed[at] ^= flip
			if cut {
				changed = changed[:at]
			}
		}
		got, err := unseal(bytes.NewReader(changed), id)
		switch {
		case err == nil && !bytes.Equal(got, data):
			t.Fatalf("%d bytes came out of a changed file, %d went in", len(got), len(data))
		case bytes.Equal(changed, file) && err != nil:
			t.Fatal(err)
		case !bytes.Equal(changed, file) && err == nil:
			t.Fatalf("byte %d was changed, and nothing was said", at)
		}
		// What is inside is hostile, too: whoever knows a recipient can seal.
		if _, err := unseal(bytes.NewReader(seal(t, data, false, id.Recipient())), id); err != nil && !errors.Is(err, crypt.ErrSealBroken) {
			t.Fatal(err)
		}
	})
}
