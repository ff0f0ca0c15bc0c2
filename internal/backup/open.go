package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"filippo.io/age"

	"github.com/valkeyfs/valkeyfs/crypt"
)

// A Set is a backup that lies in a store.
type Set struct {
	Manifest  *Manifest
	Text      []byte // of the manifest
	Signature []byte // nil: it is not signed
	store     Store
}

// A Ref names a set.
type Ref struct{ Label, ID string }

func (r Ref) String() string { return path.Join(r.Label, r.ID) }

// OpenSet reads the manifest of a set. It is an error that it says to be another.
func OpenSet(ctx context.Context, s Store, r Ref) (*Set, error) {
	return openSet(ctx, s, r, manifestName)
}

func openSet(ctx context.Context, s Store, r Ref, file string) (*Set, error) {
	text, err := get(ctx, s, path.Join(r.Label, r.ID, file))
	if err != nil {
		return nil, err
	}
	m, err := ParseManifest(text)
	if err == nil && (m.ID != r.ID || m.Label != r.Label) {
		err = fmt.Errorf("it says to be of another set: %w", ErrManifest)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path.Join(r.Label, r.ID, file), err)
	}
	set := &Set{Manifest: m, Text: text, store: s}
	set.Signature, err = get(ctx, s, path.Join(r.Label, r.ID, signatureName))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return set, err
}

// A Listing is everything that lies in a store, by set.
type Listing struct {
	Sets       []Ref // with a manifest, by label and age, oldest first
	Pruned     []Ref // of which only the manifest is left
	Incomplete []Ref // without a manifest
	Objects    map[Ref][]Info
}

// List reads what lies in a store, or under a label if one is given.
func List(ctx context.Context, s Store, label string) (*Listing, error) {
	prefix := ""
	if label != "" {
		prefix = label + "/"
	}
	all, err := s.List(ctx, prefix)
	if err != nil {
		return nil, err
	}
	l := &Listing{Objects: map[Ref][]Info{}}
	for _, o := range all {
		dir := path.Dir(o.Name)
		r := Ref{path.Dir(dir), path.Base(dir)}
		if idForm.MatchString(r.ID) && CheckLabel(r.Label) == nil && (label == "" || r.Label == label) {
			l.Objects[r] = append(l.Objects[r], o)
		}
	}
	for r, objects := range l.Objects {
		has := func(file string) bool {
			return slices.ContainsFunc(objects, func(o Info) bool { return path.Base(o.Name) == file })
		}
		switch {
		case has(manifestName):
			l.Sets = append(l.Sets, r)
		case has(prunedName):
			l.Pruned = append(l.Pruned, r)
		default:
			l.Incomplete = append(l.Incomplete, r)
		}
	}
	for _, refs := range [][]Ref{l.Sets, l.Pruned, l.Incomplete} {
		slices.SortFunc(refs, compareRefs)
	}
	return l, nil
}

func compareRefs(a, b Ref) int {
	if c := strings.Compare(a.Label, b.Label); c != 0 {
		return c
	}
	return strings.Compare(a.ID, b.ID)
}

// Newest returns the newest set under each label.
func (l *Listing) Newest() []Ref {
	var newest []Ref
	for i, r := range l.Sets {
		if i+1 == len(l.Sets) || l.Sets[i+1].Label != r.Label {
			newest = append(newest, r)
		}
	}
	return newest
}

// Split divides a location into that of a store and what is named in it: a label,
// a label and a set, or nothing. open opens the store at a location.
func Split(ctx context.Context, location string, open func(string) (Store, error)) (s Store, r Ref, err error) {
	location = strings.TrimRight(location, "/")
	id := ""
	if idForm.MatchString(path.Base(location)) {
		id = path.Base(location)
		location = path.Dir(location)
		if i := strings.Index(location, ":/"); i > 0 && !strings.HasPrefix(location[i:], "://") {
			location = location[:i] + "://" + location[i+2:] // what path.Dir cleaned
		}
	}
	if s, err = open(location); err != nil {
		return nil, Ref{}, err
	}
	// Where sets lie right here, the location ends with their label.
	label, err := labelHere(ctx, s, id)
	if err != nil || label == "" {
		if err == nil && id != "" {
			err = fmt.Errorf("%s: there is no set %s", location, id)
		}
		if err != nil {
			s.Close() //nolint:errcheck // the first error is the one to tell
		}
		return s, Ref{}, err
	}
	s.Close() //nolint:errcheck // nothing was written
	root, ok := strings.CutSuffix(location, "/"+label)
	if !ok && location == label {
		root, ok = ".", true
	}
	if !ok {
		return nil, Ref{}, fmt.Errorf("%s: the sets in it were made for the label %s, and lie elsewhere now", location, label)
	}
	if root == "" {
		root = "/"
	}
	s, err = open(root)
	return s, Ref{label, id}, err
}

// labelHere returns the label of a set that lies at the top of a store.
func labelHere(ctx context.Context, s Store, id string) (string, error) {
	all, err := s.List(ctx, "")
	if err != nil {
		return "", err
	}
	for _, o := range all {
		dir, file := path.Split(o.Name)
		dir = strings.TrimSuffix(dir, "/")
		if !idForm.MatchString(dir) || id != "" && dir != id || file != manifestName && file != prunedName {
			continue
		}
		text, err := get(ctx, s, o.Name)
		if err != nil {
			return "", err
		}
		if m, err := ParseManifest(text); err == nil {
			return m.Label, nil
		} else if id != "" {
			return "", fmt.Errorf("%s: %w", o.Name, err)
		}
	}
	return "", nil
}

// inner opens the sealed manifest.
func (s *Set) inner(ctx context.Context, ids []age.Identity) (*Inner, error) {
	r, err := s.member(ctx, &s.Manifest.Inner, ids)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, maxManifest+1))
	if err != nil {
		return nil, err
	}
	return parseInner(text, s.Manifest)
}

// member opens the plaintext of a member, which ends with [errReplaced] if what was
// read is not the file that the manifest names.
func (s *Set) member(ctx context.Context, m *Member, ids []age.Identity) (io.ReadCloser, error) {
	r, _, err := s.store.Open(ctx, s.Manifest.key(m))
	if err != nil {
		return nil, err
	}
	hash := sha256.New()
	plain, err := crypt.Unseal(io.TeeReader(r, hash), 0, ids...)
	if err != nil {
		r.Close() //nolint:errcheck // it was only read
		return nil, err
	}
	return &unsealed{plain, r, hash, m.SHA256}, nil
}

// errReplaced says that a member is a sealed file, but another than the manifest names:
// to seal one takes no secret.
var errReplaced = errors.New("not the file that the manifest names")

type unsealed struct {
	io.ReadCloser
	raw  io.Closer
	hash hash.Hash // of what was read of raw, all of which is read before the plaintext ends
	want string
}

func (u *unsealed) Read(p []byte) (int, error) {
	n, err := u.ReadCloser.Read(p)
	if err == io.EOF && hex.EncodeToString(u.hash.Sum(nil)) != u.want {
		err = errReplaced
	}
	return n, err
}

func (u *unsealed) Close() error { return errors.Join(u.ReadCloser.Close(), u.raw.Close()) }

// Age returns how long before now a set was finished.
func (s *Set) Age(now time.Time) time.Duration { return now.Sub(s.Manifest.Finished) }
