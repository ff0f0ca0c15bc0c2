package keymaterial

import (
	"bytes"
	"encoding/binary"
	"strconv"
)

// opensshMagic begins OpenSSH's own format (PROTOCOL.key).
var opensshMagic = []byte("openssh-key-v1\x00")

// OpenSSH reads OpenSSH's own format without its armour. The public key stands
// in it unencrypted.
func OpenSSH(data []byte) *Key {
	if !bytes.HasPrefix(data, opensshMagic) {
		return nil
	}
	r := wire{data[len(opensshMagic):]}
	cipher, kdf, options := r.string(), r.string(), r.string()
	if r.uint32() != 1 { // keys
		return nil
	}
	public, private := r.string(), r.string()
	if private == nil || len(r.rest) > 64 { // some ciphers append a tag
		return nil
	}
	k := describeWire(public)
	if k == nil {
		return nil
	}
	k.Format = "OpenSSH"
	if string(cipher) == "none" {
		comment, ok := opensshComment(private, public)
		if !ok {
			return nil
		}
		k.Comment = comment
		return k
	}
	if len(cipher) == 0 || len(cipher) > 48 || len(kdf) == 0 || len(kdf) > 32 {
		return nil
	}
	k.Encrypted, k.Cipher, k.KDF = true, string(cipher), string(kdf)
	if o := (wire{options}); o.string() != nil && len(o.rest) == 4 {
		k.KDF += " " + strconv.Itoa(int(o.uint32()))
	}
	return k
}

// opensshComment reads the private part of a key that is not encrypted: its two
// check numbers are the same, and behind the comment stands padding.
func opensshComment(private, public []byte) (string, bool) {
	r := wire{private}
	if a, b := r.uint32(), r.uint32(); a != b || len(private) < 8 {
		return "", false
	}
	name := r.string()
	if p := (wire{public}); !bytes.Equal(name, p.string()) {
		return "", false
	}
	// The fields of a kind are known by how many there are; the last is the comment.
	fields, ok := map[string]int{"ssh-rsa": 6, "ssh-dss": 5, "ssh-ed25519": 2, "ecdsa-sha2-nistp256": 3, "ecdsa-sha2-nistp384": 3, "ecdsa-sha2-nistp521": 3}[string(name)]
	if !ok {
		return "", true // on a security key: nothing private stands here
	}
	for range fields {
		if r.string() == nil {
			return "", false
		}
	}
	comment := r.string()
	if comment == nil || len(r.rest) >= 16 {
		return "", false
	}
	for i, b := range r.rest {
		if int(b) != i+1 {
			return "", false
		}
	}
	return string(comment), true
}

// A wire reads the encoding of RFC 4251, 5. What is not there reads as nil or 0.
type wire struct{ rest []byte }

func (w *wire) uint32() uint32 {
	if len(w.rest) < 4 {
		w.rest = nil
		return 0
	}
	v := binary.BigEndian.Uint32(w.rest)
	w.rest = w.rest[4:]
	return v
}

func (w *wire) string() []byte {
	if len(w.rest) < 4 {
		w.rest = nil
		return nil
	}
	n := w.uint32()
	if uint64(n) > uint64(len(w.rest)) {
		w.rest = nil
		return nil
	}
	s := w.rest[:n:n]
	w.rest = w.rest[n:]
	return s
}
