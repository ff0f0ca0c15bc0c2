package cli

import "golang.org/x/sys/unix"

// systemName is what uname(1) says.
func systemName() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return "Linux"
	}
	return unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:]) + " " + unix.ByteSliceToString(u.Machine[:])
}

// clockSynchronised reports whether the kernel takes its clock for synchronised
// (adjtimex(2), STA_UNSYNC); nil if it does not tell.
func clockSynchronised() *bool {
	const unsynchronised = 0x40
	var t unix.Timex
	if _, err := unix.Adjtimex(&t); err != nil {
		return nil
	}
	ok := t.Status&unsynchronised == 0
	return &ok
}
