package scan

// What frameworks sign and hand out as cookies and in links: the payload in base64,
// perhaps compressed, before a time and a signature.
//
//	payload:1tle2m:signature     Django's signing.dumps, with a dot before a compressed payload
//	payload.Z7xk2w.signature     itsdangerous: Flask's session
//	payload--signature           Rails' MessageVerifier, the signature in hex
//	digest:payload               sessions of Django before 3.1, in base64 as a whole
var signedDecoder = decoder{kind: "signed", long: true, starts: func(b byte) bool { return isBase64(b) || isURL64(b) || b == '.' }, fits: fitsSigned, open: openSigned}

// Lengths of the parts of a signed text.
const (
	minSignedPayload = 16
	maxSignedTime    = 8
	minSignature     = 27 // 20 bytes in base64
	maxSignature     = 128
)

func fitsSigned(data []byte) bool {
	return len(data) >= minSignedPayload+minSignature && (isSignedBefore(data) || signedPayload(data) != nil)
}

// lenSHA1 is the length of a SHA-1 in hex.
const lenSHA1 = 40

// isSignedBefore reports whether a digest and a colon stand before all else.
func isSignedBefore(data []byte) bool {
	return data[lenSHA1] == ':' && run(data, 0, lenSHA1, isHex) == lenSHA1
}

// signedPayload returns the payload of a signed text, or nil.
func signedPayload(data []byte) []byte {
	signature := runBack(data, len(data), maxSignature, isURL64)
	if n := len(data) - signature; n < minSignature || signature < minSignedPayload {
		return signedRails(data)
	}
	sep := data[signature-1]
	if sep != ':' && sep != '.' {
		return signedRails(data)
	}
	time := runBack(data, signature-1, maxSignedTime+1, isURL64)
	if n := signature - 1 - time; n < 4 || n > maxSignedTime || time < minSignedPayload || data[time-1] != sep {
		return nil
	}
	payload := data[:time-1]
	if payload[0] == '.' { // compressed
		payload = payload[1:]
	}
	if run(payload, 0, len(payload), isURL64) != len(payload) {
		return nil
	}
	return payload
}

// signedRails returns what stands before two dashes and a digest in hex.
func signedRails(data []byte) []byte {
	at := runBack(data, len(data), maxSignature, isHex)
	if n := len(data) - at; n != 40 && n != 64 && n != 128 || at < minSignedPayload || data[at-1] != '-' || data[at-2] != '-' {
		return nil
	}
	payload := data[:at-2]
	if run(payload, 0, len(payload), isBase64) != len(payload) {
		return nil
	}
	return payload
}

// openSigned reports false: the whole is a token, too.
func openSigned(w *worker, f *fragment, hits []hit, base uint32) bool {
	if isSignedBefore(f.data) {
		at := lenSHA1 + 1
		w.child(f, piece{kind: "signed", data: f.data[at:], from: at, to: len(f.data), inPlace: true}, within(hits, base+uint32(at), len(f.data)-at), base+uint32(at))
		return true
	}
	payload := signedPayload(f.data)
	enc := base64Encoding(payload)
	if enc == nil {
		return false
	}
	text := trimPadding(payload)
	if !w.budget.spend(enc.DecodedLen(len(text))) {
		w.limited("signed")
		return false
	}
	buf := w.buffer(f.depth, enc.DecodedLen(len(text)))
	n, err := enc.Decode(buf, text)
	if err == nil && w.isContainer(buf[:n]) {
		w.child(f, piece{kind: "signed", data: buf[:n], to: len(payload)}, nil, 0)
	}
	return false
}
