//go:build !linux

package hostfs

import (
	"errors"
	"os"
)

const noAtime = 0

func fgetxattr(*os.File, string) ([]byte, error) { return nil, errors.ErrUnsupported }

// Encrypted reports whether the file system keeps a file or directory encrypted,
// and whether it says so at all: on this system it does not.
func (f *FS) Encrypted(string) (encrypted, known bool) { return false, false }
