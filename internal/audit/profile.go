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

// unheard are the checks of commands that a sentinel does not know: CONFIG, KEYS,
// FLUSHALL, SLOWLOG, LATENCY, REPLICAOF (COMMAND_SENTINEL in the server's tables).
var unheard = []string{"VFS-CONF-001", "VFS-SLOW-001", "VFS-SLOW-002", "VFS-SLOW-003", "VFS-SLOW-006", "VFS-SLOW-009", "VFS-REPL-008"}

// leaves are the checks that do not apply under a profile: ids, or the beginnings
// of ids.
var leaves = map[Profile][]string{
	ProfileCache:     {"VFS-REPL-007"},
	ProfileDatabase:  {"VFS-DATA-011", "VFS-DATA-014"},
	ProfileReplica:   {"VFS-REPL-007"},
	ProfileSentinel:  append([]string{"VFS-MEM-", "VFS-DATA-0", "VFS-INTEG-", "VFS-SLOW-004", "VFS-SLOW-007", "VFS-REPL-001", "VFS-REPL-007"}, unheard...),
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
func (s *Subject) leftOut(c *Check) string {
	among := func(ids []string) bool {
		return slices.ContainsFunc(ids, func(id string) bool { return strings.HasPrefix(c.ID, id) })
	}
	for _, p := range s.Options.Profiles {
		if among(leaves[p]) {
			return "not a question for the profile " + string(p)
		}
	}
	if s.Server != nil && s.Server.Sentinel && among(unheard) {
		return "a sentinel does not know the commands"
	}
	return ""
}
