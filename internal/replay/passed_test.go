package replay

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// manyKeys is a base of plain keys, some with an expiry, some of other types and some told
// twice, and commands that name some of them.
func manyKeys(rnd *rand.Rand, keys int) (base, commands []byte) {
	say := func(words ...string) {
		commands = fmt.Appendf(commands, "*%d\r\n", len(words))
		for _, w := range words {
			commands = fmt.Appendf(commands, "$%d\r\n%s\r\n", len(w), w)
		}
	}
	flushes := rnd.IntN(4) == 0
	base = []byte("REDIS0011\xfa\x0caof-preamble\xc0\x01")
	for i := range keys {
		if i%(keys/3+1) == 0 {
			base = append(base, 0xfe, byte(i*3/keys))
			say("SELECT", fmt.Sprint(i*3/keys))
		}
		name := fmt.Sprint("key", i)
		switch rnd.IntN(12) {
		case 0:
			base = binary.LittleEndian.AppendUint64(append(base, 0xfc), uint64(1700000000000+i))
		case 1:
			base = append(append(base, 1, byte(len(name))), name+"\x01\x01v"...)
			continue
		}
		base = append(append(base, 0, byte(len(name))), name...)
		base = append(base, 3, 'o', 'l', 'd')
		switch rnd.IntN(40) {
		case 0: // told again
			base = append(append(base, 0, byte(len(name))), name+"\x05again"...)
		case 1:
			say("DEL", name)
		case 2:
			say("SET", name, "new")
		case 3:
			say("RENAME", name, fmt.Sprint("key", rnd.IntN(keys)))
		case 4:
			say("APPEND", name, "more")
		case 5:
			if flushes && rnd.IntN(20) == 0 {
				say([]string{"FLUSHDB", "FLUSHALL"}[rnd.IntN(2)])
			}
		}
	}
	return append(base, 0xff, 0, 0, 0, 0, 0, 0, 0, 0), commands
}

// What is told is the same whether keys that are single are passed over or not.
func TestPassedOver(t *testing.T) {
	passed, seeds := 0, uint64(6)
	if testing.Short() {
		seeds = 3
	}
	for seed := range seeds {
		rnd := rand.New(rand.NewPCG(seed, 2))
		base, commands := manyKeys(rnd, 1+rnd.IntN(6000))
		if seed%3 == 2 {
			base[rnd.IntN(len(base))] ^= 1 << rnd.IntN(8)
		}
		log := logEvents(t, writeLog(t, base, commands, seed%2 == 0))
		asking := func(r Reading) keyspace.Seq {
			if ask := r.Pass; ask != nil {
				r.Pass = func(db int32, names [][]byte, pass []bool) {
					for ask(db, names, pass); len(pass) > 0; pass = pass[1:] {
						passed += int(flag(pass[0]))
					}
				}
			}
			return log(r)
		}
		asksNone := func(r Reading) keyspace.Seq { return log(Reading{Skim: r.Skim, Want: r.Want}) }
		for _, tombstones := range []bool{false, true} {
			for _, want := range []func(int32, []byte) bool{nil, func(_ int32, key []byte) bool { return bytes.HasSuffix(key, []byte("7")) }} {
				o := Options{MaxMem: 1, Tmp: t.TempDir(), Tombstones: tombstones, Want: want}
				told := func(events Events) (all []string) {
					l, err := Open(t.Context(), events, Point{}, o)
					if err != nil {
						t.Fatal(err)
					}
					for c, err := range l.History(t.Context()) {
						all = append(all, fmt.Sprintf("%+v %v", *c, err))
					}
					for e, err := range l.State(t.Context()) {
						all = append(all, fmt.Sprintf("%+v %v", *e, err))
					}
					return append(all, fmt.Sprintf("%+v", l.Info()))
				}
				if got, want := told(asking), told(asksNone); !slices.Equal(got, want) {
					t.Fatalf("seed %d, tombstones %v: %d lines, or others than %d", seed, tombstones, len(got), len(want))
				}
			}
		}
	}
	if passed == 0 {
		t.Error("none was passed over")
	}
}

// A reading that passes over keys ends soon once nothing more is wanted.
func TestPassedOverLeft(t *testing.T) {
	const keys = 100_000
	base := []byte("REDIS0011\xfe\x00\x00\x05large\x80\x00\x01\x00\x00")
	base = append(base, make([]byte, 1<<16)...)
	base = append(base, "\x00\x05small\x01v"...)
	for i := range keys {
		base = fmt.Appendf(base, "\x00\x09key%06d\x01v", i)
	}
	base = append(base, 0xff)
	base = binary.LittleEndian.AppendUint64(base, rdb.Checksum(0, base))
	log, left, asked := logEvents(t, writeLog(t, base, nil, true)), make(chan struct{}), 0
	o := Options{MaxMem: 1 << 20, Tmp: t.TempDir(), Want: func(_ int32, key []byte) bool { return !bytes.HasPrefix(key, []byte("key")) }}
	l, err := Open(t.Context(), func(r Reading) keyspace.Seq {
		if ask := r.Pass; ask != nil && !r.Skim {
			r.Pass = func(db int32, names [][]byte, pass []bool) {
				if string(names[0]) != "small" {
					<-left
					time.Sleep(time.Millisecond) // until that is known
				}
				asked += len(names)
				ask(db, names, pass)
			}
		}
		return log(r)
	}, Point{}, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range l.State(t.Context()) {
		if err != nil {
			t.Error(err)
		}
		close(left)
		break
	}
	if asked == 0 || asked > keys/2 {
		t.Errorf("asked about %d of %d keys", asked, keys)
	}
}
