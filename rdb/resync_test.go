package rdb

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// ledger is a snapshot of n keys of several types, and where each record lies.
func ledger(n int, seed uint64) (p []byte, at map[string][2]int) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	at = map[string][2]int{}
	p = file("REDIS0011", func(b *build) {
		for i := range n {
			key := fmt.Sprintf("app:%d:%x", i, rnd.Uint32())
			from := b.Len()
			switch i % 6 {
			case 0:
				b.op(0).str(key).str(fmt.Sprintf("value %d %x", i, rnd.Uint64()))
			case 1:
				b.op(opExpireMS).le64(1_800_000_000_000 + int64(i)).op(0).str(key).lzf(strings.Repeat(fmt.Sprintf(`{"id":%d,"name":"n"},`, i), 10+rnd.IntN(60)))
			case 2:
				b.op(16).str(key).str(listpackOf("name", fmt.Sprintf("%x", rnd.Uint64()), "age", rnd.IntN(90)))
			case 3:
				b.op(18).str(key).len(2).len(nodePacked).str(listpackOf("a", i, "b")).len(nodePacked).lzf(listpackOf(strings.Repeat("job ", 30), i))
			case 4:
				b.op(5).str(key).len(3)
				for j := range 3 {
					b.str(fmt.Sprint("member:", j)).le64(int64(rnd.Uint64() >> 2))
				}
			case 5:
				b.op(11).str(key).str(le(4, 2) + le(4, 3) + le(2, 1) + le(2, 20) + le(2, 300))
			}
			at[key] = [2]int{from, b.Len()}
		}
	})
	return p, at
}

// again lets a reader go back in p.
func again(p []byte) Options {
	return Options{Resync: true, Size: int64(len(p)), Reopen: func(at int64) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(p[at:])), nil
	}}
}

// The key of a record whose type is unknown stands at its damage, and at no other.
func TestUnknownTypeNamesItsKey(t *testing.T) {
	long := strings.Repeat("long:", 60)
	p := file("REDIS0011", func(b *build) {
		for i := range 8 {
			b.op(0).str(fmt.Sprint("before:", i)).str("v")
		}
		b.op(opSelectDB).len(3).op(60).str("orders:7").str("something")
		for i := range 8 {
			b.op(0).str(fmt.Sprint("between:", i)).str("v")
		}
		b.op(61).str(long).len(9)
		for i := range 8 {
			b.op(0).str(fmt.Sprint("amid:", i)).str("v")
		}
		b.op(62).str("no\x01name").str("x")
		for i := range 8 {
			b.op(0).str(fmt.Sprint("behind:", i)).str("v")
		}
		b.op(0).len(1 << 40)
	})
	for _, o := range []Options{{Resync: true}, again(p)} {
		var got []string
		keys := 0
		for e, err := range NewReader(bytes.NewReader(p), o).Events(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			switch e.Kind {
			case keyspace.Key:
				keys++
			case keyspace.Damage:
				got = append(got, fmt.Sprintf("%d %s", e.DB, e.Key))
			}
		}
		want := []string{"3 orders:7", "3 " + long, "3 ", "3 "}
		if keys != 32 || !slices.Equal(got, want) {
			t.Errorf("%d keys, damage %q", keys, got)
		}
	}
}

// What a string of a false length leads to is no database, if none can stand there: the
// keys behind the damage are in the one before.
func TestStrayBytesSelectNothing(t *testing.T) {
	p := file("REDIS0011", func(b *build) {
		b.op(opSelectDB).len(0).op(opResizeDB).len(40).len(0)
		for i := range 8 {
			b.op(0).str(fmt.Sprint("before:", i)).str("v")
		}
		b.op(0).str("misled").str(strings.Repeat("x", 100)) // in a block that ends with it, and another goes on
		b.op(opSelectDB).len(5).op(60).op(60).op(61).op(62)
		for i := range 8 {
			b.op(0).str(fmt.Sprint("behind:", i)).str("v")
		}
	})
	for _, o := range []Options{{Resync: true}, again(p)} {
		keys := 0
		for e, err := range NewReader(bytes.NewReader(p), o).Events(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind == keyspace.Key {
				if keys++; e.DB != 0 {
					t.Errorf("%s is in database %d", e.Key, e.DB)
				}
			}
		}
		if keys < 16 {
			t.Errorf("%d keys", keys)
		}
	}
}

// Behind damage a database is selected that a server may have, and none beyond.
func TestDatabaseBehindDamage(t *testing.T) {
	for _, c := range []struct {
		db   uint64
		want bool
	}{{1 << 16, true}, {1<<16 + 1, false}} {
		p := file("REDIS0011", func(b *build) {
			for i := range 8 {
				b.op(0).str(fmt.Sprint("before:", i)).str("v")
			}
			b.op(60, 0xff, 0xff).op(opSelectDB).len(c.db).op(opResizeDB).len(8).len(0)
			for i := range 8 {
				b.op(0).str(fmt.Sprint("behind:", i)).str("v")
			}
		})
		selected, keys := false, 0
		for e, err := range NewReader(bytes.NewReader(p), again(p)).Events(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case e.Kind == keyspace.DB && e.Index < 0:
				selected = uint64(e.DB) == c.db
			case e.Kind == keyspace.KeyEnd:
				keys++
			}
		}
		if selected != c.want || keys != 16 {
			t.Errorf("database %d: selected %v, want %v; %d keys, want 16", c.db, selected, c.want, keys)
		}
	}
}

// Blocks of a snapshot are lost; the keys outside of them are found, and hardly
// any that never were.
func TestResyncAmongDamage(t *testing.T) {
	cases := []struct {
		name   string
		size   int
		blocks int
		fill   func(rnd *rand.Rand, p []byte)
	}{
		{"flips", 1, 10, func(rnd *rand.Rand, p []byte) { p[0] ^= 1 << rnd.IntN(8) }},
		{"zeros", 4096, 10, func(_ *rand.Rand, p []byte) { clear(p) }},
		{"noise", 4096, 10, func(rnd *rand.Rand, p []byte) {
			for i := range p {
				p[i] = byte(rnd.Uint32())
			}
		}},
		{"large zeros", 65536, 3, func(_ *rand.Rand, p []byte) { clear(p) }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			undamaged, found, phantoms := 0, 0, 0
			for seed := range uint64(4) {
				rnd := rand.New(rand.NewPCG(seed, 99))
				p, at := ledger(6000, seed)
				var holes [][2]int
				for range c.blocks {
					from := headerSize + 2 + rnd.IntN(len(p)-headerSize-c.size-20)
					c.fill(rnd, p[from:from+c.size])
					holes = append(holes, [2]int{from, from + c.size})
				}
				whole := func(r [2]int) bool {
					for _, h := range holes {
						if r[0] < h[1] && h[0] < r[1] {
							return false
						}
					}
					return true
				}
				for _, r := range at {
					if whole(r) {
						undamaged++
					}
				}
				for ev, err := range NewReader(bytes.NewReader(p), again(p)).Events(t.Context()) {
					if err != nil {
						t.Fatal(err)
					}
					if ev.Kind != keyspace.KeyEnd {
						continue
					}
					r, ok := at[string(ev.Key)]
					switch from := int(ev.Record); {
					case ok && whole(r) && from == r[0] && from+int(ev.Length) == r[1]:
						found++
					case whole([2]int{from, from + int(ev.Length)}):
						phantoms++
					}
				}
			}
			share := 100 * float64(found) / float64(undamaged)
			t.Logf("%.2f %% of %d undamaged keys, %.1f phantoms a run", share, undamaged, float64(phantoms)/4)
			if share < 99.9 || phantoms > 12 {
				t.Errorf("%.2f %% of undamaged keys, %d phantoms in 4 runs", share, phantoms)
			}
		})
	}
}

// A false record may lead over megabytes of records before it breaks off inside
// another: they are looked for.
func TestResyncInsideLongRecord(t *testing.T) {
	const keys = 60_000
	value := strings.Repeat("v", 40)
	p := file("REDIS0011", func(b *build) {
		for i := range keys {
			if i == keys/10 {
				b.op(0).str("false").op(0x80) // a length of four bytes
				b.Write(binary.BigEndian.AppendUint32(nil, 40*keys))
			}
			b.op(0).str(fmt.Sprintf("key:%05d", i)).str(value)
		}
	})
	seen := 0
	for ev, err := range NewReader(bytes.NewReader(p), again(p)).Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if ev.Kind == keyspace.KeyEnd && bytes.HasPrefix(ev.Key, []byte("key:")) {
			seen++
		}
	}
	if seen != keys {
		t.Errorf("%d keys, want %d", seen, keys)
	}
}
