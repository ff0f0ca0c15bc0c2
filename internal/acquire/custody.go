package acquire

import (
	"encoding/json"
	"time"
	"unicode/utf8"

	"github.com/valkeyfs/valkeyfs/internal/source"
)

// A Custody says what was copied, from where, by whom and when, and whether the
// copy is what the source held. All times are UTC. Paths that are not UTF-8 stand
// in the fields that end in _b64 instead.
type Custody struct {
	Type     string   `json:"type"` // "custody"
	Version  int      `json:"version"`
	Tool     string   `json:"tool"`
	Argv     []string `json:"argv"`
	Case     string   `json:"case,omitempty"`
	Examiner string   `json:"examiner,omitempty"`
	Note     string   `json:"note,omitempty"`

	Host   Host   `json:"host"`
	Source string `json:"source"` // as it was named, made absolute

	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`
	Complete bool      `json:"complete"` // every file was copied whole, and is what it was before, as are the directories

	SealedFor   []string     `json:"sealed_for,omitempty"`
	Directories []*Directory `json:"directories"`
	Files       []*Copy      `json:"files"`
	Bytes       int64        `json:"bytes"`
	Warnings    []string     `json:"warnings"`

	Stored    string `json:"-"` // the name of the record in the copy, once it is written
	StoredSum string `json:"-"` // its SHA-256 there
}

// Host is the machine that the copy was made on.
type Host struct {
	Name         string `json:"name"`
	System       string `json:"system"`
	User         string `json:"user"`
	UTCOffset    int    `json:"utc_offset_s"`       // of the local time zone, in seconds
	Synchronised *bool  `json:"clock_synchronised"` // null where the system does not tell
}

// A Copy is what became of one file.
type Copy struct {
	Path      string      `json:"path,omitempty"` // in the source, relative to it
	PathB64   []byte      `json:"path_b64,omitempty"`
	Kind      source.Kind `json:"kind"`
	Target    string      `json:"target,omitempty"` // of a symbolic link
	TargetB64 []byte      `json:"target_b64,omitempty"`
	Skipped   string      `json:"skipped,omitempty"` // why it was not copied
	Error     string      `json:"error,omitempty"`

	Mode     string     `json:"mode"`
	UID      int        `json:"uid"`
	GID      int        `json:"gid"`
	Links    uint64     `json:"links,omitempty"`
	Modified *time.Time `json:"modified,omitempty"`
	Accessed *time.Time `json:"accessed,omitempty"`
	Changed  *time.Time `json:"changed,omitempty"`
	Born     *time.Time `json:"born,omitempty"`
	Size     int64      `json:"size"`

	Copied    *time.Time `json:"copied,omitempty"`       // when its reading began
	SHA256    string     `json:"sha256,omitempty"`       // of what was read
	After     string     `json:"sha256_after,omitempty"` // of the source, read once more
	Stored    string     `json:"stored,omitempty"`       // where the copy lies, relative to the custody file
	StoredB64 []byte     `json:"stored_b64,omitempty"`
	StoredSum string     `json:"stored_sha256,omitempty"` // of the copy, read back from the disk
	Gaps      []Gap      `json:"gaps,omitempty"`          // what the medium did not deliver; zeros stand in the copy
	Unread    int64      `json:"unread,omitempty"`        // their bytes in all
	Changes   []string   `json:"changes,omitempty"`       // what differed after the copy from before

	stored string
	file   *source.File
}

// A Gap is a range that could not be read.
type Gap struct {
	Offset int64 `json:"offset"`
	Length int64 `json:"length"`
}

// maxGaps bounds how many ranges are listed of one file; Unread counts all bytes.
const maxGaps = 10000

// whole reports whether a file was copied as it was, or was no file to copy.
func (p *Copy) whole() bool {
	return p.Error == "" && p.Unread == 0 && len(p.Changes) == 0 && (p.Skipped != "" || p.Stored != "" || p.StoredB64 != nil)
}

// Name is the path of the file in the source, which need not be UTF-8.
func (p *Copy) Name() string { return p.Path + string(p.PathB64) }

// StoredName is where the copy lies, relative to the custody file; "" if there is none.
func (p *Copy) StoredName() string { return p.stored }

func (p *Copy) setStored(name string) {
	p.stored = name
	p.Stored, p.StoredB64 = text(name)
}

// text splits a name into what JSON can hold and what it cannot.
func text(name string) (string, []byte) {
	if utf8.ValidString(name) {
		return name, nil
	}
	return "", []byte(name)
}

// encode is the custody file: indented, for people read it too.
func (c *Custody) encode() ([]byte, error) {
	data, err := json.MarshalIndent(c, "", "  ")
	return append(data, '\n'), err
}

func utc(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
