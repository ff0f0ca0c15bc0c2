package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"

	"filippo.io/age"

	"github.com/valkeyfs/valkeyfs/crypt"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// A Problem is something wrong with a set.
type Problem struct {
	Ref  Ref // the zero Ref: of no set that is there
	Kind ProblemKind
	What string // names files, never holds their data
}

func (p Problem) String() string {
	if p.Ref == (Ref{}) {
		return fmt.Sprintf("%s: %s", p.Kind, p.What)
	}
	return fmt.Sprintf("%s: %s: %s", p.Ref, p.Kind, p.What)
}

// ProblemKind tells problems apart.
type ProblemKind string

// The kinds of problems.
const (
	Damaged ProblemKind = "damaged"   // missing, cut off, changed
	Forged  ProblemKind = "signature" // missing, or not that of the key
	Broken  ProblemKind = "chain"     // a set is gone, replaced, or too old
	Hostile ProblemKind = "commands"  // a log holds commands that no server writes
)

// VerifyOptions say what a set is checked against.
type VerifyOptions struct {
	Keys       []*crypt.VerifyingKey // one of them must have signed; none: signatures are not looked at
	Identities []age.Identity        // open the members, too; none: no key is needed
}

// Verify checks a set: its signature and, of every member, size, hash and the
// structure of the sealed file. With identities everything is decrypted,
// decompressed and parsed, and compared with the sealed manifest. The error is
// one of reading the store, not of what is read.
func (s *Set) Verify(ctx context.Context, o VerifyOptions) ([]Problem, error) {
	v := &verifier{set: s, o: o, ref: Ref{s.Manifest.Label, s.Manifest.ID}}
	v.signature()
	members := append(slices.Clone(s.Manifest.Members), s.Manifest.Inner)
	for i := range members {
		if err := v.cipher(ctx, &members[i]); err != nil {
			return v.problems, err
		}
	}
	if len(o.Identities) > 0 && len(v.problems) == 0 {
		if err := v.contents(ctx); err != nil {
			return v.problems, err
		}
	}
	return v.problems, nil
}

type verifier struct {
	set      *Set
	o        VerifyOptions
	ref      Ref
	problems []Problem
}

func (v *verifier) problem(kind ProblemKind, format string, args ...any) {
	v.problems = append(v.problems, Problem{v.ref, kind, fmt.Sprintf(format, args...)})
}

func (v *verifier) signature() {
	if len(v.o.Keys) == 0 {
		return
	}
	for _, k := range v.o.Keys {
		if k.Verify(v.set.Text, v.set.Signature) == nil {
			return
		}
	}
	if v.set.Signature == nil {
		v.problem(Forged, "the manifest is not signed")
		return
	}
	v.problem(Forged, "the signature is not that of the key, or the manifest was changed")
}

// cipher checks a member without a key.
func (v *verifier) cipher(ctx context.Context, m *Member) error {
	name := v.set.Manifest.key(m)
	r, _, err := v.set.store.Open(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		v.problem(Damaged, "%s is missing", name)
		return nil
	}
	if err != nil {
		return err
	}
	defer r.Close()
	hash := sha256.New()
	var n int64
	src := &ioErrors{r: r}
	var broken error
	n, err = fan(ctx, src, into(hash), func(r io.Reader) error {
		_, broken = crypt.Inspect(r)
		return nil
	})
	switch {
	case err != nil:
		return err
	case n != m.Size:
		v.problem(Damaged, "%s has %d bytes, not %d", name, n, m.Size)
	case hex.EncodeToString(hash.Sum(nil)) != m.SHA256:
		v.problem(Damaged, "%s was changed: its SHA-256 is another", name)
	case broken != nil:
		v.problem(Damaged, "%s is no whole sealed file", name)
	}
	return nil
}

// ioErrors notes errors of the store.
type ioErrors struct {
	r   io.Reader
	err error
}

func (e *ioErrors) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if err != nil && err != io.EOF {
		e.err = err
	}
	return n, err
}

// contents checks what the members hold.
func (v *verifier) contents(ctx context.Context) error {
	in, err := v.set.inner(ctx, v.o.Identities)
	if err != nil {
		return v.sort(path.Base(innerName), err)
	}
	for i := range in.Files {
		f := &in.Files[i]
		err := v.set.file(ctx, &v.set.Manifest.Members[i], f, v.o.Identities, nil, func(c *content) {
			for _, cmd := range c.strange {
				v.problem(Hostile, "%s", cmd)
			}
		})
		if err := v.sort(f.Member, err); err != nil {
			return err
		}
	}
	return nil
}

// sort turns an error that speaks of the set into a problem.
func (v *verifier) sort(name string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, crypt.ErrNoIdentity), errors.Is(err, crypt.ErrPassphrase):
		return err
	case IsDamage(err):
		v.problem(Damaged, "%s: %v", name, err)
		return nil
	}
	return err
}

// IsDamage reports whether an error is about the data, not about reading it.
func IsDamage(err error) bool {
	return keyspace.Incomplete(err) || errors.Is(err, crypt.ErrSealBroken) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, ErrManifest) ||
		errors.Is(err, errDiffers) || errors.Is(err, errReplaced)
}

// errDiffers says that a member does not hold what the sealed manifest says.
var errDiffers = errors.New("not what the sealed manifest says")

// file reads the plaintext of one file of a set, has it written to w unless that
// is nil, and compares it with the sealed manifest. seen gets what it holds,
// before the comparison.
func (s *Set) file(ctx context.Context, m *Member, f *File, ids []age.Identity, w io.Writer, seen func(*content)) error {
	r, err := s.member(ctx, m, ids)
	if err != nil {
		return err
	}
	defer r.Close()
	hash := sha256.New()
	var got *content
	consumers := []consumer{into(hash), func(r io.Reader) (err error) {
		got, err = (&reading{deep: true}).inspect(ctx, r, f.Path, f.Role, false)
		return err
	}}
	if w != nil {
		consumers = append(consumers, into(w))
	}
	n, err := fan(ctx, r, consumers...)
	if got != nil {
		seen(got)
	}
	if err != nil {
		return err
	}
	if n != f.Size || hex.EncodeToString(hash.Sum(nil)) != f.SHA256 || got.format != f.Format || got.keys != f.Keys || got.commands != f.Commands {
		return errDiffers
	}
	return nil
}
