package keymaterial

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // the format's own
	"encoding/binary"
	"unicode/utf16"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// Bounds of what is looked at of a Java key store.
const (
	maxStoreEntries = 1024
	maxChain        = 16
	maxDefaultTried = 256 << 10 // size up to which default passwords are tried
)

// defaultPasswords are those of keytool's manual and of application servers.
var defaultPasswords = [...]string{"changeit", "changeme", "password", "secret", ""}

// magics of the stores of the JDK (sun.security.provider.JavaKeyStore,
// com.sun.crypto.provider.JceKeyStore).
var storeMagics = map[uint32]string{0xfeedfeed: "JKS", 0xcececece: "JCEKS"}

// JKS reads a Java key store that holds a private or secret key. Its keys are
// always encrypted, but where a default password makes the checksum of the whole
// right, that says little.
func JKS(data []byte) *Key {
	r := javaReader{rest: data}
	format := storeMagics[r.uint32()]
	version := r.uint32()
	if format == "" || version != 1 && version != 2 {
		return nil
	}
	k := &Key{Format: format, Encrypted: true}
	count := r.uint32()
	if count == 0 || count > maxStoreEntries {
		return nil
	}
entries:
	for range count {
		kind := r.uint32()
		r.utf() // alias
		r.take(8)
		switch kind {
		case 1:
			k.entry(&r, version)
		case 2:
			r.certificate(version)
		case 3:
			// A serialized object, whose length stands nowhere.
			if format != "JCEKS" || len(r.rest) < 4 || !bytes.HasPrefix(r.rest, []byte{0xac, 0xed, 0, 5}) {
				return nil
			}
			k.Entries++
			break entries
		default:
			return nil
		}
		if r.failed {
			return nil
		}
	}
	if k.Entries == 0 {
		return nil // certificates only
	}
	if len(data) > sha1.Size && len(data) <= maxDefaultTried {
		k.Default = opensByDefault(data)
	}
	return k
}

// entry reads a private key and the certificates of its public half.
func (k *Key) entry(r *javaReader, version uint32) {
	k.Entries++
	seq, in := cryptobyte.String(nil), cryptobyte.String(r.take(int(r.uint32())))
	if in.ReadASN1(&seq, tag.SEQUENCE) {
		if cipher, kdf, ok := encryption(&seq); ok && k.Cipher == "" {
			k.Cipher, k.KDF = cipher, kdf
		}
	} else {
		r.failed = true
	}
	chain := r.uint32()
	if chain > maxChain {
		r.failed = true
		return
	}
	for i := range chain {
		if der := r.certificate(version); i == 0 && k.Entries == 1 {
			k.certificate(der)
		}
	}
}

// opensByDefault reports whether a default password makes the checksum right:
// SHA-1 of the password in UTF-16, some words, and what goes before it.
func opensByDefault(data []byte) bool {
	body, sum := data[:len(data)-sha1.Size], data[len(data)-sha1.Size:]
	for _, p := range defaultPasswords {
		h := sha1.New() //nolint:gosec // the format's own
		for _, u := range utf16.Encode([]rune(p)) {
			h.Write([]byte{byte(u >> 8), byte(u)})
		}
		h.Write([]byte("Mighty Aphrodite"))
		h.Write(body)
		if bytes.Equal(h.Sum(nil), sum) {
			return true
		}
	}
	return false
}

// A javaReader reads as java.io.DataInput does. What is not there fails.
type javaReader struct {
	rest   []byte
	failed bool
}

func (r *javaReader) take(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.failed = true
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *javaReader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *javaReader) utf() []byte {
	if b := r.take(2); b != nil {
		return r.take(int(binary.BigEndian.Uint16(b)))
	}
	return nil
}

// certificate reads one, which has its type before it from version 2 on.
func (r *javaReader) certificate(version uint32) []byte {
	if version == 2 {
		r.utf()
	}
	return r.take(int(r.uint32()))
}
