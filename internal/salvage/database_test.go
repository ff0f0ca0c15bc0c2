package salvage

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/rdbwrite"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// twoDatabases is a snapshot with 40 keys in each of two databases, some bytes behind those
// of the first, and a size of either. Its checksum is wrong.
func twoDatabases(second byte, size, between []byte) []byte {
	p := []byte("REDIS0011")
	for i, db := range []byte{0, second} {
		p = append(append(p, 0xfe, db, 0xfb), size...)
		for k := range 40 {
			key := fmt.Sprintf("db%d:%d", db, k)
			p = append(append(append(p, 0, byte(len(key))), key...), 5)
			p = append(p, "value"...)
		}
		if i == 0 {
			p = append(p, between...)
		}
	}
	return append(p, 0xff, 1, 2, 3, 4, 5, 6, 7, 8)
}

// databases are the numbers of keys of a snapshot by database, and the most it says of them.
func databases(t *testing.T, p []byte) (keys map[int32]int, sizes map[int32][2]int64) {
	t.Helper()
	keys, sizes = map[int32]int{}, map[int32][2]int64{}
	for e, err := range rdb.NewReader(bytes.NewReader(p), rdb.Options{}).Events(t.Context()) {
		switch {
		case err != nil:
			t.Fatal(err)
		case e.Kind == keyspace.Key:
			keys[e.DB]++
		case e.Kind == keyspace.DB:
			sizes[e.DB] = [2]int64{max(sizes[e.DB][0], e.Index), max(sizes[e.DB][1], e.Count)}
		}
	}
	return keys, sizes
}

// TestCleanFileSelectsNoEmptyDatabase: bytes that select a database in which nothing is kept
// are not in a clean file. A server that has not so many databases would refuse it.
func TestCleanFileSelectsNoEmptyDatabase(t *testing.T) {
	for name, stray := range map[string][]byte{
		"nothing":                  {},
		"a selection with a size":  {0xfe, 27, 0xfb, 9, 0},
		"with a size of four byte": {0xfe, 27, 0xfb, 0x80, 0, 0, 1, 0, 0x40, 9},
		"two of them":              {0xfe, 27, 0xfb, 9, 0, 0xfe, 28, 0xfb, 9, 0},
		"without a size":           {0xfe, 27},
	} {
		var out bytes.Buffer
		if _, _, err := Run(t.Context(), memory{p: twoDatabases(3, []byte{40, 0}, stray)}, Options{Clean: &out, Tmp: t.TempDir()}); err != nil {
			t.Fatal(err)
		}
		keys, sizes := databases(t, out.Bytes())
		if want := map[int32]int{0: 40, 3: 40}; !maps.Equal(keys, want) {
			t.Errorf("%s: keys %v", name, keys)
		}
		if want := map[int32][2]int64{0: {40, 0}, 3: {40, 0}}; !maps.Equal(sizes, want) {
			t.Errorf("%s: sizes %v", name, sizes)
		}
	}
}

// TestCleanFileSizes: what a clean file says of the sizes of databases is what is kept of
// them. Servers allocate what they are told: a size of which damage made 2^44 ends them.
func TestCleanFileSizes(t *testing.T) {
	for name, c := range map[string]struct {
		size, between []byte
		want          [2]int64
	}{
		"right":              {[]byte{40, 7}, nil, [2]int64{40, 7}},
		"too large":          {[]byte{0x81, 0, 0, 0x10, 0, 0, 0, 0, 0, 0x81, 0, 0, 0x10, 0, 0, 0, 0, 0}, nil, [2]int64{40, 40}},
		"too small":          {[]byte{3, 0}, nil, [2]int64{40, 0}},
		"one more":           {[]byte{40, 7}, []byte{0xfb, 0x80, 0xff, 0, 0, 0, 7}, [2]int64{40, 7}},
		"keys behind damage": {[]byte{40, 7}, []byte{60, 61, 62, 0xfb, 0x80, 0xff, 0, 0, 0, 7}, [2]int64{40, 7}},
	} {
		var out bytes.Buffer
		if _, _, err := Run(t.Context(), memory{p: twoDatabases(3, c.size, c.between)}, Options{Clean: &out, Tmp: t.TempDir()}); err != nil {
			t.Fatal(err)
		}
		keys, sizes := databases(t, out.Bytes())
		if !maps.Equal(keys, map[int32]int{0: 40, 3: 40}) || !maps.Equal(sizes, map[int32][2]int64{0: c.want, 3: c.want}) {
			t.Errorf("%s: %v keys, sizes %v, want %v", name, keys, sizes, c.want)
		}
	}
}

// TestCleanFileComesUponSelection: a record that leads over others, into the middle of what
// selects a database, was followed by damage before that was noticed. What the right way
// comes upon again is in a clean file as if it had been read once.
func TestCleanFileComesUponSelection(t *testing.T) {
	key := func(p []byte, db, i int) []byte {
		name := fmt.Sprintf("db%d:%d", db, i)
		return append(append(append(append(p, 0, byte(len(name))), name...), 5), "value"...)
	}
	keys := func(p []byte, db, from, n int) []byte {
		for i := range n {
			p = key(p, db, from+i)
		}
		return p
	}
	choose := func(p []byte, db byte) []byte { // with a size that ends a server
		return append(p, 0xfe, db, 0xfb, 0x81, 0, 0, 0x10, 0, 0, 0, 0, 0, 0)
	}
	for name, c := range map[string]struct {
		swallowed, behind func(p []byte) []byte
		want              map[int32]int
	}{
		"behind keys": {
			func(p []byte) []byte { return keys(p, 0, 40, 6) },
			func(p []byte) []byte { return keys(choose(keys(p, 0, 46, 1), 27), 27, 0, 10) },
			map[int32]int{0: 40 + 6 + 1, 27: 10 + 10},
		},
		"at once": {
			func(p []byte) []byte { return keys(p, 0, 40, 6) },
			func(p []byte) []byte { return keys(choose(p, 27), 27, 0, 10) },
			map[int32]int{0: 40 + 6, 27: 10 + 10},
		},
		"without a key": {
			func(p []byte) []byte { return keys(p, 0, 40, 6) },
			func(p []byte) []byte { return choose(p, 27) },
			map[int32]int{0: 40 + 6, 27: 10},
		},
		"led over it": {
			func(p []byte) []byte { return keys(choose(keys(p, 0, 40, 6), 27), 27, 30, 6) },
			func(p []byte) []byte { return keys(p, 27, 0, 10) },
			map[int32]int{0: 40 + 6, 27: 10 + 6 + 10},
		},
	} {
		p := keys([]byte("REDIS0011\xfe\x00\xfb\x28\x00"), 0, 0, 40)
		swallowed := c.swallowed([]byte("value"))
		p = append(append(p, "\x00\x07suspect"...), 0x40, byte(len(swallowed)))
		p = append(c.behind(append(p, swallowed...)), 60, 61, 62)
		p = append(keys(p, 27, 20, 10), 0xff, 1, 2, 3, 4, 5, 6, 7, 8)
		var out bytes.Buffer
		m, sum, err := Run(t.Context(), memory{p: p}, Options{Clean: &out, Tmp: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		got, sizes := databases(t, out.Bytes())
		if !maps.Equal(got, c.want) || sum.Databases != 28 {
			t.Errorf("%s: keys %v, want %v; %d databases", name, got, c.want, sum.Databases)
		}
		for db, n := range c.want {
			if sizes[db] != [2]int64{int64(n), 0} {
				t.Errorf("%s: sizes %v, want %v", name, sizes, c.want)
			}
		}
		for _, x := range m.Types {
			if int(x.Keys) != c.want[x.DB] {
				t.Errorf("%s: the report says %v, want %v", name, m.Types, c.want)
			}
		}
	}
}

// TestCleanFileAmongFalseLengths: of lengths that lead over records, to where others begin,
// and of damage behind them, a clean file says no more than there is.
func TestCleanFileAmongFalseLengths(t *testing.T) {
	for seed := uint64(380); seed < 520; seed++ {
		rnd := rand.New(rand.NewPCG(seed, 77))
		p := []byte("REDIS0011")
		var lengths, ends []int // of values
		for i, db := range []byte{0, 4, 27, 28} {
			n := 5 + rnd.IntN(30)
			if i == 0 {
				n = 20 + rnd.IntN(40)
			}
			p = append(p, 0xfe, db, 0xfb, byte(n), byte(rnd.IntN(5)))
			for k := range n {
				key, value := fmt.Sprintf("db%d:%d", db, k), strings.Repeat("v", 1+rnd.IntN(50))
				p = append(append(p, 0, byte(len(key))), key...)
				lengths = append(lengths, len(p))
				p = append(append(p, byte(len(value))), value...)
				ends = append(ends, len(p))
			}
		}
		p = append(p, 0xff, 1, 2, 3, 4, 5, 6, 7, 8)
		for range 1 + rnd.IntN(3) {
			i := rnd.IntN(len(lengths) - 20)
			at, end := lengths[i], ends[i+1+rnd.IntN(10)]
			p[at], p[at+1] = 0x40|byte((end-at-2)>>8), byte(end-at-2)
			if rnd.IntN(2) == 0 {
				hurt := min(end+rnd.IntN(600), len(p)-12)
				for j := range 1 + rnd.IntN(4) {
					p[hurt+j] = byte(rnd.Uint32())
				}
			}
		}
		var out bytes.Buffer
		m, sum, err := Run(t.Context(), memory{p: p}, Options{Clean: &out, Tmp: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		found := map[int32]int{}
		for _, x := range m.Types {
			found[x.DB] += int(x.Keys)
		}
		keys, sizes := databases(t, out.Bytes())
		all := 0
		for db, n := range keys {
			if all += n; n > found[db]+int(m.Keys.Partial) {
				t.Errorf("seed %d: %d keys in %d, found are %v", seed, n, db, found)
			}
		}
		if want := m.Keys.Intact + m.Keys.Unverified + sum.Rebuilt - sum.Twice; uint64(all) != want {
			t.Errorf("seed %d: %d keys, want %d", seed, all, want)
		}
		for db, size := range sizes {
			if keys[db] == 0 || size[0] > int64(found[db])+int64(m.Keys.Partial) || size[1] > size[0] {
				t.Errorf("seed %d: sizes %v of %v", seed, sizes, keys)
			}
		}
	}
}

// TestCleanFileSaysNoSlots: how many keys are in a slot is not in a clean file. Servers in a
// cluster make room for as many, and do without.
func TestCleanFileSaysNoSlots(t *testing.T) {
	aux := func(name, value string) []byte {
		return fmt.Appendf(nil, "\xfa%c%s%c%s", len(name), name, len(value), value)
	}
	for name, between := range map[string][]byte{
		"of Redis":   {0xf4, 5, 0x81, 0, 0, 0x10, 0, 0, 0, 0, 0, 0},
		"of Valkey":  aux("slot-info", "15470,17592186044416,0"),
		"short":      aux("slot-info", "1,2,0"),
		"as C reads": aux("Slot-info\x00x", "1,2,0"),
	} {
		p := twoDatabases(3, []byte{40, 0}, between)
		p[headerSize-1]++ // version 12
		var out, sure bytes.Buffer
		if _, _, err := Run(t.Context(), memory{p: p}, Options{Clean: &out, Tmp: t.TempDir()}); err != nil {
			t.Fatal(err)
		}
		p = twoDatabases(3, []byte{40, 0}, nil)
		p[headerSize-1]++
		if _, _, err := Run(t.Context(), memory{p: p}, Options{Clean: &sure, Tmp: t.TempDir()}); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(out.Bytes(), sure.Bytes()) {
			t.Errorf("%s:\n%q, want\n%q", name, &out, &sure)
		}
	}
}

// TestCleanFileNeedsDatabases: of a clean file that servers refuse unless they are told to
// have more databases, the report says how many.
func TestCleanFileNeedsDatabases(t *testing.T) {
	sound := func(db int32, stray string) []byte {
		var b bytes.Buffer
		w, err := rdbwrite.New(&b, rdbwrite.Version{Magic: "REDIS", Number: 11}, rdbwrite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{w.Select(db), w.Raw(strings.NewReader("\x00\x03key\x05value"+stray), int64(10+len(stray))), w.Close()} {
			if err != nil {
				t.Fatal(err)
			}
		}
		return b.Bytes()
	}
	log := func(db string, more ...string) []byte {
		var p []byte
		for _, line := range append([]string{"SELECT " + db, "SET k v"}, more...) {
			words := strings.Fields(line)
			p = fmt.Appendf(p, "*%d\r\n", len(words))
			for _, word := range words {
				p = fmt.Appendf(p, "$%d\r\n%s\r\n", len(word), word)
			}
		}
		return p
	}
	var more []byte
	for i := range 9 {
		more = fmt.Appendf(more, "\x00\x06more:%d\x05value", i)
	}
	for _, c := range []struct {
		name string
		file memory
		want int64
	}{
		{"damaged", memory{p: twoDatabases(27, []byte{40, 0}, nil)}, 28},
		{"damaged, as many as usual", memory{p: twoDatabases(15, []byte{40, 0}, nil)}, 0},
		{"one more than usual", memory{p: twoDatabases(16, []byte{40, 0}, nil)}, 17},
		{"keys are presumed there", memory{p: twoDatabases(3, []byte{40, 0}, append([]byte{0xfe, 27, 0xfb, 9, 0, 60, 61, 62}, more...))}, 28},
		{"selected, without keys", memory{p: twoDatabases(3, []byte{40, 0}, []byte{0xfe, 27, 0xfb, 9, 0})}, 0},
		{"sound", memory{p: sound(200, "")}, 201},
		{"sound, as many as usual", memory{p: sound(15, "")}, 0},
		{"sound, one is selected without keys", memory{p: sound(3, "\xfe\x1b\xfb\x00\x00")}, 28},
		{"log", memory{p: log("27"), log: true}, 28},
		{"torn log", memory{p: append(log("27"), "*3\r\n$3\r\nSE"...), log: true}, 28},
		{"log, as many as usual", memory{p: log("15"), log: true}, 0},
		{"a key is moved there", memory{p: log("3", "MOVE k 27", "SET k w"), log: true}, 28},
		{"a key is copied there", memory{p: log("3", "COPY k k DB 27"), log: true}, 28},
		{"databases change places", memory{p: log("3", "SWAPDB 3 27"), log: true}, 28},
		{"the other way round", memory{p: log("3", "SWAPDB 27 3"), log: true}, 28},
	} {
		var lines bytes.Buffer
		m, sum, err := Run(t.Context(), c.file, Options{Clean: &bytes.Buffer{}, JSONL: &lines, Tmp: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if sum.Databases != c.want {
			t.Errorf("%s: %d databases, want %d", c.name, sum.Databases, c.want)
		}
		var text, object bytes.Buffer
		if err := cmp.Or(WriteText(&text, 80, m, sum), WriteJSON(&object, m, sum)); err != nil {
			t.Fatal(err)
		}
		says, member := fmt.Sprintf("  needs      databases %d in", c.want), fmt.Sprintf(`"databases":%d`, c.want)
		for report, part := range map[string]string{text.String(): says, object.String(): member, lines.String(): member} {
			if strings.Contains(report, part) != (c.want > 0) {
				t.Errorf("%s: want %d in\n%s", c.name, c.want, report)
			}
		}
	}
}

// TestCleanFileOfManyDatabases: sizes are kept of so many databases, and of which is the
// same each time.
func TestCleanFileOfManyDatabases(t *testing.T) {
	p := []byte("REDIS0011")
	for db := range uint32(maxTypes - 1) {
		p = append(append(binary.BigEndian.AppendUint32(append(p, 0xfe, 0x80), db), 0xfb), 9, 0)
	}
	for db := range uint32(40) {
		p = append(binary.BigEndian.AppendUint32(append(p, 0xfe, 0x80), maxTypes+db), "\x00\x03key\x05value"...)
	}
	p = append(p, 0xff, 1, 2, 3, 4, 5, 6, 7, 8)
	var first []byte
	for range 3 {
		var out bytes.Buffer
		if _, _, err := Run(t.Context(), memory{p: p}, Options{Clean: &out, Tmp: t.TempDir()}); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = out.Bytes()
		}
		if !bytes.Equal(out.Bytes(), first) {
			t.Fatal("another file")
		}
	}
	if keys, _ := databases(t, first); len(keys) != 40 {
		t.Errorf("keys in %d databases", len(keys))
	}
}
