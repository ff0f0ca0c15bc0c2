package scan

import "encoding/hex"

var hexDecoder = decoder{kind: "hex", starts: func(b byte) bool { return isHex(b) || b == '\\' }, fits: fitsHex, open: openHex}

// Lengths of hexadecimal text.
const (
	minHex      = 32
	minNamedHex = 16 // where the name promises a secret
	headHex     = 16
)

// hexDigits skips what programs and PostgreSQL's bytea put before the digits: 0x, \x.
func hexDigits(data []byte) []byte {
	if (data[0] == '0' || data[0] == '\\') && data[1] == 'x' {
		return data[2:]
	}
	return data
}

// fitsHex decodes the first characters, as fitsBase64 does.
func fitsHex(data []byte) bool {
	data = hexDigits(data)
	if len(data) < minNamedHex || len(data)%2 != 0 || len(data) < minHex && !asciiHex(data[0], data[2], data[4]) {
		return false
	}
	var head [headHex / 2]byte
	for i := range head {
		if !isHex(data[2*i]) || !isHex(data[2*i+1]) {
			return false
		}
		head[i] = unhex(data[2*i])<<4 | unhex(data[2*i+1])
	}
	return plausibleHead(head[:]) || hexTextBehind(data)
}

// sampleHex is how many digits decide whether text follows a header of a format
// that nothing here knows.
const sampleHex = 256

func hexTextBehind(digits []byte) bool {
	if len(digits) < 2*minRun {
		return false
	}
	var out [sampleHex / 2]byte
	n, _ := hex.Decode(out[:], digits[:min(len(digits), sampleHex)])
	return holdsText(out[:n])
}

// asciiHex reports whether these are the first digits of printable characters.
func asciiHex(digits ...byte) bool {
	for _, b := range digits {
		if b < '2' || b > '7' {
			return false
		}
	}
	return true
}

func openHex(w *worker, f *fragment, hits []hit, base uint32) bool {
	digits := hexDigits(f.data)
	for _, b := range digits {
		if !isHex(b) {
			return false
		}
	}
	if class, _ := w.classHere(); len(digits) < minHex && class <= nameNeutral {
		return false
	}
	n := w.budget.afford(len(digits) / 2)
	whole := n == len(digits)/2
	if !whole {
		w.limited("hex")
	}
	buf := w.buffer(f.depth, n)
	for i := range buf {
		buf[i] = unhex(digits[2*i])<<4 | unhex(digits[2*i+1])
	}
	if !w.isContainer(buf) {
		return false
	}
	return (w.child(f, piece{kind: "hex", data: buf, to: len(f.data)}, nil, 0) || isText(buf) || isELF(buf, 0)) && whole
}
