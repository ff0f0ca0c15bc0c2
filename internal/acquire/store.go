package acquire

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/valkeyfs/valkeyfs/crypt"
)

// What lies in the directory of an acquisition. Copies lie below filesDir under
// the names they had.
const (
	filesDir    = "files"
	custodyName = "custody.json"
	sealedExt   = ".zst.age"        // of what is sealed
	signedExt   = ".minisig"        // of SumsName's signature
	trusted     = "acquisition of " // a signature's trusted comment, before the time
)

// SumsName is the name of the file of sums, as sha256sum(1) checks it.
const SumsName = "SHA256SUMS"

// store is the directory that copies go to.
type store struct {
	root  *os.Root
	seal  *crypt.SealOptions
	begun int // files, for their temporary names
}

// newStore makes a directory, or takes an empty one. Those above it are not made: one
// that is not there may be a disk that is not mounted, and the copy would go elsewhere.
func newStore(dir string, seal *crypt.SealOptions) (*store, error) {
	switch err := os.Mkdir(dir, 0o700); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &fs.PathError{Op: "acquire to", Path: filepath.Dir(dir), Err: fmt.Errorf("%w: make it, or mount what it should be on", fs.ErrNotExist)}
	case err != nil && !errors.Is(err, fs.ErrExist):
		return nil, err
	}
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	names, err := d.Readdirnames(1)
	_ = d.Close()
	switch {
	case len(names) > 0:
		return nil, &fs.PathError{Op: "acquire to", Path: dir, Err: errors.New("directory is not empty")}
	case err != io.EOF:
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &store{root: root, seal: seal}, nil
}

func (s *store) close() { _ = s.root.Close() }

// object is a file of the store being written. It has its name once it is
// complete and on the disk.
type object struct {
	s       *store
	f       *os.File
	written hash.Hash      // of what went into f
	w       io.Writer      // f and written, or what seals into them
	sealer  io.WriteCloser // nil: in the clear
	name    string
	temp    string
}

// create begins the copy of the file with a path in the source.
func (s *store) create(rel string) (*object, error) {
	name := path.Join(filesDir, filepath.ToSlash(rel))
	if err := s.root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return nil, err
	}
	return s.open(name)
}

func (s *store) open(name string) (*object, error) {
	if s.seal != nil {
		name += sealedExt
	}
	o := &object{s: s, name: name, written: sha256.New()}
	for { // a file of the source may bear the name
		s.begun++
		o.temp = path.Join(path.Dir(name), fmt.Sprintf(".%d.partial", s.begun))
		var err error
		if o.f, err = s.root.OpenFile(o.temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err == nil {
			break
		} else if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	o.w = io.MultiWriter(o.f, o.written)
	if s.seal != nil {
		var err error
		if o.sealer, err = crypt.Seal(o.w, *s.seal); err != nil {
			o.abort()
			return nil, err
		}
		o.w = o.sealer
	}
	return o, nil
}

func (o *object) Write(p []byte) (int, error) { return o.w.Write(p) }

// abort removes what was not committed.
func (o *object) abort() {
	if o.f == nil {
		return
	}
	_ = o.f.Close()
	_ = o.s.root.Remove(o.temp)
	o.f = nil
}

// commit gives the file its name, and returns the SHA-256 of what lies there
// now, read back from it; it is an error if that is not what was written.
func (o *object) commit(ctx context.Context) (string, error) {
	if o.sealer != nil {
		if err := o.sealer.Close(); err != nil {
			return "", err
		}
	}
	if err := o.f.Sync(); err != nil {
		return "", err
	}
	err := o.f.Close()
	o.f = nil
	if err == nil {
		if _, e := o.s.root.Lstat(o.name); e == nil {
			err = &fs.PathError{Op: "store", Path: o.name, Err: fs.ErrExist}
		} else {
			err = o.s.root.Rename(o.temp, o.name)
		}
	}
	if err != nil {
		_ = o.s.root.Remove(o.temp)
		return "", err
	}
	if err := o.s.sync(path.Dir(o.name)); err != nil {
		return "", err
	}
	sum, err := o.s.sum(ctx, o.name)
	if want := hex.EncodeToString(o.written.Sum(nil)); err == nil && sum != want {
		err = &fs.PathError{Op: "reading back", Path: o.name, Err: errors.New("it is not what was written")}
	}
	return sum, err
}

func (s *store) sync(dir string) error {
	d, err := s.root.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

func (s *store) sum(ctx context.Context, name string) (string, error) {
	f, err := s.root.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	uncache(f)
	sum := sha256.New()
	buf := make([]byte, buffer)
	for {
		n, err := f.Read(buf)
		sum.Write(buf[:n])
		if err == nil {
			err = ctx.Err()
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// finish writes the custody file, then the sums of all, signed if there is a
// key. It does so even after the context of the copying has ended.
func (s *store) finish(c *Custody, key *crypt.SigningKey) error {
	custody, err := c.encode()
	if err != nil {
		return err
	}
	if c.Stored, c.StoredSum, err = s.write(custodyName, custody); err != nil {
		return err
	}
	var lines []string
	for _, p := range c.Files {
		if p.stored != "" {
			lines = append(lines, sumLine(p.StoredSum, p.stored))
		}
	}
	slices.Sort(lines)
	lines = append(lines, sumLine(c.StoredSum, c.Stored))
	sums := []byte(strings.Join(lines, ""))
	plain := &store{root: s.root}
	if _, _, err := plain.write(SumsName, sums); err != nil {
		return err
	}
	if key == nil {
		return nil
	}
	_, _, err = plain.write(SumsName+signedExt, key.Sign(sums, trusted+c.Finished.Format(time.RFC3339)))
	return err
}

// sumLine is a line as sha256sum(1) writes it, with names escaped as it does.
func sumLine(sum, name string) string {
	if escaped := strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`).Replace(name); escaped != name {
		return fmt.Sprintf("\\%s  %s\n", sum, escaped)
	}
	return fmt.Sprintf("%s  %s\n", sum, name)
}

func (s *store) write(name string, data []byte) (stored, sum string, err error) {
	o, err := s.open(name)
	if err != nil {
		return "", "", err
	}
	defer o.abort()
	if _, err := io.Copy(o, bytes.NewReader(data)); err != nil {
		return "", "", err
	}
	sum, err = o.commit(context.Background())
	return o.name, sum, err
}
