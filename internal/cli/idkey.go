package cli

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/source"
)

// idKey is the key that ids of findings are derived from.
type idKey struct {
	key  []byte
	name string // its file, or why there is none
	made bool   // it was made just now
}

// id tells keys apart without giving them away.
func (k *idKey) id() string {
	h := hmac.New(sha256.New, k.key)
	h.Write([]byte("valkeyfs id key"))
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// kept reports whether there is a file that the key can be read from again.
func (k *idKey) kept() bool { return !strings.HasPrefix(k.name, "not kept") }

const idKeySize = 32

// readOrMakeIDKey reads the key that the user chose, or the one in the state directory,
// which is made when it is first needed. Where none can be kept, and where that
// would mean to write into the evidence, the key is new each time.
func readOrMakeIDKey(path string, in *source.Inputs) (*idKey, error) {
	chosen := path != ""
	if !chosen {
		dir, err := stateDir()
		if err != nil {
			return newIDKey("not kept: " + err.Error())
		}
		path = filepath.Join(dir, "id.key")
	}
	key, err := readIDKey(path)
	switch {
	case err == nil:
		return &idKey{key: key, name: path}, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("id key %s: %w", path, cause(err))
	case in.Contains(path) && chosen:
		return nil, usagef("--id-key %s lies in the evidence, which is never written to", path)
	case in.Contains(path):
		return newIDKey("not kept: the state directory lies in the evidence")
	}
	k, err := newIDKey(path)
	if err != nil {
		return nil, err
	}
	k.made = true
	if !chosen { // a directory that was named and is not there is a slip of the pen
		err = os.MkdirAll(filepath.Dir(path), 0o700)
	}
	if err == nil {
		err = writeIDKey(path, k.key)
	}
	switch {
	case errors.Is(err, fs.ErrExist): // by another run that began at the same time
		k.made = false
		if k.key, err = readIDKey(path); err != nil {
			return nil, fmt.Errorf("id key %s: %w", path, cause(err))
		}
	case err != nil && chosen:
		return nil, unreadable("--id-key", path, err)
	case err != nil:
		return newIDKey("not kept: the state directory cannot be written to")
	}
	return k, nil
}

func newIDKey(name string) (*idKey, error) {
	k := &idKey{key: make([]byte, idKeySize), name: name}
	_, err := rand.Read(k.key)
	return k, err
}

// stateDir is where a program keeps what outlives its runs (XDG Base Directory
// Specification, XDG_STATE_HOME).
func stateDir() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "valkeyfs"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", errors.New("there is no home directory")
	}
	return filepath.Join(home, ".local", "state", "valkeyfs"), nil
}

func readIDKey(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(string(bytes.TrimSpace(data)))
	if err != nil || len(key) < idKeySize {
		return nil, fmt.Errorf("not %d bytes in hexadecimal", idKeySize)
	}
	return key, nil
}

func writeIDKey(path string, key []byte) error {
	return writeNew(path, []byte(hex.EncodeToString(key)+"\n"), 0o600)
}
