package rdb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/pierrec/lz4/v4"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// transcript writes events as lines. Parts of a value are joined, so that
// equal content gives equal lines whatever the size of a chunk; places are left
// out unless places is set.
func transcript(seq keyspace.Seq, places bool) (lines []string, err error) {
	var value []byte
	for ev, e := range seq {
		if e != nil {
			return lines, e
		}
		if ev.Kind == keyspace.Element {
			if ev.Part.Begins() {
				value = value[:0]
			}
			value = append(value, ev.Value...)
			if !ev.Part.Ends() {
				continue
			}
		} else {
			value = append(value[:0], ev.Value...)
		}
		l := fmt.Sprintf("%s %s %s db%d key=%q field=%q value=%q i=%d n=%d s=%v id=%v x=%d idle=%d f=%d t=%d %s",
			ev.Kind, ev.Type, ev.Encoding, ev.DB, ev.Key, ev.Field, value, ev.Index, ev.Count, ev.Score, ev.ID, ev.Expire, ev.Idle, ev.Freq, ev.Time, ev.State)
		if ev.Kind == keyspace.Damage {
			l += " " + ev.Err.Error()
		}
		if places {
			l += fmt.Sprintf(" at %d/%d+%d of %d", ev.Pos.Offset, ev.Pos.Inner, ev.Length, ev.Record)
		}
		lines = append(lines, l)
	}
	return lines, nil
}

func read(p []byte, o Options) ([]string, error) {
	return transcript(NewReader(bytes.NewReader(p), o).Events(context.Background()), false)
}

// drain reads everything and keeps nothing.
func drain(p []byte, o Options) error {
	for _, err := range NewReader(bytes.NewReader(p), o).Events(context.Background()) {
		if err != nil {
			return err
		}
	}
	return nil
}

// dumps are the snapshots that real servers wrote.
func dumps(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("../testdata/dumps/*.rdb")
	if err != nil || len(names) == 0 {
		t.Fatalf("no dumps: %v", err)
	}
	m := map[string][]byte{}
	for _, n := range names {
		p, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		m[filepath.Base(n)] = p
	}
	return m
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		var g, w string
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Fatalf("event %d:\n got %.300s\nwant %.300s", i, g, w)
		}
	}
}

func TestChunksAndReadsDoNotMatter(t *testing.T) {
	for name, p := range dumps(t) {
		t.Run(name, func(t *testing.T) {
			want, err := read(p, Options{})
			if err != nil {
				t.Fatal(err)
			}
			r := NewReader(iotest.OneByteReader(bytes.NewReader(p)), Options{})
			got, err := transcript(r.Events(context.Background()), false)
			if err != nil {
				t.Fatal(err)
			}
			same(t, got, want)
			for _, chunk := range []int{7, 100, 3000} {
				got, err := read(p, Options{Limits: keyspace.Limits{MaxChunk: chunk}})
				if err != nil {
					t.Fatalf("chunks of %d: %v", chunk, err)
				}
				same(t, got, want)
			}
		})
	}
}

// What stands in the file as it is stands where the event says.
func TestPlaces(t *testing.T) {
	for name, p := range dumps(t) {
		checked := 0
		for ev, err := range NewReader(bytes.NewReader(p), Options{}).Events(context.Background()) {
			if err != nil {
				t.Fatal(err)
			}
			if ev.Kind != keyspace.Element || ev.Encoding == keyspace.Int || ev.Pos.Inner >= 0 || ev.Type == keyspace.Module || ev.Type == keyspace.VectorSet {
				continue
			}
			if ev.Part != keyspace.Whole || ev.Encoding == keyspace.Skiplist {
				continue
			}
			at := p[ev.Pos.Offset:]
			if int64(len(at)) < ev.Length || !bytes.HasSuffix(at[:ev.Length], ev.Value) && ev.Encoding != keyspace.LZF {
				t.Fatalf("%s: %s %q not at %d+%d", name, ev.Type, ev.Value, ev.Pos.Offset, ev.Length)
			}
			checked++
		}
		if checked < 10 {
			t.Errorf("%s: only %d places checked", name, checked)
		}
	}
}

// A prefix of a snapshot is never taken for a whole one, and gives all keys before the cut.
func TestEveryCut(t *testing.T) {
	for name, p := range dumps(t) {
		t.Run(name, func(t *testing.T) {
			var ends []int64 // where each key's record ends
			for ev, err := range NewReader(bytes.NewReader(p), Options{}).Events(context.Background()) {
				if err != nil {
					t.Fatal(err)
				}
				if ev.Kind == keyspace.KeyEnd {
					ends = append(ends, ev.Record+ev.Length)
				}
			}
			step := 1
			if len(p) > 4000 {
				step = 1 + len(p)/150 // cut_test.go cuts at every byte
			}
			for cut := 0; cut < len(p); cut += step {
				want := 0
				for want < len(ends) && ends[want] <= int64(cut) {
					want++
				}
				keys, fault := 0, error(nil)
				for ev, err := range NewReader(bytes.NewReader(p[:cut]), Options{}).Events(context.Background()) {
					if err != nil {
						fault = err
						break
					}
					if ev.Kind == keyspace.KeyEnd {
						keys++
					}
				}
				var fe *keyspace.FormatError
				if !errors.Is(fault, keyspace.ErrTruncated) || !errors.As(fault, &fe) || fe.Pos.Offset > int64(cut) {
					t.Fatalf("cut at %d: %v", cut, fault)
				}
				if keys != want {
					t.Fatalf("cut at %d: %d keys, want %d", cut, keys, want)
				}
				if cut%17 == 0 {
					keys, damage := 0, 0
					for ev, err := range NewReader(bytes.NewReader(p[:cut]), again(p[:cut])).Events(context.Background()) {
						if err != nil {
							t.Fatalf("cut at %d: resync ended with %v", cut, err)
						}
						switch ev.Kind {
						case keyspace.KeyEnd:
							keys++
						case keyspace.Damage:
							damage++
						}
					}
					if keys < want || damage == 0 {
						t.Fatalf("cut at %d: resync gave %d keys of %d and %d damages", cut, keys, want, damage)
					}
				}
			}
		})
	}
}

// A changed byte is never silent where there is a checksum.
func TestEveryFlip(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for name, p := range dumps(t) {
		for range 60 {
			at, bit := rnd.IntN(len(p)), byte(1)<<rnd.IntN(8)
			q := bytes.Clone(p)
			q[at] ^= bit
			err := drain(q, Options{})
			if err == nil {
				if at >= len(p)-8 && bytes.Equal(q[len(p)-8:], make([]byte, 8)) {
					continue
				}
				t.Fatalf("%s: bit %#x of byte %d changed and nothing was said", name, bit, at)
			}
			if err := drain(q, Options{Resync: true}); err != nil {
				t.Fatalf("%s: byte %d: resync ended with %v", name, at, err)
			}
		}
	}
}

func TestResyncFindsWhatFollows(t *testing.T) {
	p := file("REDIS0011", func(b *build) {
		for i := range 200 {
			b.op(0).str(fmt.Sprint("key:", i)).str(strings.Repeat("v", i))
		}
	})
	at := bytes.Index(p, []byte("key:100")) - 1
	p[at] = 0x83 // no length begins so
	keys, damage := map[string]bool{}, int64(0)
	for ev, err := range NewReader(bytes.NewReader(p), Options{Resync: true}).Events(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		switch ev.Kind {
		case keyspace.KeyEnd:
			keys[string(ev.Key)] = true
		case keyspace.Damage:
			if !errors.Is(ev.Err, keyspace.ErrChecksum) {
				damage += ev.Length
			}
		}
	}
	if len(keys) != 199 || keys["key:100"] {
		t.Fatalf("%d keys", len(keys))
	}
	if want := int64(1 + 1 + 7 + 2 + 100); damage != want {
		t.Errorf("damage of %d bytes, want %d", damage, want)
	}
}

// Zeros are a run of empty strings without names; nothing may be made of them.
func TestZerosAreNoKeys(t *testing.T) {
	var ends []int
	p := file("REDIS0011", func(b *build) {
		for i := range 3000 {
			b.op(0).str(fmt.Sprint("key:", i)).str("some value")
			ends = append(ends, b.Len())
		}
	})
	clear(p[10_000:30_000])
	keys := 0
	for ev, err := range NewReader(bytes.NewReader(p), Options{Resync: true}).Events(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		if ev.Kind == keyspace.KeyEnd {
			if len(ev.Key) == 0 {
				continue // before the damage is noticed, a zero is an empty key
			}
			keys++
		}
	}
	want := 0
	for i, e := range ends {
		begin := 0
		if i > 0 {
			begin = ends[i-1]
		}
		if e <= 10_000 || begin >= 30_000 {
			want++
		}
	}
	if keys < want || keys > want+1 {
		t.Fatalf("%d keys, want %d", keys, want)
	}
}

// A range that the medium could not deliver is reported, and what lies behind it is read.
func TestGap(t *testing.T) {
	p := file("REDIS0011", func(b *build) {
		for i := range 2000 {
			b.op(0).str(fmt.Sprint("key:", i)).str("some value")
		}
	})
	r := NewReader(&gapReader{p: p, from: 8192, to: 12288}, Options{Resync: true})
	gaps, last := 0, ""
	for ev, err := range r.Events(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		if ev.Kind == keyspace.Damage && errors.Is(ev.Err, errMedium) && ev.Pos.Offset == 8192 && ev.Length == 4096 {
			gaps++
		}
		if ev.Kind == keyspace.Key {
			last = string(ev.Key)
		}
	}
	if gaps != 1 || last != "key:1999" {
		t.Fatalf("%d gaps, last key %s", gaps, last)
	}
}

var errMedium = errors.New("input/output error")

type gapReader struct {
	p            []byte
	at, from, to int
}

func (g *gapReader) Read(b []byte) (int, error) {
	if g.at >= len(g.p) {
		return 0, io.EOF
	}
	end := len(g.p)
	switch {
	case g.at < g.from:
		end = g.from
	case g.at < g.to:
		n := copy(b, make([]byte, g.to-g.at))
		e := &keyspace.GapError{Offset: int64(g.at), Length: int64(n), Err: errMedium}
		g.at += n
		return n, e
	}
	n := copy(b, g.p[g.at:end])
	g.at += n
	return n, nil
}

func TestTrailingBytesAndChecksums(t *testing.T) {
	body := func(b *build) { b.op(0).str("k").str("v") }
	whole := file("REDIS0009", body)
	cases := map[string]struct {
		p        []byte
		verdict  keyspace.Checksum
		trailing int64
		err      error
	}{
		"right":     {whole, keyspace.ChecksumOK, 0, nil},
		"trailing":  {append(bytes.Clone(whole), "rest"...), keyspace.ChecksumOK, 4, nil},
		"disabled":  {append(bytes.Clone(whole[:len(whole)-8]), make([]byte, 8)...), keyspace.ChecksumDisabled, 0, nil},
		"failed":    {append(bytes.Clone(whole[:len(whole)-8]), "abcdefgh"...), keyspace.ChecksumFailed, 0, keyspace.ErrChecksum},
		"none":      {file("REDIS0004", body)[:9+2+5+1], keyspace.ChecksumUnchecked, 0, nil},
		"no footer": {whole[:len(whole)-8], 0, 0, keyspace.ErrTruncated},
		"no end":    {whole[:len(whole)-9], 0, 0, keyspace.ErrTruncated},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var end *keyspace.Event
			var fault error
			for ev, err := range NewReader(bytes.NewReader(c.p), Options{}).Events(context.Background()) {
				if fault = err; err == nil && ev.Kind == keyspace.End {
					end = ev.Clone()
				}
			}
			if !errors.Is(fault, c.err) {
				t.Fatalf("error %v, want %v", fault, c.err)
			}
			if end == nil {
				if c.err != keyspace.ErrTruncated {
					t.Fatal("no End event")
				}
				return
			}
			if keyspace.Checksum(end.Index) != c.verdict || end.Count != c.trailing {
				t.Fatalf("%v, %d trailing", keyspace.Checksum(end.Index), end.Count)
			}
		})
	}
}

func TestExpiry(t *testing.T) {
	p := file("REDIS0011", func(b *build) {
		b.op(opAux).str("ctime").str("1700000000")
		b.op(opExpireMS).le64(1_699_999_999_999).op(0).str("past").str("v")
		b.op(opExpireMS).le64(1_700_000_000_001).op(0).str("future").str("v")
		b.op(opExpire, 0, 0, 0, 0x60).op(opFreq, 9).op(0).str("seconds").str("v")
		b.op(opIdle).len(70_000).op(0).str("none").str("v")
	})
	states := func(o Options) string {
		var out []string
		for ev, err := range NewReader(bytes.NewReader(p), o).Events(context.Background()) {
			if err != nil {
				t.Fatal(err)
			}
			if ev.Kind == keyspace.Key {
				out = append(out, fmt.Sprintf("%s %d %d %d", ev.State, ev.Expire, ev.Idle, ev.Freq))
			}
		}
		return strings.Join(out, ", ")
	}
	if got, want := states(Options{}), "expired 1699999999999 -1 -1, live 1700000000001 -1 -1, expired 1610612736000 -1 9, live -1 70000 -1"; got != want {
		t.Errorf("by ctime: %s", got)
	}
	if got, want := states(Options{AsOf: 1}), "live 1699999999999 -1 -1, live 1700000000001 -1 -1, live 1610612736000 -1 9, live -1 70000 -1"; got != want {
		t.Errorf("as of 1: %s", got)
	}
}

func TestWantAndKeepValue(t *testing.T) {
	for name, p := range dumps(t) {
		values := map[string][]byte{}
		elements := 0
		o := Options{
			Want:      func(ev *keyspace.Event) bool { return ev.Type != keyspace.String },
			KeepValue: func(*keyspace.Event) int64 { return math.MaxInt64 },
		}
		for ev, err := range NewReader(bytes.NewReader(p), o).Events(context.Background()) {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			switch ev.Kind {
			case keyspace.Element:
				if ev.Type == keyspace.String {
					t.Fatalf("%s: an element that was not wanted", name)
				}
				elements++
			case keyspace.KeyEnd:
				if ev.Type != keyspace.String {
					values[fmt.Sprint(ev.DB, string(ev.Key))] = bytes.Clone(ev.Value)
				}
			}
		}
		// The kept values read back as DUMP payloads give the same elements.
		again := 0
		for key, v := range values {
			payload := dumpOf(80, v[0], string(v[1:]))
			if strings.HasPrefix(string(p), "REDIS") {
				payload = dumpOf(12, v[0], string(v[1:]))
			}
			for ev, err := range Dump(payload, []byte(key), 0, keyspace.NoExpire, Options{}) {
				if err != nil {
					t.Fatalf("%s: %q: %v", name, key, err)
				}
				if ev.Kind == keyspace.Element {
					again++
				}
			}
		}
		if again != elements {
			t.Errorf("%s: %d elements in kept values, %d in the file", name, again, elements)
		}
		// Unwanted keys are passed over without decoding, and still end where they should.
		keys := func(o Options) (n int) {
			for ev, err := range NewReader(bytes.NewReader(p), o).Events(context.Background()) {
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if ev.Kind == keyspace.KeyEnd {
					n++
				}
			}
			return n
		}
		if a, b := keys(Options{}), keys(Options{Want: func(*keyspace.Event) bool { return false }}); a != b {
			t.Errorf("%s: %d keys, %d when none is wanted", name, a, b)
		}
	}
}

func TestPreambleLeavesTheRest(t *testing.T) {
	rest := strings.Repeat("*1\r\n$4\r\nPING\r\n", 100_000)
	for name, p := range dumps(t) {
		in := io.MultiReader(bytes.NewReader(p), strings.NewReader(rest))
		r := NewReader(in, Options{Preamble: true})
		if _, err := transcript(r.Events(context.Background()), false); err != nil {
			t.Fatal(err)
		}
		rc := r.Rest()
		got, err := io.ReadAll(rc)
		if err != nil || string(got) != rest {
			t.Fatalf("%s: %d bytes of %d: %v", name, len(got), len(rest), err)
		}
		rc.Close()
	}
}

func TestEnvelope(t *testing.T) {
	inner := file("VALKEY081", func(b *build) {
		for i := range 500 {
			b.op(0).str(fmt.Sprint("key:", i)).str("a value in an envelope")
		}
	})
	want, err := read(inner, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var frame bytes.Buffer
	w := lz4.NewWriter(&frame)
	w.Write(inner)
	w.Close()
	p := append([]byte("VCS\x01\x01\x00\x01"), frame.Bytes()...)
	if !Sniff(p[:12]) {
		t.Fatal("not recognised")
	}
	got, err := read(p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, want)

	r := NewReader(bytes.NewReader(append(bytes.Clone(p), "*1\r\n"...)), Options{Preamble: true})
	if _, err := transcript(r.Events(context.Background()), false); err != nil {
		t.Fatal(err)
	}
	if rest, _ := io.ReadAll(r.Rest()); string(rest) != "*1\r\n" || r.RestOffset() != int64(len(p)) {
		t.Errorf("behind the frame, at %d: %q", r.RestOffset(), rest)
	}
	for cut := 0; cut < len(p); cut += 1 + len(p)/200 {
		if _, err := read(p[:cut], Options{}); !keyspace.Incomplete(err) {
			t.Fatalf("cut at %d: %v", cut, err)
		}
	}
	for _, bad := range []string{"VCS\x02\x01\x00\x01", "VCS\x01\x07\x00\x01", "VCS\x01\x01\x00\x02"} {
		if _, err := read(append([]byte(bad), frame.Bytes()...), Options{}); !keyspace.Incomplete(err) {
			t.Errorf("%x: %v", bad, err)
		}
	}
}

// A consumer may leave at any step.
func TestAbandon(t *testing.T) {
	for _, p := range dumps(t) {
		all, err := read(p, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for stop := range min(len(all), 80) {
			n := 0
			for range NewReader(bytes.NewReader(p), Options{}).Events(context.Background()) {
				if n++; n > stop {
					break
				}
			}
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		var last error
		for _, err := range NewReader(bytes.NewReader(p), Options{}).Events(ctx) {
			last = err
		}
		if last != nil && !errors.Is(last, context.Canceled) {
			t.Fatal(last)
		}
	}
}

func TestNoAllocationPerElement(t *testing.T) {
	p := file("REDIS0011", func(b *build) {
		for i := range 20_000 {
			b.op(0).str(fmt.Sprint("key:", i)).str("some value")
			b.op(16).str(fmt.Sprint("hash:", i)).lzf(listpackOf("field", "value value value value", "n", 12, "m", -70000))
			b.op(18).str(fmt.Sprint("list:", i)).len(1).len(nodePacked).str(listpackOf("a", "b", 3))
		}
	})
	n := testing.AllocsPerRun(3, func() {
		for _, err := range NewReader(bytes.NewReader(p), Options{}).Events(context.Background()) {
			if err != nil {
				t.Fatal(err)
			}
		}
	})
	if n > 100 {
		t.Errorf("%v allocations for 60,000 keys", n)
	}
}

// TestKeepValueLimit: a value longer than asked for is not kept at all, and the
// next one is none the worse.
func TestKeepValueLimit(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 1<<16)
	file := "REDIS0011" + "\x00\x01a\x80\x00\x10\x00\x00" + long + "\x00\x01b\x02xy" + "\xff" + strings.Repeat("\x00", 8)
	o := Options{KeepValue: func(*keyspace.Event) int64 { return 1000 }}
	var kept []string
	for ev, err := range NewReader(strings.NewReader(file), o).Events(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		if ev.Kind == keyspace.KeyEnd {
			kept = append(kept, string(ev.Value))
		}
	}
	if len(kept) != 2 || kept[0] != "" || kept[1] != "\x00\x02xy" {
		t.Errorf("%d bytes and %q were kept", len(kept[0]), kept[1:])
	}
}

// TestHollowStream: entries that no node holds are no stream, as servers have it; one
// without entries is.
func TestHollowStream(t *testing.T) {
	for _, c := range []struct {
		length uint64
		want   error
	}{{0, nil}, {3, keyspace.ErrCorrupt}} {
		p := file("REDIS0009", func(b *build) { b.op(15).str("stream").len(0).len(c.length).len(5).len(1).len(0) })
		var got error
		for e, err := range NewReader(bytes.NewReader(p), Options{}).Events(t.Context()) {
			if err != nil {
				got = err
			} else if e.Kind == keyspace.Damage {
				got = e.Err
			}
		}
		if !errors.Is(got, c.want) {
			t.Errorf("%d entries: %v, want %v", c.length, got, c.want)
		}
	}
}

// A version is of digits alone, and after a magic.
func TestParseMagic(t *testing.T) {
	for head, want := range map[string]int{
		"REDIS0011": 11, "REDIS9999": 9999, "VALKEY080": 80, "REDIS00:1": 0, "REDIS00/1": 0, "REDIS-001": 0, "REDIS 011": 0, "VALKEY08x": 0,
		"REDIS001": 0, "VALKEY08": 0, "redis0011": 0, "": 0,
	} {
		magic, version, ok := parseMagic([]byte(head))
		if version != want && want > 0 || ok != (want > 0) || !strings.HasPrefix(head, magic) {
			t.Errorf("%q: %q, %d, %v", head, magic, version, ok)
		}
	}
}
