package backup

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// commands writes a log of them, words by spaces.
func commands(lines ...string) []byte {
	var b []byte
	for _, line := range lines {
		words := strings.Fields(line)
		b = fmt.Appendf(b, "*%d\r\n", len(words))
		for _, w := range words {
			b = fmt.Appendf(b, "$%d\r\n%s\r\n", len(w), w)
		}
	}
	return b
}

func TestInspectCountsExpiries(t *testing.T) {
	snapshot := "REDIS0011\xfe\x00\x00\x01a\x01v\xfc\x01\x02\x03\x04\x05\x06\x00\x00\x00\x01b\x01v\x00\x01c\x01v\xff\x00\x00\x00\x00\x00\x00\x00\x00"
	c, err := (&reading{}).inspect(t.Context(), bytes.NewReader([]byte(snapshot)), "dump.rdb", RoleSnapshot, false)
	if err != nil || c.keys != 3 || c.expiring != 1 {
		t.Errorf("%+v, %v: not 3 keys, of which 1 expires", c, err)
	}
	if c.format != "REDIS 11" || c.checksum != "disabled" {
		t.Errorf("%q, %q", c.format, c.checksum)
	}
}

// TestInspectCutsTails: what is torn at the end of a log is not counted, nor what
// stands there that no server writes.
func TestInspectCutsTails(t *testing.T) {
	strange := "CONFIG SET dir /tmp"
	for _, c := range []struct {
		name     string
		commands []string
		tail     string
		count    uint64
		strange  int
	}{
		{"whole", []string{"SET a 1", "SET b 2"}, "", 2, 0},
		{"a command", []string{"SET a 1"}, "*3\r\n$3\r\nSET", 1, 0},
		{"a long command", []string{"SET a 1"}, "*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$9000000\r\n" + strings.Repeat("x", 8<<20), 1, 0},
		{"a long command in MULTI", []string{"SET a 1", "MULTI"}, "*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$9000000\r\n" + strings.Repeat("x", 8<<20), 1, 0},
		{"MULTI", []string{"SET a 1", "MULTI", "SET b 2", strange}, "", 1, 0},
		{"MULTI and a command", []string{strange, "MULTI", "SET b 2", strange}, "*1\r\n$4", 1, 1},
		{"behind EXEC", []string{"MULTI", "SET b 2", "EXEC", strange}, "*1\r\n", 4, 1},
		{"MULTI at the start", []string{"MULTI", "SET b 2"}, "", 0, 0},
		{"the first", nil, "*1\r\n", 0, 0},
	} {
		log := append(commands(c.commands...), c.tail...)
		got, err := (&reading{}).inspect(t.Context(), bytes.NewReader(log), "log", RoleIncr, true)
		if err != nil || got.commands != c.count || len(got.strange) != c.strange {
			t.Errorf("%s: %d commands and %v, not %d and %d; %v", c.name, got.commands, got.strange, c.count, c.strange, err)
		}
	}
}
