package keymaterial

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the format's own
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"strconv"
	"strings"
)

// maxPuTTYLines bounds the base64 of a part.
const maxPuTTYLines = 512

// PuTTY reads a PPK file of version 2 or 3 (PuTTY manual, appendix C). Of one
// that is not encrypted the checksum must be right.
func PuTTY(text []byte) *Key {
	if len(text) > maxPEM {
		return nil
	}
	p := puttyReader{rest: text}
	head, kind := p.header()
	version := strings.TrimPrefix(head, "PuTTY-User-Key-File-")
	if version != "2" && version != "3" {
		return nil
	}
	encryption, comment := p.named("Encryption"), p.named("Comment")
	public := p.lines("Public-Lines")
	k := describeWire(public)
	if k == nil || !bytes.Equal((&wire{public}).string(), []byte(kind)) {
		return nil
	}
	k.Format, k.Comment = "PuTTY "+version, comment
	if encryption != "none" {
		k.Encrypted, k.Cipher = true, encryption
		if len(encryption) == 0 || len(encryption) > 32 {
			return nil
		}
		if k.KDF = "sha1"; version == "3" {
			k.KDF = strings.ToLower(p.named("Key-Derivation"))
			memory, passes := p.named("Argon2-Memory"), p.named("Argon2-Passes")
			p.named("Argon2-Parallelism")
			p.named("Argon2-Salt")
			if !strings.HasPrefix(k.KDF, "argon2") || len(k.KDF) > 8 || !isNumber(memory) || !isNumber(passes) {
				return nil
			}
			k.KDF += " " + memory + " KiB " + passes
		}
		if private := p.lines("Private-Lines"); len(private) < 16 || len(private)%16 != 0 {
			return nil
		}
		return k
	}
	private := p.lines("Private-Lines")
	mac, err := hex.DecodeString(p.named("Private-MAC"))
	if private == nil || err != nil {
		return nil
	}
	var h hash.Hash
	if version == "2" {
		key := sha1.Sum([]byte("putty-private-key-file-mac-key")) //nolint:gosec // the format's own
		h = hmac.New(sha1.New, key[:])
	} else {
		h = hmac.New(sha256.New, nil)
	}
	for _, part := range [][]byte{[]byte(kind), []byte(encryption), []byte(comment), public, private} {
		var n [4]byte
		binary.BigEndian.PutUint32(n[:], uint32(len(part)))
		h.Write(n[:])
		h.Write(part)
	}
	if !hmac.Equal(h.Sum(nil), mac) {
		return nil
	}
	return k
}

// A puttyReader takes header lines from a file.
type puttyReader struct{ rest []byte }

func (p *puttyReader) line() string {
	line, rest, _ := bytes.Cut(p.rest, []byte("\n"))
	p.rest = rest
	return string(bytes.TrimSuffix(line, []byte("\r")))
}

func (p *puttyReader) header() (name, value string) {
	name, value, _ = strings.Cut(p.line(), ": ")
	return name, value
}

// named takes a line if it has the name.
func (p *puttyReader) named(want string) string {
	before := p.rest
	name, value := p.header()
	if name != want {
		p.rest = before
		return ""
	}
	return value
}

// lines takes as many lines of base64 as the header says.
func (p *puttyReader) lines(name string) []byte {
	n, err := strconv.Atoi(p.named(name))
	if err != nil || n < 1 || n > maxPuTTYLines {
		return nil
	}
	var text strings.Builder
	for range n {
		text.WriteString(p.line())
	}
	out, err := base64.StdEncoding.DecodeString(text.String())
	if err != nil {
		return nil
	}
	return out
}

func isNumber(s string) bool {
	_, err := strconv.ParseUint(s, 10, 32)
	return err == nil
}
