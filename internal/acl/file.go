package acl

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/conf"
	"github.com/valkeyfs/valkeyfs/internal/hostfs"
)

// Bounds on what a hostile file can cost; the server has none of them.
const (
	maxUsers    = 50_000
	maxProblems = 100
	maxRules    = 32 << 20 // bytes of rules that are kept as they were written
	wordSize    = 16       // of a string beside its text
)

// Users are the users of a server, by name, in the order of their definition.
type Users struct {
	List     []*User
	Problems []conf.Problem
	SHA256   string // of an ACL file
	Cut      bool   // over a limit: there are more users than these
	RulesCut bool   // over a limit: of some users the rules are not kept as they were written
	// DefaultUnread says that the user default is not known, but stands here as one
	// that is off.
	DefaultUnread bool

	table  *Table
	kept   int // bytes of rules
	byName map[string]*User
}

// NewUsers returns an empty set of users.
func NewUsers(t *Table) *Users { return &Users{table: t, byName: map[string]*User{}} }

// Get returns a user, nil if there is none of the name.
func (us *Users) Get(name string) *User { return us.byName[name] }

// Put adds a user, in the place of one of the same name.
func (us *Users) Put(u *User) {
	if old := us.byName[u.Name]; old != nil {
		*old = *u
		return
	}
	us.byName[u.Name] = u
	us.List = append(us.List, u)
}

func (us *Users) problem(file string, line int, fatal bool, format string, args ...any) {
	if len(us.Problems) < maxProblems {
		us.Problems = append(us.Problems, conf.Problem{File: file, Line: line, What: fmt.Sprintf(format, args...), Fatal: fatal})
	}
}

// define applies a definition: "user NAME RULE…". Defined again, default starts
// anew; any other user is an error from 7.0 on (acl.c, ACLLoadConfiguredUsers,
// ACLLoadFromFile), and before starts anew.
func (us *Users) define(file string, line int, name string, rules []string, again bool) {
	switch {
	case hasSpace(name):
		us.problem(file, line, true, "a user's name holds a space or a NUL")
		return
	case again && !us.table.Version.Before(7, 0):
		us.problem(file, line, true, "the user is defined twice")
		return
	}
	rules, ok := mergeSelectors(us.table, rules)
	if !ok {
		us.problem(file, line, true, "an opening parenthesis has no closing one")
		return
	}
	u := NewUser(us.table, name)
	u.File, u.Line = file, line
	for _, rule := range rules {
		err := u.Apply(strings.Trim(rule, "\t\r\n"))
		if errors.Is(err, ErrTooMany) {
			us.Leave(name)
		}
		if err != nil {
			us.problem(file, line, !errors.Is(err, ErrTooMany), "a rule is refused: %v", err)
			return
		}
	}
	us.keep(u, rules)
	us.Put(u)
}

// keep keeps the rules as they were written, as long as there is room for them.
func (us *Users) keep(u *User, rules []string) {
	size := 0
	for _, r := range rules {
		size += len(r) + wordSize
	}
	if us.kept+size > maxRules {
		us.RulesCut = true
		u.detach()
		return
	}
	us.kept += size
	u.Rules = rules
}

// Leave says of a user that it is there and not known.
func (us *Users) Leave(name string) {
	us.Cut = true
	if name == "default" {
		us.DefaultUnread = true
		us.Put(NewUser(us.table, name))
	}
}

// mergeSelectors joins the words of each (…) (acl.c, ACLMergeSelectorArguments).
func mergeSelectors(t *Table, words []string) ([]string, bool) {
	if t.Version.Before(7, 0) || !slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, "(") }) {
		return words, true
	}
	var merged []string
	for i := 0; i < len(words); i++ {
		if !strings.HasPrefix(words[i], "(") || strings.HasSuffix(words[i], ")") {
			merged = append(merged, words[i])
			continue
		}
		end := i + 1
		for end < len(words) && !strings.HasSuffix(words[end], ")") {
			end++
		}
		if end == len(words) {
			return nil, false
		}
		merged = append(merged, strings.Join(words[i:end+1], " "))
		i = end
	}
	return merged, true
}

// ReadFile reads an ACL file, called name, as acl.c, ACLLoadFromFile, does: each
// line is "user NAME RULE…", words stand one space apart, and there are no
// comments. The user default, unless the file defines it, is that of a server
// that is told nothing. Behind a limit the file is read for the user default
// alone. The error is one of reading.
func ReadFile(ctx context.Context, r io.Reader, name string, t *Table) (*Users, error) {
	us := NewUsers(t)
	sum := sha256.New()
	lines := conf.NewLineReader(r, sum)
	unread := unread{file: name}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		text, err := lines.Next()
		if err == io.EOF {
			break
		}
		text = strings.Trim(text, " \t\r\n")
		if errors.Is(err, hostfs.ErrLimit) {
			unread.add(us, lines.Line, text)
			err = lines.Skip()
		} else if err == nil {
			us.line(&unread, lines.Line, text)
		}
		if err != nil {
			us.Cut = true
			us.problem(name, lines.Line, false, "not read any further: %v", err)
			break
		}
	}
	unread.tell(us)
	us.SHA256 = hex.EncodeToString(sum.Sum(nil))
	if us.Get("default") == nil {
		us.Put(DefaultUser(t))
	}
	return us, nil
}

// line takes a line of an ACL file.
func (us *Users) line(u *unread, n int, text string) {
	if text == "" {
		return
	}
	first, rest, _ := strings.Cut(text, " ")
	name, _, _ := strings.Cut(rest, " ")
	switch {
	case first != "user" || rest == "":
		us.problem(u.file, n, true, "a line of an ACL file that does not begin with \"user\" and a name")
	case len(us.List) >= maxUsers && name != "default":
		u.add(us, n, text)
	default:
		us.define(u.file, n, name, strings.Split(text, " ")[2:], us.byName[name] != nil)
	}
}

// unread counts the users that are not looked at.
type unread struct {
	file        string
	users, line int // how many, and where the first stands
}

func (x *unread) add(us *Users, line int, text string) {
	if x.users++; x.users == 1 {
		x.line = line
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(text, "user "), " ")
	us.Leave(name)
}

func (x *unread) tell(us *Users) {
	if x.users > 0 {
		us.problem(x.file, x.line, false, "users not looked at, from here on: %d (those after the first %d, and lines of over a megabyte)", x.users, maxUsers)
	}
}

// Configured returns the users that a configuration file makes: default as
// requirepass leaves it, then the "user" lines, which override it.
func Configured(c *conf.Config, t *Table) *Users {
	us := NewUsers(t)
	def := DefaultUser(t)
	if d, ok := c.Last("requirepass"); ok && len(d.Args) == 1 {
		def.SetPassword(d.Args[0])
		def.File, def.Line = d.File, d.Line
	}
	us.Put(def)
	seen := map[string]bool{}
	for _, d := range c.All("user") {
		if len(d.Args) == 0 {
			us.problem(d.File, d.Line, true, "\"user\" without a name")
			continue
		}
		if len(us.List) >= maxUsers && d.Args[0] != "default" {
			us.Cut = true
			continue
		}
		us.define(d.File, d.Line, d.Args[0], d.Args[1:], seen[d.Args[0]])
		seen[d.Args[0]] = true
	}
	return us
}

// Table returns the commands of the server that the users are on.
func (us *Users) Table() *Table { return us.table }
