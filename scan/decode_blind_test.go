package scan

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
)

func brotliOf(text string) []byte {
	var out bytes.Buffer
	z := brotli.NewWriter(&out)
	z.Write([]byte(text))
	z.Close()
	return out.Bytes()
}

func deflateOf(text string, level int) []byte {
	var out bytes.Buffer
	z, _ := flate.NewWriter(&out, level)
	z.Write([]byte(text))
	z.Close()
	return out.Bytes()
}

// Compressors without a header are opened behind base64 under any name, known by
// the first bits; also after a stream that was given up.
func TestBlindBehindBase64(t *testing.T) {
	s := newTestScanner(t)
	binary := strings.Repeat("\x00\x01\x02\xfe", 200) // compresses, and is no text
	for i := range 20 {
		token := githubToken("ghp", fmt.Sprint("blind", i))
		text := fmt.Sprintf(`{"id": %d, "name": "worker %d", "note": "%s", "tags": ["alpha", "beta"]}`, i, i*7, token)
		for kind, packed := range map[string][]byte{
			"brotli":        brotliOf(text),
			"deflate":       deflateOf(text, 9),
			"deflate fixed": deflateOf(text[:len(text)-28], 9),
			"stored":        deflateOf(text, 0),
		} {
			for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
				scanAll(t, s, stringKey("app:1:payload", string(brotliOf(binary))))
				scanAll(t, s, stringKey("app:1:payload", "\x06"+strings.Repeat("\xfe\x81", 20))) // an empty stream, and more
				fs, _ := scanAll(t, s, stringKey("app:1:payload", enc.EncodeToString(packed)))
				if len(fs) != 1 || fs[0].Secret != token {
					t.Errorf("%s: found %s", kind, brief(fs))
				}
			}
		}
	}
}

// Random bytes are hardly ever tried.
func TestBlindHeads(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	tried := 0
	head := make([]byte, headDeflate)
	const n = 100_000
	for range n {
		for i := range head {
			head[i] = byte(r.Uint32())
		}
		if likelyBlind(head, 64) {
			tried++
		}
	}
	if tried*50 > n {
		t.Errorf("%d of %d random heads are tried", tried, n)
	}
}
