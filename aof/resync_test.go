package aof

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// noisy builds a log of n commands of many kinds; some values hold what looks
// like commands. It returns the offset behind each command as well.
func noisy(n int) (data []byte, ends []int) {
	rnd := rand.New(rand.NewPCG(1, 2))
	text := func(n int) string {
		b := make([]byte, 1+rnd.IntN(n))
		for i := range b {
			b[i] = byte(rnd.IntN(256))
		}
		return string(b)
	}
	for i := range n {
		key := fmt.Sprintf("key:%d", i)
		var c []string
		switch k := rnd.IntN(60); {
		case k == 0:
			c = []string{"SET", key, "log:\r\n" + string(resp([]string{"DEL", "decoy"}, []string{"SET", "decoy", "x"})) + "end"}
		case k%5 == 0:
			c = []string{"SET", key, text(300)}
		case k%5 == 1:
			c = []string{"HSET", key, "field", text(40), "other", text(40)}
		case k%5 == 2:
			c = []string{"RPUSH", key, text(20), text(20), text(20)}
		case k%5 == 3:
			c = []string{"XADD", key, fmt.Sprintf("%d-1", i+1), "f", text(40)}
		default:
			c = []string{"DEL", key}
		}
		data = append(data, resp(c)...)
		ends = append(ends, len(data))
	}
	return data, ends
}

// TestResync damages logs and holds that every command that the damage did not
// touch is read, hardly anything else is, and each byte is accounted for.
func TestResync(t *testing.T) {
	clean, ends := noisy(2000)
	rnd := rand.New(rand.NewPCG(3, 4))
	missed, spurious, runs := 0, 0, 0
	for _, damage := range []struct {
		name string
		n    int
		do   func(data []byte, at int) (from, to int)
	}{
		{"flips", 20, func(data []byte, at int) (int, int) {
			data[at] ^= 1 << rnd.IntN(8)
			return at, at + 1
		}},
		{"zeros", 5, func(data []byte, at int) (int, int) {
			to := min(at+1+rnd.IntN(4096), len(data))
			clear(data[at:to])
			return at, to
		}},
		{"random bytes", 5, func(data []byte, at int) (int, int) {
			to := min(at+1+rnd.IntN(4096), len(data))
			for i := at; i < to; i++ {
				data[i] = byte(rnd.IntN(256))
			}
			return at, to
		}},
	} {
		for range 20 {
			data := bytes.Clone(clean)
			touched := map[int]bool{} // commands, by their offset
			for range damage.n {
				from, to := damage.do(data, rnd.IntN(len(data)))
				begin := 0
				for _, end := range ends {
					if begin < to && from < end {
						touched[begin] = true
					}
					begin = end
				}
			}
			events, err := read(t, NewReader(bytes.NewReader(data), Options{Resync: true}))
			if err != nil {
				t.Fatalf("%s: %v", damage.name, err)
			}
			found := map[int]bool{}
			covered := int64(0)
			for _, e := range events {
				switch e.Kind {
				case keyspace.Command:
					if e.State != keyspace.Recovered {
						found[int(e.Record)] = true
						if e.Record != covered {
							t.Fatalf("%s: a command at %d, expected at %d", damage.name, e.Record, covered)
						}
						covered += e.Length
					}
				case keyspace.Damage:
					if e.Pos.Offset > covered {
						t.Fatalf("%s: damage at %d, expected at %d", damage.name, e.Pos.Offset, covered)
					}
					covered = e.Pos.Offset + e.Length
					delete(found, int(e.Pos.Offset)) // taken back
				}
			}
			if covered != int64(len(data)) {
				t.Errorf("%s: %d of %d bytes accounted for", damage.name, covered, len(data))
			}
			begin := 0
			for _, end := range ends {
				if !touched[begin] && !found[begin] {
					missed++
				}
				delete(found, begin)
				begin = end
			}
			spurious += len(found)
			runs++
		}
	}
	t.Logf("%d runs: %d untouched commands missed, %d spurious ones", runs, missed, spurious)
	if missed > 0 || spurious > runs/5 {
		t.Errorf("%d runs: %d untouched commands missed, %d spurious ones", runs, missed, spurious)
	}
}

// TestResyncCases are damages that are easy to get wrong.
func TestResyncCases(t *testing.T) {
	set := func(k, v string) string { return string(resp([]string{"SET", k, v})) }
	for _, test := range []struct {
		name, data string
		want       string // the keys that are read, d for damage
	}{
		{"inline command", set("a", "1") + "SET x y\r\n" + set("b", "2"), "a d b"},
		{"count too large", strings.Replace(set("a", "1"), "*3", "*4", 1) + set("b", "2") + set("c", "3"), "d b c"},
		{"count too small", strings.Replace(set("a", "1"), "*3", "*2", 1) + set("b", "2"), "d d b"},
		{"length too large", strings.Replace(set("a", "123"), "$3\r\n123", "$31\r\n123", 1) + set("b", "2") + set("c", "3"), "d b c"},
		{"length of the rest of the file", strings.Replace(set("a", "123"), "$3\r\n123", "$9999999\r\n123", 1) + set("b", "2") + set("c", "3"), "d b c"},
		{"length that ends at a line by chance", strings.Replace(set("a", "123"), "$3\r\n123", "$5\r\n123", 1) + set("b", "2") + set("c", "3"), "d b c"},
		{"length that swallows a command", "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$30\r\n1\r\n" + set("b", "2") + set("c", "3") + set("d", "4"), "d b c d"},
		{"unknown command inside", set("a", "1") + "*1\r\n$3\r\nFOO\r\n" + set("b", "2"), "a b"},
		{"damage before an annotation", set("a", "1") + "xx\r\n#TS:1700000000\r\n" + set("b", "2"), "a d b"},
		{"damage to the end", set("a", "1") + "xx" + strings.Repeat("*3\r\n$3\r\nGE", 1000), "a d"},
		{"MULTI lost", "xx" + string(resp(words("EXEC"))) + set("b", "2"), "d b"},
	} {
		events, err := read(t, NewReader(strings.NewReader(test.data), Options{Resync: true}))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		var got []string
		for _, e := range events {
			switch {
			case e.Kind == keyspace.Damage:
				got = append(got, "d")
			case e.Kind == keyspace.Key && e.State != keyspace.Recovered && e.Key != nil:
				got = append(got, string(e.Key))
			case e.Kind == keyspace.Torn:
				got = append(got, "torn")
			}
		}
		if s := strings.Join(got, " "); s != test.want {
			t.Errorf("%s: %s, want %s", test.name, s, test.want)
		}
	}
}

// Behind damage that may have held a SELECT the database is presumed, until there is one.
func TestResyncPresumes(t *testing.T) {
	set := func(k string) string { return string(resp([]string{"SET", k, "v"})) }
	pick := func(db string) string { return string(resp([]string{"SELECT", db})) }
	payload := "\x00\x01v" + "\x09\x00" // a string as DUMP gives it, of RDB version 9
	payload += string(binary.LittleEndian.AppendUint64(nil, rdb.Checksum(0, []byte(payload))))
	for _, test := range []struct {
		name, data string
		want       string // the keys, their databases, and ? for one that is presumed
	}{
		{"nothing lost", pick("3") + set("a") + set("b"), "a3 b3"},
		{"bytes lost", pick("3") + set("a") + "xx\r\n" + set("b") + pick("4") + set("c"), "a3 b3? c4"},
		{"a length", pick("3") + strings.Replace(pick("4"), "$6", "$7", 1) + set("a") + set("b") + pick("0") + set("c"), "a3? b3? c0"},
		{"zeros", pick("3") + strings.Repeat("\x00", 23) + set("a") + set("b"), "a3? b3?"},
		{"at the head", "xx\r\n" + set("a") + pick("0") + set("b"), "a0? b0"},
		{"too many arguments", pick("3") + string(resp([]string{"SELECT", "4", "5"})) + set("a"), "a3?"},
		{"a serialized value", pick("3") + "xx\r\n" + string(resp([]string{"RESTORE", "a", "0", payload})), "a3?"},
		{"a serialized value that is damaged", pick("3") + string(resp([]string{"RESTORE", "a", "0", payload + "x"})) + set("b"), "a3 b3"},
		{"of no database", pick("x") + set("a") + "xx\r\n" + set("b") + pick("1") + set("c"), "a-1 b-1 c1"},
		{"the end of a snapshot", "REDIS0009\xfe\x05\xfb\x01\x00\x00\x01k\x01v" + strings.Repeat("\xf1", 40) + set("a") + set("b") + set("c") + pick("1") + set("d"), "k5 a0? b0? c0? d1"},
	} {
		o := Options{Resync: true, Size: int64(len(test.data)), Reopen: func(at int64) (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(test.data[at:])), nil
		}}
		events, err := read(t, NewReader(strings.NewReader(test.data), o))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		var got []string
		for _, e := range events {
			if e.Presumed && e.DB < 0 {
				t.Errorf("%s: %s in no database is presumed to be", test.name, e.Kind)
			}
			if e.Kind == keyspace.Key && e.Key != nil && e.State != keyspace.Recovered {
				got = append(got, fmt.Sprintf("%s%d%s", e.Key, e.DB, map[bool]string{true: "?"}[e.Presumed]))
			}
		}
		if s := strings.Join(got, " "); s != test.want {
			t.Errorf("%s: %s, want %s", test.name, s, test.want)
		}
	}
}

// TestResyncTime holds that the annotation in front of a found command is read.
func TestResyncTime(t *testing.T) {
	data := "damage\r\n#TS:1700000000\r\n" + string(resp(words("SET a 1")))
	events, err := read(t, NewReader(strings.NewReader(data), Options{Resync: true}))
	if err != nil || events[1].Kind != keyspace.Damage || events[1].Length != 8 || events[2].Time != 1700000000000 {
		t.Errorf("%v %v", err, full(events))
	}
}

// TestMultiAndDamage holds that damage inside a MULTI does not take back all
// that follows, since its EXEC may have been what was damaged.
func TestMultiAndDamage(t *testing.T) {
	data := string(resp(words("MULTI"), words("SET a 1"))) + "damage\r\n" + string(resp(words("SET b 2")))
	events, err := read(t, NewReader(strings.NewReader(data), Options{Resync: true, Tail: true}))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if e.Kind == keyspace.Torn {
			t.Errorf("torn at %d", e.Pos.Offset)
		}
	}
}

// TestGap is about ranges that the medium could not deliver: they are damage,
// and what lies behind them is read.
func TestGap(t *testing.T) {
	for _, test := range []struct {
		name     string
		from, to int
		want     []string
	}{
		{"inside a value", 25, 27, []string{
			`damage`,
			`key create string key="a"`, `element put string key="a" value="1\x00\x004"`, `key-end create string key="a" index=1`,
			`key create string key="b"`, `element put string key="b" value="2"`, `key-end create string key="b" index=1`,
		}},
		{"over a length", 21, 24, []string{
			`damage`, `key create string key="a" recovered`, `damage`,
			`key create string key="b"`, `element put string key="b" value="2"`, `key-end create string key="b" index=1`,
		}},
	} {
		data := resp(words("SET a 1234"), words("SET b 2"))
		events, err := read(t, NewReader(&gapReader{data: data, from: test.from, to: test.to}, Options{Resync: true}))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		diff(t, test.name, effects(events), test.want)
		if e := events[1]; e.Pos.Offset != int64(test.from) || e.Length != int64(test.to-test.from) {
			t.Errorf("%s: damage at %d of %d", test.name, e.Pos.Offset, e.Length)
		}
	}
}

// gapReader delivers zeros and a GapError for data[from:to].
type gapReader struct {
	data     []byte
	from, to int
	at       int
}

func (r *gapReader) Read(p []byte) (int, error) {
	switch {
	case r.at < r.from:
		n := copy(p, r.data[r.at:r.from])
		r.at += n
		return n, nil
	case r.at < r.to:
		n := min(len(p), r.to-r.at)
		clear(p[:n])
		r.at += n
		return n, &keyspace.GapError{Offset: int64(r.at - n), Length: int64(n), Err: errors.New("bad sector")}
	}
	n := copy(p, r.data[r.at:])
	if r.at += n; n == 0 {
		return 0, io.EOF
	}
	return n, nil
}
