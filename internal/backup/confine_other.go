//go:build !linux

package backup

import (
	"errors"
	"os/exec"
)

func unprivileged() (uid, gid int) { return -1, -1 }

func startConfined(func() *exec.Cmd, string, int, int) (<-chan struct{}, error) {
	return nil, errors.New("a server can be confined on Linux only")
}
