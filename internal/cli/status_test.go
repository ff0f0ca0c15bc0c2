package cli

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// TestStatusOfEveryReader: what verbs that read say of the same inputs by their exit
// status. An error is one line.
func TestStatusOfEveryReader(t *testing.T) {
	contractInputs(t)
	whole, err := os.ReadFile("other.rdb")
	if err != nil {
		t.Fatal(err)
	}
	log := strings.Repeat("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n", 3)
	for name, data := range map[string]string{
		"cut.rdb":      string(whole[:len(whole)-12]),
		"checksum.rdb": string(whole[:len(whole)-8]) + "12345678",
		"torn.aof":     log[:len(log)-5],
		"damaged.aof":  log[:40] + "garbage\r\n" + log[50:],
		"text":         "hello\n",
		"empty":        "",
	} {
		if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir("nothing", 0o700); err != nil {
		t.Fatal(err)
	}
	const ( // a verb, as it is asked; then its answers
		inputs = "                    other.rdb log.aof torn.aof data cut.rdb checksum.rdb damaged.aof empty text nothing missing"
		table  = `
scan                                      0       0        0    0       3            3           3     3    0       0       4
inspect                                   0       0        0    0       3            3           3     3    0       0       4
timeline                                  0       0        0    0       3            3           3     3    0       0       4
memory                                    0       0        0    0       3            3           3     3    2       2       4
export                                    0       0        0    0       3            3           3     3    2       2       4
history                                   2       0        0    2       2            2           3     3    2       2       4
salvage                                   0       0        0    2       3            3           3     3    3       2       4
report,-o,page.html                       0       0        0    0       3            3           3     3    0       0       4
diff,data/dump.rdb                        1       1        1    0       5            5           5     5    2       2       4
carve                                     0       0        0    4       0            0           0     0    0       4       4
verify                                    4       4        4    2       4            4           4     4    4       2       4
list                                      4       4        4    0       4            4           4     4    4       0       4`
	)
	names := strings.Fields(inputs)
	for line := range strings.Lines(strings.TrimSpace(table)) {
		cells := strings.Fields(line)
		for i, want := range cells[1:] {
			words := strings.Split(cells[0], ",")
			args := append(words, names[i], "--tmp", t.TempDir())
			var out, errs bytes.Buffer
			got := Main(args, bytes.NewReader(nil), &out, &errs)
			if got != int(want[0]-'0') {
				t.Errorf("%s: status %d, want %s: %s", strings.Join(args[:len(args)-2], " "), got, want, &errs)
			}
			if said := strings.Count(errs.String(), "valkeyfs: "); said > 1 || (got == exitUsage || got == exitError) && said != 1 {
				t.Errorf("%s: %d errors are said: %s", strings.Join(args[:len(args)-2], " "), said, &errs)
			}
		}
	}
}
