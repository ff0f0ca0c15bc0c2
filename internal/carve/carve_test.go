package carve

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// memory is an image in memory.
type memory struct{ p []byte }

func (m memory) ReadAt(p []byte, at int64) (int, error) { return bytes.NewReader(m.p).ReadAt(p, at) }
func (m memory) Name() string                           { return "memory" }
func (m memory) Size() int64                            { return int64(len(m.p)) }
func (m memory) Data(at int64) (from, to int64)         { return at, m.Size() }

func carveAll(t testing.TB, p []byte, workers int) (pieces []*Piece, sum *Summary) {
	t.Helper()
	sum, err := Run(context.Background(), memory{p}, Options{Workers: workers, Found: func(p *Piece) error {
		pieces = append(pieces, p)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return pieces, sum
}

func noise(r *rand.Rand, n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return p
}

func dump(t testing.TB, name string) []byte {
	t.Helper()
	p, err := os.ReadFile(filepath.Join("../../testdata/dumps", name))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// log is a run of commands.
func log(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "*3\r\n$3\r\nSET\r\n$%d\r\nkey:%d\r\n$7\r\nvalue\r\n\r\n", len(fmt.Sprint("key:", i)), i)
	}
	return b.Bytes()
}

// listpackOf is a listpack of short strings.
func listpackOf(words ...string) []byte {
	b := []byte{0, 0, 0, 0, byte(len(words)), 0}
	for _, w := range words {
		b = append(append(append(b, 0x80|byte(len(w))), w...), byte(1+len(w)))
	}
	b = append(b, 0xff)
	b[0], b[1] = byte(len(b)), byte(len(b)>>8)
	return b
}

// sdsOf is a string as it lies in a server's memory.
func sdsOf(text string) []byte {
	n := len(text)
	b := []byte{byte(n), byte(n), 1}
	if n > 255 {
		b = []byte{byte(n), byte(n >> 8), byte(n), byte(n >> 8), 2}
	}
	return append(append(b, text...), 0)
}

func packedBy(p []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(p)
	_ = z.Close()
	return b.Bytes()
}

// TestKinds: one piece of each kind is found where it lies, over the seam of two
// windows, and the same with any number of workers.
func TestKinds(t *testing.T) {
	whole := dump(t, "redis-7.0.rdb")
	var long []string
	for i := range 60 {
		long = append(long, fmt.Sprintf("element number %d", i))
	}
	type piece struct {
		name   string
		bytes  []byte
		kind   Kind
		trust  Confidence
		length int
	}
	cases := []piece{
		{"snapshot", whole, Snapshot, Intact, len(whole)},
		{"damaged snapshot", damaged(whole), Snapshot, Unverified, len(whole)},
		{"snapshot of Valkey", dump(t, "valkey-9.rdb"), Snapshot, Intact, len(dump(t, "valkey-9.rdb"))},
		{"head", whole[:len(whole)/2], Head, Partial, -1},
		{"commands", log(20), Commands, Unverified, len(log(20))},
		{"one command", log(1), Commands, Unverified, len(log(1))},
		{"listpack", listpackOf("session", "alice", "token", "0123456789"), Listpack, Unverified, -1},
		{"long listpack", listpackOf(long...), Listpack, Unverified, len(listpackOf(long...))},
		{"string", sdsOf("a password, say"), String, Unverified, 3 + 15},
		{"string of 300 bytes", sdsOf(strings.Repeat("long ", 60)), String, Unverified, 5 + 300},
		{"string that begins with a line", sdsOf("\npassword: secret"), String, Unverified, 3 + 17},
		{"gzip", packedBy(whole), Packed, Intact, len(packedBy(whole))},
		{"zstd", zstdBy(t, whole), Packed, Unverified, -1},
	}
	for _, x := range recordBeginnings([]byte("\x10\x04name\x17" + string(listpackOf("session", "alice"))))[:2] { // TestPlaces has the others
		cases = append(cases, piece{x.name, append(x.bytes, 0xaa), Fragment, Partial, len(x.bytes)})
	}
	const size = windowSize + 1<<20
	around := noise(rand.New(rand.NewPCG(1, 1)), size)
	for _, c := range cases {
		for _, at := range []int{0, 1000, windowSize - 1, windowSize - len(c.bytes)/2, windowSize, size - len(c.bytes)} {
			t.Run(fmt.Sprint(c.name, " at ", at), func(t *testing.T) {
				img := bytes.Clone(around)
				copy(img[at:], c.bytes)
				pieces, sum := carveAll(t, img, 1)
				if len(pieces) != 1 {
					t.Fatalf("%d pieces: %+v", len(pieces), pieces)
				}
				p := pieces[0]
				if p.Offset != int64(at) || p.Kind != c.kind || p.Confidence != c.trust || c.length >= 0 && p.Length != int64(c.length) {
					t.Errorf("%+v", p)
				}
				again, sum3 := carveAll(t, img, 3)
				if !reflect.DeepEqual(pieces, again) || !reflect.DeepEqual(sum, sum3) {
					t.Error("three workers find something else than one")
				}
			})
		}
	}
}

func damaged(p []byte) []byte {
	p = bytes.Clone(p)
	i := bytes.Index(p, []byte("a plain string"))
	p[i] ^= 1
	return p
}

// TestSame: the same bytes again are said to be so.
func TestSame(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	whole := dump(t, "redis-7.0.rdb")
	img := slices.Concat(noise(r, 5000), whole, noise(r, 5000), whole)
	pieces, _ := carveAll(t, img, 2)
	if len(pieces) != 2 || pieces[0].Same != nil || pieces[1].Same == nil || *pieces[1].Same != pieces[0].Offset {
		t.Errorf("%+v", pieces)
	}
}

// program is one that has nothing to do with servers: Go's compiler.
func program(t testing.TB) []byte {
	t.Helper()
	name, err := exec.Command("go", "tool", "-n", "compile").Output()
	if err != nil {
		t.Fatal(err)
	}
	p, err := os.ReadFile(strings.TrimSpace(string(name)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// numbers is a table of integers as programs have them, whose bytes are like streams
// without entries.
func numbers() (p []byte) {
	for _, n := range []uint64{
		0x11370, 0x11374, 0x06, 0x11400, 0x11434, 0x19, 0x11435, 0x11437, 0x06, 0x11438, 0x1143f, 0x06, 0x11440, 0x11441, 0x06, 0x11442, 0x11444,
		0x06, 0x11445, 0x11445, 0x06, 0x11446, 0x11446, 0x06, 0x11447, 0x1144a, 0x19, 0x11450, 0x11459, 0x15, 0x1145e, 0x1145e, 0x06, 0x1145f,
		0x11461, 0x19, 0x11480, 0x114af, 0x19, 0x114b0, 0x114b2, 0x06, 0x114b3, 0x114b8, 0x06, 0x114b9, 0x114b9, 0x06, 0x114c0, 0x114c2, 0x06,
	} {
		p = binary.LittleEndian.AppendUint64(p, n)
	}
	return append(p, make([]byte, 64)...)
}

// TestNothing: noise, zeros, text, tables and programs hold nothing.
func TestNothing(t *testing.T) {
	for name, img := range map[string][]byte{
		"empty": nil, "noise": noise(rand.New(rand.NewPCG(3, 1)), 32<<20), "zeros": make([]byte, 9<<20),
		"ones": bytes.Repeat([]byte{0xff}, 1<<20), "text": []byte(strings.Repeat("REDIS0011 and *3 $3 SET\n", 1000)),
		"names": bytes.Repeat([]byte("REDIS0011\x00\x00\x00\x00\x00\x00\x00VALKEY080\x00\x00\x00\x00\x00\x00\x00"), 100), "numbers": numbers(),
		"program": program(t),
	} {
		if pieces, _ := carveAll(t, img, 1); len(pieces) > 0 {
			t.Errorf("%s: %+v", name, pieces[0])
		}
	}
}

// beginsPlainly tells without a table whether a record or something else may begin with
// two bytes.
func beginsPlainly(a, b byte) (record, rest bool) {
	switch a {
	case 'R':
		rest = b == 'E'
	case 'V':
		rest = b == 'A' || b == 'C'
	case '*':
		rest = b >= '1' && b <= '9'
	case 0x1f:
		rest = b == 0x8b
	case 0x28:
		rest = b == 0xb5
	case 0:
		rest = b == 0
	case 1, 2:
		rest = b >= ' ' && b < 0x7f || b >= 0xc2 && b < 0xf5 || b == '\n' || b == '\r' || b == '\t'
	}
	return rdb.MayBegin(a, b), rest
}

// TestCandidates: all places are left that two bytes allow and what follows does not
// refuse, and few others, wherever a block ends and whatever lies before and behind it.
func TestCandidates(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 1))
	f := newFinder()
	for n := range block + 1 {
		for _, ahead := range []int{1, rdb.SieveAhead} {
			start := r.IntN(3)
			b := noise(r, start+n+ahead)
			switch n % 3 {
			case 0: // where much may begin
				for i := range b {
					b[i] = "\x00\x00\x01\x02ARE*VC1\x1f\x8b\x28\xb5\xf9\xfc\xc3\xf8\xfe\xfb\x05"[r.IntN(22)]
				}
			case 1: // where strings are
				text := "\x01*R2\u00e9\x02V(x\u4e2d1\x01\u00e9\r\n\U0001f600*-"
				copy(b, strings.Repeat(text, len(b)/len(text)+1))
			}
			left := f.candidates(b, start, n)
			if !slices.IsSorted(left) {
				t.Fatalf("in this order: %d", left)
			}
			whole := len(b)-start >= rdb.SieveAhead
			for i := range n {
				at := b[start+i:]
				may, rest := beginsPlainly(at[0], at[1])
				if may && whole {
					may = len(rdb.Sieve(b[start+i/64*64:], []uint16{uint16(i % 64)})) == 1
				}
				if at[0] == 1 || at[0] == 2 {
					rest = rest && (!whole || mayBeText(at[1:1+leastString]))
				}
				_, marked := slices.BinarySearch(left, uint16(i))
				if (may || rest) && !marked {
					t.Fatalf("of %d bytes and %d behind them, %d is not left: % x", n, ahead, i, at[:min(len(at), 16)])
				}
			}
			if len(left) > 0 && int(left[len(left)-1]) >= n {
				t.Fatalf("of %d bytes %d is left", n, left[len(left)-1])
			}
		}
	}
	b, left := noise(r, 1<<20), 0
	for from := 0; from+block+rdb.SieveAhead <= len(b); from += block {
		left += len(f.candidates(b, from, block))
	}
	if left > len(b)/300 {
		t.Errorf("%d of %d places of noise are left", left, len(b))
	}
}

// TestPrefixed: what stands before a record's type, or selects a database, is left at all
// places of a block.
func TestPrefixed(t *testing.T) {
	f := newFinder()
	for _, begins := range []string{
		"\xfc\xaa\xaa\xaa\xaa\xaa\x01\x00\x00", "\xf9\x07\x00\x04", "\xf8\x05\x10\xc3", "\xf8\x45\x06\x1a\x41", "\xfe\x03\xfb",
	} {
		for i := range block {
			b := bytes.Repeat([]byte{0xaa}, block+rdb.SieveAhead)
			copy(b[i:], begins)
			if len(rdb.Sieve(b, []uint16{uint16(i)})) == 0 {
				t.Fatalf("% x at %d is refused by more than its first bytes", begins, i)
			}
			if left := f.candidates(b, 0, block); !slices.Contains(left, uint16(i)) {
				t.Errorf("% x at %d is not left", begins, i)
			}
		}
	}
}

// mayBeText reports whether b may be the first bytes of a text, which may go on.
func mayBeText(b []byte) bool {
	for k := range utf8.UTFMax {
		if isText(b[:len(b)-k]) {
			return true
		}
	}
	return false
}

// TestEvents: what a piece holds is told at its offsets in the image.
func TestEvents(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	lp := listpackOf("session", "alice", "token", "0123456789")
	img := slices.Concat(noise(r, 777), lp, noise(r, 99), log(2), noise(r, 50))
	pieces, _ := carveAll(t, img, 1)
	if len(pieces) != 2 {
		t.Fatalf("%+v", pieces)
	}
	for _, p := range pieces {
		values := 0
		for e, err := range p.Events(t.Context(), memory{img}, keyspace.Limits{}) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind != keyspace.Element {
				continue
			}
			values++
			at := e.Pos.Offset
			if got := img[at : at+int64(len(e.Value))]; !bytes.Equal(got, e.Value) || e.State != keyspace.Recovered {
				t.Errorf("%q, %s, where %q stands", e.Value, e.State, got)
			}
		}
		if values == 0 {
			t.Errorf("%+v holds nothing", p)
		}
	}
}

// TestBrokenName: a record that breaks off in its name leads over a page of another piece,
// to a value of it; the records in between are found all the same.
func TestBrokenName(t *testing.T) {
	piece := func(prefix string) (p []byte, value int) {
		for i := range 120 {
			key, lp := fmt.Sprintf("%s:%d", prefix, i), listpackOf("name", fmt.Sprint(i*i))
			p = append(append(p, 16, byte(len(key))), key...)
			value = len(p)
			p = append(append(p, byte(len(lp))), lp...)
		}
		return p, value
	}
	first, _ := piece("first")
	second, value := piece("second")
	junk := []byte{0x8a, 0xf1, 0x03, 0xd7, 0x99, 0x02, 0xc8}
	n := len(junk) + value
	img := slices.Concat(first, []byte{16, 0x40 | byte(n>>8), byte(n)}, junk, second, bytes.Repeat([]byte{0xaa}, 64))
	found := map[string]bool{}
	pieces, _ := carveAll(t, img, 1)
	for _, p := range pieces {
		for e, err := range p.Events(t.Context(), memory{img}, keyspace.Limits{}) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind == keyspace.KeyEnd {
				found[string(e.Key)] = true
			}
		}
	}
	if len(found) != 240 || !found["first:119"] || !found["second:0"] || !found["second:119"] {
		t.Errorf("%d keys in %d pieces", len(found), len(pieces))
	}
}

// TestWrite: a fragment is written as a snapshot that can be read.
func TestWrite(t *testing.T) {
	whole := dump(t, "redis-7.0.rdb")
	r := rand.New(rand.NewPCG(5, 1))
	img := slices.Concat(noise(r, 3000), whole[2000:], noise(r, 3000))
	pieces, _ := carveAll(t, img, 1)
	i := slices.IndexFunc(pieces, func(p *Piece) bool { return p.Kind == Fragment })
	if i < 0 {
		t.Fatalf("no fragment among %+v", pieces)
	}
	var b bytes.Buffer
	if err := pieces[i].Write(memory{img}, &b); err != nil {
		t.Fatal(err)
	}
	if again, _ := carveAll(t, b.Bytes(), 1); len(again) != 1 || again[0].Kind != Snapshot || again[0].Confidence != Unverified {
		t.Errorf("what was written is %+v", again)
	}
	keys := uint64(0)
	for e, err := range rdb.NewReader(&b, rdb.Options{}).Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind == keyspace.KeyEnd {
			keys++
		}
	}
	if keys == 0 || keys != pieces[i].Records {
		t.Errorf("%d keys, %d were found", keys, pieces[i].Records)
	}
}

func FuzzCarve(f *testing.F) {
	whole := dump(f, "redis-7.0.rdb")
	f.Add(whole)
	f.Add(whole[1000:3000])
	f.Add(log(3))
	f.Add(listpackOf("session", "alice", "token"))
	f.Add(packedBy(log(3)))
	f.Fuzz(func(t *testing.T, p []byte) {
		pieces, _ := carveAll(t, p, 1)
		end := int64(0)
		for _, x := range pieces {
			if x.Offset < end || x.Length <= 0 || x.Offset+x.Length > int64(len(p)) {
				t.Fatalf("%+v of %d bytes, behind %d", x, len(p), end)
			}
			end = x.Offset + x.Length
			for _, err := range x.Events(t.Context(), memory{p}, keyspace.Limits{}) {
				if err != nil {
					t.Fatal(err)
				}
			}
			if err := x.Write(memory{p}, io.Discard); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func BenchmarkNoise(b *testing.B) {
	p := noise(rand.New(rand.NewPCG(1, 1)), 64<<20)
	b.SetBytes(int64(len(p)))
	b.ReportAllocs()
	for b.Loop() {
		carveAll(b, p, 1)
	}
}

// BenchmarkFinder is the search alone, of which a window of noise is nearly all.
func BenchmarkFinder(b *testing.B) {
	p, f := noise(rand.New(rand.NewPCG(1, 1)), 16<<20), newFinder()
	b.SetBytes(int64(len(p)))
	b.ReportAllocs()
	for b.Loop() {
		if h, ok := f.next(p, 0, len(p)); ok {
			b.Fatalf("found at %d", h.at)
		}
	}
}

func TestWrapped(t *testing.T) {
	for head, want := range map[string]string{
		"":                     "",
		"REDIS0011":            "",
		"\x1f\x8b\x08\x00":     "gzip",
		"\x28\xb5\x2f\xfd\x04": "zstd",
		"\x04\x22\x4d\x18":     "lz4",
		"\xfd7zXZ\x00\x00":     "xz",
		"BZh91AY":              "bzip2",
		"7z\xbc\xaf\x27\x1c":   "7z",
		"PK\x03\x04":           "zip",
		"AFF10\r\n\x00\x00":    "AFF",
		"AVML\x02\x00\x00\x00": "AVML",
		"EMiL\x01\x00\x00\x00": "", // LiME
		"KDUMP   \x06":         "kdump",
		"makedumpfile\x00\x00": "kdump",
		"hsqs\x01":             "squashfs",
		"PK\x03\x04" + strings.Repeat("\x00", 26) + "container.description": "AFF4",
	} {
		if got, open := Wrapped(memory{[]byte(head)}); got != want || (open == "") != (want == "" || want == "AFF4" || want == "kdump") {
			t.Errorf("%q is %q, opened by %q", head, got, open)
		}
	}
}
