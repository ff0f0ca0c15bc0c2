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

func randomBytes(n int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 5))
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return p
}

// A Prober finds the first record of a stretch of a snapshot in noise, and none in
// noise alone.
func TestProber(t *testing.T) {
	p := NewProber()
	whole, at := ledger(4000, 1)
	starts, early := map[int]bool{}, 0
	for _, r := range at {
		starts[r[0]] = true
	}
	for seed := range uint64(40) {
		b := randomBytes(1<<20, seed)
		if i := p.Next(b, 0, len(b)); i >= 0 {
			t.Errorf("seed %d: a record at %d of noise", seed, i)
		}
		from := 20_000 + int(seed)*977
		copy(b[200_000:], whole[from:from+65536])
		first := from
		for !starts[first] {
			first++
		}
		i := p.Next(b, 0, len(b))
		if i < 0 {
			t.Fatalf("seed %d: nothing was found", seed)
		}
		r := NewReader(bytes.NewReader(b[i:]), Options{Headless: "REDIS", Offset: int64(i)})
		met := false
		for e, err := range r.Events(t.Context()) {
			if err != nil {
				break
			}
			met = met || e.Kind == keyspace.Key && e.Record == int64(200_000+first-from)
		}
		if i != 200_000+first-from {
			early++ // the rest of a record that is cut can look like one
		}
		if !met {
			t.Errorf("seed %d: found at %d, which does not lead to %d", seed, i, 200_000+first-from)
		}
	}
	if early > 12 {
		t.Errorf("%d of 40 began too early", early)
	}
}

// Tables of programs look like plain strings, one after the other; no records are found
// in them, but in what servers write of names that are no text.
func TestProberTables(t *testing.T) {
	const rows = 200
	rnd := rand.New(rand.NewPCG(1, 1))
	table := func(row func(i int) string) []byte {
		var b bytes.Buffer
		for i := range rows {
			b.WriteString(row(i))
		}
		return append(b.Bytes(), make([]byte, 64)...)
	}
	padded := func(s string, n int) string { return s + strings.Repeat("\x00", n-len(s)) }
	records := func(key func(i int) string, value string) []byte {
		return file("REDIS0011", func(b *build) {
			for i := range rows {
				b.op(0)
				if key := key(i); key[0] == 0xc1 {
					b.WriteString(key)
				} else {
					b.str(key)
				}
				b.str(value)
			}
		})
	}
	binary := func(n int) string { return string(randomBytes(n, rnd.Uint64())) }
	cases := []struct {
		name string
		b    []byte
		has  bool
	}{
		{"a counter in rows of 18", table(func(i int) string {
			return "\x00\x0f\x85" + le(2, int64(0x1000-18*i)) + "\xff\xff\x8b\x86" + le(2, int64(i)) + "\x00\x00\x39\x87" + le(2, int64(i)) + "\x00"
		}), false},
		{"messages in rows of 40", table(func(i int) string { return padded(fmt.Sprintf("\x00&s: message number %d", i*i), 41) }), false},
		{"numbers in rows of 48", table(func(i int) string {
			return padded("\x00-"+le(4, int64(i*i%1009)), 20) + padded(le(4, int64(i*31%257)), 28)
		}), false},
		{"numbers in rows of 8", table(func(i int) string { return padded("\x00\x05\x05\x02"+le(2, int64(i*7%256)), 8) })[:60*8], false},
		{"bytes in a row", table(func(i int) string { return "\x00\x01" + string([]byte{byte(i)}) + "\x00" }), false},
		{"constants of a class file", table(func(i int) string {
			be := func(n int) string { return string([]byte{byte(n >> 8), byte(n)}) }
			name := fmt.Sprint("method", i*i)
			return "\x00" + string(rune(len(name))) + name + "\x0a" + be(i*i%7) + be(0x85+3*i) + "\x0c" + be(0x86+3*i) + be(i*i%11) + "\x01"
		}), false},
		{"binary values of one form", table(func(i int) string {
			name := fmt.Sprint("counter:", i*i)
			return "\x00" + string(rune(len(name))) + name + "\x0a\x08\x01\x10" + string(randomBytes(2, uint64(i))) + "\x18" + string(randomBytes(3, uint64(i))) + "\x65"
		}), true},
		{"binary names", records(func(int) string { return binary(16) }, "1234 things"), true},
		{"binary names of empty strings", records(func(int) string { return binary(16) }, ""), true},
		{"numbers", records(func(int) string { return "\xc1" + binary(2) }, "a value"), true},
		{"names of empty strings", records(func(i int) string { return fmt.Sprintf("seen:%d", i) }, "")[:300], true},
	}
	for _, c := range cases {
		if i := NewProber().Next(append(c.b, make([]byte, 32)...), 0, len(c.b)); (i >= 0) != c.has {
			t.Errorf("%s: found at %d", c.name, i)
		}
	}
}

// What stands in front of a record may lead over it by chance to the value of a later
// one, or look like its age: the chain begins with the record all the same.
func TestProberDisputes(t *testing.T) {
	whole, at := ledger(60, 3)
	var starts []int
	for _, r := range at {
		starts = append(starts, r[0])
	}
	slices.Sort(starts)
	records := whole[starts[0]:]
	name := bytes.Index(records, []byte("app:2:"))
	value := name + int(records[name-1]) // of a hash
	made := func(f func(b *build)) string {
		var b build
		f(&b)
		return b.String()
	}
	junk := "\x8a\xf1\x03\xd7\x99\x02\xc8"
	n := len(junk) + value
	over := "\x10" + string([]byte{0x40 | byte(n>>8), byte(n)}) + junk // a hash whose name ends where a listpack begins
	binary := made(func(b *build) { b.op(16).str(junk + junk).str(listpackOf("name", "value")) })
	for _, c := range []struct {
		name, before string
		at           int
	}{
		{"a name that leads over records", over, len(over)},
		{"one behind another record", made(func(b *build) { b.op(0).str("a name").str("a value") }) + over, -1},
		{"one in a value", made(func(b *build) { b.op(0).str("app:x").str(junk + over) }), 0},
		{"an age of this record alone", "\xf9\xaa", 2},
		{"a time without use of this record alone", "\xf8\x0a", 2},
		{"a name that is no text", binary, 0},
	} {
		b := append([]byte(c.before), records...)
		want := c.at
		if want < 0 {
			want = len(c.before)
		}
		p := NewProber()
		if i := p.Next(b, 0, len(b)); i != want || p.Magic() != "REDIS" {
			t.Errorf("%s: found at %d, not at %d", c.name, i, want)
		}
	}
}

// What a Prober finds at a place does not depend on where it looked before: a template
// of hashes is of one file.
func TestProberForgets(t *testing.T) {
	tail := make([]byte, 64)
	part := func(f func(b *build)) []byte {
		var b build
		b.op(0).str("a name").str("a value")
		f(&b)
		return append(b.Bytes(), tail...)
	}
	with := part(func(b *build) {
		b.op(opTemplate).len(1).len(1).str("field")
		for i := range 8 {
			b.op(0).str(fmt.Sprint("name:", i)).str("a value")
		}
	})
	without := part(func(b *build) {
		for i := range 8 {
			b.op(32).str(fmt.Sprint("hash:", i)).len(1).str("a value")
		}
	})
	p := NewProber()
	if i := p.Next(without, 0, 1); i >= 0 {
		t.Fatalf("hashes without a template are found at %d", i)
	}
	p.Next(with, 0, 1)
	if i := p.Next(without, 0, 1); i >= 0 {
		t.Errorf("hashes are found at %d by a template of another place", i)
	}
}

func TestProberKnowsOwnRecords(t *testing.T) {
	whole, at := ledger(600, 2)
	whole = append(whole, make([]byte, lookahead)...)
	missed := 0
	for key, r := range at {
		if key > "app:5" {
			continue // near the end
		}
		if !plausibleAt(whole, r[0]) {
			missed++
		}
	}
	if missed > 0 {
		t.Errorf("%d records are ruled out", missed)
	}
}

func BenchmarkProberNoise(b *testing.B) {
	p, noise := NewProber(), randomBytes(8<<20, 1)
	b.SetBytes(int64(len(noise)))
	for b.Loop() {
		if p.Next(noise, 0, len(noise)) >= 0 {
			b.Fatal("found")
		}
	}
}

func FuzzProber(f *testing.F) {
	whole, _ := ledger(60, 1)
	f.Add(whole)
	f.Add(whole[100:])
	f.Add(bytes.Repeat([]byte{0}, 200))
	p := NewProber()
	f.Fuzz(func(t *testing.T, b []byte) {
		i := p.Next(b, 0, len(b))
		if i >= len(b) {
			t.Fatalf("found at %d of %d", i, len(b))
		}
		if i >= 0 && p.Next(b, i, i+1) != i {
			t.Fatalf("what was found at %d is not found there", i)
		}
		SniffWhole(b)
	})
}
