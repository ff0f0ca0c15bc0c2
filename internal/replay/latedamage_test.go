package replay

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// falseBase writes a log with a base whose checksum is right: keys, a hash of which only
// what it holds is broken, and more keys. What the hash holds reads as records of the
// first keys.
func falseBase(t *testing.T) (path string) {
	t.Helper()
	record := func(b []byte, i int, value string) []byte {
		return fmt.Appendf(b, "\x00\x0akey:%06d%c%s", i, len(value), value)
	}
	b := []byte("REDIS0010\xfa\x0caof-preamble\xc0\x01\xfe\x00")
	for i := range 5000 {
		b = record(b, i, "a value of some bytes, as it was")
	}
	var inside []byte
	for i := range 100 {
		inside = record(inside, i, "another")
	}
	b = append(b, "\x10\x04hash"...)
	b = append(binary.BigEndian.AppendUint16(b, 0x4000|uint16(len(inside))), inside...)
	for i := range 5000 {
		b = record(b, 5000+i, "a value of some bytes, as it was")
	}
	b = append(b, 0xff)
	b = binary.LittleEndian.AppendUint64(b, rdb.Checksum(0, b))
	b = append(b, "*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$1\r\n1\r\n"...)
	path = filepath.Join(t.TempDir(), "appendonly.aof")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Where a base is damaged that its checksum vouches for, no key is told twice: of a state
// that has begun the rest is an error, which a close reading has not.
func TestDamageThatIsMetLate(t *testing.T) {
	path := falseBase(t)
	state := func(o Options) (keys []string, err error) {
		o.Tmp = t.TempDir()
		l, err := Open(t.Context(), logEvents(t, path), Point{}, o)
		if err != nil {
			t.Fatal(err)
		}
		for e, err := range l.State(t.Context()) {
			if err != nil {
				return keys, err
			}
			switch e.Kind {
			case keyspace.Key:
				keys = append(keys, string(e.Key))
			case keyspace.Element:
				keys[len(keys)-1] += " " + string(e.Value)
			}
		}
		if l.Info().Damaged == 0 {
			t.Error("no damage")
		}
		return keys, nil
	}
	all, err := state(Options{MaxMem: 1 << 25})
	if err != nil || len(all) < 10000 {
		t.Fatal(len(all), err)
	}
	slices.Sort(all)
	part, err := state(Options{MaxMem: 1})
	if want := (*keyspace.FormatError)(nil); !errors.Is(err, ErrLate) || !errors.As(err, &want) || want.Pos.Source == "" {
		t.Error("damage behind keys that were told:", err)
	}
	if len(part) == 0 || len(part) > 5001 {
		t.Error(len(part), "keys before the damage")
	}
	closely, err := state(Options{MaxMem: 1, Closely: true})
	if slices.Sort(closely); err != nil || !slices.Equal(closely, all) {
		t.Errorf("read closely: %d keys of %d, or others, %v", len(closely), len(all), err)
	}
	// Changes are taken back.
	if once, parts := historyText(t, path, Options{MaxMem: 1 << 25}), historyText(t, path, Options{MaxMem: 1}); once != parts {
		t.Error("another history in parts")
	}
}

// Who has had enough of a state does not have the rest of the log read.
func TestStateIsLeft(t *testing.T) {
	read, many := 0, 200000
	key := func(name string, value []byte) []*keyspace.Event {
		k := &keyspace.Event{Kind: keyspace.Key, Op: keyspace.OpCreate, Type: keyspace.String, Key: []byte(name), Expire: keyspace.NoExpire}
		v, end := *k, *k
		v.Kind, v.Op, v.Value, end.Kind = keyspace.Element, keyspace.OpPut, value, keyspace.KeyEnd
		return []*keyspace.Event{k, &v, &end}
	}
	events := func(Reading) keyspace.Seq {
		return func(yield func(*keyspace.Event, error) bool) {
			read = 0
			for i := range many {
				one := key("again", nil)
				if i == 0 {
					one = key("once", make([]byte, 2*fewSingles))
				}
				one = append([]*keyspace.Event{{Kind: keyspace.Command, Index: 3, Args: [][]byte{[]byte("SET"), one[0].Key, nil}}}, one...)
				for _, e := range one {
					if read++; !yield(e, nil) {
						return
					}
				}
			}
		}
	}
	l, err := Open(t.Context(), events, Point{}, Options{MaxMem: 1, Tmp: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	all := read
	for range l.State(t.Context()) {
		break
	}
	if read == 0 || read > all/2 {
		t.Errorf("%d events of %d were read", read, all)
	}
}
