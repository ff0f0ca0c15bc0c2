//go:build !linux

package cli

import "runtime"

func systemName() string { return runtime.GOOS + " " + runtime.GOARCH }

func clockSynchronised() *bool { return nil }
