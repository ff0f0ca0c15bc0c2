package rdb

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// shelf is a snapshot of three databases, whose keys name theirs, and where each
// selection stands.
func shelf(rnd *rand.Rand, keys ...int) (p []byte, selections []int) {
	p = file("REDIS0011", func(b *build) {
		b.Truncate(headerSize)
		for i, n := range keys {
			selections = append(selections, b.Len())
			b.op(opSelectDB).len(uint64(4 * i)).op(opResizeDB).len(uint64(n)).len(0)
			for k := range n {
				key := fmt.Sprintf("db%d:%d:%s", 4*i, k, strings.Repeat("k", rnd.IntN(20)))
				if k%2 == 0 {
					b.op(0).str(key).str(strings.Repeat(fmt.Sprintf("%x", rnd.Uint64()), 10+rnd.IntN(20)))
				} else {
					b.op(16).str(key).str(listpackOf("name", strings.Repeat(fmt.Sprintf("%x", rnd.Uint64()), 10+rnd.IntN(10)), "age", rnd.IntN(90)))
				}
			}
		}
	})
	return p, selections
}

// placed is a key, and which database it is said to be in.
type placed struct {
	from, to int64
	own, db  int32
	presumed bool
}

func places(t *testing.T, p []byte, o Options) (all []placed) {
	t.Helper()
	for e, err := range NewReader(bytes.NewReader(p), o).Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		var own int32
		if e.Kind != keyspace.KeyEnd {
			continue
		}
		if _, err := fmt.Sscanf(string(e.Key), "db%d:", &own); err == nil {
			all = append(all, placed{e.Record, e.Record + e.Length, own, e.DB, e.Presumed})
		}
	}
	return all
}

// swap exchanges n bytes at two places.
func swap(p []byte, a, b, n int) []byte {
	p = bytes.Clone(p)
	block := bytes.Clone(p[a : a+n])
	copy(p[a:], p[b:b+n])
	copy(p[b:], block)
	return p
}

// Each way in which damage puts keys behind a selection that is not theirs: a wrong
// number is presumed, and where the sizes tell, the right one.
func TestSelections(t *testing.T) {
	p, at := shelf(rand.New(rand.NewPCG(1, 2)), 400, 400, 200)
	const block = 6000
	blank := func(from, n int) []byte {
		q := bytes.Clone(p)
		clear(q[from : from+n])
		return q
	}
	cases := []struct {
		name  string
		p     []byte
		wrong [3]bool // whether keys of databases 0, 4, 8 may be presumed to be in another
	}{
		{"intact", p, [3]bool{}},
		{"damage among keys", blank(at[0]+20_000, 700), [3]bool{}},
		{"a selection is lost", blank(at[1]-100, 700), [3]bool{false, true, false}},
		{"the head is lost", p[at[1]+2000:], [3]bool{false, true, false}},
		{"the last selection comes early", swap(p, at[0]+20_000, at[2]-block/2, block), [3]bool{true, true, true}},
		{"the last selection comes once more", append(bytes.Clone(p[:at[0]+20_000]), append(bytes.Clone(p[at[2]-block/2:at[2]+block/2]), p[at[0]+20_000+block:]...)...), [3]bool{true, true, true}},
		{"a selection comes late", swap(p, at[1]-block/2, at[1]+40_000, block), [3]bool{true, true, true}},
		{"a block without selection comes from another", swap(p, at[0]+20_000, at[1]+40_000, block), [3]bool{true, true, false}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, o := range []Options{{Resync: true}, again(c.p)} {
				found := places(t, c.p, o)
				if len(found) < 500 {
					t.Fatalf("%d keys", len(found))
				}
				for _, k := range found {
					if k.db != k.own && (!k.presumed || !c.wrong[k.own/4]) {
						t.Fatalf("a key of database %d at %d is said to be in %d, presumed: %v", k.own, k.from, k.db, k.presumed)
					}
				}
			}
		})
	}
	t.Run("a size that stands alone is that of no database", func(t *testing.T) {
		first := places(t, p, again(p))[10].from
		q := slices.Insert(bytes.Clone(p), int(first), opResizeDB, 1, 0)
		moved := swap(q, at[0]+20_000, at[2]+3-block/2, block)
		for _, k := range places(t, moved, again(moved)) {
			if k.from > int64(at[0]+20_000+block) && k.to < int64(at[1]) && k.db != 0 {
				t.Fatalf("a key at %d is said to be in %d", k.from, k.db)
			}
		}
	})
	t.Run("keys behind a block are in the database that is not complete", func(t *testing.T) {
		const from = 20_000
		moved := swap(p, at[0]+from, at[2]-block/2, block)
		own := 0
		for _, k := range places(t, moved, again(moved)) {
			switch {
			case k.from < int64(at[0]+from+block/2) || k.to > int64(at[1]):
			case k.to < int64(at[0]+from+block): // behind the selection that was moved
				if k.db != k.own || k.presumed {
					t.Fatalf("a key at %d of database %d is said to be in %d, presumed: %v", k.from, k.own, k.db, k.presumed)
				}
			case k.from < int64(at[0]+from+block): // the last of it, misled
			case k.db != 0 || !k.presumed:
				t.Fatalf("a key at %d is said to be in %d, presumed: %v", k.from, k.db, k.presumed)
			default:
				own++
			}
		}
		if own < 100 {
			t.Errorf("%d keys behind the block", own)
		}
	})
}

// Bytes that select a database, with a size, but behind which damage stands before any of
// its keys, keep no lower database from being found in a search, nor from being the one
// whose keys are behind damage.
func TestSelectionWithoutKeys(t *testing.T) {
	junk := func(b *build) { b.op(60, 0xff, 0xff, 61, 62) }
	keys := func(b *build, db, from, n int) {
		for i := range n {
			b.op(0).str(fmt.Sprintf("db%d:%d", db, from+i)).str("value")
		}
	}
	size := func(b *build, db, n uint64) { b.op(opSelectDB).len(db).op(opResizeDB).len(n).len(0) }
	cases := []struct {
		name  string
		after func(b *build) // what follows 40 keys of database 0
		wrong []string       // keys that are said to be in another database
	}{
		{"its number is too large", func(b *build) {
			size(b, 27, 40)
			junk(b)
			size(b, 4, 40)
			keys(b, 4, 0, 40)
		}, nil},
		{"it has a size that no database has", func(b *build) {
			size(b, 27, 16000)
			junk(b)
			size(b, 4, 40)
			keys(b, 4, 0, 20)
			junk(b)
			keys(b, 4, 20, 20)
		}, nil},
		{"keys are between", func(b *build) {
			size(b, 27, 16000)
			junk(b)
			keys(b, 0, 40, 8)
			junk(b)
			size(b, 4, 40)
			keys(b, 4, 0, 20)
			junk(b)
			keys(b, 4, 20, 12)
			junk(b)
			size(b, 8, 8)
			keys(b, 8, 0, 8)
		}, []string{"db0:40", "db0:41", "db0:42", "db0:43", "db0:44", "db0:45", "db0:46", "db0:47"}},
		{"two of them", func(b *build) {
			size(b, 27, 16000)
			junk(b)
			size(b, 28, 16000)
			junk(b)
			size(b, 4, 40)
			keys(b, 4, 0, 40)
		}, nil},
		{"its first key is damaged", func(b *build) {
			size(b, 27, 9)
			b.op(0).str("db0:40").op(0xc4)
			size(b, 4, 40)
			keys(b, 4, 0, 40)
		}, []string{"db0:40"}},
		{"a lower one does not follow keys", func(b *build) {
			size(b, 4, 40)
			keys(b, 4, 0, 40)
			junk(b)
			size(b, 3, 8)
			keys(b, 4, 40, 8)
		}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := file("REDIS0011", func(b *build) {
				b.Truncate(headerSize)
				size(b, 0, 40)
				keys(b, 0, 0, 40)
				c.after(b)
			})
			for _, o := range []Options{{Resync: true}, again(p)} {
				var wrong []string
				found := 0
				for e, err := range NewReader(bytes.NewReader(p), o).Events(t.Context()) {
					if err != nil {
						t.Fatal(err)
					}
					if e.Kind != keyspace.Key {
						continue
					}
					if found++; !strings.HasPrefix(string(e.Key), fmt.Sprintf("db%d:", e.DB)) {
						wrong = append(wrong, string(e.Key))
					}
				}
				if !slices.Equal(wrong, c.wrong) || found < 80 {
					t.Errorf("of %d keys these are said to be in another database: %q, want %q", found, wrong, c.wrong)
				}
			}
		})
	}
}

// A record that led over what selects a database and some keys is taken back once damage
// follows: keys behind that are in the database that it led over.
func TestSelectionLedOver(t *testing.T) {
	keys := func(b *build, db, from, n int) {
		for i := range n {
			b.op(0).str(fmt.Sprintf("db%d:%d", db, from+i)).str("value")
		}
	}
	var swallowed build
	swallowed.WriteString("value")
	keys(&swallowed, 0, 40, 9)
	swallowed.op(opSelectDB).len(4).op(opResizeDB).len(25).len(0)
	keys(&swallowed, 4, 0, 6)
	p := file("REDIS0011", func(b *build) {
		b.Truncate(headerSize)
		b.op(opSelectDB).len(0).op(opResizeDB).len(50).len(0)
		keys(b, 0, 0, 40)
		b.op(0).str("suspect").str(swallowed.String())
		keys(b, 4, 6, 10)
		b.op(60, 61, 62)
		keys(b, 4, 20, 10)
	})
	behind := 0
	for _, k := range places(t, p, again(p)) {
		if k.from < int64(len(p)-10*len("\x00\x06db4:20\x05value")-20) {
			continue
		}
		if behind++; k.db != 4 || !k.presumed {
			t.Errorf("a key of database 4 at %d is said to be in %d, presumed: %v", k.from, k.db, k.presumed)
		}
	}
	if behind != 10 {
		t.Errorf("%d keys behind the damage", behind)
	}
}

// Blocks that change places, come twice or are lost, where chance has it and at
// selections: no key outside of them is said to be in a database that is not its own.
func TestSelectionsAmongDamage(t *testing.T) {
	wrong := 0
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 5))
		p, at := shelf(rnd, 150, 150, 80)
		size := 1000 + rnd.IntN(8000)
		var hurt [][2]int
		place := func() int {
			n := headerSize + rnd.IntN(len(p)-size-headerSize-9)
			if rnd.IntN(2) == 0 { // around a selection
				n = at[rnd.IntN(len(at))] - rnd.IntN(size)
			}
			n = min(max(n, headerSize), len(p)-size-9)
			hurt = append(hurt, [2]int{n, n + size})
			return n
		}
		q := bytes.Clone(p)
		switch a, b := place(), place(); seed % 4 {
		case 0:
			q = swap(p, a, b, size)
		case 1:
			copy(q[b:], p[a:a+size])
		case 2:
			clear(q[a : a+size])
			clear(q[b : b+size])
		case 3:
			for i := range size {
				q[a+i], q[b+i] = byte(rnd.Uint32()), byte(rnd.Uint32())
			}
		}
		for _, k := range places(t, q, again(q)) {
			if slices.ContainsFunc(hurt, func(h [2]int) bool { return k.from < int64(h[1]) && int64(h[0]) < k.to }) || k.db == k.own {
				continue
			}
			wrong++
			if !k.presumed {
				t.Errorf("seed %d: a key of database %d at %d is said to be in %d; damaged are %v", seed, k.own, k.from, k.db, hurt)
				break
			}
		}
	}
	if wrong == 0 {
		t.Error("no damage put a key into another database")
	}
}
