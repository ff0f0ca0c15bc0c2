package backup

import (
	"os"
	"os/exec"
	"syscall"
)

// nobody is the user that owns nothing (overflowuid in proc_sys_kernel(5)).
const nobody = 65534

// unprivileged returns the user that a server is tried out as: nobody for root,
// and -1, whoever runs this, for others.
func unprivileged() (uid, gid int) {
	if os.Geteuid() == 0 {
		return nobody, nobody
	}
	return -1, -1
}

// confine makes a command run in namespaces of its own: of users, where it is an
// unprivileged one without capabilities, of the network, where there is none, of
// processes and of IPC (namespaces(7)). It dies with this process.
func confine(cmd *exec.Cmd, uid, gid int) error {
	if uid < 0 {
		uid, gid = os.Getuid(), os.Getgid()
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: nobody, HostID: uid, Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: nobody, HostID: gid, Size: 1}},
		Credential:  &syscall.Credential{Uid: nobody, Gid: nobody, NoSetGroups: true},
		Pdeathsig:   syscall.SIGKILL,
	}
	return nil
}
