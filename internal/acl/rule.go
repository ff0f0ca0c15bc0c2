package acl

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/sds"
)

// Why a rule is refused, in the words of acl.c, ACLSetUserStringError.
var (
	ErrSyntax   = errors.New("syntax error")
	ErrUnknown  = errors.New("unknown command or category name in ACL")
	ErrPattern  = errors.New("adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect")
	ErrHash     = errors.New("the password hash must be exactly 64 characters and contain only lowercase hexadecimal characters")
	ErrNoSuch   = errors.New("the password you are trying to remove from the user does not exist")
	ErrAllowed  = errors.New("allowing first-arg of a command that is already allowed is not supported")
	ErrFirstArg = errors.New("allowing first-arg of a subcommand is not supported")
	ErrTooMany  = errors.New("more passwords, selectors or first arguments than are looked at")
)

// maxOfUser bounds the passwords and the selectors of a user, and the first arguments
// of a command in one; the server has no bound.
const maxOfUser = 1000

// hasDBRules reports whether the version is one from which on "db=" is a rule.
func (t *Table) hasDBRules() bool { return t.Version.Valkey && !t.Version.Before(9, 1) }

// Apply applies one rule (acl.c, ACLSetUser). On an error the user may be left
// changed: the server does not start with such a rule.
func (u *User) Apply(rule string) error {
	if rule == "" {
		return nil
	}
	modern := !u.table.Version.Before(7, 0)
	switch word := strings.ToLower(rule); {
	case rule[0] == '~': // most rules of a large file
		return u.Selectors[0].apply(u.table, rule)
	case word == "on":
		u.Enabled = true
	case word == "off":
		u.Enabled = false
	case word == "nopass":
		u.NoPass, u.Passwords = true, nil
	case word == "resetpass":
		u.NoPass, u.Passwords = false, nil
	case rule[0] == '>':
		sum := sha256.Sum256([]byte(rule[1:]))
		return u.addPassword(Password{Hash: hex.EncodeToString(sum[:]), Clear: rule[1:], Plain: true})
	case rule[0] == '#':
		if !validHash(rule[1:]) {
			return ErrHash
		}
		return u.addPassword(Password{Hash: rule[1:]})
	case rule[0] == '<':
		sum := sha256.Sum256([]byte(rule[1:]))
		return u.removePassword(hex.EncodeToString(sum[:]))
	case rule[0] == '!':
		if !validHash(rule[1:]) {
			return ErrHash
		}
		return u.removePassword(rule[1:])
	case (word == "sanitize-payload" || word == "skip-sanitize-payload") && !u.table.Version.Before(6, 2):
	case modern && rule[0] == '(' && rule[len(rule)-1] == ')':
		return u.addSelector(rule[1 : len(rule)-1])
	case modern && word == "clearselectors":
		u.Selectors = u.Selectors[:1]
	case word == "reset":
		*u = User{Name: u.Name, File: u.File, Line: u.Line, Rules: u.Rules, table: u.table, Selectors: []*Selector{newSelector(u.table)}}
	default:
		return u.Selectors[0].apply(u.table, rule)
	}
	return nil
}

func validHash(h string) bool {
	return len(h) == 2*sha256.Size && strings.Trim(h, "0123456789abcdef") == ""
}

func (u *User) addPassword(p Password) error {
	if len(u.Passwords) >= maxOfUser {
		return ErrTooMany
	}
	if !slices.ContainsFunc(u.Passwords, func(o Password) bool { return o.Hash == p.Hash }) {
		u.Passwords = append(u.Passwords, p)
	}
	u.NoPass = false
	return nil
}

func (u *User) removePassword(hash string) error {
	i := slices.IndexFunc(u.Passwords, func(o Password) bool { return o.Hash == hash })
	if i < 0 {
		return ErrNoSuch
	}
	u.Passwords = slices.Delete(u.Passwords, i, i+1)
	return nil
}

func (u *User) addSelector(rules string) error {
	if len(u.Selectors) > maxOfUser {
		return ErrTooMany
	}
	words, err := sds.Split(rules)
	if err != nil {
		return ErrSyntax
	}
	s := newSelector(u.table)
	for _, w := range words {
		if err := s.apply(u.table, w); err != nil {
			return err
		}
	}
	u.Selectors = append(u.Selectors, s)
	return nil
}

// apply is acl.c, ACLSetSelector.
func (s *Selector) apply(t *Table, rule string) error {
	if rule == "" {
		return ErrSyntax
	}
	hasChannels := !t.Version.Before(6, 2)
	switch word := strings.ToLower(rule); {
	case word == "allkeys" || word == "~*":
		s.AllKeys = true
	case rule[0] == '~' || rule[0] == '%' && !t.Version.Before(7, 0):
		return s.addKeys(rule)
	case word == "resetkeys":
		s.AllKeys = false
	case hasChannels && (word == "allchannels" || word == "&*"):
		s.AllChannels = true
	case hasChannels && word == "resetchannels":
		s.AllChannels = false
	case t.hasDBRules() && word == "alldbs":
		s.someDBs = false
	case t.hasDBRules() && (word == "resetdbs" || strings.HasPrefix(word, "db=")):
		s.someDBs = true
	case word == "allcommands" || word == "+@all":
		for i := range s.allowed {
			s.allowed[i] = ^uint64(0)
		}
		s.firstArgs = nil
	case word == "nocommands" || word == "-@all":
		clear(s.allowed)
		s.firstArgs = nil
	case rule[0] == '&' && hasChannels:
		if s.AllChannels {
			return ErrPattern
		}
		if hasSpace(rule) {
			return ErrSyntax
		}
	case strings.HasPrefix(rule, "+@") || strings.HasPrefix(rule, "-@"):
		set := t.categories[word[2:]]
		if set == nil {
			return ErrUnknown
		}
		s.change(set, rule[0] == '+')
	case rule[0] == '+' || rule[0] == '-':
		return s.command(t, word[1:], rule[0] == '+')
	default:
		return ErrSyntax
	}
	return nil
}

// addKeys is for a pattern: "~x", or "%R~x" with what may be done.
func (s *Selector) addKeys(rule string) error {
	if s.AllKeys {
		return ErrPattern
	}
	flags, pattern, ok := "RW", rule[1:], true
	if rule[0] == '%' {
		flags, pattern, ok = strings.Cut(rule[1:], "~")
		flags = strings.ToUpper(flags)
	}
	if !ok || flags == "" || strings.Trim(flags, "RW") != "" || hasSpace(pattern) {
		return ErrSyntax
	}
	s.AllKeys = pattern == "*" && strings.Contains(flags, "R") && strings.Contains(flags, "W")
	return nil
}

// hasSpace is acl.c, ACLStringHasSpaces.
func hasSpace(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' && (c == ' ' || c == 0 || '\t' <= c && c <= '\r') {
			return true
		}
	}
	return false
}

func (s *Selector) change(set bitset, on bool) {
	for i, w := range set {
		if on {
			s.allowed[i] |= w
		} else {
			s.allowed[i] &^= w
		}
	}
	s.resetFirstArgs(set)
}

// command allows or forbids a command, with its subcommands, a subcommand, or,
// with "+", a command with a first argument.
func (s *Selector) command(t *Table, name string, on bool) error {
	set := t.none()
	if i, ok := t.index[name]; ok {
		set.set(i, true)
		for _, sub := range t.children[i] {
			set.set(sub, true)
		}
		s.change(set, on)
		return nil
	}
	at := strings.LastIndexByte(name, '|')
	if at < 0 || !on {
		return fmt.Errorf("%w%s", ErrUnknown, "")
	}
	i, ok := t.index[name[:at]]
	arg := name[at+1:]
	_, isSub := t.parent[i]
	switch {
	case !ok || len(t.children[i]) > 0:
		return ErrUnknown
	case isSub:
		return ErrFirstArg
	case arg == "":
		return ErrSyntax
	case s.allowed.has(i):
		return ErrAllowed
	}
	if s.firstArgs == nil {
		s.firstArgs = map[int][]string{}
	}
	if len(s.firstArgs[i]) >= maxOfUser {
		return ErrTooMany
	}
	if !slices.Contains(s.firstArgs[i], arg) {
		s.firstArgs[i] = append(s.firstArgs[i], arg)
	}
	return nil
}
