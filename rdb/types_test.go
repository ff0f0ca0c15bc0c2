package rdb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// content is a short form of what a key holds.
func content(seq keyspace.Seq) (string, error) {
	var out []string
	var part []byte
	for ev, err := range seq {
		if err != nil {
			return strings.Join(out, " "), err
		}
		switch ev.Kind {
		case keyspace.Key:
			s := fmt.Sprintf("%s/%s %s:", ev.Type, ev.Encoding, ev.Key)
			if ev.Type == keyspace.Module {
				s += fmt.Sprintf(" [%s v%d]", ev.Field, ev.Index)
			}
			out = append(out, s)
		case keyspace.Element:
			if ev.Part.Begins() {
				part = part[:0]
			}
			if part = append(part, ev.Value...); !ev.Part.Ends() {
				continue
			}
			s := string(part)
			switch ev.Type {
			case keyspace.Hash:
				s = fmt.Sprintf("%s=%s", ev.Field, part)
				if ev.Expire != keyspace.NoExpire {
					s += fmt.Sprintf("@%d", ev.Expire)
				}
			case keyspace.SortedSet:
				s = fmt.Sprintf("%s=%v", part, ev.Score)
			case keyspace.Stream:
				s = fmt.Sprintf("%d-%d[%d]%s=%s", ev.ID.MS, ev.ID.Seq, ev.Index, ev.Field, part)
				if ev.State == keyspace.Deleted {
					s += "!"
				}
			case keyspace.Array:
				s = fmt.Sprintf("%d=%s", ev.Index, part)
			}
			out = append(out, s)
		case keyspace.StreamMeta:
			out = append(out, fmt.Sprintf("meta(%d last %d-%d added %d first %s deleted %s)", ev.Index, ev.ID.MS, ev.ID.Seq, ev.Count, ev.Field, ev.Value))
		case keyspace.Group:
			out = append(out, fmt.Sprintf("group(%s %d-%d read %d)", ev.Field, ev.ID.MS, ev.ID.Seq, ev.Index))
		case keyspace.Consumer:
			out = append(out, fmt.Sprintf("consumer(%s/%s seen %d active %d)", ev.Field, ev.Value, ev.Time, ev.Expire))
		case keyspace.Pending:
			out = append(out, fmt.Sprintf("pending(%s/%s %d-%d %d×%d)", ev.Field, ev.Value, ev.ID.MS, ev.ID.Seq, ev.Time, ev.Index))
		case keyspace.KeyEnd:
			out = append(out, fmt.Sprintf("(%d)", ev.Index))
		case keyspace.Function:
			out = append(out, fmt.Sprintf("function %s: %s", ev.Key, ev.Value))
		case keyspace.Slot:
			out = append(out, fmt.Sprintf("slot %d: %d", ev.Index, ev.Count))
		case keyspace.Aux:
			out = append(out, fmt.Sprintf("aux %s=%s", ev.Key, ev.Value))
		case keyspace.Command:
			out = append(out, fmt.Sprintf("command(%d)", ev.Index))
		}
	}
	return strings.Join(out, " "), nil
}

func le(width int, n int64) string {
	return string(binary.LittleEndian.AppendUint64(nil, uint64(n))[:width])
}

func be128(ms, seq uint64) string {
	return string(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, ms), seq))
}

// ziplistOf encodes strings as they are and ints by the shortest integer encoding.
func ziplistOf(cells ...any) string {
	body, prev, last := "", 0, ziplistHeader
	for _, c := range cells {
		var e string
		switch c := c.(type) {
		case string:
			switch {
			case len(c) < 64:
				e = string([]byte{byte(len(c))}) + c
			case len(c) < 1<<14:
				e = string([]byte{0x40 | byte(len(c)>>8), byte(len(c))}) + c
			default:
				e = "\x80" + string(binary.BigEndian.AppendUint32(nil, uint32(len(c)))) + c
			}
		case int:
			switch {
			case c >= 0 && c <= 12:
				e = string([]byte{0xf1 + byte(c)})
			case c >= -128 && c < 128:
				e = "\xfe" + le(1, int64(c))
			case c >= -1<<15 && c < 1<<15:
				e = "\xc0" + le(2, int64(c))
			case c >= -1<<23 && c < 1<<23:
				e = "\xf0" + le(3, int64(c))
			case c >= -1<<31 && c < 1<<31:
				e = "\xd0" + le(4, int64(c))
			default:
				e = "\xe0" + le(8, int64(c))
			}
		}
		head := string([]byte{byte(prev)})
		if prev >= 254 {
			head = "\xfe" + le(4, int64(prev))
		}
		last = ziplistHeader + len(body)
		prev = len(head) + len(e)
		body += head + e
	}
	return le(4, int64(ziplistHeader+len(body)+1)) + le(4, int64(last)) + le(2, int64(len(cells))) + body + "\xff"
}

func TestTypes(t *testing.T) {
	long := strings.Repeat("long ", 60) // 300 bytes
	f64 := func(f float64) string { return le(8, int64(math.Float64bits(f))) }
	cases := []struct {
		name  string
		magic string
		body  func(b *build)
		want  string
	}{
		{"string", "REDIS0011", func(b *build) { b.op(0).str("k").str("v") }, "string/raw k: v (1)"},
		{"integers", "REDIS0011", func(b *build) {
			b.op(0).str("a").op(0xc0, 0x85).op(0).str("b").op(0xc1, 0, 0x80).op(0).str("c").op(0xc2, 1, 0, 0, 0x80)
		}, "string/raw a: -123 (1) string/raw b: -32768 (1) string/raw c: -2147483647 (1)"},
		{"integer key", "REDIS0011", func(b *build) { b.op(0, 0xc0, 7).str("v") }, "string/raw 7: v (1)"},
		{"lzf", "REDIS0011", func(b *build) { b.op(0).lzf(long).lzf(long) }, "string/raw " + long + ": " + long + " (1)"},
		{"list", "REDIS0001", func(b *build) { b.op(1).str("k").len(2).str("a").op(0xc0, 5) }, "list/linkedlist k: a 5 (2)"},
		{"set", "REDIS0001", func(b *build) { b.op(2).str("k").len(2).str("a").str(long) }, "set/hashtable k: a " + long + " (2)"},
		{"zset", "REDIS0003", func(b *build) {
			b.op(3).str("k").len(4).str("a").op(3).op([]byte("1.5")...).str("b").op(254).str("c").op(255).str("d").op(253)
		}, "zset/skiplist k: a=1.5 b=+Inf c=-Inf d=NaN (4)"},
		{"zset2", "REDIS0008", func(b *build) {
			b.op(5).str("k").len(2).str("a").op([]byte(f64(-2.25))...).lzf(long).op([]byte(f64(1e300))...)
		},
			"zset/skiplist k: a=-2.25 " + long + "=1e+300 (2)"},
		{"hash", "REDIS0011", func(b *build) { b.op(4).str("k").len(2).str("f").str("v").lzf(long).op(0xc0, 9) }, "hash/hashtable k: f=v " + long + "=9 (2)"},
		{"zipmap", "REDIS0002", func(b *build) { b.op(9).str("k").str(zipmapOf(3, "f", "v", long, long)) }, "hash/zipmap k: f=v " + long + "=" + long + " (2)"},
		{"list ziplist", "REDIS0006", func(b *build) {
			b.op(10).str("k").str(ziplistOf("a", long, 0, 12, -128, 300, -70000, 1<<30, -1<<62, strings.Repeat("x", 20_000), "z"))
		}, "list/ziplist k: a " + long + " 0 12 -128 300 -70000 1073741824 -4611686018427387904 " + strings.Repeat("x", 20_000) + " z (11)"},
		{"intset", "REDIS0006", func(b *build) { b.op(11).str("k").str(le(4, 2) + le(4, 3) + le(2, -5) + le(2, 0) + le(2, 700)) }, "set/intset k: -5 0 700 (3)"},
		{"intset 64", "REDIS0006", func(b *build) { b.op(11).str("k").str(le(4, 8) + le(4, 1) + le(8, math.MinInt64)) }, "set/intset k: -9223372036854775808 (1)"},
		{"zset ziplist", "REDIS0006", func(b *build) { b.op(12).str("k").lzf(ziplistOf("a", 1, "b", "2.5")) }, "zset/ziplist k: a=1 b=2.5 (2)"},
		{"hash ziplist", "REDIS0006", func(b *build) { b.op(13).str("k").str(ziplistOf("f", 1, long, long)) }, "hash/ziplist k: f=1 " + long + "=" + long + " (2)"},
		{"quicklist", "REDIS0007", func(b *build) { b.op(14).str("k").len(2).str(ziplistOf("a", "b")).lzf(ziplistOf("c")) }, "list/quicklist k: a b c (3)"},
		{"hash listpack", "REDIS0010", func(b *build) { b.op(16).str("k").str(listpackOf("f", "v", 5, -4000, long, 1<<40)) }, "hash/listpack k: f=v 5=-4000 " + long + "=1099511627776 (3)"},
		{"zset listpack", "REDIS0010", func(b *build) { b.op(17).str("k").str(listpackOf("a", 1, "b", "-0.5")) }, "zset/listpack k: a=1 b=-0.5 (2)"},
		{"quicklist2", "REDIS0010", func(b *build) {
			b.op(18).str("k").len(3).len(nodePacked).lzf(listpackOf("a", long)).len(nodePlain).str("b").len(nodePacked).str(listpackOf(7))
		}, "list/quicklist2 k: a " + long + " b 7 (4)"},
		{"set listpack", "REDIS0011", func(b *build) { b.op(20).str("k").str(listpackOf("a", 100, strings.Repeat("x", 5000))) }, "set/listpack k: a 100 " + strings.Repeat("x", 5000) + " (3)"},
		{"stream 3", "REDIS0011", func(b *build) {
			lp := listpackOf(2, 1, 2, "f", "g", 0, // live, deleted, master fields
				2, 0, 0, "v1", "v2", 5,
				0, 5, 1, 1, "h", "w", 6,
				3, 6, 0, "x1", "x2", 5)
			b.op(21).str("k").len(1).str(be128(1000, 1)).str(lp)
			b.len(2).len(1005).len(2).len(1000).len(1).len(1006).len(1).len(9)
			b.len(1).str("grp").len(1000).len(1).len(4)
			b.len(1).op([]byte(be128(1000, 1))...).le64(1234).len(3)
			b.len(1).str("alice").le64(55).le64(66).len(1).op([]byte(be128(1000, 1))...)
		}, "stream/stream k: 1000-1[0]f=v1 1000-1[1]g=v2 1005-2[0]h=w 1006-1[0]f=x1! 1006-1[1]g=x2! meta(2 last 1005-2 added 9 first 1000-1 deleted 1006-1)" +
			" group(grp 1000-1 read 4) pending(grp/ 1000-1 1234×3) consumer(grp/alice seen 55 active 66) pending(grp/alice 1000-1 0×0) (2)"},
		{"stream 1", "REDIS0009", func(b *build) { b.op(15).str("k").len(0).len(0).len(7).len(3).len(0) }, "stream/stream k: meta(0 last 7-3 added -1 first  deleted ) (0)"},
		{"stream 4", "REDIS0013", func(b *build) {
			b.op(26).str("k").len(0).len(0).len(7).len(3).len(0).len(0).len(0).len(0).len(0).len(0)
			b.len(60).len(100).len(1).str("pid").len(1).str("iid").len(5).len(1).len(2).len(3)
			b.op(0).str("next").str("v")
		}, "stream/stream k: meta(0 last 7-3 added 0 first 0-0 deleted 0-0) consumer(/pid seen 0 active -1) (0) string/raw next: v (1)"},
		{"stream 5", "REDIS0014", func(b *build) {
			b.op(27).str("k").len(0).len(0).len(7).len(3).len(0).len(0).len(0).len(0).len(0).len(1)
			b.str("g").len(1).len(1).len(0).len(0).len(0).len(1).op([]byte(be128(1, 1))...)
			b.len(0).len(0).len(0).len(0).len(0)
			b.op(0).str("next").str("v")
		}, "stream/stream k: meta(0 last 7-3 added 0 first 0-0 deleted 0-0) group(g 1-1 read 0) (0) string/raw next: v (1)"},
		{"hash with expiries, Valkey", "VALKEY080", func(b *build) {
			b.op(22).str("k").len(3).str("f").str("v").le64(-1).str("g").lzf(long).le64(4102444800000).str("n").op(0xc0, 3).le64(5)
		}, "hash/hashtable-ex k: f=v g=" + long + "@4102444800000 n=3@5 (3)"},
		{"hash with expiries, Redis", "REDIS0012", func(b *build) {
			b.op(24).str("k").le64(1000).len(3).len(0).str("f").str("v").len(1).str("g").str("w").len(501).str("h").str(long)
		}, "hash/hashtable-ex k: f=v g=w@1000 h=" + long + "@1500 (3)"},
		{"hash with expiries, release candidate", "REDIS0012", func(b *build) { b.op(22).str("k").len(2).len(0).str("f").str("v").len(900).str("g").str("w") }, "hash/hashtable-ex k: f=v g=w@900 (2)"},
		{"hash listpack with expiries", "REDIS0012", func(b *build) { b.op(25).str("k").le64(1000).str(listpackOf("f", "v", 0, "g", 5, 4000000000)) }, "hash/listpackex k: f=v g=5@4000000000 (2)"},
		{"hash listpack with expiries, release candidate", "REDIS0012", func(b *build) { b.op(23).str("k").str(listpackOf("f", "v", 700)) }, "hash/listpackex k: f=v@700 (1)"},
		{"array", "REDIS0014", func(b *build) {
			b.op(28).str("k").len(4).len(1).len(9).len(0).len(0).str("text").len(5).len(1).le64(-7).len(6).len(2).op([]byte(f64(2.5))...).len(8).len(3).str("s")
		}, "array/array k: 0=text 5=-7 6=2.5 8=s (4)"},
		{"hash templates", "REDIS0015", func(b *build) {
			b.op(242).len(0).len(2).str("a").str("bb")
			b.op(30).str("k1").str(listpackOf(0, "v1", 2))
			b.op(32).str("k2").len(0).str("w1").str("w2")
			b.op(29).str("k3").len(0).str(listpackOf("x", "y")).str(listpackOf(77, 1, "two"))
			b.op(31).str("k4").len(1).len(1).str("z").str("last")
		}, "hash/template k1: a=v1 bb=2 (2) hash/template k2: a=w1 bb=w2 (2) hash/template k3: x=1 y=two (2) hash/template k4: z=last (1)"},
		{"key metadata", "REDIS0013", func(b *build) {
			b.op(243).len(1).op(1, 2, 3, 4).len(moduleString).str("meta").len(moduleUint).len(5).len(moduleEOF).op(0).str("k").str("v")
		}, "aux key-meta=meta string/raw k: v (1)"},
		{"slot import", "VALKEY080", func(b *build) {
			b.op(243).str(strings.Repeat("j", slotImportJob)).len(1).len(0).len(99).op(0).str("k").str("v")
		}, "string/raw k: v (1)"},
		{"slot info", "REDIS0012", func(b *build) { b.op(244).len(12539).len(1).len(0).op(0).str("k").str("v") }, "slot 12539: 1 string/raw k: v (1)"},
		{"update", "VALKEY081", func(b *build) {
			b.op(242).op([]byte("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nhello\r\n")...).op(0).str("k").str("v")
		}, "command(3) SET k hello string/raw k: v (1)"},
		{"module", "REDIS0009", func(b *build) {
			b.op(7).str("k").op(0x81).op(0x80, 0, 0, 0, 0, 0, 0, 3)
			b.len(moduleString).str("inside").len(moduleSigned).len(5).len(moduleUint).len(1 << 40).len(moduleFloat).op([]byte(le(4, int64(math.Float32bits(0.5))))...)
			b.len(moduleDouble).op([]byte(f64(-1.25))...).len(moduleEOF)
		}, "module/module k: [gAAAAAAAA v3] inside 5 1099511627776 0.5 -1.25 (5)"},
		{"module aux", "REDIS0009", func(b *build) {
			b.op(247).op(0x81).op(0x80, 0, 0, 0, 0, 0, 0, 3).len(2).len(1).len(moduleString).str("beside").len(moduleUint).len(4).len(moduleEOF)
		}, "aux gAAAAAAAA=beside aux gAAAAAAAA=4"},
		{"slots", "REDIS0012", func(b *build) { b.op(opSlotInfo).len(7).len(3).len(1).op(0).str("a").str("v") }, "slot 7: 3 string/raw a: v (1)"},
		{"slots of Valkey", "VALKEY080", func(b *build) {
			b.op(opAux).str("slot-info").str("7,3,1").op(opAux).str("Slot-Info\x00").str("16383,300000,1,2").op(0).str("a").str("v").op(opAux).str("slot-infos").str("1")
		}, "slot 7: 3 slot 16383: 300000 string/raw a: v (1) aux slot-infos=1"},
		{"function", "REDIS0010", func(b *build) { b.op(245).str("#!lua name=lib\nreturn 1") }, "function lib: #!lua name=lib\nreturn 1"},
		{"function of a release candidate", "REDIS0010", func(b *build) { b.op(246).str("lib").str("LUA").len(1).str("about").str("code") }, "function lib: about function lib: code"},
		{"lru, lfu, resize", "REDIS0009", func(b *build) {
			b.op(251).len(5).len(1).op(opIdle).len(99).op(0).str("a").str("v").op(opFreq, 200).op(0).str("b").str("w")
		}, "string/raw a: v (1) string/raw b: w (1)"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := file(c.magic, c.body)
			if strings.Compare(c.magic, "REDIS0005") < 0 && strings.HasPrefix(c.magic, "REDIS") {
				p = p[:len(p)-8]
			}
			for _, chunk := range []int{0, 11} {
				got, err := content(NewReader(strings.NewReader(string(p)), Options{Limits: keyspace.Limits{MaxChunk: chunk}}).Events(t.Context()))
				if err != nil {
					t.Fatal(err)
				}
				if got != c.want {
					t.Fatalf("chunks of %d:\n got %s\nwant %s", chunk, got, c.want)
				}
			}
			for cut := headerSize; cut < len(p); cut += 1 + len(p)/300 {
				if err := drain(p[:cut], Options{}); !errors.Is(err, keyspace.ErrTruncated) {
					t.Fatalf("cut at %d: %v", cut, err)
				}
			}
		})
	}
}

// What is wrong is refused, with the reason and the place.
func TestRefused(t *testing.T) {
	lp := func(edit func(p []byte) []byte) func(*build) {
		return func(b *build) { b.op(20).str("k").str(string(edit([]byte(listpackOf("abc", "def", 300))))) }
	}
	zl := func(edit func(p []byte) []byte) func(*build) {
		return func(b *build) { b.op(10).str("k").str(string(edit([]byte(ziplistOf("abc", "def", 300))))) }
	}
	set := func(at int, v byte) func(p []byte) []byte { return func(p []byte) []byte { p[at] = v; return p } }
	cases := []struct {
		name  string
		magic string
		body  func(b *build)
		want  error
	}{
		{"unknown type", "REDIS0011", func(b *build) { b.op(60) }, keyspace.ErrUnsupported},
		{"type of another server", "VALKEY080", func(b *build) { b.op(24) }, keyspace.ErrUnsupported},
		{"GCRA", "REDIS0015", func(b *build) { b.op(33).str("k").le64(1) }, keyspace.ErrUnsupported},
		{"PATH_HASH", "VALKEY081", func(b *build) { b.op(23).str("k") }, keyspace.ErrUnsupported},
		{"slot-info", "REDIS0011", func(b *build) { b.op(opAux).str("slot-info").str("12,1-0,0") }, keyspace.ErrCorrupt},
		{"slot-info by another name", "REDIS0011", func(b *build) { b.op(opAux).str("SLOT-info\x00x").str("12,1-0,0") }, keyspace.ErrCorrupt},
		{"slot-info too short", "REDIS0011", func(b *build) { b.op(opAux).str("slot-info").str("12,1") }, keyspace.ErrCorrupt},
		{"negative field expiry", "VALKEY080", func(b *build) { b.op(22).str("k").len(1).str("f").str("v").le64(-2) }, keyspace.ErrCorrupt},
		{"field expiry", "REDIS0012", func(b *build) { b.op(24).str("k").le64(1 << 47).len(1).len(1<<47 + 1).str("f").str("v") }, keyspace.ErrCorrupt},
		{"smallest field expiry", "REDIS0012", func(b *build) { b.op(24).str("k").le64(1<<48 + 1).len(1).len(0).str("f").str("v") }, keyspace.ErrCorrupt},
		{"smallest field expiry of a listpack", "REDIS0012", func(b *build) { b.op(25).str("k").le64(-1).str(listpackOf("f", "v", 0)) }, keyspace.ErrCorrupt},
		{"module without a frame", "REDIS0008", func(b *build) { b.op(6).str("k").len(1 << 60) }, keyspace.ErrUnsupported},
		{"future version", "REDIS0016", func(*build) {}, keyspace.ErrUnsupported},
		{"version between the branches", "REDIS0080", func(*build) {}, keyspace.ErrUnsupported},
		{"length byte", "REDIS0011", func(b *build) { b.op(0, 0x82) }, keyspace.ErrCorrupt},
		{"string encoding", "REDIS0011", func(b *build) { b.op(0, 0xc4) }, keyspace.ErrCorrupt},
		{"length of 2^63", "REDIS0011", func(b *build) { b.op(0).str("k").len(1 << 63).op(1) }, keyspace.ErrCorrupt},
		{"length of 2^40", "REDIS0011", func(b *build) { b.op(0).str("k").len(1 << 40).op(1) }, keyspace.ErrTruncated},
		{"key of 2^40", "REDIS0011", func(b *build) { b.op(0).len(1 << 40) }, keyspace.ErrLimit},
		{"2^63 elements", "REDIS0011", func(b *build) { b.op(1).str("k").len(1 << 63) }, keyspace.ErrLimit},
		{"2^32 groups", "REDIS0011", func(b *build) { b.op(15).str("k").len(0).len(0).len(0).len(0).len(1 << 32).str("g") }, keyspace.ErrTruncated},
		{"LZF ratio", "REDIS0011", func(b *build) { b.op(0).str("k").op(0xc3).len(3).len(1<<30).op(0, 'a', 0) }, keyspace.ErrCorrupt},
		{"LZF beyond the limit", "REDIS0011", func(b *build) { b.op(0).str("k").op(0xc3).len(1 << 40).len(1 << 40) }, keyspace.ErrLimit},
		{"LZF back before its start", "REDIS0011", func(b *build) { b.op(0).str("k").op(0xc3).len(2).len(3).op(0x20, 9) }, keyspace.ErrCorrupt},
		{"LZF too long", "REDIS0011", func(b *build) { b.op(0).str("k").op(0xc3).len(4).len(1).op(0, 'a', 0, 'b') }, keyspace.ErrCorrupt},
		{"LZF too short", "REDIS0011", func(b *build) { b.op(0).str("k").op(0xc3).len(2).len(5).op(0, 'a') }, keyspace.ErrCorrupt},
		{"listpack length", "REDIS0011", lp(set(0, 99)), keyspace.ErrCorrupt},
		{"listpack count", "REDIS0011", lp(set(4, 9)), keyspace.ErrCorrupt},
		{"listpack backlen", "REDIS0011", lp(set(10, 9)), keyspace.ErrCorrupt},
		{"listpack encoding", "REDIS0011", lp(set(6, 0xf5)), keyspace.ErrCorrupt},
		{"listpack entry too long", "REDIS0011", lp(set(6, 0xbf)), keyspace.ErrCorrupt},
		{"listpack without end", "REDIS0011", lp(func(p []byte) []byte { p[len(p)-1] = 1; return p }), keyspace.ErrCorrupt},
		{"listpack end too early", "REDIS0011", lp(set(6, 0xff)), keyspace.ErrCorrupt},
		{"listpack odd", "REDIS0011", func(b *build) { b.op(16).str("k").str(listpackOf("f", "v", "g")) }, keyspace.ErrCorrupt},
		{"ziplist length", "REDIS0006", zl(set(0, 99)), keyspace.ErrCorrupt},
		{"ziplist tail", "REDIS0006", zl(set(4, 9)), keyspace.ErrCorrupt},
		{"ziplist count", "REDIS0006", zl(set(8, 9)), keyspace.ErrCorrupt},
		{"ziplist previous length", "REDIS0006", zl(set(10, 9)), keyspace.ErrCorrupt},
		{"ziplist encoding", "REDIS0006", zl(set(11, 0xc1)), keyspace.ErrCorrupt},
		{"intset width", "REDIS0006", func(b *build) { b.op(11).str("k").str(le(4, 3) + le(4, 1) + "abc") }, keyspace.ErrCorrupt},
		{"intset count", "REDIS0006", func(b *build) { b.op(11).str("k").str(le(4, 2) + le(4, 1<<31) + "abcd") }, keyspace.ErrCorrupt},
		{"zipmap entry too long", "REDIS0002", func(b *build) { b.op(9).str("k").str("\x01\xfe\xff\xff\xff\x7fab") }, keyspace.ErrCorrupt},
		{"quicklist container", "REDIS0010", func(b *build) { b.op(18).str("k").len(1).len(3) }, keyspace.ErrCorrupt},
		{"score", "REDIS0006", func(b *build) { b.op(17).str("k").str(listpackOf("a", "no number")) }, keyspace.ErrCorrupt},
		{"stream cells", "REDIS0011", func(b *build) {
			b.op(15).str("k").len(1).str(be128(1, 1)).str(listpackOf(1, 0, 1, "f", 0, 2, 0, 0, "v", 9))
		}, keyspace.ErrCorrupt},
		{"stream count", "REDIS0011", func(b *build) {
			b.op(15).str("k").len(1).str(be128(1, 1)).str(listpackOf(2, 0, 1, "f", 0, 2, 0, 0, "v", 4))
		}, keyspace.ErrCorrupt},
		{"stream node name", "REDIS0011", func(b *build) { b.op(15).str("k").len(1).str("short") }, keyspace.ErrCorrupt},
		{"module id", "REDIS0009", func(b *build) { b.op(7).str("k").len(1).len(0) }, keyspace.ErrCorrupt},
		{"module opcode", "REDIS0009", func(b *build) { b.op(7).str("k").len(1 << 60).len(9) }, keyspace.ErrCorrupt},
		{"template that is not there", "REDIS0015", func(b *build) { b.op(32).str("k").len(3) }, keyspace.ErrCorrupt},
		{"two keys without a name", "REDIS0011", func(b *build) { b.op(0, 0, 0, 0, 0, 0) }, keyspace.ErrCorrupt},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := file(c.magic, c.body)
			if c.want == keyspace.ErrTruncated {
				p = p[:len(p)-9]
			}
			err := drain(p, Options{})
			var fe *keyspace.FormatError
			if !errors.Is(err, c.want) || !errors.As(err, &fe) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if fe.Pos.Offset < 0 || fe.Pos.Offset > int64(len(p)) {
				t.Errorf("offset %d outside the file", fe.Pos.Offset)
			}
			if err := drain(p, Options{Resync: true}); err != nil {
				t.Errorf("resync ended with %v", err)
			}
		})
	}
}

// A listpack of more entries than its header can count is walked to its end.
func TestListpackOfUnknownCount(t *testing.T) {
	cells := make([]any, 70_000)
	for i := range cells {
		cells[i] = i
	}
	p := file("REDIS0011", func(b *build) { b.op(20).str("k").str(listpackOf(cells...)) })
	n := 0
	for ev, err := range NewReader(strings.NewReader(string(p)), Options{}).Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if ev.Kind == keyspace.Element {
			n++
		}
	}
	if n != len(cells) {
		t.Fatalf("%d of %d members", n, len(cells))
	}
}

func TestDump(t *testing.T) {
	p := dumpOf(11, 0, "\x05hello")
	got, err := content(Dump(p, []byte("k"), 3, keyspace.NoExpire, Options{}))
	if err != nil || got != "string/raw k: hello (1)" {
		t.Fatal(got, err)
	}
	for cut := range p {
		if _, err := content(Dump(p[:cut], nil, 0, -1, Options{})); !keyspace.Incomplete(err) {
			t.Fatalf("cut at %d: %v", cut, err)
		}
	}
	for i := range p {
		q := []byte(string(p))
		q[i] ^= 0x10
		if _, err := content(Dump(q, nil, 0, -1, Options{})); !keyspace.Incomplete(err) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
	meta := dumpOf(13, 243, "\x01\x01\x02\x03\x04\x00\x00\x05hello")
	if got, err := content(Dump(meta, []byte("k"), 0, -1, Options{})); err != nil || got != "string/raw k: hello (1)" {
		t.Fatal(got, err)
	}
}
