package scan

// Sessions that are encrypted. oauth2-proxy keeps them under the cookie's name,
// a dash and 32 hexadecimal digits, with a key that only the cookie holds;
// Authelia under its prefix and the session id, with a key that its
// configuration holds.
var opaqueFrameworks = []framework{
	{name: "oauth2-proxy", marks: []string{"oauth2_proxy", "oauth2-proxy"}, judge: func(p *probe) *session {
		n := len(p.key)
		if n < 33 || p.key[n-33] != '-' || run(p.key, n-32, 32, isHex) != n || !isOpaque(p.first()) {
			return nil
		}
		return &session{rule: opaqueRule, id: p.key[n-32:], identity: map[string]string{}}
	}},
	{name: "authelia", marks: []string{"authelia"}, judge: func(p *probe) *session {
		if id := p.last(); len(id) >= 16 && isOpaque(p.first()) {
			return &session{rule: opaqueRule, id: id, identity: map[string]string{}}
		}
		return nil
	}},
}

// isOpaque reports whether a value looks as ciphertexts do: no text, and no
// order in its bytes.
func isOpaque(v []byte) bool {
	if len(v) < 28 || isText(v) && !isOpaqueText(v) { // a nonce of 12 bytes and a tag of 16 at least
		return false
	}
	return entropy(v[:min(len(v), 256)]) > 4
}

// isOpaqueText: base64 of such bytes.
func isOpaqueText(v []byte) bool {
	enc := base64Encoding(v)
	if enc == nil {
		return false
	}
	out := make([]byte, enc.DecodedLen(len(v)))
	n, err := enc.Decode(out, trimPadding(v))
	return err == nil && n >= 28 && !isText(out[:n])
}
