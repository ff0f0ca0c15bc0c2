//go:build !linux

package acquire

import "os"

func uncache(*os.File) {}
