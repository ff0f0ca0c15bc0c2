package rdb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/pierrec/lz4/v4"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// runs is a snapshot of runs of keys such as flats reads, of all lengths, with others
// between them.
func runs(rnd *rand.Rand, keys int) []byte {
	magic := []string{"REDIS0011", "REDIS0012", "REDIS0003", "VALKEY080"}[rnd.IntN(4)]
	long := func(most int) string {
		n := rnd.IntN(most)
		switch rnd.IntN(20) {
		case 0:
			n = 62 + rnd.IntN(4)
		case 1:
			n = rnd.IntN(1500)
		case 2:
			n = 0
		}
		return strings.Repeat("a:b", n/3) + "xyz"[:n%3]
	}
	odd := rnd.IntN(3) * 8 // percent
	return file(magic, func(b *build) {
		if rnd.IntN(2) == 0 {
			b.op(opAux).str("ctime").str("1700000000")
		}
		b.op(opSelectDB).len(0)
		for i := range keys {
			name := fmt.Sprint(i, ":", long(10))
			if rnd.IntN(100) >= odd {
				b.op(0).str(name).str(long(40))
				continue
			}
			switch rnd.IntN(14) {
			case 0:
				b.op(opExpireMS).le64(rnd.Int64N(4e12)).op(0).str(name).str("value")
			case 1:
				b.op(16).str(name).str(listpackOf("f", i))
			case 2:
				b.op(0).str(name).lzf(long(40) + "lzf")
			case 3:
				k := rnd.IntN(3)
				b.op(0).str(name).op(byte(0xc0 + k)).op([]byte("\x01\x02\x03\x04")[:1<<k]...)
			case 4:
				b.op(opSelectDB).len(uint64(i))
			case 5:
				b.op(0).str("").str("nameless")
			case 6:
				b.op(24).str(name).le64(1700000000000).len(2).len(1).str("f").str("v").len(0).str("g").str("w")
			case 7:
				b.op(0).len(0x4000 | 5).str("far")
			case 8:
				b.op(1).str(name).len(2).str("a").str("b")
			case 9:
				b.op(opFreq, 5).op(0).str(name).str("v")
			case 10:
				b.op(byte(rnd.IntN(40)))
			case 11:
				b.op(0, 0x40, 5).op([]byte("short")...).op(0x40, 3).op([]byte("two")...)
			case 12:
				b.op(11).str(name).str("\x02\x00\x00\x00\x01\x00\x00\x00\x07\x00")
			case 13:
				b.op(opExpireMS).le64(rnd.Int64N(4e12)).op(20).str(name).lzf(listpackOf("member", "other"))
			}
		}
	})
}

// damage changes some bytes, cuts some out or off.
func damage(rnd *rand.Rand, p []byte) []byte {
	p = bytes.Clone(p)
	for range rnd.IntN(4) {
		at := rnd.IntN(len(p))
		switch rnd.IntN(4) {
		case 0:
			p[at] = byte(rnd.Uint32())
		case 1:
			p[at] ^= 1 << rnd.IntN(8)
		case 2:
			p = slices.Delete(p, at, min(at+rnd.IntN(50), len(p)-1))
		case 3:
			clear(p[at:min(at+rnd.IntN(300), len(p))])
		}
	}
	return p
}

// sameRuns holds that reading runs at once yields what reading each key by itself does,
// passing keys over no less.
func sameRuns(t *testing.T, p []byte, o Options) {
	t.Helper()
	// told is all that an event says, and all that the reader knows where it matters.
	told := func(r *Reader, e *keyspace.Event, err error) string {
		line := fmt.Sprintf("%+v %v", *e, err)
		if o.Resync && (e.Kind == keyspace.Damage || e.Kind == keyspace.End) {
			line += fmt.Sprintf("%+v %+v %+v %q %d %d %v", r.way, r.habits, r.selection, r.key, r.typ, r.typeAt, r.unproven)
		}
		return line
	}
	read := func(o Options, plodding, bytewise bool) (lines []string) {
		r := NewReader(bytes.NewReader(p), o)
		if bytewise {
			r = NewReader(iotest.OneByteReader(bytes.NewReader(p)), o)
		}
		r.plodding = plodding
		for e, err := range r.Events(t.Context()) {
			if err != nil {
				e = &keyspace.Event{}
			}
			lines = append(lines, told(r, e, err))
		}
		return lines
	}
	same(t, read(o, false, false), read(o, true, false))
	same(t, read(o, false, true), read(o, true, true))
	passed := func(key []byte) bool { return len(key)%5 != 0 }
	skim := func(plodding bool) (lines []string, keys map[string]bool) {
		keys = map[string]bool{}
		o.Skim, o.Pass = true, func(db int32, names [][]byte, pass []bool) {
			for i, key := range names {
				if pass[i] = passed(key); pass[i] {
					keys[fmt.Sprintf("db%d %q", db, key)] = true
				}
			}
		}
		r := NewReader(bytes.NewReader(p), o)
		r.plodding = plodding
		for e, err := range r.Events(t.Context()) {
			switch {
			case err != nil:
				lines = append(lines, err.Error())
			case e.Kind == keyspace.Key && passed(e.Key): // nobody asked
				keys[fmt.Sprintf("db%d %q", e.DB, e.Key)] = true
			default:
				lines = append(lines, told(r, e, nil))
			}
		}
		return lines, keys
	}
	got, keys := skim(false)
	want, all := skim(true)
	if same(t, got, want); !maps.Equal(keys, all) {
		t.Fatalf("of %d keys %d are seen", len(all), len(keys))
	}
}

// variant is one of 32 ways to read p.
func variant(p []byte, n uint8) (o Options) {
	if n&1 != 0 {
		o = again(p)
	}
	if n&2 != 0 {
		o.Resync = true
	}
	if n&4 != 0 {
		o.Limits = keyspace.Limits{MaxChunk: 70, MaxKey: 80, MaxInflate: 20, MaxElements: 1 << 20}
	}
	if n&8 != 0 {
		o.Size = int64(len(p)) * 3 / 4
	}
	if n&16 != 0 {
		o.AsOf = 1_700_000_000_000
	}
	return o
}

// enveloped is a snapshot in an envelope.
func enveloped(t *testing.T, snapshot []byte) []byte {
	p := bytes.NewBufferString(envelopeMagic + "\x01\x00\x01")
	w := lz4.NewWriter(p)
	if _, err := w.Write(snapshot); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return p.Bytes()
}

func TestRuns(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		p := runs(rnd, 1+rnd.IntN(300))
		if seed%2 == 0 {
			p = damage(rnd, p)
		}
		if seed%5 == 0 {
			if p = enveloped(t, p); seed%3 == 0 {
				p = damage(rnd, p)
			}
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) { sameRuns(t, p, variant(p, uint8(rnd.Uint32()))) })
	}
}

// TestRunsBehindDamage holds that a reader that went back, since a string may have led over
// records, does not read in one run over what led to the damage: that was told already.
func TestRunsBehindDamage(t *testing.T) {
	chain := func(what string, n int) []byte {
		var b build
		for i := range n {
			b.op(0).str(fmt.Sprint(what, i)).str("value")
		}
		return b.Bytes()
	}
	p := file("REDIS0003", func(b *build) {
		b.op(opSelectDB).len(0).Write(chain("first", 40))
		b.op(0).str("holder").str(string(chain("held", 30))).Write(chain("behind", 20))
		b.op(0).str("damaged").op(0xbf).Write(chain("last", 40))
	})
	for n := range uint8(32) {
		o := variant(p, n)
		sameRuns(t, p, o)
		if n&6 != 2 { // it ends at the damage, or limits hinder it
			continue
		}
		told := map[string]int{}
		for e, err := range NewReader(bytes.NewReader(p), o).Events(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind == keyspace.Key {
				told[string(e.Key)]++
			}
		}
		if told["held9"] != 1 || told["behind9"] != 1 {
			t.Errorf("%+v: of what is held a key is told %d times, of what is behind it %d", o, told["held9"], told["behind9"])
		}
	}
}

// TestRunsEnd holds that a run ends soon once its context has, whether its keys are told
// or passed over.
func TestRunsEnd(t *testing.T) {
	p := file("REDIS0011", func(b *build) {
		for i := range 20_000 {
			b.op(0).str(fmt.Sprint(i)).str("v")
		}
	})
	for _, pass := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		keys := 0
		var o Options
		if pass {
			o.Pass = func(_ int32, names [][]byte, pass []bool) {
				for i := range pass {
					pass[i] = true
				}
				keys += len(names)
				cancel()
			}
		}
		var last error
		for e, err := range NewReader(bytes.NewReader(p), o).Events(ctx) {
			if last = err; err == nil && e.Kind == keyspace.Key {
				keys++
				cancel()
			}
		}
		if !errors.Is(last, context.Canceled) || keys > 2*aheadKeys {
			t.Errorf("passed over: %t: %d keys, %v", pass, keys, last)
		}
		cancel()
	}
}

func FuzzRuns(f *testing.F) {
	rnd := rand.New(rand.NewPCG(7, 7))
	for n := range uint8(32) {
		f.Add(runs(rnd, 30), n)
	}
	f.Fuzz(func(t *testing.T, p []byte, n uint8) {
		o := variant(p, n)
		if o.Limits.MaxElements == 0 {
			o.Limits = fuzzLimits
		}
		sameRuns(t, p, o)
	})
}
