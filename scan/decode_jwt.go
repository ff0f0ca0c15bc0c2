package scan

import "bytes"

// The claims of a JSON Web Token, or what else a signature of its kind covers (RFC
// 7515), are a container: addresses, names and nested tokens stand in them. The token itself is a finding of jwtFamily.
var jwtDecoder = decoder{kind: "jwt", starts: startsWith("eB"), fits: fitsJWT, open: openJWT}

// jwtStart skips the scheme of an Authorization header.
func jwtStart(data []byte) int {
	if foldPrefix(data, "bearer ") {
		return len("bearer ")
	}
	return 0
}

func fitsJWT(data []byte) bool {
	d := data[jwtStart(data):]
	return bytes.HasPrefix(d, []byte("eyJ")) && bytes.IndexByte(d[:min(len(d), maxJWT)], '.') > 0
}

// openJWT reports false: the text is scanned for the token, too.
func openJWT(w *worker, f *fragment, hits []hit, base uint32) bool {
	at := jwtStart(f.data)
	for range 2 {
		end := run(f.data, at, maxJWT, isURL64)
		if end >= len(f.data) || f.data[end] != '.' {
			return false
		}
		if part := f.data[at:end]; at > jwtStart(f.data) {
			enc := base64Encoding(part)
			if enc == nil {
				return false
			}
			if !w.budget.spend(enc.DecodedLen(len(part))) {
				w.limited("jwt")
				return false
			}
			buf := w.buffer(f.depth, enc.DecodedLen(len(part)))
			if n, err := enc.Decode(buf, part); err == nil && w.isContainer(buf[:n]) {
				w.child(f, piece{kind: "jwt", data: buf[:n], from: at, to: end}, nil, 0)
			}
		}
		at = end + 1
	}
	return false
}
