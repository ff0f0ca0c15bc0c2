package scan

import "encoding/base32"

// Base32 (RFC 4648, section 6) in capitals. All of it is base64 as well, so it is
// asked first, and must come out as text or as a container.
var base32Decoder = decoder{kind: "base32", long: true, starts: isBase32, fits: fitsBase32, open: openBase32}

// Lengths of base32 text.
const (
	minBase32  = 32 // shorter ones are seeds of one-time passwords
	headBase32 = 16
)

func isBase32(b byte) bool { return b >= 'A' && b <= 'Z' || b >= '2' && b <= '7' }

var base32Encoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// fitsBase32 decodes the first characters, as fitsBase64 does.
func fitsBase32(data []byte) bool {
	if len(data) < minBase32 || run(data, 0, headBase32, isBase32) != headBase32 {
		return false
	}
	var head [headBase32 / 8 * 5]byte
	_, err := base32Encoding.Decode(head[:], data[:headBase32])
	return err == nil && (plausibleHead(head[:]) || base32TextBehind(data))
}

// sampleBase32 is how many characters decide whether text follows a header of a
// format that nothing here knows.
const sampleBase32 = 256

func base32TextBehind(data []byte) bool {
	var out [sampleBase32 / 8 * 5]byte
	n, _ := base32Encoding.Decode(out[:], data[:min(len(data), sampleBase32)/8*8])
	return holdsText(out[:n])
}

func openBase32(w *worker, f *fragment, hits []hit, base uint32) bool {
	text := trimPadding(f.data)
	if run(text, 0, len(text), isBase32) != len(text) {
		return false
	}
	n := base32Encoding.DecodedLen(len(text))
	if !w.budget.spend(n) {
		w.limited("base32")
		return false
	}
	buf := w.buffer(f.depth, n)
	n, err := base32Encoding.Decode(buf, text)
	if err != nil || !w.isContainer(buf[:n]) {
		return false
	}
	return w.child(f, piece{kind: "base32", data: buf[:n], to: len(f.data)}, nil, 0) || isText(buf[:n])
}
