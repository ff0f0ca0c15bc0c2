// Package export writes a stream of events as JSON, one object a key, as RESP, the
// commands that give a server the same data set, as RDB, another snapshot, or as the
// rows of a table.
//
// Memory is bounded by the longest single element, never by a key: see [Format].
package export

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Format is what an export is written as.
type Format uint8

// The formats.
const (
	// JSONL is one JSON object a line and key:
	//
	//	db, key, type, encoding        key is a string, or {"b64":…} where it is not UTF-8
	//	state                          what became of it, if known
	//	module                         name of the type, of a module's key
	//	expire_ms, idle_s, freq        where the file says so
	//	offset, length                 of the record: byte in the source, bytes
	//	time_ms                        when it was written, if an append-only file says so
	//	op                             what an append-only file's command did, where it did not just store the value
	//	value                          see below
	//	part                           0, 1, 2 … where a key takes several lines: the last of them has a length
	//	partial                        true where the record is damaged from here on
	//	confidence                     see Options.Confidence
	//	db_presumed                    true behind damage, which may have held what selects another database
	//
	// value is a string; for lists and sets an array; for sorted sets an array of
	// [member, score], a score beyond JSON's numbers being "inf", "-inf" or "nan";
	// for hashes an object, or, where a field expires or is not UTF-8, an array of
	// [field, value] and [field, value, expire_ms]; for streams an object of
	// entries ({id, fields: [[field, value] …]}, with state where it is not the
	// key's), length, last_id, first_id, max_deleted_id, entries_added and groups;
	// for module types an array of what they stored; for arrays one of
	// [index, value]. Strings that are not UTF-8, and those of more than 16 MiB, are
	// {"b64":…}. The parts of a key are joined by concatenating their values.
	//
	// Changes in an append-only file that store nothing are objects without value.
	JSONL Format = iota
	// JSON is an array of these objects.
	JSON
	// RESP is commands. A snapshot becomes the commands that build it, in bounded
	// batches; of an append-only file the commands are copied. An element of a
	// collection is held in memory whole, as the server must.
	RESP
	// RDB is a snapshot of the same version. Records of a snapshot are copied as they
	// are; see Options.Raw.
	RDB
	// CSV is a line an element, each with its key, under a line of names. Text is as a
	// spreadsheet may have it; where that is not exactly what there is, the bytes stand
	// beside it in base64.
	CSV
	// Parquet has the same columns as CSV. Key, field and value are groups of text and,
	// where that is no UTF-8, raw.
	Parquet
	formats
)

var formatNames = [formats]string{"jsonl", "json", "resp", "rdb", "csv", "parquet"}

func (f Format) String() string {
	if f >= formats {
		return "invalid"
	}
	return formatNames[f]
}

// ParseFormat returns the format of that name.
func ParseFormat(name string) (Format, error) {
	i := slices.Index(formatNames[:], name)
	if i < 0 {
		return 0, fmt.Errorf("no such format: %q", name)
	}
	return Format(i), nil
}

// Options say what is exported and how.
type Options struct {
	Format Format
	// Match is asked about every key; nil exports all. With RESP, the commands of
	// an append-only file cannot be filtered: Run fails.
	Match func(*keyspace.Event) bool

	// Confidence says how far the record of the key that e begins can be believed;
	// "" says nothing. It becomes a member of the same name in JSONL and JSON.
	Confidence func(e *keyspace.Event) string
	// Damaged gives the JSON object, a line of JSONL, for a Damage or Torn event;
	// nil: they are passed over.
	Damaged func(e *keyspace.Event) []byte

	// Placed is told, before each event is written as text (JSONL, JSON or CSV), how
	// many bytes are written by then. Nil: nobody asks.
	Placed func(e *keyspace.Event, at int64)

	// The rest concerns RDB.

	// Raw gives the bytes of the snapshot that the events are of, as their Record
	// counts them. Nil says that they are of none, but a final state in the same form:
	// then all records are built anew.
	Raw io.Reader
	// Changed reports whether the event that Run was given last is not what the
	// snapshot holds: its record is built anew. Nil: none is.
	Changed func() bool
	// Refused is told of keys that cannot be built anew, and are left out. Nil makes
	// them an error of Run.
	Refused func(error)
	MaxMem  int64  // bytes of a record that are held in memory; 0: 32 MiB
	Tmp     string // where the rest is spilled to
}

// KeepValue says how many bytes Run takes of the serialized value of the key
// that e begins: give it to rdb.Options.KeepValue. In RESP it needs those of types
// that no command can build, modules and vector sets among them, and those of
// streams, where no command can set when a consumer was last seen.
func (o Options) KeepValue(e *keyspace.Event) int64 {
	if o.Format != RESP {
		return 0
	}
	switch e.Type {
	case keyspace.Module, keyspace.VectorSet, keyspace.Array, keyspace.RateLimit:
		return maxBulk
	case keyspace.Stream:
		return restoreSize
	}
	return 0
}

// writer turns events into bytes.
type writer interface {
	// event takes the next event.
	event(e *keyspace.Event) error
	// close ends the document, and a key that the stream ended in.
	close() error
}

// Run writes seq to w. It returns the error that ended seq early, if any, after
// all that came before it; Damage events are passed over. The same events give
// the same bytes. The context's error ends it between two events.
func Run(ctx context.Context, seq keyspace.Seq, w io.Writer, o Options) error {
	out := newOutput(w)
	var x writer
	var at func() int64
	switch o.Format {
	case JSONL, JSON:
		j := newJSONWriter(out, o)
		x, at = j, j.written
	case RESP:
		x = newRESPWriter(out, o)
	case RDB:
		x = newSnapshotWriter(out, o)
	case CSV:
		t, err := newCSVTable(out)
		if err != nil {
			return err
		}
		x, at = &rowWriter{to: t, match: o.Match}, t.written
	case Parquet:
		x = &rowWriter{to: newParquetTable(out), match: o.Match}
	default:
		return fmt.Errorf("no such format: %d", o.Format)
	}
	if o.Placed != nil && at != nil {
		seq = placed(seq, at, o.Placed)
	}
	err := run(ctx, seq, x)
	if e := x.close(); err == nil {
		err = e
	}
	if e := out.close(); err == nil {
		err = e
	}
	return err
}

// placed tells, of each event that passes, how far the text has got.
func placed(seq keyspace.Seq, at func() int64, tell func(*keyspace.Event, int64)) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		for e, err := range seq {
			if err == nil {
				tell(e, at())
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

func run(ctx context.Context, seq keyspace.Seq, x writer) error {
	n := 0
	for e, err := range seq {
		if err != nil {
			return err
		}
		if n++; n&4095 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := x.event(e); err != nil {
			return err
		}
	}
	return nil
}
