package fleet_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
)

// entry is a key and its value, which holds a password.
func entry(file, n int) (key, value string) {
	return fmt.Sprintf("key:%d", n), `{"password":"` + secret(file%50*1000+n%1000) + `"}`
}

// logOf is a log that sets n keys.
func logOf(file, n int) string {
	var b strings.Builder
	b.WriteString("*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n")
	for i := range n {
		key, value := entry(file, i)
		fmt.Fprintf(&b, "*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(key), key, len(value), value)
	}
	return b.String()
}

// snapshotOf is a snapshot, without a checksum, of n strings shorter than 64 bytes.
func snapshotOf(file, n int) string {
	var b strings.Builder
	b.WriteString("REDIS0011\xfe\x00")
	for i := range n {
		key, value := entry(file, i)
		fmt.Fprintf(&b, "\x00%c%s%c%s", len(key), key, len(value), value)
	}
	b.WriteString("\xff" + strings.Repeat("\x00", 8))
	return b.String()
}

// fleetOf is a directory of made up dumps, and the file of the identity that opens
// those of them that are sealed.
type fleetOf struct{ dir, identity string }

// dumps writes n inputs: logs and snapshots, some cut, some with gibberish inside,
// some compressed, some sealed, some logs of several files, and some huge.
func dumps(t *testing.T, n int) fleetOf {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	d := fleetOf{t.TempDir(), filepath.Join(t.TempDir(), "identity")}
	write(t, d.identity, id.String()+"\n")
	for i := range n {
		keys := 3 + i%7*30
		base, ext, text := filepath.Join(d.dir, fmt.Sprintf("instance-%d", i%5), fmt.Sprintf("%04d", i)), ".aof", logOf(i, keys)
		if i%400 == 1 {
			text += fmt.Sprintf("*3\r\n$3\r\nSET\r\n$4\r\nhuge\r\n$%d\r\n%s\r\n", huge, strings.Repeat("a value of no interest. ", huge/24))
		}
		if i%2 == 0 {
			ext, text = ".rdb", snapshotOf(i, keys)
		}
		switch i % 10 {
		case 3:
			text = text[:len(text)-11]
		case 4:
			ext, text = ext+".age", sealed(t, id.Recipient(), text)
		case 5:
			ext, text = ext+".gz", gzipped(t, text)
		case 7, 8:
			text = text[:len(text)/2] + "\x00\xff gibberish \x00" + text[len(text)/2:]
		case 9:
			name := filepath.Base(base) + ".aof"
			write(t, filepath.Join(base, name+".2.base.rdb"), snapshotOf(i, keys))
			write(t, filepath.Join(base, name+".2.incr.aof"), logOf(i+1, 5))
			write(t, filepath.Join(base, name+".1.incr.aof"), logOf(i+2, 3))
			base, ext = filepath.Join(base, name), ".manifest"
			text = fmt.Sprintf("file %[1]s.2.base.rdb seq 2 type b\nfile %[1]s.1.incr.aof seq 1 type h\nfile %[1]s.2.incr.aof seq 2 type i\n", name)
		}
		write(t, base+ext, text)
	}
	return d
}

// huge is how long the values of huge dumps are.
const huge = 24 << 20

// counted is how many inputs n dumps are: history files are of their own.
func counted(n int) int64 { return int64(n + n/10) }

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func gzipped(t *testing.T, text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func sealed(t *testing.T, to age.Recipient, text string) string {
	var b bytes.Buffer
	w, err := age.Encrypt(&b, to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
