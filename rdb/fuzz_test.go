package rdb

import (
	"bytes"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// fuzzLimits keep a fuzzer from being merely slow.
var fuzzLimits = keyspace.Limits{MaxChunk: 1 << 10, MaxKey: 1 << 16, MaxInflate: 1 << 20, MaxElements: 1 << 20}

// FuzzRDB holds that no input panics, that reads in other portions give the
// same events, that no record comes twice and places lie inside the file, and that a search for
// records behind damage always comes to an end.
func FuzzRDB(f *testing.F) {
	for name, p := range dumps(f) {
		if strings.Contains(name, "lfu") {
			f.Add(p)
		}
	}
	f.Add(file("VALKEY080", func(b *build) {
		b.op(22).str("k").len(2).str("f").str("v").le64(-1).str("g").lzf("value value value").le64(99)
		b.op(21).str("s").len(1).str(be128(1, 1)).lzf(listpackOf(1, 0, 1, "f", 0, 2, 0, 0, "v", 4)).len(1).len(1).len(1).len(0).len(0).len(0).len(0).len(1).len(0)
	}))
	f.Add(file("REDIS0015", func(b *build) {
		b.op(242).len(0).len(1).str("a").op(30).str("k").str(listpackOf(0, "v")).op(28).str("a").len(1).len(0).len(0).len(0).str("t")
		b.op(18).str("l").len(1).len(2).lzf(listpackOf("aaaaaaaaaaaaaaaaaaaaaaa", 5))
	}))
	f.Fuzz(func(t *testing.T, p []byte) {
		whole, err := transcript(NewReader(bytes.NewReader(p), Options{Limits: fuzzLimits}).Events(t.Context()), false)
		bytewise, err2 := transcript(NewReader(iotest.OneByteReader(bytes.NewReader(p)), Options{Limits: fuzzLimits}).Events(t.Context()), false)
		same(t, bytewise, whole)
		if (err == nil) != (err2 == nil) || err != nil && err.Error() != err2.Error() {
			t.Fatalf("%v, and in single bytes %v", err, err2)
		}
		records := map[int64]bool{}
		o := again(p)
		o.Limits = fuzzLimits
		for ev, err := range NewReader(bytes.NewReader(p), o).Events(t.Context()) {
			if err != nil {
				t.Fatalf("resync ended with %v", err)
			}
			if ev.Pos.Offset < 0 || ev.Pos.Offset > int64(len(p)) {
				t.Fatalf("%s at %d of %d bytes", ev.Kind, ev.Pos.Offset, len(p))
			}
			if ev.Kind == keyspace.Key && !sniffEnvelope(p) {
				if records[ev.Record] {
					t.Fatalf("record at %d twice", ev.Record)
				}
				records[ev.Record] = true
			}
		}
	})
}

// FuzzDump feeds serialized values of every type.
func FuzzDump(f *testing.F) {
	f.Add(byte(0), "\x05hello")
	f.Add(byte(7), "\x81\x80\x00\x00\x00\x00\x00\x00\x03\x05\x03abc\x00")
	f.Add(byte(18), "\x01\x02\x0a"+listpackOf("a", 1))
	f.Add(byte(15), "\x00\x00\x07\x03\x00")
	f.Add(byte(28), "\x01\x00\x00\x00\x01t")
	f.Add(byte(31), "\x01\x01\x01z\x04last")
	f.Fuzz(func(t *testing.T, typ byte, body string) {
		for _, version := range []int{9, 12, 15, 80, 81} {
			for _, err := range Dump(dumpOf(version, typ, body), []byte("k"), 0, keyspace.NoExpire, Options{Limits: fuzzLimits}) {
				if err != nil && !keyspace.Incomplete(err) {
					t.Fatal(err)
				}
			}
		}
	})
}

// fuzzContainer feeds one container, raw and compressed, in chunks large and
// small, and holds that all give the same.
func fuzzContainer(f *testing.F, types ...byte) {
	f.Fuzz(func(t *testing.T, p string) {
		for _, typ := range types {
			var first string
			var firstErr error
			for i, lim := range []keyspace.Limits{{}, {MaxChunk: 5}} {
				for _, pack := range []func(*build){func(b *build) { b.str(p) }, func(b *build) { b.lzf(p) }} {
					if p == "" {
						continue
					}
					b := &build{}
					pack(b)
					got, err := content(Dump(dumpOf(11, typ, b.String()), []byte("k"), 0, keyspace.NoExpire, Options{Limits: lim}))
					if i == 0 && first == "" {
						first, firstErr = got, err
					}
					if (err == nil) != (firstErr == nil) || err == nil && got != first {
						t.Fatalf("type %d: %q %v, then %q %v", typ, first, firstErr, got, err)
					}
				}
			}
		}
	})
}

func FuzzListpack(f *testing.F) {
	f.Add(listpackOf("a", 1, -4000, "bb", 1<<40))
	f.Add(listpackOf("a", "1.5", strings.Repeat("x", 5000), 7))
	f.Add(listpackOf())
	fuzzContainer(f, 16, 17, 20)
}

func FuzzZiplist(f *testing.F) {
	f.Add(ziplistOf("a", 1, -4000, "bb", 1<<40, -70000))
	f.Add(ziplistOf("a", "1.5", strings.Repeat("x", 300), 7))
	f.Add(zipmapOf(2, "a", "b", "c", "d"))
	f.Add(le(4, 2) + le(4, 2) + "\x01\x00\x02\x00")
	fuzzContainer(f, 9, 10, 11, 12, 13)
}

// FuzzLZF holds that decompression stays inside its bounds, undoes compression,
// and gives the same piece by piece.
func FuzzLZF(f *testing.F) {
	f.Add([]byte("aaaaaaaaaaaaaaaaaaaaaaaaaaaa"), uint16(28))
	f.Add([]byte("\x00a\xe0\xff\x00"), uint16(300))
	f.Add([]byte(strings.Repeat("session session ", 900)), uint16(9000))
	f.Fuzz(func(t *testing.T, p []byte, size uint16) {
		limit := int(size)
		dst := make([]byte, limit+lzfSlack)
		used, end, _ := lzfDecode(dst, 0, limit, p)
		if used > len(p) || end > limit {
			t.Fatalf("used %d of %d, wrote %d of %d", used, len(p), end, limit)
		}
		if len(p) == 0 {
			return
		}
		c := lzfEncode(p)
		dst = make([]byte, len(p)+lzfSlack)
		used, end, ok := lzfDecode(dst, 0, len(p), c)
		if !ok || used != len(c) || !bytes.Equal(dst[:end], p) {
			t.Fatal("compressed and decompressed, it is not the same")
		}
		// In steps of size bytes of input.
		o, i := 0, 0
		step := limit%97 + 1
		clear(dst)
		for i < len(c) {
			n, e, ok := lzfDecode(dst, o, len(p), c[i:min(len(c), i+step)])
			if !ok {
				t.Fatal("refused in steps")
			}
			if n == 0 {
				step++
			}
			i, o = i+n, e
		}
		if !bytes.Equal(dst[:o], p) {
			t.Fatal("in steps, it is not the same")
		}
	})
}
