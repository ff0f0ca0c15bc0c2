package backup

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"unsafe"

	"github.com/elastic/go-seccomp-bpf"
	"golang.org/x/sys/unix"
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

// A fence confines a command that the calling thread is about to start.
type fence func(cmd *exec.Cmd, dir string, uid, gid int) error

// fences are tried in turn: containers and hardened systems forbid namespaces.
var fences = []fence{namespaces, landlock}

// startConfined starts a command without privileges, of which it cannot gain any,
// and without network; it owns dir. It dies with this process. The channel is closed
// when it has ended. The function makes the command anew for each attempt.
func startConfined(command func() *exec.Cmd, dir string, uid, gid int) (<-chan struct{}, error) {
	var failed error
	for _, f := range fences {
		started, ended := make(chan error, 1), make(chan struct{})
		go func() {
			defer close(ended)
			// What is given up, the thread gives up for good: it ends with the goroutine,
			// and the command with the thread.
			runtime.LockOSThread()
			cmd := command()
			err := withoutSockets()
			if err == nil {
				err = f(cmd, dir, uid, gid)
			}
			if err == nil {
				err = cmd.Start()
			}
			started <- err
			if err == nil {
				cmd.Wait() //nolint:errcheck // that it ended is all there is to know
			}
		}()
		err := <-started
		switch {
		case err == nil:
			return ended, nil
		case failed == nil:
			failed = err
		default:
			failed = fmt.Errorf("%w; %w", failed, err)
		}
	}
	return nil, failed
}

// withoutSockets has the thread, and what it starts, get neither sockets but Unix
// ones nor connections, and no privileges by executing a program.
func withoutSockets() error {
	if !seccomp.Supported() {
		return fmt.Errorf("seccomp: %w", unix.ENOSYS)
	}
	return seccomp.LoadFilter(seccomp.Filter{
		NoNewPrivs: true,
		Policy: seccomp.Policy{
			DefaultAction: seccomp.ActionAllow,
			Syscalls: []seccomp.SyscallGroup{{
				Action: seccomp.ActionErrno,
				Names:  []string{"connect", "io_uring_setup", "ptrace", "process_vm_readv", "process_vm_writev"},
				NamesWithCondtions: []seccomp.NameWithConditions{{
					Name:       "socket",
					Conditions: seccomp.ArgumentConditions{{Argument: 0, Operation: seccomp.NotEqual, Value: unix.AF_UNIX}},
				}},
			}},
		},
	})
}

// namespaces makes a command run in namespaces of its own: of users, where it is an
// unprivileged one without capabilities, of the network, where there is none, of
// processes and of IPC (namespaces(7)).
func namespaces(cmd *exec.Cmd, _ string, uid, gid int) error {
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

// leastLandlock is the version of Landlock from which on files cannot be truncated
// either (Linux 6.2).
const leastLandlock = 3

// landlock makes the calling thread, and a command that it starts, write nowhere but
// in dir, and take no part in what other processes do (landlock(7)).
func landlock(cmd *exec.Cmd, dir string, uid, gid int) error {
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 || version < leastLandlock {
		return fmt.Errorf("landlock: %w", unix.ENOSYS)
	}
	const write = unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE
	const change = write | unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE | unix.LANDLOCK_ACCESS_FS_REFER |
		unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_MAKE_SOCK |
		unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK | unix.LANDLOCK_ACCESS_FS_MAKE_SYM
	attr := unix.LandlockRulesetAttr{Handled_access_fs: change}
	if version >= 4 {
		attr.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	}
	if version >= 6 {
		attr.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
	}
	rules, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if errno != 0 {
		return fmt.Errorf("landlock: %w", errno)
	}
	defer unix.Close(int(rules)) //nolint:errcheck // the thread keeps it
	for path, access := range map[string]uint64{dir: change, os.DevNull: write} {
		if err := allow(rules, path, access); err != nil {
			return fmt.Errorf("landlock: %w", err)
		}
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, rules, 0, 0); errno != 0 {
		return fmt.Errorf("landlock: %w", errno)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if uid >= 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	return nil
}

// allow adds a path, and what lies below it, to the rules.
func allow(rules uintptr, path string, access uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd) //nolint:errcheck // nothing was written
	rule := unix.LandlockPathBeneathAttr{Allowed_access: access, Parent_fd: int32(fd)}
	if _, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, rules, unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}
