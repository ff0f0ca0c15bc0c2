package carve

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/valkeyfs/valkeyfs/internal/rdbwrite"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// How far a record may reach: what claims to be longer has broken off in front of
// its end, and a false length leads anywhere.
const (
	maxRecord         = 1 << 30 // of a snapshot that has its header
	maxFragmentRecord = 64 << 20
)

// leash is a reader that ends some way behind the last record that is whole.
type leash struct {
	r    *io.SectionReader
	max  int64
	at   int64
	good atomic.Int64 // offset in r
}

func (l *leash) Read(p []byte) (int, error) {
	n := l.good.Load() + l.max - l.at
	if n <= 0 {
		return 0, io.EOF
	}
	k, err := l.r.Read(p[:min(int64(len(p)), n)])
	l.at += int64(k)
	return k, err
}

// trail is what was read last: it may reach over the end of a piece into what
// follows it.
type trail struct {
	records []trailed
	end     int64 // of what is whole
	keys    uint64
	weight  int  // of the records: see enough
	made    bool // it says that nothing vouched for what it was made of
	begun   bool // the key of the record that is broken was read, and is like others
}

type trailed struct {
	from, to int64
	doubtful bool // its key is none that one expects
	proven   bool // its value has a form that could be wrong
}

// trailLength is how many records at the end of a piece may be false.
const trailLength = 16

func (t *trail) note(r trailed) {
	if len(t.records) == trailLength {
		t.records = append(t.records[:0], t.records[1:]...)
	}
	t.records = append(t.records, r)
	t.end = r.to
	t.keys++
	t.weight += r.weight()
}

// weight is how much a record proves: one whose value could be wrong more than one
// of plain strings.
func (r trailed) weight() int {
	if r.proven && !r.doubtful {
		return 2
	}
	return 1
}

// enough is the weight of a fragment that is believed.
const enough = 4

// page is the unit in which files lie on a disk and data in memory: pieces end at
// its borders.
const page = 4096

// trim takes back records that nothing confirms: where a piece ends in the middle of
// a plain string, that reaches over the border into what comes next, and chance may
// make more records of it.
func (t *trail) trim() {
	confirmed := t.begun
	for {
		c := len(t.records) - 1
		for ; c >= 0 && t.records[c].from/page == (t.records[c].to-1)/page; c-- {
			confirmed = confirmed || t.records[c].proven || !t.records[c].doubtful
		}
		if c < 0 || confirmed {
			return
		}
		keep := c
		if t.records[c].proven {
			keep = c + 1
		}
		for _, r := range t.records[keep:] {
			t.keys--
			t.weight -= r.weight()
		}
		if keep < len(t.records) {
			t.end = t.records[keep].from
		}
		confirmed = t.records[c].proven || !t.records[c].doubtful // by this one's key that before it is
		t.records = t.records[:keep]
		if confirmed {
			return
		}
	}
}

// proven reports whether the value of the key that e ends has a form that could be
// wrong.
func proven(e *keyspace.Event) bool {
	if e.Type == keyspace.Stream && e.Index == 0 {
		return false
	}
	switch e.Encoding {
	case keyspace.Raw, keyspace.Linkedlist, keyspace.Hashtable, keyspace.HashtableEx, keyspace.Skiplist, keyspace.Sparse:
		return false
	}
	return true
}

// follow reads records up to where they break off or end.
func (t *trail) follow(ctx context.Context, img Image, probe *rdb.Prober, at int64, headless string) (end *keyspace.Event, format string, r *rdb.Reader, err error) {
	src := &leash{r: io.NewSectionReader(img, at, img.Size()-at), max: maxRecord}
	if headless != "" {
		src.max = maxFragmentRecord
	}
	r = rdb.NewReader(src, rdb.Options{Source: img.Name(), Offset: at, Headless: headless, Preamble: true})
	t.end = at
	for e, err := range r.Events(ctx) {
		if err != nil {
			if broken(err) {
				err = nil
			}
			return end, format, r, err
		}
		switch e.Kind {
		case keyspace.Header:
			format = fmt.Sprintf("%s %d", e.Value, e.Index)
			t.end = at + headerSize
		case keyspace.DB, keyspace.Slot:
			t.end = e.Record + e.Length
		case keyspace.Aux, keyspace.Function:
			t.made = t.made || e.Kind == keyspace.Aux && string(e.Key) == rdbwrite.Salvaged
			if e.Pos.Inner < 0 {
				t.end = e.Pos.Offset + e.Length
			}
		case keyspace.Key:
			t.begun = !rdb.OddName(e.Key)
		case keyspace.KeyEnd:
			if format != "" && e.Record == at+headerSize && len(e.Key) == 0 {
				return nil, format, r, nil // zeros, behind a program's name of the format
			}
			if headless != "" && !proven(e) && e.Length > 2*page && swallows(img, probe, e.Record, e.Record+e.Length) {
				return nil, format, r, nil
			}
			if headless != "" && len(e.Key) > longName && rdb.OddName(e.Key) && swallows(img, probe, e.Record, e.Record+int64(len(e.Key))) {
				return nil, format, r, nil
			}
			t.note(trailed{from: e.Record, to: e.Record + e.Length, doubtful: rdb.OddName(e.Key), proven: proven(e)})
			t.begun = false
			src.good.Store(max(t.end-at, 0))
		case keyspace.End:
			end = e.Clone()
		}
	}
	return end, format, r, nil
}

// longName is how long a name is that few keys have.
const longName = 1 << 10

// headerSize is the length of a snapshot's header.
const headerSize = 9

// swallows reports whether a record of plain strings, or a name that is none, holds
// records: it has broken off, and a false length has led into another piece.
func swallows(img Image, probe *rdb.Prober, from, to int64) bool {
	const step = 1 << 20
	b := make([]byte, min(to-from, step+ahead))
	for at := from + 1; at < to; at += step {
		n, _ := img.ReadAt(b[:min(to-at, int64(len(b)))], at)
		if probe.Next(b[:n], 0, min(n, step)) >= 0 {
			return true
		}
	}
	return false
}

// snapshot is the piece that begins with a header at an offset.
func snapshot(ctx context.Context, img Image, at int64) (*Piece, error) {
	var t trail
	end, format, r, err := t.follow(ctx, img, nil, at, "")
	if err != nil || format == "" {
		return nil, err
	}
	defer r.Rest().Close()
	p := &Piece{Offset: at, Kind: Head, Confidence: Partial, Format: format}
	if end == nil {
		t.trim()
		if p.Length, p.Records = t.end-at, t.keys; p.Length <= headerSize {
			return nil, nil // a program that names the format, say
		}
		return p, nil
	}
	p.Kind, p.Confidence, p.Records = Snapshot, Unverified, t.keys
	if keyspace.Checksum(end.Index) == keyspace.ChecksumOK && !t.made {
		p.Confidence = Intact
	}
	p.Length = r.RestOffset() - at
	return p, nil
}

// fragment is the piece of records that begins at an offset.
func fragment(ctx context.Context, img Image, probe *rdb.Prober, at int64, magic string) (*Piece, error) {
	var t trail
	end, _, r, err := t.follow(ctx, img, probe, at, magic)
	if err != nil {
		return nil, err
	}
	if end == nil && magic == "REDIS" {
		// It may have broken off at a hash whose fields expire, of Valkey.
		var v trail
		vend, _, vr, err := v.follow(ctx, img, probe, at, "VALKEY")
		if err != nil {
			return nil, err
		}
		if v.end > t.end {
			t, end, r, vr, magic = v, vend, vr, r, "VALKEY"
		}
		_ = vr.Rest().Close()
	}
	defer r.Rest().Close()
	whole := t.end
	if t.trim(); t.end < whole {
		end = nil // what looked like an end marker belongs to something else
	}
	if end != nil {
		t.weight++
	}
	if t.weight < enough || t.keys == 0 {
		return nil, nil
	}
	p := &Piece{Offset: at, Length: t.end - at, Kind: Fragment, Confidence: Partial, Records: t.keys, magic: magic, body: t.end - at}
	if end != nil {
		p.Length = r.RestOffset() - at
	}
	return p, nil
}
