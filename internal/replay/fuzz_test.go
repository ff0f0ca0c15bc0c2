package replay

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/valkeyfs/valkeyfs/aof"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// FuzzReplay holds that no commands make a machine fail, or hold more than it may, and
// that the data set and its history are the same in one partition and in many.
func FuzzReplay(f *testing.F) {
	for _, commands := range [][]string{
		{"SELECT 0", "SET a 1", "INCR a", "APPEND a xyz", "SETRANGE a 5 zz", "SETBIT b 7 1", "BITOP OR c a b", "BITFIELD d SET u8 0 255 INCRBY u8 0 10", "BITFIELD e", "GETDEL a"},
		{"SELECT 1", "RPUSH l a b c", "LSET l 1 x", "LINSERT l BEFORE x y", "LREM l 0 a", "LTRIM l 0 1", "LMOVE l m LEFT RIGHT", "LPOP m", "COPY l n", "SWAPDB 0 1"},
		{"SADD s a b c", "SADD t b", "SUNIONSTORE u s t", "SDIFFSTORE s s t", "SMOVE s t a", "SREM t b", "RENAME u v", "MOVE v 2", "FLUSHDB"},
		{"ZADD z 1 a 2 b 3 c", "ZINCRBY z 5 a", "ZADD z GT CH 1 a", "ZRANGESTORE y z 0 1", "ZUNIONSTORE x 2 z y WEIGHTS 1 2", "ZPOPMIN z", "ZREMRANGEBYSCORE x 0 3"},
		{"HSET h f 1 g 2", "HINCRBY h f 2", "HPEXPIREAT h 1767225605000 FIELDS 1 f", "HDEL h g", "PEXPIREAT h 1767225605000", "PERSIST h", "DEL h"},
		{"XADD x 1-1 f v", "XADD x 2-1 f w", "XGROUP CREATE x g 0", "XCLAIM x g c 0 1-1 TIME 5 RETRYCOUNT 1 FORCE JUSTID LASTID 2-1", "XACK x g 1-1", "XTRIM x MAXLEN = 1", "XSETID x 9-0", "XGROUP DESTROY x g"},
		{"GEOADD g 13 38 a 15 37 b", "GEORADIUS g 15 37 200 km COUNT 1 DESC STORE d", "GEORADIUSBYMEMBER g a 9 mi STOREDIST e", "GEOSEARCHSTORE f g FROMLONLAT 15 37 BYBOX 400 400 km", "ZRANGESTORE y g - + BYLEX"},
		{"RPUSH l b a 3", "SET w_a 2", "HSET h_b f 1", "SORT l BY w_* DESC LIMIT 0 9 GET # GET h_*->f STORE d", "SORT l BY h_*->f ALPHA STORE d", "DEL d"},
		{"SELECT R", "RPUSH l a b c", "LSET l 1 x", "LREM l 0 a", "LTRIM l 0 1", "RPUSH m a b", "LREM m 0 a", "SET n 1", "DEL n"}, // in a database that nobody knows
		{"#TS:1767225600", "MULTI", "SET a 1", "EXEC", "MULTI", "SET a 2", "PFADD p a", "SORT l STORE m", "FLUSHALL"},
	} {
		p, err := os.ReadFile(logOf(f, commands...))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(p)
		f.Add(append([]byte("REDIS0009\xfe\x00\x00\x01a\xc0\x07\x00\x01s\x02one\x00\x01a\x01z\xff\x00\x00\x00\x00\x00\x00\x00\x00"), p...))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		if len(p) > 1<<14 {
			return
		}
		for _, headless := range []bool{false, true} {
			want, exact := replayed(t, p, Options{MaxMem: 1 << 22, Headless: headless})
			got, also := replayed(t, p, Options{MaxMem: 1, Headless: headless})
			if exact && also && !maps.Equal(got, want) {
				t.Errorf("in parts\n%v\nwant\n%v", got, want)
			}
		}
	})
}

// replayed is what a log holds at its end, and its changes; exact says that all of it
// is known.
func replayed(t *testing.T, p []byte, o Options) (all map[string]string, exact bool) {
	t.Helper()
	o.Tmp, o.Workers = t.TempDir(), 2
	open := func() *Log {
		l, err := Open(t.Context(), func(r Reading) keyspace.Seq {
			return aof.NewReader(bytes.NewReader(p), aof.Options{Source: "log", Resync: true, Skim: r.Skim, Want: r.Want}).Events(t.Context())
		}, Point{}, o)
		if err != nil {
			t.Skip(err) // no log
		}
		return l
	}
	l := open()
	all = map[string]string{}
	key := ""
	for e, err := range l.State(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		switch e.Kind {
		case keyspace.Key:
			key = fmt.Sprintf("%d/%q", e.DB, e.Key)
			if all[key] != "" {
				t.Errorf("%s is there twice", key)
			}
			all[key] = fmt.Sprint(e.Type, e.Expire)
		case keyspace.Element, keyspace.Group, keyspace.Pending, keyspace.Consumer:
			all[key] += fmt.Sprintf(" %v %q %q %v %v %d", e.Kind, e.Field, e.Value, e.Score, e.ID, e.Expire)
		}
	}
	changes := open()
	n := 0
	for c, err := range changes.History(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all[fmt.Sprint("change ", n)] = fmt.Sprintf("%+v", *c)
		n++
	}
	i := l.Info()
	sorts := slices.Contains(i.Vague, "SORT") // is named only where it takes more memory
	return all, i.Inexact == 0 && i.TooLarge == 0 && changes.Info().TooLarge == 0 && !sorts
}
