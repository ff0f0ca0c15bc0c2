package rdbwrite

import (
	"bytes"

	"github.com/hdt3213/rdb/core"
	"github.com/hdt3213/rdb/model"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// smallSize bounds the collections that the library encodes, which wants them whole,
// smallValue the strings in them: its ziplists hold the length of longer ones in nine
// bytes, where servers read five.
const (
	smallSize  = 64 << 10
	smallValue = 1<<14 - 1
)

// small is a list, set or sorted set while it is small enough for the library.
type small struct {
	active bool
	data   []byte
	ends   []int
	scores []float64
}

func (s *small) reset(active bool) {
	s.active, s.data, s.ends, s.scores = active, s.data[:0], s.ends[:0], s.scores[:0]
}

func (s *small) len() int { return len(s.ends) }

func (s *small) value(i int) []byte {
	from := 0
	if i > 0 {
		from = s.ends[i-1]
	}
	return s.data[from:s.ends[i]]
}

// take adds a value, or refuses because there would be too much.
func (s *small) take(value []byte, score float64) bool {
	if len(value) > smallValue || len(s.data)+len(value) > smallSize || len(s.ends) >= smallSize/8 {
		return false
	}
	s.data = append(s.data, value...)
	s.ends, s.scores = append(s.ends, len(s.data)), append(s.scores, score)
	return true
}

// library encodes single objects: an encoder of github.com/hdt3213/rdb whose header
// and end nobody sees.
type library struct {
	enc *core.Encoder
	out bytes.Buffer
}

// librarian reports whether the library encodes small values of the type. Its lists
// are quicklists, which snapshots before version 7 do not know.
func (w *Writer) librarian(t keyspace.Type) bool {
	switch t {
	case keyspace.List, keyspace.Set, keyspace.SortedSet:
		return w.version.valkey() || w.version.Number >= sinceBinary
	}
	return false
}

func newLibrary() (*library, error) {
	l := &library{}
	// Its ziplists hold scores in a form that servers read as others (-0, infinity).
	l.enc = core.NewEncoder(&l.out).SetZSetZipListOpt(1, -1)
	if err := l.enc.WriteHeader(); err != nil {
		return nil, err
	}
	return l, l.enc.WriteDBHeader(0, 0, 0)
}

// byLibrary writes the open key.
func (w *Writer) byLibrary() (err error) {
	if w.lib == nil {
		if w.lib, err = newLibrary(); err != nil {
			return err
		}
	}
	r, l := &w.rec, w.lib
	l.out.Reset()
	key := string(r.key.Key)
	if r.key.Type == keyspace.SortedSet {
		entries := make([]*model.ZSetEntry, r.small.len())
		for i := range entries {
			entries[i] = &model.ZSetEntry{Member: string(r.small.value(i)), Score: r.small.scores[i]}
		}
		err = l.enc.WriteZSetObject(key, entries)
	} else {
		values := make([][]byte, r.small.len())
		for i := range values {
			values[i] = r.small.value(i)
		}
		if r.key.Type == keyspace.List {
			err = l.enc.WriteListObject(key, values)
		} else {
			err = l.enc.WriteSetObject(key, values)
		}
	}
	if err != nil {
		return err
	}
	if err := w.prefix(); err != nil {
		return err
	}
	return w.write(l.out.Bytes())
}
