package replay

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/pierrec/lz4/v4"
)

// TestEnvelopedBase holds that what is taken back of a log's commands takes nothing back of a
// base in an envelope, whose records begin at offsets of what that holds.
func TestEnvelopedBase(t *testing.T) {
	base := []byte("REDIS0011\xfa\x0caof-preamble\xc0\x01\xfe\x00")
	const keys = 2000
	for i := range keys {
		name := fmt.Sprint("key:", i)
		base = append(append(base, 0, byte(len(name))), name...)
		base = append(append(base, 60), strings.Repeat("v", 60)...)
	}
	base = append(base, 0xff, 0, 0, 0, 0, 0, 0, 0, 0)
	wrapped := bytes.NewBufferString("VCS\x01\x01\x00\x01")
	w := lz4.NewWriter(wrapped)
	if _, err := w.Write(base); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	commands := "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$3\r\nnew\r\n$1\r\nv\r\n"
	for _, end := range []string{"", "*3\r\n$3\r\nSET\r\n$5\r\nke", "*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$3\r\nnew\r\n$1\r\nw\r\n"} {
		for _, maxMem := range []int64{1, 64 << 20} {
			for _, apart := range []bool{false, true} {
				path := writeLog(t, wrapped.Bytes(), []byte(commands+end), apart)
				if got := len(stateKeys(t, path, Options{MaxMem: maxMem, Tmp: t.TempDir()})); got != keys+1 {
					t.Errorf("%q, in %d bytes, apart %t: %d keys", end, maxMem, apart, got)
				}
			}
		}
	}
}
