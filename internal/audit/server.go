package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
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
	// Image is set for a container of the official images, whose servers are built
	// with protected mode off.
	Image bool
	// Problems are why it would not start, or why something of it is not known.
	Problems []conf.Problem
}

// ReadServer reads a configuration and what it leads to, and combines them to
// what holds. The error is for a configuration file that cannot be read.
func ReadServer(ctx context.Context, fs *hostfs.FS, o conf.Options) (*Server, error) {
	return readServer(ctx, fs, o, nil)
}

// locate opens a file that a server inside a container names, and says where it
// was found; the error is errInside if that is nowhere but there.
type locate func(name string) (at string, f io.ReadCloser, err error)

func readServer(ctx context.Context, fs *hostfs.FS, o conf.Options, find locate) (*Server, error) {
	c, err := conf.Read(ctx, fs, o)
	if err != nil {
		return nil, err
	}
	v := o.Version
	s := &Server{Version: v, Conf: c, Sentinel: len(c.All("sentinel")) > 0, Problems: c.Problems}
	table := acl.For(v)
	s.Users = acl.Configured(c, table)
	s.Problems = append(s.Problems, s.Users.Problems...)
	s.checkRenames(table)
	if find == nil {
		find = func(name string) (string, io.ReadCloser, error) {
			f, err := fs.Open(name)
			return name, f, err
		}
	}
	if err := s.readACLFile(ctx, find, table); err != nil {
		return nil, err
	}
	return s, nil
}

// readACLFile replaces the configured users by those of an ACL file (acl.c,
// ACLLoadUsersAtStartup): requirepass has no effect any more.
func (s *Server) readACLFile(ctx context.Context, find locate, table *acl.Table) error {
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
	name, f, err := find(s.ACLFile)
	s.ACLFile = name
	if errors.Is(err, errInside) {
		s.problem(at, false, "the ACL file is not known: %v", err)
		s.Users = acl.NewUsers(table)
		s.Users.Leave("default")
		return nil
	}
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
	s.Problems = append(s.Problems, conf.Problem{File: d.File, Line: d.Line, What: fmt.Sprintf(format, args...), Fatal: fatal})
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

// Listener is an address at which a server listens.
type Listener struct {
	Address  string
	Port     int64
	TLS      bool
	Loopback bool
}

// Listeners returns where a server listens on TCP (network.c, listenToPort).
func (s *Server) Listeners() []Listener {
	bind := s.Conf.Get("bind")
	addresses := bind.Args
	if !bind.Set && len(addresses) == 0 { // 6.0: everywhere
		addresses = []string{"*", "-::*"}
	}
	var ls []Listener
	for _, p := range []struct {
		name string
		tls  bool
	}{{"port", false}, {"tls-port", true}} {
		v := s.Conf.Get(p.name)
		port, _ := v.Int()
		if p.name == "port" && !v.Set && s.Sentinel {
			port = 26379 // sentinel.h, REDIS_SENTINEL_PORT
		}
		if port == 0 {
			continue
		}
		for _, a := range addresses {
			if a = strings.TrimPrefix(a, "-"); a != "" {
				ls = append(ls, Listener{Address: a, Port: port, TLS: p.tls, Loopback: loopback(a)})
			}
		}
	}
	return ls
}

func loopback(address string) bool {
	ip, err := netip.ParseAddr(address)
	return err == nil && ip.Unmap().IsLoopback() || strings.EqualFold(address, "localhost")
}

// everywhere reports whether an address stands for all interfaces.
func everywhere(address string) bool {
	return address == "*" || address == "::*" || address == "0.0.0.0" || address == "::"
}

// Public reports whether the server listens on anything but the loopback.
func (s *Server) Public() bool {
	for _, l := range s.Listeners() {
		if !l.Loopback {
			return true
		}
	}
	return false
}

// Protected reports whether protected mode turns away everyone who does not come
// from the host itself (networking.c, clientAcceptHandler; before 7.0 only where
// bind is not set). Sentinels have it off unless told otherwise.
func (s *Server) Protected() bool {
	v := s.Conf.Get("protected-mode")
	if !v.Set && (s.Sentinel || s.Image) {
		return false
	}
	d := s.Default()
	return v.Bool() && d != nil && d.NoPass && (!s.Version.Before(7, 0) || len(s.Conf.Get("bind").Args) == 0)
}

// Replica reports whether the server is told to replicate another one.
func (s *Server) Replica() bool {
	d, ok := s.Conf.Last("replicaof")
	return ok && len(d.Args) == 2 && !strings.EqualFold(d.Args[0], "no")
}

// Cluster reports whether the server is a node of a cluster.
func (s *Server) Cluster() bool { return s.Conf.Get("cluster-enabled").Bool() }

// Persists reports whether the server writes snapshots or a log.
func (s *Server) Persists() bool {
	saves, _ := s.Conf.Saves()
	return len(saves) > 0 || s.Conf.Get("appendonly").Bool()
}

// publicAddress reports whether an address is one of the Internet at large, and
// whether it is an address at all.
func publicAddress(host string) (public, known bool) {
	if strings.EqualFold(host, "localhost") {
		return false, true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil {
		return false, false
	}
	ip = ip.Unmap()
	return !ip.IsPrivate() && !ip.IsLoopback() && !ip.IsLinkLocalUnicast() && !ip.IsUnspecified(), true
}
