package keymaterial

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// maxPEM bounds the text of a key.
const maxPEM = 64 << 10

// PEM reads a private key between lines of dashes (RFC 7468, RFC 1421, RFC 9580).
// Space in the text and a missing last line break do not matter. nil: what stands
// there is no key that is whole.
func PEM(text []byte) *Key {
	label, headers, body := split(text)
	if body == nil {
		return nil
	}
	if label == "PGP PRIVATE KEY BLOCK" {
		return openPGPArmour(body)
	}
	data := decodeLoose(body)
	if data == nil {
		return nil
	}
	if label == "OPENSSH PRIVATE KEY" {
		return OpenSSH(data)
	}
	if info, ok := headers["dek-info"]; ok {
		return legacy(label, info, data)
	}
	return DER(data)
}

// split takes the text apart: what kind it is, its headers by their names in
// lower case, and the base64.
func split(text []byte) (label string, headers map[string]string, body []byte) {
	const begin, dashes = "-----BEGIN ", "-----"
	if len(text) > maxPEM || !bytes.HasPrefix(text, []byte(begin)) {
		return "", nil, nil
	}
	text = text[len(begin):]
	i := bytes.Index(text, []byte(dashes))
	if i < 0 {
		return "", nil, nil
	}
	label, text = string(text[:i]), text[i+len(dashes):]
	if i = bytes.Index(text, []byte("-----END")); i < 0 {
		return "", nil, nil
	}
	text = text[:i]
	for {
		text = bytes.TrimLeft(text, " \t\r\n")
		line, rest, _ := bytes.Cut(text, []byte("\n"))
		name, value, is := bytes.Cut(line, []byte(":"))
		if !is {
			return label, headers, text
		}
		if headers == nil {
			headers = map[string]string{}
		}
		headers[strings.ToLower(string(bytes.TrimSpace(name)))] = string(bytes.TrimSpace(value))
		text = rest
	}
}

// decodeLoose decodes base64 whatever space stands in it; nil if it is none.
func decodeLoose(text []byte) []byte {
	clean := make([]byte, 0, len(text))
	for _, b := range text {
		if b > ' ' {
			clean = append(clean, b)
		}
	}
	clean = bytes.TrimRight(clean, "=")
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(clean)))
	n, err := base64.RawStdEncoding.Decode(out, clean)
	if err != nil || n == 0 {
		return nil
	}
	return out[:n]
}

// legacy judges a key that OpenSSL encrypted in its old way (PEM_do_header):
// whole blocks of a cipher that it names.
func legacy(label, info string, data []byte) *Key {
	algorithm := map[string]string{"RSA PRIVATE KEY": "RSA", "EC PRIVATE KEY": "ECDSA", "DSA PRIVATE KEY": "DSA"}[label]
	cipher, iv, _ := strings.Cut(info, ",")
	block := 0
	switch {
	case strings.HasPrefix(cipher, "AES-"), strings.HasPrefix(cipher, "CAMELLIA-"), strings.HasPrefix(cipher, "SEED-"), strings.HasPrefix(cipher, "ARIA-"):
		block = 16
	case strings.HasPrefix(cipher, "DES-"), strings.HasPrefix(cipher, "RC2-"), strings.HasPrefix(cipher, "BF-"), strings.HasPrefix(cipher, "IDEA-"):
		block = 8
	}
	if algorithm == "" || block == 0 || len(cipher) > 24 || len(iv) != 2*block || len(data)%block != 0 {
		return nil
	}
	format := map[string]string{"RSA": "PKCS#1", "ECDSA": "SEC1", "DSA": "DSA"}[algorithm]
	return &Key{Format: format, Algorithm: algorithm, Encrypted: true, Cipher: strings.ToLower(cipher), KDF: "md5 1"}
}
