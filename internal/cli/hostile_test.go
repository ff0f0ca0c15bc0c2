package cli

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

func TestMain(m *testing.M) { os.Exit(servertest.Main(m)) }

// Files that lie, by what they lie about: every verb ends, says in one line what it
// met, and stays within the memory that is allowed.
func TestHostileFiles(t *testing.T) {
	servertest.Long(t)
	h := &hostiles{program: servertest.Program(t), state: t.TempDir(), good: filepath.Join(t.TempDir(), "good.rdb")}
	s := newSnapshot()
	s.add(0, "k", "v")
	s.save(t, h.good)
	for _, f := range hostileFiles(t) {
		t.Run(f.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "dump")
			if err := os.WriteFile(path, f.bytes, 0o600); err != nil {
				t.Fatal(err)
			}
			h.verbs(t, path, f.status)
		})
	}
}

// A manifest names files in its own directory; others are not opened.
func TestHostileManifests(t *testing.T) {
	servertest.Long(t)
	h := &hostiles{program: servertest.Program(t), state: t.TempDir(), good: filepath.Join(t.TempDir(), "good.rdb")}
	s := newSnapshot()
	s.add(0, "k", "v")
	s.save(t, h.good)
	outside := t.TempDir()
	secret := newMade().github()
	if err := os.WriteFile(filepath.Join(outside, "log.aof"), []byte("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$40\r\n"+secret+"\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{
		"upwards": "../log.aof", "absolute": filepath.Join(outside, "log.aof"), "quoted": `"../log.aof"`, "escaped": `"..\x2flog.aof"`,
		"with escapes": `"a\x1b[2J\nb.aof"`, "itself": "x.aof.manifest", "the directory": ".",
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(outside, strings.ReplaceAll(name, " ", ""))
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "x.aof.manifest"), []byte("file "+file+" seq 1 type i\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			out := h.verbs(t, dir, map[string]int{"": exitIncomplete, "diff": exitBoth, "salvage": exitUsage})
			if strings.Contains(out, secret[len(secret)-4:]) {
				t.Error("a file outside of the directory was read")
			}
		})
	}
}

// hostiles runs verbs on what is hostile.
type hostiles struct {
	program, state string
	good           string // a snapshot to compare with
}

// verbs runs every verb that reads a data set on the one at path, and returns what
// they wrote. status is by verb; "" is every other.
func (h *hostiles) verbs(t *testing.T, path string, status map[string]int) string {
	t.Helper()
	var all strings.Builder
	for _, verb := range []string{"scan", "inspect", "export", "history", "diff", "memory", "salvage"} {
		args := []string{verb, "--quiet", "--workers", "1", path}
		if verb == "diff" {
			args = []string{verb, "--quiet", "--workers", "1", h.good, path}
		}
		want, ok := status[verb]
		if !ok {
			want = status[""]
		}
		r := runBounded(t, h.program, h.state, args...)
		if r.status != want {
			t.Errorf("%s: exit status %d, want %d: %s", verb, r.status, want, r.stderr)
		}
		if limit := int64(defaultMaxMem + perWorker); r.rss > limit {
			t.Errorf("%s: %d MiB were taken, %d are allowed", verb, r.rss>>20, limit>>20)
		}
		// Those that report damage themselves do so on standard output.
		said := strings.TrimSuffix(r.stderr, "\nRun \"valkeyfs help "+verb+"\" to see how it is used.\n")
		if lines := strings.Count(strings.TrimSpace(said), "\n"); lines > 0 || strings.ContainsAny(r.stdout+r.stderr, "\x1b\r") {
			t.Errorf("%s: more than a line, or escapes: %q", verb, said)
		}
		if !slices.Contains([]string{"scan", "inspect", "salvage"}, verb) && (want == exitIncomplete || want == exitBoth) && !strings.Contains(said, ": offset ") && !strings.Contains(said, "inspect says where") {
			t.Errorf("%s: it does not say where: %q", verb, said)
		}
		all.WriteString(r.stdout + r.stderr)
	}
	return all.String()
}

type hostileFile struct {
	name   string
	bytes  []byte
	status map[string]int // by verb; "" is every other
}

func hostileFiles(t *testing.T) []hostileFile {
	t.Helper()
	damaged := map[string]int{"": exitIncomplete, "diff": exitBoth, "history": exitUsage}
	unread := map[string]int{"": exitIncomplete, "diff": exitBoth}
	sound := map[string]int{"": exitOK, "diff": exitFindings, "history": exitUsage}
	file := func(parts ...string) []byte {
		return []byte("REDIS0011\xfe\x00" + strings.Join(parts, "") + "\xff\x00\x00\x00\x00\x00\x00\x00\x00")
	}
	// A compressed string: a literal byte, then copies of it.
	lzf := func(runs int, claim uint64) string {
		body := "\x00a" + strings.Repeat("\xe0\xff\x00", runs)
		return "\xc3" + length(uint64(len(body))) + length(claim) + body
	}
	const copied = 264 // bytes of a copy of the greatest length (lzf_d.c)
	listpack := func(total uint32, count uint16, entries string) string {
		b := binary.LittleEndian.AppendUint32(nil, total)
		b = binary.LittleEndian.AppendUint16(b, count)
		return text(string(b) + entries + "\xff")
	}
	quicklist := text("\x0e") + length(1) + text("x")
	for range 20 {
		quicklist = "\x02" + text(quicklist)
	}
	escapes := "a\x1b[2J\nvalkeyfs: all is well\r"
	return []hostileFile{
		{"string of 2^63 bytes", file("\x00" + text("k") + length(1<<63)), damaged},
		{"key of 2^63 bytes", file("\x00" + length(1<<63)), damaged},
		{"list of 2^63 elements", file("\x01" + text("k") + length(1<<63) + text("x")), damaged},
		{"hash of 2^63 fields", file("\x04" + text("k") + length(1<<63) + text("f") + text("v")), damaged},
		{"compressed 2^63 bytes", file("\x00" + text("k") + "\xc3" + length(1<<63) + length(1<<63) + "\x00a"), damaged},
		{"a compressed string that claims 2^62 bytes", file("\x00" + text("k") + lzf(10, 1<<62)), damaged},
		{"a compressed string larger than the memory", file("\x00" + text("k") + lzf(5<<18, 1+5*copied<<18)), sound},
		{"a listpack that claims 4 GiB", file("\x10" + text("k") + listpack(math.MaxUint32, 2, "\x01\x01\x02\x01")), damaged},
		{"a listpack that counts 65534", file("\x10" + text("k") + listpack(11, 65534, "\x01\x01\x02\x01")), damaged},
		{"a listpack with an entry of 4 GiB", file("\x10" + text("k") + listpack(14, 2, "\xf0\xff\xff\xff\xff\x01\x01")), damaged},
		{"2^63 nodes of a quicklist", file("\x12" + text("k") + length(1<<63) + "\x02" + listpack(8, 1, "\x01")), damaged},
		{"a quicklist in quicklists", file("\x12" + text("k") + length(1) + quicklist), damaged},
		{"2^32 groups of a stream", file("\x0f" + text("k") + length(0) + length(0) + length(0) + length(0) + length(1<<32) + text("g")), damaged},
		{"a gzip bomb of 1 GiB as a value", file("\x00" + text("k") + text(string(gzipBomb(t)))), map[string]int{"": exitOK, "scan": exitIncomplete, "diff": exitFindings, "history": exitUsage}},
		{"a gzip bomb of 1 GiB as a file", gzipBomb(t), unread},
		{"nothing", nil, unread},
		{"a command of 2^63 arguments", []byte("*9223372036854775807\r\n$3\r\nSET\r\n"), unread},
		{"an argument of 2^63 bytes", []byte("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$9223372036854775807\r\nv\r\n"), unread},
		{"names with escapes", file("\x00"+text(escapes)+text("v"), "\x00"+length(1<<63)), damaged},
	}
}

// length writes a length as snapshots do.
func length(n uint64) string { return string(binary.BigEndian.AppendUint64([]byte{0x81}, n)) }

func text(s string) string { return length(uint64(len(s))) + s }

// gzipBomb is 1 GiB of zeros, as members of 16 MiB.
func gzipBomb(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(make([]byte, 16<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return bytes.Repeat(b.Bytes(), 64)
}

// bounded is what became of a run of the program.
type bounded struct {
	status         int
	rss            int64 // most bytes of memory at a time
	stdout, stderr string
}

func runBounded(t *testing.T, program, state string, args ...string) bounded {
	t.Helper()
	var stderr bytes.Buffer
	stdout := &head{}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+state)
	cmd.Stdout, cmd.Stderr = stdout, &stderr
	peak, err := servertest.Peak(t, cmd)
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return bounded{cmd.ProcessState.ExitCode(), peak, string(stdout.kept), stderr.String()}
}

// head keeps the first MiB of what is written to it.
type head struct{ kept []byte }

func (h *head) Write(p []byte) (int, error) {
	h.kept = append(h.kept, p[:min(len(p), 1<<20-len(h.kept))]...)
	return len(p), nil
}
