package source

import "golang.org/x/sys/unix"

// What block layers and file systems say of bytes they cannot deliver, beside EIO.
var (
	errNoData   error = unix.ENODATA   // a medium error, as some drivers report it
	errUnclean  error = unix.EUCLEAN   // ext4, xfs: the structure needs cleaning
	errRemoteIO error = unix.EREMOTEIO // a target behind a bus or a network
)
