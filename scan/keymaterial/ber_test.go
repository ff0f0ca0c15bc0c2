package keymaterial

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// loosely writes an element of DER as older writers did: of indefinite length, and
// strings in pieces, what they hold in the same way.
func loosely(t *testing.T, data []byte) []byte {
	t.Helper()
	var out []byte
	s := cryptobyte.String(data)
	for !s.Empty() {
		var content, whole cryptobyte.String
		var kind tag.Tag
		peek := s
		if !s.ReadAnyASN1(&content, &kind) || !peek.ReadAnyASN1Element(&whole, &kind) {
			t.Fatal("no DER")
		}
		switch {
		case kind&constructed != 0:
			out = append(append(append(out, byte(kind), indefinite), loosely(t, content)...), 0, 0)
		case kind == tag.OCTET_STRING && len(content) > 200:
			if content[0] == 0x30 {
				content = loosely(t, content)
			}
			out = append(out, byte(kind)|constructed, indefinite)
			for len(content) > 0 {
				n := min(len(content), 100)
				out = append(append(out, byte(kind), byte(n)), content[:n]...)
				content = content[n:]
			}
			out = append(out, 0, 0)
		default:
			out = append(out, whole...)
		}
	}
	return out
}

func TestIndefiniteLength(t *testing.T) {
	tool := tools{T: t, dir: t.TempDir()}
	if _, ok := tool.run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "o.pem"); !ok {
		t.Skip("no openssl")
	}
	tool.run("openssl", "req", "-x509", "-new", "-key", "o.pem", "-subj", "/CN=x", "-out", "c.pem")
	tool.run("openssl", strings.Fields("pkcs12 -export -inkey o.pem -in c.pem -passout pass:x -keypbe NONE -certpbe NONE -out s.p12")...)
	der := tool.read("s.p12")
	want := Binary(der)
	if want == nil || want.Fingerprint == "" {
		t.Fatalf("as DER: %+v", want)
	}
	ber := loosely(t, der)
	got := Binary(ber)
	if got == nil || got.Format != want.Format || got.Entries != want.Entries || got.Fingerprint != want.Fingerprint {
		t.Errorf("as BER: %+v, want %+v", got, want)
	}
	if Binary(ber[:len(ber)-2]) != nil {
		t.Error("cut short, it is a store")
	}
	if deep := bytes.Repeat([]byte{0x30, indefinite, 2, 1, 3}, 1000); Binary(deep) != nil {
		t.Error("nesting without end is a store")
	}
}

// Lengths that are told by an end are followed in so many bytes and so deep, and no
// further; what is not followed stays as it is.
func TestIndefiniteBounds(t *testing.T) {
	nested := func(depth, size int) []byte {
		data := append(bytes.Repeat([]byte{0x30, indefinite}, depth), 4)
		if size < 1<<16 {
			data = append(data, 0x82, byte(size>>8), byte(size))
		} else {
			data = append(data, 0x83, byte(size>>16), byte(size>>8), byte(size))
		}
		return append(data, make([]byte, size+2*depth)...)
	}
	for _, test := range []struct {
		depth, size int
		followed    bool
	}{{1, 1000, true}, {maxBERDepth, 1000, true}, {maxBERDepth + 1, 1000, false}, {1, maxBER - 9, true}, {1, maxBER - 8, false}} {
		data := nested(test.depth, test.size)
		if out := definite(data); bytes.Equal(out, data) == test.followed {
			t.Errorf("%d deep, %d bytes: followed is %v", test.depth, len(data), !test.followed)
		}
	}
}
