package audit

import (
	"fmt"
	"slices"
	"strings"
)

// Profile says what a server is for, and so which checks apply to it.
type Profile string

// The profiles.
const (
	ProfileCache     Profile = "cache"     // data that can be lost
	ProfileDatabase  Profile = "database"  // data that cannot
	ProfileReplica   Profile = "replica"   // follows a primary
	ProfileSentinel  Profile = "sentinel"  // watches primaries, and keeps no data
	ProfileCluster   Profile = "cluster"   // a node of one
	ProfileContainer Profile = "container" // host and unit are the platform's business
)

// leaves are the checks that do not apply under a profile: ids, or the beginnings
// of ids.
var leaves = map[Profile][]string{
	ProfileCache:     {"VFS-REPL-007"},
	ProfileDatabase:  {"VFS-DATA-011", "VFS-DATA-014"},
	ProfileReplica:   {"VFS-REPL-007"},
	ProfileSentinel:  {"VFS-MEM-", "VFS-SLOW-001", "VFS-SLOW-004", "VFS-SLOW-006", "VFS-SLOW-007", "VFS-DATA-0", "VFS-INTEG-", "VFS-REPL-001", "VFS-REPL-007"},
	ProfileCluster:   {"VFS-REPL-007"},
	ProfileContainer: {"VFS-AUTH-003", "VFS-AUTH-009", "VFS-TLS-011", "VFS-DATA-004", "VFS-DATA-007", "VFS-DATA-008", "VFS-MEM-005", "VFS-CONN-001", "VFS-CONN-004", "VFS-PASS-007"},
}

// ParseProfile returns the profile of a name.
func ParseProfile(name string) (Profile, error) {
	p := Profile(strings.ToLower(name))
	if _, ok := leaves[p]; !ok {
		return "", fmt.Errorf("no such profile: cache, database, replica, sentinel, cluster or container")
	}
	return p, nil
}

// leftOut says why a check does not apply, "" if it does.
func (o *Options) leftOut(c *Check) string {
	for _, p := range o.Profiles {
		if slices.ContainsFunc(leaves[p], func(id string) bool { return strings.HasPrefix(c.ID, id) }) {
			return "not a question for the profile " + string(p)
		}
	}
	return ""
}
