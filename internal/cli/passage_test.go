package cli

import (
	"bytes"
	"strings"
	"testing"
)

// Where JSON would be mixed with the data, that is said before a passphrase is asked for.
func TestPassageRefusedBeforeAsking(t *testing.T) {
	contractInputs(t)
	for _, line := range []string{"encrypt data/dump.rdb --passphrase --format json", "rekey data/dump.rdb --passphrase --format json", "decrypt data/dump.rdb --format json"} {
		var out, told bytes.Buffer
		code := Main(strings.Fields(line), strings.NewReader(""), &out, &told)
		if code != exitUsage || !strings.Contains(told.String(), "name a file by -o") {
			t.Errorf("%s: exit status %d: %s", line, code, told.String())
		}
	}
}
