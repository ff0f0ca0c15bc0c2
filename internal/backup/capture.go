package backup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/valkeyfs/valkeyfs/aof"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// A Capture is a data set held open. Renaming, rewriting and unlinking of its
// files do not change it; what is appended to a log later is not part of it.
type Capture struct {
	method string
	source string
	items  []*item

	state State // of the server, as far as it was asked
	done  func()
}

// An item is one file of a capture.
type item struct {
	path     string // relative to the data directory
	role     Role
	tail     bool      // a server may be appending to it
	file     *os.File  // read up to size
	size     int64     // -1: not known beforehand
	data     []byte    // instead of file
	stream   io.Reader // instead of file, once
	modified time.Time
	identity string // device, inode and times; "" for what changes
}

// Close lets go of the files, or of the server.
func (c *Capture) Close() {
	if c.done != nil {
		c.done()
	}
	for _, it := range c.items {
		if it.file != nil {
			it.file.Close() //nolint:errcheck // it was only read
		}
	}
}

// Said keeps in the set what a server said of itself, before its files were
// opened, instead of what they say.
func (c *Capture) Said(s *State) { c.state = *s }

// streams reports whether it can be read only once.
func (c *Capture) streams() bool {
	return slices.ContainsFunc(c.items, func(it *item) bool { return it.stream != nil })
}

// Paths returns what was captured, in order.
func (c *Capture) Paths() []string {
	var all []string
	for _, it := range c.items {
		all = append(all, it.path)
	}
	return all
}

// ErrMoving says that the files of a log kept changing while they were opened.
var ErrMoving = errors.New("the log was rewritten again and again while it was opened")

// attempts is how often a log is opened anew when its manifest has changed in
// between. A rewrite changes it twice.
const attempts = 50

// CaptureDir opens the data set in a directory: every snapshot in it, every log
// with its manifest in a directory below it, and the single log of servers
// before 7.0. What they are is told from their bytes. include names further files
// in the directory. Nothing is written, linked or locked there.
func CaptureDir(ctx context.Context, dir string, include []string) (*Capture, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	c := &Capture{method: methodFiles, source: dir}
	if err := c.collect(ctx, root, include); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (c *Capture) collect(ctx context.Context, root *os.Root, include []string) error {
	entries, err := readDir(root, ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch {
		case e.IsDir():
			err = c.logs(ctx, root, e.Name())
		case e.Type().IsRegular() && !strings.HasPrefix(e.Name(), "temp-"): // what an unfinished save leaves (rdb.c, rdbSave)
			err = c.single(root, e.Name())
		}
		if err != nil {
			return err
		}
	}
	if len(c.items) == 0 {
		return fmt.Errorf("%s: neither a snapshot nor a log lies in it", c.source)
	}
	for _, name := range include {
		if !isLocal(filepath.ToSlash(name)) {
			return fmt.Errorf("%s: not a file below %s", name, c.source)
		}
		if slices.ContainsFunc(c.items, func(it *item) bool { return it.path == filepath.ToSlash(name) }) {
			continue
		}
		it, err := openItem(root, filepath.ToSlash(name), RoleConfig)
		if err != nil {
			return err
		}
		c.items = append(c.items, it)
	}
	return nil
}

// single takes a file of the data directory if it is a snapshot or a log.
func (c *Capture) single(root *os.Root, name string) error {
	it, err := openItem(root, name, RoleSnapshot)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	head := make([]byte, 4<<10)
	n, err := it.file.ReadAt(head, 0)
	head = head[:n]
	switch {
	case err != nil && err != io.EOF:
		it.file.Close() //nolint:errcheck // it was only read
		return err
	case aof.Sniff(head), rdb.Sniff(head) && isPreamble(head):
		it.role, it.tail, it.identity = RoleLog, true, ""
	case !rdb.Sniff(head):
		it.file.Close() //nolint:errcheck // it was only read
		return nil
	}
	c.items = append(c.items, it)
	return nil
}

// isPreamble reports whether a snapshot says that a log follows it (rdb.c before
// 7.0, rdbSaveInfoAuxFields: "aof-preamble").
func isPreamble(head []byte) bool {
	for e, err := range rdb.NewReader(bytes.NewReader(head), rdb.Options{}).Events(context.Background()) {
		if err != nil || e.Kind != keyspace.Header && e.Kind != keyspace.Aux {
			return false
		}
		if string(e.Key) == "aof-preamble" && string(e.Value) == "1" {
			return true
		}
	}
	return false
}

// logs takes the multi-part logs in a directory.
func (c *Capture) logs(ctx context.Context, root *os.Root, dir string) error {
	entries, err := readDir(root, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !strings.HasSuffix(e.Name(), ".manifest") || strings.HasPrefix(e.Name(), "temp-") {
			continue
		}
		items, err := openLog(ctx, root, dir, e.Name())
		if err != nil {
			return fmt.Errorf("%s: %w", path.Join(dir, e.Name()), err)
		}
		c.items = append(c.items, items...)
	}
	return nil
}

// openLog opens the files that a manifest names, until it names the same before
// and after: then they were, at that moment, the whole log.
func openLog(ctx context.Context, root *os.Root, dir, manifest string) ([]*item, error) {
	for try := range attempts {
		if try > 0 {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(time.Duration(try) * time.Millisecond):
			}
		}
		text, err := readManifest(root, path.Join(dir, manifest))
		if err != nil {
			return nil, err
		}
		m, err := aof.ParseManifest(bytes.NewReader(text))
		if err != nil {
			return nil, err
		}
		items, failed := openFiles(root, dir, m)
		if failed != nil && !errors.Is(failed, fs.ErrNotExist) {
			return nil, failed
		}
		again, err := readManifest(root, path.Join(dir, manifest))
		if err == nil && bytes.Equal(text, again) {
			if failed != nil { // servers name only what is there: it has vanished
				return nil, failed
			}
			return append(items, &item{path: path.Join(dir, manifest), role: RoleManifest, data: current(text)}), nil
		}
		(&Capture{items: items}).Close()
		if err != nil {
			return nil, err
		}
	}
	return nil, ErrMoving
}

// readDir lists a directory, sorted by name.
func readDir(root *os.Root, name string) ([]fs.DirEntry, error) {
	f, err := openQuietly(root, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, err
}

func readManifest(root *os.Root, name string) ([]byte, error) {
	f, err := openQuietly(root, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 4<<20)) // as much as package aof takes
}

func openFiles(root *os.Root, dir string, m *aof.Manifest) ([]*item, error) {
	var items []*item
	var last *item
	for _, f := range m.Files {
		role := RoleIncr
		switch f.Type {
		case aof.History:
			continue
		case aof.Base:
			role = RoleBase
		}
		it, err := openItem(root, path.Join(dir, f.Name), role)
		if err != nil {
			(&Capture{items: items}).Close()
			return nil, err
		}
		if role == RoleIncr {
			last = it
		}
		items = append(items, it)
	}
	if last != nil {
		last.tail, last.identity = true, ""
	}
	return items, nil
}

// current returns a manifest without the files that a rewrite has replaced.
func current(text []byte) []byte {
	var kept []byte
	for line := range bytes.Lines(text) {
		m, err := aof.ParseManifest(bytes.NewReader(line))
		if err == nil && len(m.Files) == 1 && m.Files[0].Type == aof.History {
			continue
		}
		kept = append(kept, line...)
	}
	return kept
}

// openItem opens a regular file for reading, at the size that it has now.
func openItem(root *os.Root, name string, role Role) (*item, error) {
	if info, err := root.Lstat(name); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", name)
	}
	f, err := openQuietly(root, name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		f.Close() //nolint:errcheck // it was only read
		return nil, errors.Join(err, fmt.Errorf("%s: not a regular file", name))
	}
	return &item{path: name, role: role, file: f, size: info.Size(), modified: info.ModTime().UTC(), identity: identityOf(info)}, nil
}

// stamp stands for a file that does not change and for those whom it is sealed for.
func (it *item) stamp(recipients []string) string {
	if it.identity == "" {
		return ""
	}
	recipients = slices.Sorted(slices.Values(recipients))
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %s %d %q", it.path, it.identity, it.size, recipients))
	return hex.EncodeToString(sum[:])
}

// reader reads the first n bytes of the item, or all if n is negative.
func (it *item) reader(n int64) io.Reader {
	switch {
	case it.stream != nil:
		return it.stream
	case it.file == nil:
		return bytes.NewReader(it.data)
	case n < 0:
		n = it.size
	}
	return newFileReader(it.file, n)
}

// A fileReader reads a file from its start. If it was not in the page cache, it
// will not be afterwards either.
type fileReader struct {
	f       *os.File
	off, n  int64
	drop    bool
	dropped int64 // up to here
}

// dropEvery is how many bytes are read before they are let go of.
const dropEvery = 8 << 20

func newFileReader(f *os.File, n int64) *fileReader {
	r := &fileReader{f: f, n: n}
	if pages, ok := cached(f, 0, n); ok {
		r.drop = int64(pages)*int64(os.Getpagesize()) < n/2
	}
	return r
}

func (r *fileReader) Read(p []byte) (int, error) {
	if r.off >= r.n {
		return 0, io.EOF
	}
	n, err := r.f.ReadAt(p[:min(int64(len(p)), r.n-r.off)], r.off)
	r.off += int64(n)
	if r.drop && (r.off-r.dropped >= dropEvery || r.off >= r.n) {
		// From the start: the kernel keeps what lies in a folio that is not whole in
		// the range, and those that it reads ahead are large.
		dropRead(r.f, 0, r.off)
		r.dropped = r.off
	}
	switch {
	case err == io.EOF && r.off < r.n:
		return n, io.ErrUnexpectedEOF // it shrank
	case err == io.EOF:
		return n, nil
	}
	return n, err
}
