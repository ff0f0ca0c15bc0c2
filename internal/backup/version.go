package backup

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// A Build is a make of server and its version.
type Build struct {
	Make         string // "redis" or "valkey"
	Major, Minor int
}

func (b Build) String() string { return fmt.Sprintf("%s %d.%d", b.Make, b.Major, b.Minor) }

func (b Build) before(o Build) bool {
	return b.Major < o.Major || b.Major == o.Major && b.Minor < o.Minor
}

// ErrTooNew says that a server does not read a snapshot: it is older, or of the
// other make.
var ErrTooNew = errors.New("the server does not read it")

// FindServer returns the path of a server that is installed, or "".
func FindServer() string {
	for _, name := range []string{"valkey-server", "redis-server"} {
		if p, err := exec.LookPath(name); err == nil {
			return p
		}
	}
	return ""
}

// buildForm is what a server says of itself (server.c, version).
var buildForm = regexp.MustCompile(`^(Redis|Valkey) server v=([0-9]{1,4})\.([0-9]{1,4})\.`)

// BuildOf asks the program of a server for its version.
func BuildOf(ctx context.Context, command ...string) (Build, error) {
	out, err := exec.CommandContext(ctx, command[0], append(command[1:len(command):len(command)], "--version")...).Output() //nolint:gosec // the user names the program
	if err != nil {
		return Build{}, fmt.Errorf("%s --version: %w", command[0], err)
	}
	m := buildForm.FindSubmatch(out)
	if m == nil {
		return Build{}, fmt.Errorf("%s: it does not say to be a server", command[0])
	}
	b := Build{Make: strings.ToLower(string(m[1]))}
	b.Major, _ = strconv.Atoi(string(m[2]))
	b.Minor, _ = strconv.Atoi(string(m[3]))
	return b, nil
}

// releases say which snapshots servers read: the newest REDIS and VALKEY versions
// (rdb.h, RDB_VERSION), from a release on. Valkey refuses those of Redis after
// the two parted (rdb.c, rdbIsForeignVersion).
var releases = []struct {
	Build
	redis, valkey int
}{
	{Build{"redis", 4, 0}, 8, 0},
	{Build{"redis", 5, 0}, 9, 0},
	{Build{"redis", 7, 0}, 10, 0},
	{Build{"redis", 7, 2}, 11, 0},
	{Build{"redis", 7, 4}, 12, 0},
	{Build{"redis", 8, 6}, 13, 0},
	{Build{"redis", 8, 8}, 14, 0},
	{Build{"redis", 8, 10}, 15, 0},
	{Build{"valkey", 7, 2}, 11, 0},
	{Build{"valkey", 9, 0}, 11, 80},
	{Build{"valkey", 9, 2}, 11, 81},
}

// Reads reports whether the server reads a snapshot of the given format, such as
// "REDIS 11". What is not known is taken to be read.
func (b Build) Reads(format string) bool {
	magic, number, _ := strings.Cut(format, " ")
	n, err := strconv.Atoi(number)
	if err != nil {
		return true
	}
	known := false
	redis, valkey := 0, 0
	for i, r := range releases {
		if r.Make != b.Make || b.before(r.Build) {
			continue
		}
		last := i+1 == len(releases) || releases[i+1].Make != r.Make
		known = !last || !r.before(b) // of later ones nothing is known
		redis, valkey = r.redis, r.valkey
	}
	switch {
	case magic == "VALKEY" && b.Make == "redis":
		return false
	case !known:
		return true
	case magic == "VALKEY":
		return n <= valkey
	}
	return n <= redis
}

// readable looks for a snapshot that a server does not read.
func (in *Inner) readable(b Build) error {
	for i := range in.Files {
		if f := &in.Files[i]; f.Format != "" && !b.Reads(f.Format) {
			return fmt.Errorf("%w: %s is %s, and the server is %s", ErrTooNew, f.Path, f.Format, b)
		}
	}
	return nil
}
