package audit

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/valkey-io/valkey-go"

	"github.com/valkeyfs/valkeyfs/internal/acl"
	"github.com/valkeyfs/valkeyfs/internal/conf"
)

// LiveUser returns the ACL rule of a user as whom Ask can ask a server of that
// version, and do next to nothing else: +acl|log would also let it empty the log.
// Before 7.0, +acl|log and the like are first arguments, and there are neither
// functions nor a rule for channels in 6.0.
func LiveUser(v conf.Version) string {
	rules := "user auditor on #SHA256-OF-A-PASSWORD resetkeys"
	if !v.Before(6, 2) {
		rules += " resetchannels"
	}
	rules += " -@all +hello +info +config|get +acl|list +acl|log +client|list +module|list"
	if !v.Before(7, 0) {
		rules += " +function|list"
	}
	return rules
}

// LiveOptions say how a running server is reached.
type LiveOptions struct {
	Address        string // host:port, or the path of a Unix socket
	User, Password string
	TLS            *tls.Config // nil: none
	Version        conf.Version
}

// Live is a running server, as it tells of itself.
type Live struct {
	address string
	server  *Server

	modules   []string
	info      map[string]string // fields of INFO
	clients   []map[string]string
	functions []Function
	refusals  []refusedClient
	denied    map[string]string // commands that were refused, and how
}

// refusedClient is an entry of ACL LOG: how often something was refused.
type refusedClient struct {
	reason string // auth, command, key, channel
	user   string
	count  int64
}

// Name stands for the server in a report.
func (l *Live) Name() string { return "live " + l.address }

// Ask asks a running server for its settings, users, version and modules by
// commands that only read. What the user may not ask is among the problems of
// the server; an error is that it cannot be reached or says nothing.
func Ask(ctx context.Context, o LiveOptions) (*Live, error) {
	option := valkey.ClientOption{InitAddress: []string{o.Address}, Username: o.User, Password: o.Password, TLSConfig: o.TLS,
		ForceSingleClient: true, DisableCache: true, DisableRetry: true, AlwaysRESP2: true, ClientSetInfo: valkey.DisableClientSetInfo}
	if strings.HasPrefix(o.Address, "/") {
		option.DialCtxFn = func(ctx context.Context, address string, d *net.Dialer, _ *tls.Config) (net.Conn, error) {
			return d.DialContext(ctx, "unix", address)
		}
	}
	c, err := valkey.NewClient(option)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Address, err)
	}
	defer c.Close()

	l := &Live{address: o.Address, info: map[string]string{}, denied: map[string]string{}}
	var problems []conf.Problem
	denied := func(command string, err error) {
		l.denied[command] = refusal(err)
		problems = append(problems, conf.Problem{File: l.Name(), What: command + " was refused: " + refusal(err)})
	}
	v := o.Version
	// Sections one by one: "everything" is not known to all versions.
	info := ""
	for _, section := range []string{"server", "clients", "memory", "stats", "replication", "commandstats"} {
		var text string
		if text, err = c.Do(ctx, c.B().Info().Section(section).Build()).ToString(); err != nil {
			break
		}
		info += text + "\n"
	}
	for line := range strings.Lines(info) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && len(l.info) < maxInfo {
			l.info[key] = value
		}
	}
	if err != nil {
		denied("INFO", err)
	} else if v == (conf.Version{}) {
		v = infoVersion(info)
	}
	basis := "what it says of itself"
	if v == (conf.Version{}) {
		v, basis = conf.Newest, basisAssumed
	}
	settings, err := c.Do(ctx, c.B().ConfigGet().Parameter("*").Build()).AsStrMap()
	if err != nil {
		denied("CONFIG GET", err)
	}
	users, userErr := c.Do(ctx, c.B().AclList().Build()).AsStrSlice()
	if userErr != nil {
		denied("ACL LIST", userErr)
	}
	if err != nil && userErr != nil {
		return nil, fmt.Errorf("%s: neither CONFIG GET nor ACL LIST is answered: %w", o.Address, errors.New(refusal(err)))
	}
	if list, err := c.Do(ctx, c.B().ModuleList().Build()).ToArray(); err != nil {
		denied("MODULE LIST", err)
	} else {
		for _, m := range list {
			if fields, err := m.AsStrMap(); err == nil {
				l.modules = append(l.modules, fields["name"])
			}
		}
	}

	l.ask(ctx, c, v, denied)
	cf := &conf.Config{Path: l.Name(), Version: v, Directives: directives(l.Name(), settings), Dir: settings["dir"]}
	l.server = &Server{Version: v, Basis: basis, Conf: cf, Problems: problems}
	table := acl.For(v)
	if userErr != nil {
		l.server.Users = acl.NewUsers(table)
		l.server.Users.Leave("default")
		return l, nil
	}
	l.server.Users, err = acl.ReadFile(ctx, strings.NewReader(strings.Join(users, "\n")+"\n"), l.Name(), table)
	if err != nil {
		return nil, err
	}
	l.server.Problems = append(l.server.Problems, l.server.Users.Problems...)
	return l, nil
}

// refusal is the kind of an error reply, which holds no data: NOPERM, ERR.
func refusal(err error) string {
	if ve, ok := valkey.IsValkeyErr(err); ok {
		kind, _, _ := strings.Cut(ve.Error(), " ")
		return kind
	}
	return err.Error()
}

func infoVersion(info string) conf.Version {
	name, number := "", ""
	for line := range strings.Lines(info) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch key {
		case "redis_version":
			if name == "" {
				name, number = "redis", value
			}
		case "valkey_version": // server.c, genValkeyInfoString: redis_version is 7.2.4 then
			name, number = "valkey", value
		}
	}
	v, _ := conf.ParseVersion(name + "-" + number)
	return v
}

// wordy are settings of several words; others are one, whatever is in it.
var wordy = []string{"bind", "save", "replicaof", "slaveof", "client-output-buffer-limit", "oom-score-adj-values"}

func directives(file string, settings map[string]string) []conf.Directive {
	var ds []conf.Directive
	for name, value := range settings {
		args := []string{value}
		if slices.Contains(wordy, name) {
			args = strings.Fields(value)
			if len(args) == 0 && name == "save" {
				args = []string{""}
			}
		}
		ds = append(ds, conf.Directive{File: file, Name: name, Args: args})
	}
	slices.SortFunc(ds, func(a, b conf.Directive) int { return strings.Compare(a.Name, b.Name) })
	return ds
}

// settingsThatMatter are those whose change at run time opens a server or makes
// it write elsewhere.
var settingsThatMatter = []string{"requirepass", "primaryauth", "primaryuser", "dir", "dbfilename", "appendfilename", "appenddirname", "aclfile", "protected-mode", "bind",
	"replicaof", "replica-read-only", "enable-debug-command", "enable-module-command", "enable-protected-configs", "logfile", "save", "appendonly", "port", "tls-port"}

// secretSettings are those whose values are never shown.
var secretSettings = []string{"requirepass", "primaryauth", "tls-key-file-pass", "tls-client-key-file-pass"}

func checkDifference(s *Subject) []Answer {
	if s.Live == nil {
		return na("no running server was asked (--live)")
	}
	file, live := s.Server, s.Live.server
	var fs []Answer
	done := map[string]bool{}
	for _, d := range live.Conf.Directives {
		name := conf.Canonical(d.Name)
		if done[name] || name == "unixsocket" {
			continue
		}
		done[name] = true
		want, got := file.Conf.Get(name), live.Conf.Get(name)
		if !want.OK || equal(name, file, live) {
			continue
		}
		what := fmt.Sprintf("%s is %s in the file, and %s on the running server", name, shown(want), shown(got))
		if slices.Contains(secretSettings, name) {
			what = name + " is not the same in the file and on the running server"
		}
		a := fail(at(want), "find out who changed it: CONFIG SET leaves no other trace", "%s", what)
		if slices.Contains(settingsThatMatter, name) {
			a = a.severe(High)
		}
		fs = append(fs, a)
	}
	if n := len(file.Conf.All("loadmodule")); len(s.Live.modules) > 0 && n == 0 && file.Version.Major < 8 {
		fs = append(fs, fail(Place{File: s.Name}, "MODULE UNLOAD it, if nobody knows it", "the running server has modules (%s), and the file loads none", clip(strings.Join(s.Live.modules, ", "))).severe(High))
	}
	return append(orPass(fs, Place{File: s.Name}, "no setting differs"), userDifferences(file.Users, live)...)
}

// userDifferences compares who may do what.
func userDifferences(file *acl.Users, live *Server) []Answer {
	if live.Users.Cut {
		return unknown("the running server does not tell its users")
	}
	var fs []Answer
	for _, u := range live.Users.List {
		o := file.Get(u.Name)
		if o == nil {
			fs = append(fs, fail(Place{}, "ACL DELUSER it, if nobody knows it", "user %s is on the running server only", clip(u.Name)).severe(High))
			continue
		}
		if o.Enabled != u.Enabled || o.NoPass != u.NoPass || !slices.Equal(o.Commands(), u.Commands()) || !slices.Equal(hashes(o), hashes(u)) {
			fs = append(fs, fail(Place{o.File, o.Line}, "ACL LOAD, if nobody knows of the change", "user %s has other passwords or rights on the running server", clip(u.Name)).severe(High))
		}
	}
	return fs
}

func hashes(u *acl.User) []string {
	var hs []string
	for _, p := range u.Passwords {
		hs = append(hs, p.Hash)
	}
	slices.Sort(hs)
	return hs
}

func shown(v conf.Value) string {
	if v.Text == "" {
		return `""`
	}
	return clip(v.Text)
}

// equal compares what holds: sizes as numbers, words in any case, directories
// without a slash at their end.
func equal(name string, file, live *Server) bool {
	a, b := file.Conf.Get(name), live.Conf.Get(name)
	switch name {
	case "save":
		x, _ := file.Conf.Saves()
		y, _ := live.Conf.Saves()
		return slices.Equal(x, y)
	case "client-output-buffer-limit", "oom-score-adj-values", "notify-keyspace-events", "loglevel", "pidfile", "supervised", "daemonize":
		return true // written in another way than they are read
	case "dir":
		return !a.Set || strings.TrimSuffix(a.Text, "/") == strings.TrimSuffix(b.Text, "/")
	}
	if strings.EqualFold(a.Text, b.Text) {
		return true
	}
	x, ok := a.Memory()
	y, also := b.Memory()
	if ok && also && x == y {
		return true
	}
	m, ok := a.Octal()
	n, also := b.Octal()
	return name == "unixsocketperm" && ok && also && m == n
}
