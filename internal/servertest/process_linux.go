package servertest

import (
	"os/exec"
	"syscall"
)

// dieWithParent has the kernel kill the server when the test is killed.
func dieWithParent(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
