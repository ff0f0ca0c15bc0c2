package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A snapshot is an RDB file in the making.
type snapshot struct{ bytes.Buffer }

func newSnapshot() *snapshot {
	s := &snapshot{}
	s.WriteString("REDIS0011\xfa\x09redis-ver\x057.2.4\xfa\x05ctime\xc2\x00\xf1\x53\x65\xfe\x00")
	return s
}

func (s *snapshot) text(v string) {
	n := len(v)
	s.Write([]byte{0x80, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
	s.WriteString(v)
}

// add writes a key: of type 0 string, 1 list, 2 set, 4 hash (RDB_TYPE_* of rdb.h).
func (s *snapshot) add(kind byte, key string, values ...string) {
	s.WriteByte(kind)
	s.text(key)
	if kind != 0 {
		n := len(values)
		if kind == 4 {
			n /= 2
		}
		s.WriteByte(byte(n))
	}
	for _, v := range values {
		s.text(v)
	}
}

func (s *snapshot) save(t *testing.T, name string) {
	t.Helper()
	if err := os.WriteFile(name, append(s.Bytes(), 0xff, 0, 0, 0, 0, 0, 0, 0, 0), 0o600); err != nil {
		t.Fatal(err)
	}
}

// made makes random credentials, anew each time.
type made struct {
	*rand.Rand
	secrets []string
}

func newMade() *made { return &made{Rand: rand.New(rand.NewPCG(rand.Uint64(), 1))} }

func (m *made) from(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[m.IntN(len(alphabet))]
	}
	return string(b)
}

const (
	testUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	testAlnum = "0123456789" + testUpper + "abcdefghijklmnopqrstuvwxyz"
)

// github is a classic token with its checksum.
func (m *made) github() string {
	body := m.from(testAlnum, 30)
	sum, check := crc32.ChecksumIEEE([]byte(body)), make([]byte, 6)
	for i := range check {
		check[5-i] = testAlnum[sum%62]
		sum /= 62
	}
	s := "gh" + "p_" + body + string(check)
	m.secrets = append(m.secrets, s)
	return s
}

func (m *made) stripe() string {
	s := "sk_" + "live_" + m.from(testAlnum, 24)
	m.secrets = append(m.secrets, s)
	return s
}

func (m *made) password() string {
	s := "Deich!" + m.from(testAlnum, 9) + "%7"
	m.secrets = append(m.secrets, s)
	return s
}

// run runs scan and returns all that it wrote.
func run(t *testing.T, args ...string) (out, said string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status := Main(append([]string{"scan", "--tmp", t.TempDir()}, args...), strings.NewReader(""), &stdout, &stderr)
	if status != exitFindings {
		t.Fatalf("exit status %d\n%s", status, stderr.String())
	}
	return stdout.String(), stderr.String()
}

// Wherever a secret stands, no format shows a byte of what is to be hidden: in
// values, key names, fields, members, paths inside values, names of files.
func TestNothingIsShown(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	m := newMade()
	s := newSnapshot()
	s.add(0, "config:github", m.github())
	s.add(0, "token:"+m.github(), "x")
	s.add(0, "both:"+m.stripe()+":"+m.github(), `{"a":1}`)
	s.add(4, "hash", m.github(), "as a field", "password", m.password())
	s.add(4, "hash:"+m.stripe(), "password", m.password(), m.github(), m.stripe())
	s.add(1, "list", m.stripe(), "plain", m.github())
	s.add(2, "set", m.stripe())
	s.add(0, "json", fmt.Sprintf(`{"%s":{"token":%q,"dsn":"postgres://app:%s@db.example/app"}}`, m.github(), m.stripe(), m.password()))
	s.add(0, "bytes\xff"+m.github(), m.github())
	id := m.from(testAlnum, 32)
	m.secrets = append(m.secrets, id)
	s.add(0, "sess:"+id, `{"cookie":{"originalMaxAge":86400000,"expires":"2027-01-01T00:00:00.000Z","httpOnly":true,"path":"/"},"passport":{"user":"`+m.password()+`"}}`)
	file := "dump-" + m.github() + ".rdb"
	s.save(t, filepath.Join(dir, file))
	for _, format := range scanFormats {
		for _, more := range [][]string{nil, {"--all"}} {
			out, said := run(t, append([]string{filepath.Join(dir, file), "--format", format}, more...)...)
			for i, secret := range m.secrets {
				hidden := secret[len(secret)/3 : len(secret)-4] // prefix and end of a token may show
				if strings.Contains(out, hidden) || strings.Contains(said, hidden) {
					t.Errorf("%s %v: secret %d is shown", format, more, i)
				}
			}
		}
	}
	out, said := run(t, filepath.Join(dir, file), "--format", "jsonl", "--explain")
	for i, secret := range m.secrets {
		if hidden := secret[len(secret)/3 : len(secret)-4]; strings.Contains(out, hidden) || strings.Contains(said, hidden) {
			t.Errorf("--explain: secret %d is shown", i)
		}
	}
	if out, _ := run(t, filepath.Join(dir, file), "--format", "jsonl", "--reveal"); !strings.Contains(out, m.secrets[0]) {
		t.Error("--reveal shows nothing: the test could not fail")
	}
}

// Fifty thousand live sessions do not hide one AWS key pair, and the output does
// not depend on the number of workers. The race detector sees three thousand.
func TestSessionsDoNotHideAKey(t *testing.T) {
	sessions := 50_000
	if testing.Short() {
		sessions = 3_000
	}
	name := filepath.Join(t.TempDir(), "dump.rdb")
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	m := newMade()
	s := newSnapshot()
	for i := range sessions {
		if i == sessions*4/5 {
			s.add(4, "deploy:aws", "aws_access_key_id", "AK"+"IA"+m.from(testUpper+"234567", 16), "aws_secret_access_key", m.from(testAlnum, 38)+"aZ")
		}
		s.add(0, "sess:"+m.from(testAlnum, 32), fmt.Sprintf(`{"cookie":{"originalMaxAge":86400000,"expires":"2027-01-01T00:00:00.000Z","httpOnly":true,"path":"/"},"passport":{"user":"%d"}}`, i))
	}
	s.save(t, name)
	for _, c := range []struct {
		format, begin, workers string
		lines                  int
	}{
		{"text", "", "1", 24},
		{"html", "<details", "2", 30},
		{"sarif", `"results":[`, "16", 5},
	} {
		out, _ := run(t, name, "-q", "--format", c.format, "--workers", c.workers)
		lines := strings.Split(out, "\n")
		from := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, c.begin) })
		screen := strings.Join(lines[max(from, 0):min(len(lines), from+c.lines)], "\n")
		for _, rule := range []string{"aws-access-token", "aws-secret-access-key"} {
			if from < 0 || !strings.Contains(screen, rule) {
				t.Errorf("%s: %s is not on the first screen", c.format, rule)
			}
		}
	}
	var jsonl string
	for _, workers := range []string{"1", "2", "16"} {
		out, _ := run(t, name, "-q", "--format", "jsonl", "--workers", workers)
		if jsonl != "" && jsonl != out {
			t.Errorf("%s workers: another report", workers)
		}
		jsonl = out
	}
	last := jsonl[strings.LastIndexByte(strings.TrimSpace(jsonl), '\n')+1:]
	var sum struct{ Findings int }
	if err := json.Unmarshal([]byte(last), &sum); err != nil || sum.Findings < sessions+2 {
		t.Errorf("%d findings, %v", sum.Findings, err)
	}
}
