package cli

import "golang.org/x/sys/unix"

// harden keeps keys and plaintext out of core dumps and away from debuggers of
// the same user (prctl(2), PR_SET_DUMPABLE). Where it is refused, the work goes on.
func harden() {
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
}
