// Package acquire makes an evidence copy of a file, a directory or a device:
// every byte hashed as it is read, the source read and hashed once more
// afterwards, the copy read back, and all of that written down.
//
//	acquire.go    the order of work
//	copy.go       one file
//	directory.go  what is kept of directories
//	custody.go    what is written down
//	volatile.go   what is copied first, and what threatens it
//	store.go      the directory that the copies go to
//	cache_*.go    reading them back from the disk
package acquire

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/valkeyfs/valkeyfs/crypt"
	"github.com/valkeyfs/valkeyfs/internal/source"
)

// Options say who acquires what, and how it is kept.
type Options struct {
	Source               string // a file, a directory or a block device
	Case, Examiner, Note string
	Argv                 []string
	Tool                 string // version of the program

	Seal      *crypt.SealOptions // nil: copies lie in the clear
	SealedFor []string
	Sign      *crypt.SigningKey // nil: nothing is signed

	Tree *Tree // is told of the directories of the inputs; nil: they are not written down
	Now  func() time.Time
	Host Host
	// Done is called after each file. It may be nil.
	Done func(*Copy)
}

// Run copies the files of in, which holds o.Source alone, to dir, which must not
// exist or be empty. What cannot be read is written down and passed over;
// an error means that the copy could not be stored. When ctx ends, what was
// copied so far is kept with a custody file that says so, and the context's error
// is returned with it.
func Run(ctx context.Context, in *source.Inputs, dir string, o Options) (*Custody, error) {
	absolute, err := filepath.Abs(o.Source)
	if err != nil {
		return nil, err
	}
	c := &Custody{Type: "custody", Version: 1, Tool: o.Tool, Argv: o.Argv, Case: o.Case, Examiner: o.Examiner, Note: o.Note,
		Host: o.Host, Source: absolute, Started: o.Now().UTC(), SealedFor: o.SealedFor, Directories: []*Directory{}, Files: []*Copy{}, Warnings: []string{}}
	files, err := list(ctx, in)
	if err != nil {
		return nil, err
	}
	s, err := newStore(dir, o.Seal)
	if err != nil {
		return nil, err
	}
	defer s.close()
	stopped := c.copyAll(ctx, s, files, o)
	if stopped != nil && ctx.Err() == nil {
		return nil, stopped
	}
	if o.Tree != nil {
		if err := c.keepDirectories(s, o.Tree.dirs); err != nil {
			return nil, err
		}
	}
	c.Finished = o.Now().UTC()
	c.Warnings = append(c.Warnings, warnings(c, o)...)
	c.Complete = stopped == nil && !slices.ContainsFunc(c.Files, func(f *Copy) bool { return !f.whole() }) &&
		!slices.ContainsFunc(c.Directories, func(d *Directory) bool { return !d.whole() })
	if err := s.finish(c, o.Sign); err != nil {
		return nil, err
	}
	return c, stopped
}

// list returns all files of the inputs, those that a running server may take
// away next before the others.
func list(ctx context.Context, in *source.Inputs) ([]*source.File, error) {
	var files []*source.File
	for u, err := range in.Units(ctx) {
		if err != nil {
			return nil, err
		}
		files = append(files, u.Files...)
	}
	slices.SortStableFunc(files, func(a, b *source.File) int { return volatility(a) - volatility(b) })
	return files, nil
}

func (c *Custody) copyAll(ctx context.Context, s *store, files []*source.File, o Options) error {
	for _, f := range files {
		err := ctx.Err()
		if err == nil {
			p := describe(f)
			c.Files = append(c.Files, p)
			err = p.copy(ctx, s, o)
			if p.stored != "" {
				c.Bytes += f.Size
			}
			if err == nil && o.Done != nil {
				o.Done(p)
			}
		}
		if err != nil {
			c.Warnings = append(c.Warnings, fmt.Sprintf("stopped before the end: %d of %d files were begun", len(c.Files), len(files)))
			return err
		}
	}
	return nil
}

// describe writes down what is known of a file before it is read.
func describe(f *source.File) *Copy {
	p := &Copy{file: f, Kind: f.Kind, Mode: f.Mode.String(), UID: f.UID, GID: f.GID, Links: f.Links, Size: f.Size,
		Modified: utc(f.Modified), Accessed: utc(f.Accessed), Changed: utc(f.Changed), Born: utc(f.Born)}
	p.Path, p.PathB64 = text(relative(f))
	p.Target, p.TargetB64 = text(f.Target)
	return p
}

// relative is a file's path in the source.
func relative(f *source.File) string {
	base := f.Input
	if f.Path == f.Input || f.Kind == source.Manifest && filepath.Dir(f.Path) == filepath.Dir(f.Input) {
		return filepath.Base(f.Path)
	}
	rel, err := filepath.Rel(base, f.Path)
	if err != nil || !filepath.IsLocal(rel) {
		rel, err = filepath.Rel(filepath.Dir(base), f.Path) // a manifest was named
	}
	if err != nil || !filepath.IsLocal(rel) {
		return filepath.Base(f.Path)
	}
	return rel
}

// reason is an error without the path that stands beside it.
func reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return strings.TrimSpace(err.Error())
}
