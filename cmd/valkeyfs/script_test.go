package main

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/valkeyfs/valkeyfs/internal/cli"
	"github.com/valkeyfs/valkeyfs/internal/yara"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"valkeyfs": func() { os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// The scripts in testdata/script run the program as a user does. Beside the
// usual commands of testscript they have
//
//	rdb FILE KEY VALUE …      a snapshot of string keys, its checksum disabled
//	aof FILE 'COMMAND ARG …'… a log
//	wrap LAYER FROM TO        FROM inside gzip, zstd, lz4 or age (to $IDENTITY)
//	cut FILE N                removes the last N bytes
//	flip FILE N               changes byte N
//	fifo FILE, mode FILE PERM, lines FILE REGEXP N (N lines match)
//	status N valkeyfs …       runs it and wants exit status N
//
// and, made anew for each script, the synthetic credentials $GITHUB_TOKEN and
// $PASSWORD. $TESTDATA is the repository's. The condition [yara] is a build with
// that engine.
func TestScripts(t *testing.T) {
	data, err := filepath.Abs("../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			id, err := age.GenerateX25519Identity()
			if err != nil {
				return err
			}
			path := filepath.Join(env.WorkDir, "identity.txt")
			if err := os.WriteFile(path, []byte(id.String()+"\n"), 0o600); err != nil {
				return err
			}
			env.Setenv("IDENTITY", path)
			env.Setenv("XDG_STATE_HOME", filepath.Join(env.WorkDir, "state"))
			env.Setenv("GITHUB_TOKEN", githubToken(env.WorkDir))
			env.Setenv("PASSWORD", "Hafen!Deich"+strconv.Itoa(len(env.WorkDir)+700))
			env.Setenv("TESTDATA", data)
			env.Setenv("ESC", "\x1b")
			env.Setenv("NL", "\n")
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name != "yara" {
				return false, fmt.Errorf("no such condition: %q", name)
			}
			return yara.Available, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"rdb": rdbCmd, "aof": aofCmd, "wrap": wrapCmd, "cut": cutCmd, "flip": flipCmd, "fifo": fifoCmd, "mode": modeCmd, "lines": linesCmd, "status": statusCmd,
		},
	})
}

// githubToken makes a classic token: 30 random characters and the CRC-32 of
// them in base 62 (GitHub's engineering blog, "Behind GitHub's new
// authentication token formats").
func githubToken(seed string) string {
	const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	digits := func(n uint64, width int) string {
		b := bytes.Repeat([]byte{'0'}, width)
		for i := width - 1; n > 0 && i >= 0; i-- {
			b[i] = base62[n%62]
			n /= 62
		}
		return string(b)
	}
	body := ""
	for i := 0; len(body) < 30; i++ {
		body += digits(uint64(crc32.ChecksumIEEE(fmt.Append(nil, seed, i)))*2654435761, 10)
	}
	return "gh" + "p_" + body[:30] + digits(uint64(crc32.ChecksumIEEE([]byte(body[:30]))), 6)
}

func length(n int) []byte {
	if n < 64 {
		return []byte{byte(n)}
	}
	return []byte{0x80, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
}

func rdbCmd(ts *testscript.TestScript, _ bool, args []string) {
	if len(args)%2 != 1 {
		ts.Fatalf("usage: rdb FILE KEY VALUE …")
	}
	b := []byte("REDIS0011\xfa\x09redis-ver\x057.2.4\xfa\x05ctime\xc2\x00\xf1\x53\x65\xfe\x00")
	for i, s := range args[1:] {
		if i%2 == 0 {
			b = append(b, 0) // the type, before the key
		}
		b = append(append(b, length(len(s))...), s...)
	}
	b = append(b, 0xff, 0, 0, 0, 0, 0, 0, 0, 0)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}

func aofCmd(ts *testscript.TestScript, _ bool, args []string) {
	var b []byte
	for _, command := range args[1:] {
		words := strings.Split(command, " ")
		b = fmt.Appendf(b, "*%d\r\n", len(words))
		for _, w := range words {
			b = fmt.Appendf(b, "$%d\r\n%s\r\n", len(w), w)
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}

func wrapCmd(ts *testscript.TestScript, _ bool, args []string) {
	in := []byte(ts.ReadFile(args[1]))
	var out bytes.Buffer
	var w interface {
		Write([]byte) (int, error)
		Close() error
	}
	var err error
	switch args[0] {
	case "gzip":
		w = gzip.NewWriter(&out)
	case "zstd":
		w, err = zstd.NewWriter(&out)
	case "lz4":
		w = lz4.NewWriter(&out)
	case "age":
		var ids []age.Identity
		ids, err = age.ParseIdentities(strings.NewReader(ts.ReadFile(ts.Getenv("IDENTITY"))))
		ts.Check(err)
		w, err = age.Encrypt(&out, ids[0].(*age.X25519Identity).Recipient())
	default:
		ts.Fatalf("no such layer: %s", args[0])
	}
	ts.Check(err)
	_, err = w.Write(in)
	ts.Check(err)
	ts.Check(w.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), out.Bytes(), 0o600))
}

func number(ts *testscript.TestScript, s string) int {
	n, err := strconv.Atoi(s)
	ts.Check(err)
	return n
}

func cutCmd(ts *testscript.TestScript, _ bool, args []string) {
	b := ts.ReadFile(args[0])
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(b[:len(b)-number(ts, args[1])]), 0o600))
}

func flipCmd(ts *testscript.TestScript, _ bool, args []string) {
	b := []byte(ts.ReadFile(args[0]))
	b[number(ts, args[1])] ^= 0x15
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}

func modeCmd(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[1] {
		ts.Fatalf("mode of %s is %s, not %s", args[0], got, args[1])
	}
}

func linesCmd(ts *testscript.TestScript, _ bool, args []string) {
	re := regexp.MustCompile(args[1])
	n := 0
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		if re.MatchString(line) {
			n++
		}
	}
	if n != number(ts, args[2]) {
		ts.Fatalf("%d lines match %s, not %s", n, args[1], args[2])
	}
}

func statusCmd(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if err != nil {
		var exit interface{ ExitCode() int }
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != number(ts, args[0]) {
		ts.Fatalf("exit status %d, not %s", got, args[0])
	}
}
