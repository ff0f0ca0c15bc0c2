package conf

import (
	"fmt"
	"strconv"
	"strings"
)

// Version is a server: Redis, or Valkey, which branched off at 7.2.
type Version struct {
	Valkey       bool
	Major, Minor int
}

// Newest is the newest server that is known.
var Newest = Version{Valkey: true, Major: 9, Minor: 1}

// ParseVersion reads "valkey-8.1", "redis 7.0.15" and the like.
func ParseVersion(s string) (Version, error) {
	name, number, ok := strings.Cut(strings.ToLower(s), "-")
	if !ok {
		name, number, ok = strings.Cut(strings.ToLower(s), " ")
	}
	v := Version{Valkey: name == "valkey"}
	parts := strings.SplitN(number, ".", 3)
	major, err := strconv.Atoi(parts[0])
	if !ok || err != nil || !v.Valkey && name != "redis" {
		return Version{}, fmt.Errorf("not a server's version: say valkey-8.1 or redis-7.0")
	}
	v.Major = major
	if len(parts) > 1 {
		if v.Minor, err = strconv.Atoi(parts[1]); err != nil {
			return Version{}, fmt.Errorf("not a server's version: say valkey-8.1 or redis-7.0")
		}
	}
	if least := 6; v.Major < least || v.Valkey && v.Before(7, 2) {
		return Version{}, fmt.Errorf("a server that is too old: Redis from 6.0 and Valkey from 7.2 on are known")
	}
	return v, nil
}

func (v Version) String() string {
	name := "redis"
	if v.Valkey {
		name = "valkey"
	}
	return fmt.Sprintf("%s-%d.%d", name, v.Major, v.Minor)
}

// Before reports whether the server is older than a version, whichever of the
// two it is.
func (v Version) Before(major, minor int) bool {
	return v.Major < major || v.Major == major && v.Minor < minor
}

// measured are the servers whose tables are here, oldest first.
var measured = []Version{{false, 6, 0}, {false, 7, 0}, {false, 8, 0}, {true, 8, 0}, {true, 8, 1}, {true, 9, 1}}

// Measured returns the server whose tables hold for v: itself, else the newest
// older one of its kind. Valkey 7.2 and Redis 7.2 are held to be Redis 7.0.
func (v Version) Measured() Version {
	best := measured[0]
	for _, m := range measured {
		if !v.Before(m.Major, m.Minor) && (m.Valkey == v.Valkey || v.Valkey && !m.Valkey && m.Before(7, 2)) {
			best = m
		}
	}
	return best
}
