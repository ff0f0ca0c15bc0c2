package audit

import (
	"context"
	"path"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/acl"
	"github.com/valkeyfs/valkeyfs/internal/conf"
	"github.com/valkeyfs/valkeyfs/internal/hostfs"
)

// Server is one server as its files describe it.
type Server struct {
	Version  conf.Version
	Basis    string // how the version is known
	Conf     *conf.Config
	Users    *acl.Users
	ACLFile  string // "" without one
	Sentinel bool
	// Problems are why it would not start, or why something of it is not known.
	Problems []conf.Problem
}

// ReadServer reads a configuration file and what it leads to, and combines them
// to what holds. cwd and command are as for conf.Read. The error is for a
// configuration file that cannot be read.
func ReadServer(ctx context.Context, fs *hostfs.FS, name, cwd string, v conf.Version, command []string) (*Server, error) {
	c, err := conf.Read(ctx, fs, name, cwd, v, command)
	if err != nil {
		return nil, err
	}
	s := &Server{Version: v, Conf: c, Sentinel: len(c.All("sentinel")) > 0, Problems: c.Problems}
	table := acl.For(v)
	s.Users = acl.Configured(c, table)
	s.Problems = append(s.Problems, s.Users.Problems...)
	s.checkRenames(table)
	if err := s.readACLFile(ctx, fs, table); err != nil {
		return nil, err
	}
	return s, nil
}

// readACLFile replaces the configured users by those of an ACL file (acl.c,
// ACLLoadUsersAtStartup): requirepass has no effect any more.
func (s *Server) readACLFile(ctx context.Context, fs *hostfs.FS, table *acl.Table) error {
	at, ok := s.Conf.Last("aclfile")
	if !ok || len(at.Args) != 1 || at.Args[0] == "" {
		return nil
	}
	if users := s.Conf.All("user"); len(users) > 0 {
		s.problem(users[0], true, "users stand in the configuration file and in an ACL file at the same time")
		return nil
	}
	s.ACLFile = at.Args[0]
	if !path.IsAbs(s.ACLFile) {
		// It is opened where the server has ended up by then.
		dir := s.Conf.Dir
		if dir == "" {
			dir = path.Dir(s.Conf.Path)
			s.problem(at, false, "where a relative aclfile leads depends on the directory in which the server is started; taken from %s", dir)
		}
		s.ACLFile = path.Join(dir, s.ACLFile)
	}
	f, err := fs.Open(s.ACLFile)
	if err != nil {
		s.problem(at, true, "the ACL file: %v", err)
		return nil
	}
	defer f.Close()
	users, err := acl.ReadFile(ctx, f, s.ACLFile, table)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		s.problem(at, false, "the ACL file: %v", err)
		return nil
	}
	s.Users = users
	s.Problems = append(s.Problems, users.Problems...)
	return nil
}

func (s *Server) problem(d conf.Directive, fatal bool, format string, args ...any) {
	s.Problems = append(s.Problems, newProblem(d, fatal, format, args...))
}

// checkRenames looks for renames that the server refuses (config.c,
// loadServerConfigFromString): of a command that is not there, or to a name that is.
func (s *Server) checkRenames(table *acl.Table) {
	names := map[string]bool{}
	for _, n := range table.Commands() {
		if !strings.Contains(n, "|") {
			names[n] = true
		}
	}
	for _, d := range s.Conf.All("rename-command") {
		if len(d.Args) != 2 {
			continue
		}
		from, to := strings.ToLower(d.Args[0]), strings.ToLower(d.Args[1])
		switch {
		case !names[from]:
			s.problem(d, true, "rename-command names no command")
			continue
		case to != "" && names[to] && to != from:
			s.problem(d, true, "rename-command to the name of another command")
			continue
		}
		delete(names, from)
		if to != "" {
			names[to] = true
		}
	}
}

// Fatal returns the first reason why the server would not start, nil if there is none.
func (s *Server) Fatal() *conf.Problem {
	for i := range s.Problems {
		if s.Problems[i].Fatal {
			return &s.Problems[i]
		}
	}
	return nil
}

// Default is the user that a client has that does not authenticate.
func (s *Server) Default() *acl.User { return s.Users.Get("default") }

// Open reports whether a client is the user default without a password.
func (s *Server) Open() bool { return open(s.Default()) }

func open(u *acl.User) bool { return u != nil && u.Enabled && u.NoPass }

// Can reports whether a user who has got in can run a command or a subcommand
// ("config|get"), under whatever name rename-command has given it.
func (s *Server) Can(u *acl.User, command string) bool {
	container, _, _ := strings.Cut(command, "|")
	name, _ := s.Conf.Renamed(container)
	return name != "" && u.Allows(command)
}

// Reachable returns the users as whom somebody can get in: those that are
// enabled and need no password or have one.
func (s *Server) Reachable() []*acl.User {
	var us []*acl.User
	for _, u := range s.Users.List {
		if u.Enabled && (u.NoPass || len(u.Passwords) > 0) {
			us = append(us, u)
		}
	}
	return us
}
