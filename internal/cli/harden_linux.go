package cli

import "golang.org/x/sys/unix"

// harden keeps keys and plaintext out of core dumps and away from debuggers of
// the same user (prctl(2), PR_SET_DUMPABLE). Where it is refused, the work goes on.
func harden() {
	noCoreDumps()
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
}

// noCoreDumps is what is left of harden where a child is to be put into a
// namespace of users, which takes a process that is dumpable (user_namespaces(7)).
func noCoreDumps() {
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
}
