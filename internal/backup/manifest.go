package backup

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/valkeyfs/valkeyfs/scan"
)

// Names of the files of a set, beside its members.
const (
	manifestName  = "manifest.json"
	signatureName = "manifest.json.minisig"
	prunedName    = "pruned.json"
	innerName     = "inner.zst.age"
)

const (
	formatV1 = "valkeyfs-backup/1"
	// maxManifest bounds a manifest: some 20,000 members.
	maxManifest = 8 << 20
	maxMembers  = 20_000
)

// A Manifest is what anyone may know of a set.
type Manifest struct {
	Format   string    `json:"format"`
	ID       string    `json:"id"` // sorts by time
	Label    string    `json:"label"`
	Tool     string    `json:"tool"`
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`
	Previous *Link     `json:"previous,omitempty"` // nil: the first under its label
	Members  []Member  `json:"members"`
	Inner    Member    `json:"inner"`
}

// A Link names the set before, and the SHA-256 of its manifest.
type Link struct {
	ID     string `json:"id"`
	SHA256 string `json:"sha256"`
}

// A Member is a sealed file of a set.
type Member struct {
	Name   string `json:"name"`
	Set    string `json:"set,omitempty"` // the set that it lies in, if it is an older one's
	Size   int64  `json:"size"`          // of the ciphertext
	SHA256 string `json:"sha256"`        // of the ciphertext
	// Stamp stands for a file as the system knows it (device, inode, times) and
	// the recipients. The same stamp: nothing has changed. It says nothing of
	// what is in the file.
	Stamp string `json:"stamp,omitempty"`
}

// An Inner is the sealed manifest.
type Inner struct {
	Format     string    `json:"format"`
	ID         string    `json:"id"`
	Label      string    `json:"label"`
	Method     string    `json:"method"` // "files" or "replication"
	Source     string    `json:"source"` // the directory or the server's address
	Server     string    `json:"server,omitempty"`
	Version    string    `json:"version,omitempty"`
	ReplID     string    `json:"repl_id,omitempty"`
	ReplOffset int64     `json:"repl_offset,omitempty"` // the capture holds all up to here, and maybe more
	LastSave   time.Time `json:"last_save,omitzero"`    // as a server said that was asked
	Files      []File    `json:"files"`
	Scan       *Scanned  `json:"scan,omitempty"`
}

// Scanned is the summary of a scan. It holds names of rules and numbers alone.
type Scanned struct {
	Keys       uint64            `json:"keys"`
	Findings   uint64            `json:"findings"`
	ByRule     map[string]uint64 `json:"by_rule"`
	BySeverity map[string]uint64 `json:"by_severity"`
}

func (s *Scanned) add(o *scan.Stats) {
	s.Keys += o.Keys
	s.Findings += o.Findings
	for rule, n := range o.ByRule {
		s.ByRule[rule] += n
	}
	for severity, n := range o.BySeverity {
		s.BySeverity[severity] += n
	}
}

// A File is a file that was captured.
type File struct {
	Path     string    `json:"path"`   // relative, with slashes
	Member   string    `json:"member"` // name of the member that holds it
	Cipher   string    `json:"cipher"` // SHA-256 of the member, so that the two manifests belong together
	Role     Role      `json:"role"`
	Size     int64     `json:"size"`
	SHA256   string    `json:"sha256"`
	Modified time.Time `json:"modified,omitzero"`
	Format   string    `json:"format,omitempty"`   // of a snapshot: "REDIS 11", "VALKEY 80"
	Checksum string    `json:"checksum,omitempty"` // its verdict
	Keys     uint64    `json:"keys,omitempty"`     // of a snapshot
	Commands uint64    `json:"commands,omitempty"` // of a log
	Cut      int64     `json:"cut,omitempty"`      // bytes behind the last command or EXEC that were left out
}

// How a data set was captured.
const (
	methodFiles   = "files"
	methodReplica = "replication"
)

// Role is what a file is to the server.
type Role string

// The roles of files.
const (
	RoleSnapshot Role = "snapshot" // an RDB file
	RoleLog      Role = "log"      // the single append-only file of a server before 7.0
	RoleBase     Role = "base"     // of a multi-part log
	RoleIncr     Role = "incr"
	RoleManifest Role = "manifest"
	RoleConfig   Role = "config" // whatever else was asked for: nodes.conf, ACL and conf files
)

var (
	idForm     = regexp.MustCompile(`^[0-9]{8}T[0-9]{6}\.[0-9]{3}Z-[0-9a-f]{8}$`)
	memberForm = regexp.MustCompile(`^m[0-9]{4,5}\.zst\.age$`)
	labelForm  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}(/[A-Za-z0-9][A-Za-z0-9._-]{0,63}){0,3}$`)
	hashForm   = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// ErrManifest says that a manifest is not one, or contradicts itself.
var ErrManifest = errors.New("the manifest is malformed")

// idTime is how the name of a set tells when it was begun.
const idTime = "20060102T150405.000Z"

// NewID returns the name of a set that is begun at t.
func NewID(t time.Time) string {
	var b [4]byte
	rand.Read(b[:])
	return t.UTC().Format(idTime) + "-" + hex.EncodeToString(b[:])
}

// CheckLabel reports why a label is none.
func CheckLabel(label string) error {
	if !labelForm.MatchString(label) || idForm.MatchString(path.Base(label)) {
		return errors.New("a label is of letters, digits, dots and dashes, in up to four parts that a slash separates")
	}
	return nil
}

// ParseManifest reads a public manifest. Nothing in it can name a file outside
// its label.
func ParseManifest(data []byte) (*Manifest, error) {
	m := &Manifest{}
	if err := unmarshal(data, m); err != nil {
		return nil, err
	}
	ok := m.Format == formatV1 && idForm.MatchString(m.ID) && CheckLabel(m.Label) == nil && len(m.Members) <= maxMembers &&
		!m.Started.IsZero() && !m.Finished.Before(m.Started) && m.Inner.valid(innerName) && m.Inner.Set == ""
	if m.Previous != nil {
		ok = ok && idForm.MatchString(m.Previous.ID) && hashForm.MatchString(m.Previous.SHA256) && m.Previous.ID < m.ID
	}
	seen := map[string]bool{}
	for i := range m.Members {
		e := &m.Members[i]
		ok = ok && memberForm.MatchString(e.Name) && e.valid(e.Name) && (e.Set == "" || idForm.MatchString(e.Set) && e.Set < m.ID)
		key := e.Set + "/" + e.Name
		ok = ok && !seen[key]
		seen[key] = true
	}
	if !ok {
		return nil, ErrManifest
	}
	return m, nil
}

func (e *Member) valid(name string) bool {
	return e.Name == name && e.Size > 0 && hashForm.MatchString(e.SHA256) && (e.Stamp == "" || hashForm.MatchString(e.Stamp))
}

// key is where a member of the set lies in its store.
func (m *Manifest) key(e *Member) string {
	set := m.ID
	if e.Set != "" {
		set = e.Set
	}
	return path.Join(m.Label, set, e.Name)
}

// Bytes returns the size of all members, those of older sets included.
func (m *Manifest) Bytes() int64 {
	n := m.Inner.Size
	for i := range m.Members {
		n += m.Members[i].Size
	}
	return n
}

// parseInner reads a sealed manifest, which belongs to m.
func parseInner(data []byte, m *Manifest) (*Inner, error) {
	in := &Inner{}
	if err := unmarshal(data, in); err != nil {
		return nil, err
	}
	if in.Format != formatV1 || in.ID != m.ID || in.Label != m.Label || len(in.Files) != len(m.Members) {
		return nil, ErrManifest
	}
	seen := map[string]bool{}
	for i := range in.Files {
		f, e := &in.Files[i], &m.Members[i]
		if f.Member != e.Name || f.Cipher != e.SHA256 || f.Size < 0 || !hashForm.MatchString(f.SHA256) || !isLocal(f.Path) || seen[f.Path] {
			return nil, ErrManifest
		}
		seen[f.Path] = true
	}
	return in, nil
}

// isLocal reports whether a path stays in its directory, and is written in one
// way only.
func isLocal(p string) bool {
	return p != "" && p != "." && path.Clean(p) == p && !path.IsAbs(p) && !strings.ContainsAny(p, "\\\x00") && !slices.Contains(strings.Split(p, "/"), "..")
}

func unmarshal(data []byte, v any) error {
	if len(data) > maxManifest {
		return ErrManifest
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if d.Decode(v) != nil {
		return ErrManifest
	}
	if _, err := d.Token(); err != io.EOF {
		return ErrManifest
	}
	return nil
}

func marshal(v any) ([]byte, error) {
	data, err := json.MarshalIndent(v, "", "  ")
	return append(data, '\n'), err
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// trusted is the comment that is signed with a manifest, for `minisign -V` to show.
func (m *Manifest) trusted() string { return fmt.Sprintf("set %s of %s", m.ID, m.Label) }
