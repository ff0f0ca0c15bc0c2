package acl

import (
	"maps"
	"slices"
	"strings"
)

// Password is one of a user's passwords: in clear, or its SHA-256 alone.
type Password struct {
	Hash  string // 64 hexadecimal digits
	Clear string // "" if the file has the hash only
	Plain bool   // the file has it in clear
}

// Selector is a set of permissions; a user's selectors are alternatives. Of keys
// and channels it is kept whether all are allowed, not which.
type Selector struct {
	AllKeys     bool
	AllChannels bool

	allowed   bitset
	someDBs   bool             // not all databases
	firstArgs map[int][]string // command to the first arguments with which it is allowed
}

// User is a user with the rules applied.
type User struct {
	Name      string
	File      string
	Line      int
	Enabled   bool
	NoPass    bool
	Passwords []Password
	Selectors []*Selector // the root selector first
	Rules     []string    // as they were written; nil if there are none, or Users.RulesCut

	table *Table
}

// NewUser returns a user that may do nothing (acl.c, ACLCreateUser).
func NewUser(t *Table, name string) *User {
	return &User{Name: name, table: t, Selectors: []*Selector{newSelector(t)}}
}

// DefaultUser returns the user "default" of a server that is told nothing: on,
// without a password, allowed everything (acl.c, ACLCreateDefaultUser).
func DefaultUser(t *Table) *User {
	u := NewUser(t, "default")
	for _, rule := range []string{"+@all", "~*", "on", "nopass"} {
		_ = u.Apply(rule)
	}
	u.Selectors[0].AllChannels = true
	return u
}

func newSelector(t *Table) *Selector {
	s := &Selector{allowed: t.none()}
	// acl-pubsub-default was allchannels before 7.0; 6.0 has no such rule.
	s.AllChannels = t.Version.Before(7, 0)
	return s
}

// Allows reports whether one of the user's selectors allows a command, or a
// subcommand such as "config|get", on some keys at least. A command that the
// version does not have is not allowed.
func (u *User) Allows(command string) bool {
	return slices.ContainsFunc(u.Selectors, func(s *Selector) bool { return s.allows(u.table, command) })
}

func (s *Selector) allows(t *Table, command string) bool {
	container, sub, _ := strings.Cut(command, "|")
	i, ok := t.index[command]
	if !ok {
		if i, ok = t.index[container]; !ok || len(t.children[i]) > 0 {
			return false
		}
	}
	if s.someDBs && (container == "flushall" || container == "swapdb") {
		return false // they reach databases that are not the selector's
	}
	if s.allowed.has(i) || t.everyone.has(i) {
		return true
	}
	return sub != "" && slices.ContainsFunc(s.firstArgs[i], func(a string) bool { return strings.EqualFold(a, sub) })
}

// detach has nothing of the user refer to the text that it was read from.
func (u *User) detach() {
	u.Name = strings.Clone(u.Name)
	for i, p := range u.Passwords {
		u.Passwords[i].Hash, u.Passwords[i].Clear = strings.Clone(p.Hash), strings.Clone(p.Clear)
	}
	for _, s := range u.Selectors {
		for _, args := range s.firstArgs {
			for i, a := range args {
				args[i] = strings.Clone(a)
			}
		}
	}
}

// AllowsAny returns those of the commands that the user may run.
func (u *User) AllowsAny(commands ...string) []string {
	var got []string
	for _, c := range commands {
		if u.Allows(c) {
			got = append(got, c)
		}
	}
	return got
}

// AllowsAll reports whether every command but those for everyone is allowed.
func (u *User) AllowsAll() bool {
	return slices.ContainsFunc(u.Selectors, func(s *Selector) bool {
		for i := range u.table.names {
			if !s.allowed.has(i) {
				return false
			}
		}
		return true
	})
}

// Category returns the commands of a category that the user may run.
func (u *User) Category(name string) []string {
	var got []string
	for i, command := range u.table.names {
		if c := u.table.categories[name]; c != nil && c.has(i) && u.Allows(command) {
			got = append(got, command)
		}
	}
	return got
}

// Commands returns all that the user may run, sorted.
func (u *User) Commands() []string {
	return u.AllowsAny(u.table.names...)
}

// SetPassword does what requirepass does to the default user (acl.c,
// ACLUpdateDefaultUserPassword): the empty password takes the need for one away.
func (u *User) SetPassword(password string) {
	_ = u.Apply("resetpass")
	if password == "" {
		_ = u.Apply("nopass")
		return
	}
	_ = u.Apply(">" + password)
}

// resetFirstArgs forgets the first arguments allowed for a set of commands.
func (s *Selector) resetFirstArgs(of bitset) {
	maps.DeleteFunc(s.firstArgs, func(i int, _ []string) bool { return of.has(i) })
}
