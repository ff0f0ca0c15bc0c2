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

// Letters that a compressor could not make shorter stand in its output as they are,
// or as other letters. It is opened all the same, by itself and behind base64.
func TestBlindStreamsThatHoldText(t *testing.T) {
	s := newTestScanner(t)
	r := rand.New(rand.NewPCG(3, 4))
	tried := 0
	for tried < 60 {
		password := "Vq7" + random(fmt.Sprint(r.Uint64()), 20, alnumAlphabet) + "#29"
		text := fmt.Sprintf(`{"etag": "%016x%016x", "password": "%s"}`, r.Uint64(), r.Uint64(), password)
		var deflated, brotlied bytes.Buffer
		d, _ := flate.NewWriter(&deflated, 6)
		b := brotli.NewWriterLevel(&brotlied, 0)
		for _, w := range []interface {
			Write([]byte) (int, error)
			Close() error
		}{d, b} {
			w.Write([]byte(text))
			w.Close()
		}
		for kind, v := range map[string]string{"deflate": deflated.String(), "brotli": brotlied.String()} {
			if !holdsText([]byte(v)) {
				continue
			}
			tried++
			for chain, v := range map[string]string{kind: v, "base64>" + kind: base64.StdEncoding.EncodeToString([]byte(v))} {
				found, _ := scanAll(t, s, stringKey("k", v))
				if len(found) != 1 || found[0].Secret != password || !strings.HasPrefix(strings.Join(found[0].Chain, ">"), chain) {
					t.Errorf("%s: found %s", chain, brief(found))
				}
			}
		}
	}
}
