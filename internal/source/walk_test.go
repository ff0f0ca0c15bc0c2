package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
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

// What the system tells of a directory that is not entered is told too.
func TestDirectoryThatIsNotEntered(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, strings.Repeat("d/", maxDirs+1)), 0o750); err != nil {
		t.Fatal(err)
	}
	in, err := New(t.Context(), []string{dir}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for u, err := range in.Units(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if f := u.Files[0]; f.Err == nil || f.Mode != fs.ModeDir|0o750 || f.Modified.IsZero() || f.UID != os.Getuid() {
			t.Errorf("%s: %s, modified %s, user %d, %v", f.Path, f.Mode, f.Modified, f.UID, f.Err)
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
