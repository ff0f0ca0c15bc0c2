//go:build !linux

package source

var errNoData, errUnclean, errRemoteIO error
