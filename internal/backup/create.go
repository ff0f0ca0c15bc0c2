package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"path"
	"slices"
	"time"

	"github.com/valkeyfs/valkeyfs/crypt"
	"github.com/valkeyfs/valkeyfs/scan"
)

// Options say how a set is made.
type Options struct {
	Label      string
	Tool       string // the program and its version
	Seal       crypt.SealOptions
	Recipients []string // Seal.Recipients as text, to tell whether they have changed
	Sign       *crypt.SigningKey
	Now        func() time.Time

	Scanner *scan.Scanner // nil: nothing is scanned
	Refuse  bool          // make no set if there is a finding of FailOn or above
	FailOn  scan.Severity

	// Previous is the manifest of the set before, for a store that cannot be read.
	Previous []byte
	// Pending is the manifest of a set whose completion was begun, and of which
	// nobody knows whether it was completed. In a store that cannot be read it is
	// completed first: all but its manifest is there.
	Pending []byte
	// Completing is told the manifest before it is written, unless it is nil.
	Completing func(manifest []byte)
	// Begun is what the run before left if it was interrupted; nil: nothing. What of
	// it still fits is not written again, unless the store cannot be read.
	Begun *Begun
	// Sent is told what there is of the set whenever a member that would fit again is
	// whole at the destination, unless it is nil. It must not keep the argument.
	Sent func(*Begun)
	Rate int64 // bytes a second that are written at most; 0: no bound
}

// Result is the set that was made.
type Result struct {
	Manifest *Manifest
	Text     []byte // the manifest as it was written
	Inner    *Inner
	Plain    int64 // bytes captured
	Sent     int64 // bytes written
	Reused   int   // members that an older set holds
	Resumed  int   // members that an interrupted run had written
	Findings uint64
	Strange  []Command // commands in logs that no server writes
}

// ErrRefused says that a scan found what must not be backed up.
var ErrRefused = errors.New("the scan found what is not to be backed up")

// ErrShrank says that a log became shorter while it was read: the server took
// back a write that had failed. To begin anew helps.
var ErrShrank = errors.New("a log became shorter while it was read")

// Create seals what was captured into a new set of the store. If it fails, there
// is no set, and what was written of one is removed where that is possible; if ctx
// ends, whole members stay, to go on with. What is damaged is an error that
// [keyspace.Incomplete] knows.
func Create(ctx context.Context, s Store, c *Capture, o Options) (*Result, error) {
	if err := CheckLabel(o.Label); err != nil {
		return nil, err
	}
	begun := o.Now().UTC()
	cr := &creator{store: s, o: o, plain: reading{scanner: o.Scanner, failOn: o.FailOn}}
	cr.m = &Manifest{Format: formatV1, ID: NewID(begun), Label: o.Label, Tool: o.Tool, Started: begun}
	cr.in = &Inner{Format: formatV1, ID: cr.m.ID, Label: o.Label, Method: c.method, Source: c.source,
		Server: c.state.Make, Version: c.state.Version, ReplID: c.state.ReplID, ReplOffset: c.state.ReplOffset, LastSave: c.state.LastSave}
	cr.state = c.state
	cr.result = &Result{Manifest: cr.m, Inner: cr.in}
	if o.Refuse && o.Scanner != nil && !c.streams() {
		if err := cr.scanFirst(ctx, c); err != nil {
			return cr.result, err
		}
	}
	if err := cr.run(ctx, c); err != nil {
		if ctx.Err() == nil {
			cr.undo(ctx)
		}
		return cr.result, err
	}
	return cr.result, nil
}

type creator struct {
	store    Store
	o        Options
	plain    reading
	state    State
	m        *Manifest
	in       *Inner
	result   *Result
	previous *Manifest
	begun    Begun    // the set, as far as it could be gone on with
	written  []string // objects that were begun
}

// scanFirst scans before anything is written.
func (cr *creator) scanFirst(ctx context.Context, c *Capture) error {
	for _, it := range c.items {
		got, err := cr.plain.inspect(ctx, it.reader(-1), it.path, it.role, it.tail)
		if err != nil {
			return err
		}
		cr.take(got)
	}
	if cr.result.Findings > 0 {
		return ErrRefused
	}
	cr.plain.scanner = nil // it has been done
	return nil
}

func (cr *creator) run(ctx context.Context, c *Capture) error {
	if err := cr.findPrevious(ctx); err != nil {
		return err
	}
	if err := cr.resume(ctx); err != nil {
		return err
	}
	for i, it := range c.items {
		if err := cr.member(ctx, it, fmt.Sprintf("m%04d.zst.age", i+1)); err != nil {
			return fmt.Errorf("%s: %w", it.path, err)
		}
	}
	inner, err := marshal(cr.in)
	if err != nil {
		return err
	}
	cr.m.Inner, err = cr.seal(ctx, innerName, func(w io.Writer) error {
		_, err := w.Write(inner)
		return err
	})
	if err != nil {
		return err
	}
	cr.m.Finished = cr.o.Now().UTC()
	if cr.result.Text, err = marshal(cr.m); err != nil {
		return err
	}
	if cr.o.Sign != nil {
		if err := cr.put(ctx, signatureName, cr.o.Sign.Sign(cr.result.Text, cr.m.trusted())); err != nil {
			return err
		}
	}
	if cr.o.Completing != nil {
		cr.o.Completing(cr.result.Text)
	}
	return cr.put(ctx, manifestName, cr.result.Text)
}

// findPrevious looks for the set before, which the new one names.
func (cr *creator) findPrevious(ctx context.Context) error {
	text, err := latest(ctx, cr.store, cr.o.Label)
	if errors.Is(err, ErrWriteOnly) {
		text, err = cr.remembered(ctx)
	}
	if err != nil || text == nil {
		return err
	}
	p, err := ParseManifest(text)
	switch {
	case err != nil:
		return fmt.Errorf("the set before this one: %w", err)
	case p.Label != cr.o.Label:
		return nil
	case p.ID >= cr.m.ID: // a clock that was put back
		return fmt.Errorf("the newest set, %s, is not older than this one: is the clock right?", p.ID)
	}
	cr.previous = p
	cr.m.Previous = &Link{ID: p.ID, SHA256: hashOf(text)}
	return nil
}

// remembered returns the manifest of the set before as the host knows it.
func (cr *creator) remembered(ctx context.Context) ([]byte, error) {
	if p, err := ParseManifest(cr.o.Pending); err == nil && p.Label == cr.o.Label {
		return cr.o.Pending, put(ctx, cr.store, path.Join(p.Label, p.ID, manifestName), cr.o.Pending)
	}
	return cr.o.Previous, nil
}

// latest returns the manifest of the newest set under a label, or nil.
func latest(ctx context.Context, s Store, label string) ([]byte, error) {
	ids, err := setIDs(ctx, s, label, manifestName)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	return get(ctx, s, path.Join(label, ids[len(ids)-1], manifestName))
}

// member seals one file.
func (cr *creator) member(ctx context.Context, it *item, name string) error {
	f := File{Path: it.path, Member: name, Role: it.role, Modified: it.modified}
	got := &content{end: -1}
	end := int64(-1)
	var consumers []consumer
	if it.tail {
		// Where it may be cut is known only behind it: it is read twice.
		var err error
		if got, err = cr.plain.inspect(ctx, it.reader(-1), it.path, it.role, true); err != nil {
			return shrank(err)
		}
		if end = got.end; end >= 0 {
			f.Cut = it.size - end
		}
	} else {
		consumers = append(consumers, func(r io.Reader) (err error) {
			got, err = cr.plain.inspect(ctx, r, it.path, it.role, false)
			return err
		})
	}
	plain := sha256.New()
	consumers = append(consumers, into(plain))
	m, reused := cr.reuse(ctx, it)
	if !reused {
		m, reused = cr.left(it, name)
	}
	var err error
	copyAll := func(w io.Writer) error {
		if w != nil {
			consumers = append(consumers, into(w))
		}
		f.Size, err = fan(ctx, it.reader(end), consumers...)
		if it.file != nil {
			err = shrank(err)
		}
		if err == nil && cr.o.Refuse && got.findings > 0 { // of a stream, which is scanned while it is sealed
			cr.take(got)
			err = ErrRefused
		}
		return err
	}
	if reused {
		err = copyAll(nil)
	} else {
		m, err = cr.seal(ctx, name, copyAll)
		m.Stamp = it.stamp(cr.o.Recipients)
	}
	if err != nil {
		return err
	}
	if !reused {
		cr.sent(m)
	}
	cr.take(got)
	cr.result.Plain += f.Size
	f.Member, f.Cipher = m.Name, m.SHA256
	f.SHA256 = hex.EncodeToString(plain.Sum(nil))
	f.Format, f.Checksum, f.Keys, f.Commands = got.format, got.checksum, got.keys, got.commands
	cr.m.Members = append(cr.m.Members, m)
	cr.in.Files = append(cr.in.Files, f)
	return nil
}

// take adds up what a file holds.
func (cr *creator) take(got *content) {
	if got.version != "" && cr.state.Version == "" {
		cr.in.Server, cr.in.Version = got.server, got.version
	}
	if got.replID != "" && cr.state.ReplID == "" {
		cr.in.ReplID, cr.in.ReplOffset = got.replID, got.replOffset
	}
	cr.result.Findings += got.findings
	if room := maxCommands - len(cr.result.Strange); room > 0 {
		cr.result.Strange = append(cr.result.Strange, got.strange[:min(room, len(got.strange))]...)
	}
	if got.stats == nil {
		return
	}
	if cr.in.Scan == nil {
		cr.in.Scan = &Scanned{ByRule: map[string]uint64{}, BySeverity: map[string]uint64{}}
	}
	cr.in.Scan.add(got.stats)
}

// reuse returns the member of the set before that holds the same file for the
// same recipients, if it is still there.
func (cr *creator) reuse(ctx context.Context, it *item) (Member, bool) {
	stamp := it.stamp(cr.o.Recipients)
	if stamp == "" || cr.previous == nil {
		return Member{}, false
	}
	for _, m := range cr.previous.Members {
		if m.Stamp != stamp {
			continue
		}
		r, size, err := cr.store.Open(ctx, cr.previous.key(&m))
		if err != nil {
			return Member{}, false
		}
		r.Close() //nolint:errcheck // nothing was read
		if size != m.Size {
			return Member{}, false
		}
		if m.Set == "" {
			m.Set = cr.previous.ID
		}
		cr.result.Reused++
		return m, true
	}
	return Member{}, false
}

// seal writes a sealed object of the set.
func (cr *creator) seal(ctx context.Context, name string, write func(io.Writer) error) (Member, error) {
	key := path.Join(cr.m.Label, cr.m.ID, name)
	cr.written = append(cr.written, key)
	obj, err := cr.store.Create(ctx, key)
	if err != nil {
		return Member{}, err
	}
	out := &cipherWriter{ctx: ctx, w: obj, hash: sha256.New(), rate: cr.o.Rate}
	sealed, err := crypt.Seal(out, cr.o.Seal)
	if err == nil {
		if err = write(sealed); err == nil {
			err = sealed.Close()
		}
	}
	if err != nil {
		obj.Abort()
		return Member{}, err
	}
	if err := obj.Commit(); err != nil {
		return Member{}, err
	}
	cr.result.Sent += out.n
	return Member{Name: name, Size: out.n, SHA256: hex.EncodeToString(out.hash.Sum(nil))}, nil
}

func (cr *creator) put(ctx context.Context, name string, data []byte) error {
	key := path.Join(cr.m.Label, cr.m.ID, name)
	cr.written = append(cr.written, key)
	cr.result.Sent += int64(len(data))
	return put(ctx, cr.store, key, data)
}

// undo removes what was written of a set that failed. What cannot be removed,
// pruning removes later.
func (cr *creator) undo(ctx context.Context) {
	for i := len(cr.written) - 1; i >= 0; i-- {
		cr.store.Remove(ctx, cr.written[i]) //nolint:errcheck // the first error is the one to tell
	}
}

// cipherWriter hashes and counts what goes to the store, at a rate, until ctx ends.
type cipherWriter struct {
	ctx  context.Context
	w    io.Writer
	hash hash.Hash
	n    int64
	rate int64
}

func (c *cipherWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.hash.Write(p[:n])
	c.n += int64(n)
	if err != nil || c.rate <= 0 {
		return n, err
	}
	select {
	case <-time.After(time.Duration(float64(n) / float64(c.rate) * float64(time.Second))):
		return n, nil
	case <-c.ctx.Done():
		return n, c.ctx.Err()
	}
}

// into is the consumer that writes to w.
func into(w io.Writer) consumer {
	return func(r io.Reader) error {
		_, err := io.Copy(w, r)
		return err
	}
}

func shrank(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrShrank
	}
	return err
}

// setIDs returns the sets under a label that have the named file, oldest first.
func setIDs(ctx context.Context, s Store, label, file string) ([]string, error) {
	all, err := s.List(ctx, label+"/")
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, o := range all {
		id := path.Base(path.Dir(o.Name))
		if path.Base(o.Name) == file && idForm.MatchString(id) && path.Join(label, id, file) == o.Name {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}
