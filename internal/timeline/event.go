// Package timeline puts every dated fact of the inputs in order: when snapshots
// were saved, commands logged, stream entries added, consumers seen, when keys
// expire, what servers and sentinels wrote into their logs, and the times that
// the file system keeps. Each time comes with its basis; none is invented.
//
//	event.go     a fact, and what its time rests on
//	collect.go   inputs -> facts, sorted within a budget of memory
//	snapshot.go  facts of snapshots, and of the values in any file
//	commands.go  facts of append-only files
//	log.go       facts of servers' logs
//	writer.go    the formats' common interface; one file a format
package timeline

import (
	"encoding/binary"
	"encoding/json"
	"time"
)

// Basis says what a time rests on.
type Basis string

// The bases of times.
const (
	Recorded Basis = "recorded" // whoever did it wrote the time down
	Inferred Basis = "inferred" // it follows from something that holds a time, such as an entry's ID
	Bounded  Basis = "bounded"  // it lies between two times that are known
)

// Event is a dated fact.
type Event struct {
	// Time is when it happened, or will; of a bounded event the earliest time
	// that is possible, or the latest where no earliest is known.
	Time time.Time `json:"time"`
	// NotBefore and NotAfter are the bounds of a bounded event; nil: not known.
	NotBefore *time.Time `json:"not_before,omitempty"`
	NotAfter  *time.Time `json:"not_after,omitempty"`
	Basis     Basis      `json:"basis"`
	Of        string     `json:"basis_of"` // what holds the time: "#TS", "ctime", "entry ID", "log line" …

	Kind    string `json:"kind"` // "key-deleted", "entry-added", "file-modified" …
	Message string `json:"message"`

	Source    string `json:"source"`
	Role      string `json:"role,omitempty"` // of a file that is no part of a data set now: "history", "orphan", "temp"
	Offset    int64  `json:"offset"`         // of the record, the command or the line; -1 of a file as a whole
	DB        int32  `json:"db"`             // -1 where there is none
	Key       string `json:"key,omitempty"`
	KeyB64    []byte `json:"key_b64,omitempty"` // instead of Key, where that is not UTF-8
	Technique string `json:"technique,omitempty"`

	File *Stat `json:"file,omitempty"` // of an event of the file system
}

// Stat is what a bodyfile wants to know of a file, all its times included.
type Stat struct {
	Mode  string   `json:"mode"`
	UID   int      `json:"uid"`
	GID   int      `json:"gid"`
	Size  int64    `json:"size"`
	Times [4]int64 `json:"-"` // accessed, modified, changed, born, in seconds; 0: not known
	Whole bool     `json:"-"` // the event stands for all four where a file has one line
}

// maxText bounds the texts of an event, and with them what an event takes. Longer
// ones are cut, and end in "…".
const maxText = 2048

func cut(s string) string {
	if len(s) <= maxText {
		return s
	}
	return s[:maxText] + "…"
}

// The span of times that is taken for real: what lies outside, in a file of an
// attacker's making or of a client with a clock of its own, is no date.
var (
	earliest = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	latest   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
)

func plausible(ms int64) bool { return ms >= earliest && ms < latest }

func msTime(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// headSize is the sortable head of an encoded event: its time, and the number of
// the event, which keeps those of one time in the order of the input.
const headSize = 16

// encode appends the event as a record that sorts by time.
func encode(buf []byte, e *Event, number uint64) ([]byte, error) {
	buf = binary.BigEndian.AppendUint64(buf, uint64(e.Time.UnixMicro())^(1<<63))
	buf = binary.BigEndian.AppendUint64(buf, number)
	s := stored{Event: e}
	if e.File != nil {
		s.Times, s.Whole = &e.File.Times, e.File.Whole
	}
	data, err := json.Marshal(s)
	return append(buf, data...), err
}

// stored is an event with what its own encoding leaves out.
type stored struct {
	*Event
	Times *[4]int64 `json:"times,omitempty"`
	Whole bool      `json:"whole,omitempty"`
}

func decode(record []byte) (*Event, error) {
	s := stored{Event: &Event{}}
	if err := json.Unmarshal(record[headSize:], &s); err != nil {
		return nil, err
	}
	if s.Times != nil && s.File != nil {
		s.File.Times, s.File.Whole = *s.Times, s.Whole
	}
	return s.Event, nil
}
