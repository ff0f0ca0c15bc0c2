package source

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// snapshot is an RDB of one string key, its checksum disabled.
func snapshot(key, value string) string {
	return "REDIS0011\xfa\x09redis-ver\x057.2.4\xfa\x05ctime\xc2\x00\xf1\x53\x65" +
		"\xfe\x00\x00" + string(rune(len(key))) + key + string(rune(len(value))) + value + "\xff" + strings.Repeat("\x00", 8)
}

func command(args ...string) string {
	s := fmt.Sprintf("*%d\r\n", len(args))
	for _, a := range args {
		s += fmt.Sprintf("$%d\r\n%s\r\n", len(a), a)
	}
	return s
}

func write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// list reads all units of paths and describes each file and each key, element
// and damage in a line, relative to dir.
func list(t testing.TB, dir string, o Options, paths ...string) string {
	t.Helper()
	in, err := New(context.Background(), paths, o)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	short := func(p string) string { return strings.TrimPrefix(strings.TrimPrefix(p, dir), "/") }
	for u, err := range in.Units(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		for e, err := range u.Events(context.Background()) {
			if err != nil {
				t.Fatal(err)
			}
			switch e.Kind {
			case keyspace.Element:
				fmt.Fprintf(&out, "  %s %s=%s %s\n", short(e.Pos.Source), e.Key, e.Value, e.State)
			case keyspace.Damage:
				var format *keyspace.FormatError
				if !errors.As(e.Err, &format) {
					t.Fatalf("damage without a place: %v", e.Err)
				}
				fmt.Fprintf(&out, "  damage %s@%d %s: %v\n", short(format.Pos.Source), format.Pos.Offset, format.What, format.Err)
			case keyspace.Torn:
				fmt.Fprintf(&out, "  torn %s@%d\n", short(e.Pos.Source), e.Pos.Offset)
			}
		}
		if err := u.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		for _, f := range u.Files {
			fmt.Fprintf(&out, "%s %s", short(f.Path), f.Kind)
			if f.Role != "" {
				fmt.Fprintf(&out, " (%s)", f.Role)
			}
			if len(f.Layers) > 0 {
				fmt.Fprintf(&out, " in %s", strings.Join(f.Layers, " "))
			}
			if f.Skipped != "" {
				fmt.Fprintf(&out, " skipped: %s", f.Skipped)
			}
			out.WriteByte('\n')
		}
	}
	return out.String()
}

func check(t *testing.T, got, want string) {
	t.Helper()
	if want = strings.TrimLeft(want, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestDirectory(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"dump.rdb":               snapshot("k", "v"),
		"dump.rdb.gz":            string(wrap(t, layerGzip, []byte(snapshot("zipped", "v")), nil)),
		"temp-123.rdb":           snapshot("half", "v"),
		"misnamed.txt":           snapshot("odd", "v"),
		"wrong.rdb":              "\x00\x01\x02",
		"valkey.conf":            "bind 127.0.0.1\nport 6379\n",
		"valkey.log":             "1:M 24 Nov 2025 22:53:00.123 * Ready\n",
		"empty":                  "",
		"core":                   "\x7fELF\x02\x01\x01\x00\x00",
		"sub/deeper/another.rdb": snapshot("deep", "v"),
	})
	check(t, list(t, dir, Options{}, dir), `
core other skipped: no format that is read
  dump.rdb k=v live
dump.rdb rdb
  dump.rdb.gz zipped=v live
dump.rdb.gz rdb in gzip
empty empty skipped: empty
  misnamed.txt odd=v live
misnamed.txt rdb
  temp-123.rdb half=v recovered
temp-123.rdb rdb (temp)
  valkey.conf valkey.conf=bind 127.0.0.1 unknown
  valkey.conf valkey.conf=port 6379 unknown
valkey.conf conf
  valkey.log valkey.log=1:M 24 Nov 2025 22:53:00.123 * Ready unknown
valkey.log log
  damage wrong.rdb@0 start of a file that is named like a snapshot or a log: unsupported format
wrong.rdb other skipped: cannot be read
  sub/deeper/another.rdb deep=v live
sub/deeper/another.rdb rdb
`)
}

func TestLog(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"appendonly.aof.manifest": "file appendonly.aof.2.base.rdb seq 2 type b\n" +
			"file appendonly.aof.1.incr.aof seq 1 type h\n" +
			"file appendonly.aof.2.incr.aof seq 2 type i\n" +
			"file appendonly.aof.3.incr.aof seq 3 type i\n" +
			"file appendonly.aof.4.incr.aof seq 4 type i\n",
		"appendonly.aof.2.base.rdb": snapshot("base", "v"),
		"appendonly.aof.1.incr.aof": command("SET", "old", "v"),
		"appendonly.aof.2.incr.aof": command("SET", "a", "v") + command("SET", "gone", "v"),
		"appendonly.aof.4.incr.aof": command("DEL", "gone") + "*3\r\n$3\r\nSET\r\n$1\r",
		"appendonly.aof.9.incr.aof": command("SET", "orphan", "v"),
		"dump.rdb":                  snapshot("dump", "v"),
	})
	want := `
  damage appendonly.aof.3.incr.aof@0 a file that the manifest names does not exist: truncated
  appendonly.aof.2.base.rdb base=v live
  appendonly.aof.2.incr.aof a=v live
  appendonly.aof.2.incr.aof gone=v deleted
  torn appendonly.aof.4.incr.aof@23
appendonly.aof.manifest manifest
appendonly.aof.2.base.rdb rdb (base)
appendonly.aof.2.incr.aof aof (incr)
appendonly.aof.4.incr.aof aof (incr)
  appendonly.aof.1.incr.aof old=v recovered
appendonly.aof.1.incr.aof aof (history)
`
	check(t, list(t, dir, Options{Resolve: true}, filepath.Join(dir, "appendonly.aof.manifest")), want)
	check(t, list(t, dir, Options{Resolve: true}, dir), want+`  appendonly.aof.9.incr.aof orphan=v recovered
appendonly.aof.9.incr.aof aof (orphan)
  dump.rdb dump=v live
dump.rdb rdb
`)
}

// Manifests that lead out of the directory, name links, or name a file twice.
func TestHostileManifests(t *testing.T) {
	outer := t.TempDir()
	dir := filepath.Join(outer, "appendonlydir")
	write(t, outer, map[string]string{"secret.aof": command("SET", "outside", "v")})
	write(t, dir, map[string]string{
		"a.manifest": "file ../secret.aof seq 1 type i\n",
		"b.manifest": "file " + filepath.Join(outer, "secret.aof") + " seq 1 type i\n",
		"c.manifest": "file link.aof seq 1 type i\nfile in.aof seq 2 type i\nfile in.aof seq 3 type i\n",
		"in.aof":     command("SET", "inside", "v"),
	})
	if err := os.Symlink("../secret.aof", filepath.Join(dir, "link.aof")); err != nil {
		t.Fatal(err)
	}
	got := list(t, dir, Options{}, dir)
	if strings.Contains(got, "outside") {
		t.Errorf("a file outside the directory was read:\n%s", got)
	}
	if n := strings.Count(got, "inside=v"); n != 1 {
		t.Errorf("in.aof was read %d times:\n%s", n, got)
	}
	for _, want := range []string{"damage a.manifest@", "damage b.manifest@", "damage link.aof@0 a file that the manifest names is neither"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// What is no regular file is listed and never opened; links are not followed;
// names are taken as they are.
func TestSpecialFiles(t *testing.T) {
	outer := t.TempDir()
	dir := filepath.Join(outer, "data")
	odd := "k\x1b[31m\nname.rdb"
	write(t, dir, map[string]string{"a.rdb": snapshot("a", "v"), odd: snapshot("odd", "v")})
	write(t, outer, map[string]string{"outside.rdb": snapshot("outside", "v")})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600))
	must(os.Symlink("../outside.rdb", filepath.Join(dir, "leaves")))
	must(os.Symlink("/etc", filepath.Join(dir, "leaves2")))
	must(os.Symlink("a.rdb", filepath.Join(dir, "link")))
	must(os.Symlink(".", filepath.Join(dir, "loop")))
	must(os.Symlink("nowhere", filepath.Join(dir, "dangling")))
	must(os.Link(filepath.Join(dir, "a.rdb"), filepath.Join(dir, "same.rdb")))
	l, err := net.Listen("unix", filepath.Join(dir, "sock"))
	must(err)
	defer l.Close()
	device := ""
	if runtime.GOOS == "linux" && syscall.Mknod(filepath.Join(dir, "null"), syscall.S_IFCHR|0o600, 1<<8|3) == nil {
		device = "null other skipped: a device\n"
	}
	check(t, list(t, dir, Options{Hash: true}, dir), `
  a.rdb a=v live
a.rdb rdb
dangling other skipped: a symbolic link, which is not followed
fifo other skipped: a FIFO
  `+odd+` odd=v live
`+odd+` rdb
leaves other skipped: a symbolic link that leaves the directory
leaves2 other skipped: a symbolic link that leaves the directory
link other skipped: a symbolic link, which is not followed
loop other skipped: a symbolic link, which is not followed
`+device+`same.rdb other skipped: another name of a file that is listed already
sock other skipped: a socket
`)
	if got := list(t, outer, Options{}, filepath.Join(dir, "link")); !strings.Contains(got, "a=v") {
		t.Errorf("a link that the user named was not followed: %s", got)
	}
	if _, err := New(context.Background(), []string{filepath.Join(dir, "sock")}, Options{}); err == nil {
		t.Error("a socket was taken as input")
	}
}

func TestDeepDirectories(t *testing.T) {
	dir := t.TempDir()
	deep := dir
	for range maxDirs + 5 {
		deep = filepath.Join(deep, "d")
	}
	if err := os.MkdirAll(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	if got := list(t, dir, Options{}, dir); !strings.Contains(got, "depth of directories: over a limit") || strings.Count(got, "\n") != 2 {
		t.Errorf("got %s", got)
	}
}

// The hash is that of the bytes on disk, whoever read them and how far.
func TestHashes(t *testing.T) {
	dir := t.TempDir()
	big := make([]byte, 3*digestBlock+17)
	files := map[string]string{
		"a.rdb":       snapshot("k", "v"),
		"trailing":    snapshot("k", "v") + string(big),
		"truncated":   snapshot("k", strings.Repeat("v", 100))[:60],
		"zipped":      string(wrap(t, layerGzip, []byte(snapshot("k", "v")), nil)),
		"zipped more": string(wrap(t, layerGzip, []byte(snapshot("k", "v")), nil)) + "garbage",
		"binary":      string(big),
		"empty":       "",
		"text":        strings.Repeat("a line\n", 100_000),
		"log.aof":     command("SET", "k", "v"),
		"x.manifest":  "file log.aof seq 1 type i\n",
	}
	write(t, dir, files)
	in, err := New(context.Background(), []string{dir}, Options{Hash: true, Resolve: true})
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for u, err := range in.Units(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range u.Events(context.Background()) {
			if err != nil {
				t.Error(err)
			}
			if u.Name() == filepath.Join(dir, "text") {
				break // a consumer that has had enough
			}
		}
		if err := u.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		for _, f := range u.Files {
			seen++
			sum := sha256.Sum256([]byte(files[filepath.Base(f.Path)]))
			if f.SHA256 != hex.EncodeToString(sum[:]) {
				t.Errorf("%s: sha256 %q, want %x", f.Path, f.SHA256, sum)
			}
		}
	}
	if seen != len(files) {
		t.Errorf("%d files, want %d", seen, len(files))
	}
}

func TestStdin(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"rdb":      {snapshot("k", "v"), "  - k=v live\n- rdb\n"},
		"sealed":   {string(wrap(t, layerZstd, []byte(snapshot("k", "v")), nil)), "  - k=v live\n- rdb in zstd\n"},
		"aof":      {command("SET", "k", "v") + command("DEL", "k"), "  - k=v deleted\n- aof\n"},
		"text":     {"some words\n", "  - -=some words unknown\n- text\n"},
		"manifest": {"file a seq 1 type b\n", "  - -=file a seq 1 type b unknown\n- text\n"},
		"nothing":  {"", "  damage -@0 an empty file: unsupported format\n- empty skipped: empty\n"},
		"binary":   {"\x00\x01", "  damage -@0 start of the file: neither a snapshot nor a log, and no text: unsupported format\n- other skipped: no format that is read\n"},
	} {
		got := list(t, "", Options{Stdin: strings.NewReader(c.in), Resolve: true, Hash: true}, Stdin)
		if got != c.want {
			t.Errorf("%s: got\n%swant\n%s", name, got, c.want)
		}
	}
}

// What of a log could not be resolved stands at the file.
func TestUnresolved(t *testing.T) {
	var log strings.Builder
	for i := range 30_000 {
		log.WriteString(command("RPUSH", "list", strconv.Itoa(i)))
	}
	log.WriteString(command("LPOP", "list"))
	in, err := New(context.Background(), []string{Stdin}, Options{Stdin: strings.NewReader(log.String()), Resolve: true, MaxMem: 256 << 10, Tmp: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for u, err := range in.Units(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		unknown := int64(0)
		for e, err := range u.Events(context.Background()) {
			if err != nil {
				t.Fatal(err)
			}
			if (e.Kind == keyspace.Key || e.Kind == keyspace.Element) && e.State == keyspace.Unknown {
				unknown++
			}
		}
		if err := u.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got := u.Files[0].Unresolved.TooLarge; got != unknown || got == 0 {
			t.Errorf("%d keys and values too large, %d are unknown", got, unknown)
		}
		if got := u.Files[0].Size; got != int64(log.Len()) {
			t.Errorf("size %d, want %d", got, log.Len())
		}
	}
}

func TestStdinHash(t *testing.T) {
	data := snapshot("k", "v")
	in, err := New(context.Background(), []string{Stdin}, Options{Stdin: strings.NewReader(data), Hash: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Survey(context.Background(), 1e9); err != nil {
		t.Fatal(err)
	}
	for u, err := range in.Units(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range u.Events(context.Background()) {
			if err != nil {
				t.Error(err)
			}
		}
		u.Close(context.Background())
		if sum := sha256.Sum256([]byte(data)); u.Files[0].SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("sha256 %q", u.Files[0].SHA256)
		}
	}
}

// Inputs are left as they are: bytes, names, times.
func TestInputsAreNotTouched(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"a.rdb": snapshot("k", "v"), "sub/b.conf": "port 1\n"})
	paths := []string{"a.rdb", "sub/b.conf", "sub", "."}
	state := func() string {
		var all []string
		for _, p := range paths {
			info, err := os.Lstat(filepath.Join(dir, p))
			if err != nil {
				t.Fatal(err)
			}
			f := &File{}
			f.stat(info)
			all = append(all, fmt.Sprint(p, info.Size(), info.Mode(), f.Modified, f.Changed, f.Accessed))
		}
		return strings.Join(all, "\n")
	}
	for _, p := range paths {
		old := []syscall.Timespec{{Sec: 1_000_000_000}, {Sec: 1_000_000_001}}
		if err := syscall.UtimesNano(filepath.Join(dir, p), old); err != nil {
			t.Fatal(err)
		}
	}
	before := state()
	list(t, dir, Options{Hash: true}, dir)
	if noAtime == 0 {
		t.Skip("no O_NOATIME here")
	}
	if after := state(); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
}

func TestContains(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"in/a.rdb": "", "out/b": ""})
	link := filepath.Join(dir, "link")
	if err := os.Symlink("in", link); err != nil {
		t.Fatal(err)
	}
	in, err := New(context.Background(), []string{filepath.Join(dir, "in"), Stdin}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		"in/new": true, "in/a.rdb": true, "in/sub/../new": true, "link/new": true,
		"out/new": false, "inner": false, "in/../out/x": false, "missing/x": false,
	} {
		if got := in.Contains(filepath.Join(dir, path)); got != want {
			t.Errorf("Contains(%s) = %v", path, got)
		}
	}
}

func TestSurvey(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"a.rdb": snapshot("k", "v"), "b.rdb": snapshot("k", "v"), "c.conf": "port 1\nbind x\n"})
	in, err := New(context.Background(), []string{dir}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := in.Survey(context.Background(), 1e10)
	if err != nil {
		t.Fatal(err)
	}
	if s.Files != 3 || len(s.Kinds) != 2 || s.Kinds[0].Kind != RDB || s.Kinds[0].Files != 2 || len(s.Snapshots) != 2 || s.Cut {
		t.Errorf("got %+v", s)
	}
	if sn := s.Snapshots[0]; sn.Server != "redis" || sn.Version != "7.2.4" || sn.Saved.Unix() != 0x6553f100 {
		t.Errorf("got %+v", sn)
	}
	if s, err := in.Survey(context.Background(), 0); err != nil || !s.Cut {
		t.Errorf("no time: %+v, %v", s, err)
	}
}

func TestCancelled(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"a.rdb": snapshot("k", "v"), "b": string(bytes.Repeat([]byte{0}, 1<<20))})
	in, err := New(context.Background(), []string{dir}, Options{Hash: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	n := 0
	for u, err := range in.Units(ctx) {
		if err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			return
		}
		if n++; n == 1 {
			cancel()
			if err := u.Close(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("Close: %v", err)
			}
		}
	}
	t.Error("the walk ended without an error")
}

// A stream that delivers nothing more does not keep the program from ending.
func TestStreamIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r, w := io.Pipe()
	defer w.Close()
	in, err := New(ctx, []string{Stdin}, Options{Stdin: r, Hash: true})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if _, err := io.WriteString(w, snapshot("k", strings.Repeat("v", 100))[:60]); err != nil {
			t.Error(err)
		}
		cancel()
	}()
	for u, err := range in.Units(ctx) {
		if err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			continue
		}
		var last error
		for _, err := range u.Events(ctx) {
			last = err
		}
		if last != nil && !errors.Is(last, context.Canceled) {
			t.Errorf("events end with %v", last)
		}
		u.Close(ctx)
	}
	if ctx.Err() == nil {
		t.Error("the stream ended by itself")
	}
}

// A file costs little memory to look at, however much of a large one would be.
func TestManySmallFiles(t *testing.T) {
	const n, most = 200, 16 << 10
	dir, files := t.TempDir(), map[string]string{}
	for i := range n {
		files[fmt.Sprintf("%d.aof", i)] = command("SELECT", "0")
	}
	write(t, dir, files)
	in, err := New(t.Context(), []string{dir}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	units := 0
	for _, err := range in.Units(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		units++
	}
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / n; units != n || each > most {
		t.Errorf("%d units, %d bytes allocated for each", units, each)
	}
}
