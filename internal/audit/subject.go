package audit

import (
	"context"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/hostfs"
)

// Subject is one server with all that surrounds it: what the checks look at.
type Subject struct {
	FS        *hostfs.FS
	Name      string  // the configuration file, or what stands for it
	Server    *Server // nil: no configuration was found
	Unit      *Unit   // nil: none starts it
	Container *Container
	Dir       string // its data directory, "" if that is not known
	Data      *Data  // nil: there is none, or it was not read
	DataError error
	Now       time.Time // zero: not known
	Live      *Live     // the running server with which the files are compared; nil: none
	Running   *Live     // set for what stands for a running server itself
	Backups   *backups  // nil: where they lie is not known
	Options   *Options

	host      *host
	primary   *Subject   // which it replicates, if that is among those judged
	configMap *ConfigMap // that holds its configuration
	peers     peers
}

// host is what is the same for all servers of a host.
type host struct {
	mounts   []mount
	firewall *Firewall
	fail2ban *Place // a jail for the server
	users    map[string]uint32
	clients  []clientSetting
	subjects []*Subject // all servers

	monitoring *monitoring
	policies   []networkPolicy
}

// Why there is nothing to ask.
const (
	noConf    = "no configuration file of the server was found"
	noDefault = "what the user default may do is not known"
	notAll    = "not all of the data could be read"
)

// ofUsers returns the failures among the users, and whether those are all of them.
func (s *Subject) ofUsers(fs []Answer, where Place, evidence string, args ...any) []Answer {
	if s.Server.Users.Cut {
		return append(fs, unknown("there are more users than were looked at")...)
	}
	return orPass(fs, where, evidence, args...)
}

// ofData returns the failures in the data, and whether those are all of them.
func (s *Subject) ofData(fs []Answer, evidence string, args ...any) []Answer {
	if s.Data != nil && s.Data.Lost > 0 {
		return append(fs, unknown(notAll)...)
	}
	return orPass(fs, Place{File: s.Dir}, evidence, args...)
}

func (s *Subject) path(file string) string {
	if path.IsAbs(file) || s.Server == nil {
		return file
	}
	dir := s.Server.Conf.Dir
	if dir == "" {
		dir = path.Dir(s.Server.Conf.Path)
	}
	return path.Join(dir, file)
}

func readHost(fs *hostfs.FS) *host {
	h := &host{mounts: readMounts(fs), firewall: readFirewall(fs), users: readUsers(fs)}
	h.fail2ban = findJail(fs)
	return h
}

// readUsers returns the user ids of /etc/passwd by name.
func readUsers(fs *hostfs.FS) map[string]uint32 {
	users := map[string]uint32{}
	if text, err := fs.ReadFile("/etc/passwd", maxText); err == nil {
		for line := range strings.Lines(string(text)) {
			if f := strings.Split(line, ":"); len(f) > 3 {
				if uid, err := strconv.ParseUint(f[2], 10, 32); err == nil {
					users[f[0]] = uint32(uid)
				}
			}
		}
	}
	return users
}

// findJail returns where fail2ban watches a server's log.
func findJail(fs *hostfs.FS) *Place {
	for _, pattern := range []string{"/etc/fail2ban/jail.local", "/etc/fail2ban/jail.d/*.conf", "/etc/fail2ban/jail.d/*.local"} {
		names, _ := fs.Glob(pattern, 100)
		for _, name := range names {
			text, err := fs.ReadFile(name, maxText)
			if err != nil {
				continue
			}
			jail, at, n := "", Place{}, 0
			for line := range strings.Lines(string(text)) {
				n++
				line = strings.TrimSpace(line)
				if strings.HasPrefix(line, "[") {
					jail, at = strings.ToLower(line), Place{name, n}
				}
				key, value, _ := strings.Cut(line, "=")
				if strings.TrimSpace(key) == "enabled" && strings.TrimSpace(value) == "true" && (strings.Contains(jail, "redis") || strings.Contains(jail, "valkey")) {
					return &at
				}
			}
		}
	}
	return nil
}

// clientSetting is how a client connects to a server.
type clientSetting struct {
	Place
	tls      bool
	verify   bool
	password bool // it stands there in clear
	only     bool // nothing else is known of the connection, or it does not leave the host
}

// first reports whether the server is the one with which is judged what belongs to
// none in particular.
func (s *Subject) first() bool {
	return len(s.host.subjects) == 0 || s.host.subjects[0] == s
}

// clients returns how clients connect, for the first of the servers: to which of
// them they do no file tells.
func (s *Subject) clients() []clientSetting {
	if !s.first() {
		return nil
	}
	return slices.Clone(s.host.clients)
}

// data reads the data directory once.
func (s *Subject) readData(ctx context.Context) {
	if s.Dir == "" {
		return
	}
	s.Data, s.DataError = readData(ctx, s.FS, s.Dir, s.Options)
}
