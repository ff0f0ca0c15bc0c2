package audit

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/acl"
	"github.com/valkeyfs/valkeyfs/internal/conf"
	"github.com/valkeyfs/valkeyfs/internal/hostfs"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// battery is what clients try, and the name under which the audit knows it.
var battery = []struct {
	name string
	args []string
}{
	{"get", []string{"GET", "k"}}, {"set", []string{"SET", "k", "v"}}, {"del", []string{"DEL", "nokey"}},
	{"keys", []string{"KEYS", "*"}}, {"scan", []string{"SCAN", "0"}}, {"hset", []string{"HSET", "h", "f", "v"}},
	{"config|get", []string{"CONFIG", "GET", "maxclients"}}, {"config|set", []string{"CONFIG", "SET", "maxmemory-samples", "5"}},
	{"config|resetstat", []string{"CONFIG", "RESETSTAT"}}, {"acl|list", []string{"ACL", "LIST"}}, {"acl|whoami", []string{"ACL", "WHOAMI"}},
	{"acl|setuser", []string{"ACL", "SETUSER", "newcomer"}}, {"client|list", []string{"CLIENT", "LIST"}}, {"client|id", []string{"CLIENT", "ID"}},
	{"eval", []string{"EVAL", "return 1", "0"}}, {"script|flush", []string{"SCRIPT", "FLUSH"}}, {"publish", []string{"PUBLISH", "c", "m"}},
	{"slowlog|get", []string{"SLOWLOG", "GET"}}, {"module|list", []string{"MODULE", "LIST"}}, {"replicaof", []string{"REPLICAOF", "NO", "ONE"}},
	{"dbsize", []string{"DBSIZE"}}, {"info", []string{"INFO", "server"}}, {"lastsave", []string{"LASTSAVE"}}, {"save", []string{"SAVE"}},
	{"flushall", []string{"FLUSHALL"}}, {"flushdb", []string{"FLUSHDB"}}, {"ping", []string{"PING"}}, {"select|0", []string{"SELECT", "0"}},
	{"swapdb", []string{"SWAPDB", "0", "1"}}, {"sort", []string{"SORT", "nokey"}}, {"object|freq", []string{"OBJECT", "FREQ", "nokey"}},
	{"memory|usage", []string{"MEMORY", "USAGE", "nokey"}}, {"function|list", []string{"FUNCTION", "LIST"}},
	{"psync", []string{"PSYNC", "?", "-1"}}, // the last: the connection is a replica's from then on
}

// setup is a generated configuration.
type setup struct {
	conf, acl string
	passwords map[string]string // of users, for who tries them
}

type generator struct {
	*rand.Rand
	v conf.Version
	t *acl.Table
}

func (g *generator) one(of ...string) string { return of[g.IntN(len(of))] }

func (g *generator) rule(password string) string {
	cats := []string{"all", "read", "write", "admin", "dangerous", "fast", "slow", "keyspace", "string", "connection", "scripting", "pubsub"}
	commands := g.t.Commands()
	sign := g.one("+", "-")
	switch g.IntN(24) {
	case 0, 1:
		return g.one("on", "ON", "on", "off")
	case 2:
		return g.one("nopass", "resetpass", ">"+password)
	case 3, 4, 5, 6, 7, 8:
		return sign + "@" + g.one(cats...)
	case 9, 10, 11, 12:
		return sign + g.one(commands...)
	case 13, 14, 15:
		return sign + g.one(battery[g.IntN(len(battery))].name, "CONFIG", "Config|Get", "config", "acl", "client", "memory")
	case 16:
		return "+" + g.one("select|0", "debug|sleep", "config|nothing", "get|x", "config|get|x", "config|")
	case 17:
		return g.one("~*", "allkeys", "resetkeys", "~app:*", "~k")
	case 18:
		return g.one("&*", "allchannels", "resetchannels", "&c*")
	case 19:
		return g.one("%R~k", "%RW~*", "%W~x", "%~x", "%RX~y")
	case 20:
		return g.one("(+get ~k)", "(+@read", "( +config|get)", "(-@all +set ~*)", "clearselectors", "(+nothing)")
	case 21:
		return g.one("reset", "allcommands", "nocommands", "sanitize-payload", "skip-sanitize-payload")
	case 22:
		return g.one("<"+password, "<other", "#"+strings.Repeat("ab", 32), "#"+strings.Repeat("AB", 32), "!"+strings.Repeat("ab", 32), "#12")
	}
	return g.one("on", "+@all", "-@all", "+nosuch", "+@nosuch", "nonsense", "db=0", "alldbs", "%", "~", "")
}

// user returns a definition, most often one that the server accepts.
func (g *generator) user(s *setup, name string) string {
	password := "pw-" + name
	s.passwords[name] = password
	words := []string{"user", name, "on"}
	if g.IntN(5) > 0 {
		words = append(words, ">"+password)
	}
	t := acl.NewUser(g.t, name)
	for range 1 + g.IntN(7) {
		r := g.rule(password)
		// Most rules that would be refused are left out, or few servers would start.
		if probe := *t; probe.Apply(r) != nil && g.IntN(12) > 0 {
			continue
		}
		_ = t.Apply(r)
		words = append(words, r)
	}
	return strings.Join(words, " ")
}

func (g *generator) setup() *setup {
	s := &setup{passwords: map[string]string{"default": "pw-requirepass"}}
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	if g.IntN(2) == 0 {
		add("%s %s", g.one("requirepass", "RequirePass"), g.one("pw-requirepass", `"pw-\x72equirepass"`, "'pw-requirepass'", `""`, "x"))
	}
	if g.IntN(4) == 0 {
		add("rename-command %s %s", g.one("CONFIG", "flushall", "KEYS", "nosuch", "acl"), g.one(`""`, "hidden", "'x y'", "GET"))
	}
	add("maxmemory-samples %d", 3+g.IntN(5))
	add("maxmemory-policy %s", g.one("allkeys-lru", "ALLKEYS-LRU", "noeviction"))
	if g.IntN(8) == 0 {
		add("%s", g.one("nosuchdirective yes", `maxclients "100`, "# comment", "  TIMEOUT\t10  ", "save 900 1", "masterauth x", "slave-read-only no"))
	}
	for range g.IntN(3) {
		add("save %s", g.one("900 1", `""`, "60 1000", `'300 10'`))
	}
	names := []string{"default", "alice", "bob", "alice"}
	var users []string
	for range g.IntN(4) {
		users = append(users, g.user(s, g.one(names...)))
	}
	switch g.IntN(5) {
	case 0, 1:
		lines = append(lines, users...)
	case 2, 3:
		s.acl = strings.Join(users, "\n") + "\n"
		if g.IntN(10) == 0 {
			s.acl += g.one("# comment\n", "\n\n", "  user carol on nopass +get\t\n", "user\n")
		}
	case 4:
		lines = append(lines, users...)
		if g.IntN(3) == 0 {
			s.acl = "\n"
		}
	}
	g.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	s.conf = strings.Join(lines, "\n") + "\n"
	return s
}

// TestTruth holds what the audit says of generated configurations against real
// servers: whether they start, and what each client can do.
// VALKEYFS_TRUTH says how many configurations there are, over all servers.
func TestTruth(t *testing.T) {
	total := 70
	if n, err := strconv.Atoi(os.Getenv("VALKEYFS_TRUTH")); err == nil {
		total = n
	}
	started, tried := 0, 0
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		v, err := conf.ParseVersion(s.Name)
		if err != nil {
			t.Fatal(err)
		}
		if v.Valkey && v.Major == 9 {
			v.Minor = 1
		}
		g := &generator{Rand: rand.New(rand.NewPCG(1, uint64(len(s.Name))+uint64(v.Major))), v: v, t: acl.For(v)}
		for range max(total/len(servertest.Names), 1) {
			n, ok := truth(t, s, v, g.setup())
			tried += n
			if ok {
				started++
			}
		}
	})
	t.Logf("%d servers started, %d commands tried", started, tried)
	if started < total/4 {
		t.Errorf("only %d servers started", started)
	}
}

func truth(t *testing.T, s servertest.Server, v conf.Version, set *setup) (tried int, started bool) {
	dir, err := os.MkdirTemp("", "vfs")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	text := set.conf + fmt.Sprintf("port 0\nunixsocket %s/s\nlogfile %s/log\ndir %s\nrepl-diskless-sync-delay 0\n", dir, dir, dir)
	if set.acl != "" {
		text += fmt.Sprintf("aclfile %s/users.acl\n", dir)
		if err := os.WriteFile(filepath.Join(dir, "users.acl"), []byte(set.acl), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	name := filepath.Join(dir, "valkey.conf")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	fs, err := hostfs.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer fs.Close()
	audit, err := ReadServer(t.Context(), fs, conf.Options{Path: name, Cwd: "/", Version: v})
	if err != nil {
		t.Fatal(err)
	}

	program := "redis-server"
	if s.Valkey() {
		program = "valkey-server"
	}
	cmd := s.Command(program, name)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exited) }()
	defer func() { _ = cmd.Process.Kill(); <-exited }()
	connect := func() *servertest.Client {
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			if conn, err := net.Dial("unix", dir+"/s"); err == nil {
				// It listens before it has read the ACL file: only a reply counts.
				c := servertest.NewClient(conn)
				if _, err := c.Do("PING"); err == nil || errors.As(err, new(servertest.ReplyError)) {
					return c
				}
				c.Close()
			}
			select {
			case <-exited:
				return nil
			default:
			}
			if time.Now().After(deadline) {
				t.Fatal("the server does not answer")
			}
		}
	}
	say := func() string { return "\n" + set.conf + "--- users.acl\n" + set.acl }

	first := connect()
	if fatal := audit.Fatal(); (first == nil) != (fatal != nil) {
		log, _ := os.ReadFile(dir + "/log")
		t.Errorf("%s: started %v, but the audit says: %+v%s%s", s.Name, first != nil, fatal, say(), log)
		return 0, first != nil
	}
	if first == nil {
		return 0, false
	}
	first.Close()

	// Who connects without a word, and each user with its password.
	clients := append([]*acl.User{nil}, audit.Users.List...)
	for _, u := range clients {
		c := connect()
		who := "nobody"
		in := audit.Open()
		user := audit.Default()
		if u != nil {
			who, user = u.Name, u
			_, err := c.Do("AUTH", u.Name, set.passwords[u.Name])
			in = u.Enabled && (u.NoPass || hasPassword(u, set.passwords[u.Name]))
			if (err == nil) != in {
				t.Errorf("%s: AUTH %s: %v, but the audit says %v%s", s.Name, who, err, in, say())
				c.Close()
				continue
			}
			if !in {
				c.Close()
				continue
			}
		}
		for _, b := range battery {
			if b.name == "function|list" && v.Before(7, 0) {
				continue
			}
			_, err := c.Do(b.args...)
			tried++
			var reply servertest.ReplyError
			if err != nil && b.name == "psync" && !errors.As(err, &reply) {
				err = nil // a replication stream is no reply
			}
			if err != nil && !errors.As(err, &reply) {
				t.Errorf("%s: %s: %v", s.Name, b.name, err)
				break
			}
			refused := strings.HasPrefix(string(reply), "NOAUTH") || strings.HasPrefix(string(reply), "NOPERM") && (strings.Contains(string(reply), "run the") || strings.Contains(string(reply), "access database")) ||
				strings.Contains(string(reply), "unknown command")
			// A renamed command is not there under its own name.
			container, _, _ := strings.Cut(b.name, "|")
			now, _ := audit.Conf.Renamed(container)
			said := in && now == container && audit.Can(user, b.name)
			if said == refused {
				t.Errorf("%s: %s as %s: %v, but the audit says %v%s", s.Name, b.name, who, err, said, say())
			}
			if b.name == "config|get" && err == nil && reply == "" {
				compareConfig(t, c, audit)
			}
		}
		c.Close()
	}
	return tried, true
}

func hasPassword(u *acl.User, password string) bool {
	for _, p := range u.Passwords {
		if p.Clear == password && p.Plain {
			return true
		}
	}
	return false
}

// compareConfig holds values against CONFIG GET.
func compareConfig(t *testing.T, c *servertest.Client, audit *Server) {
	t.Helper()
	for _, name := range []string{"maxmemory-policy", "maxmemory-samples", "timeout", "maxclients", "save", "port", "protected-mode", "slowlog-max-len", "appendonly", "bind"} {
		v, err := c.Do("CONFIG", "GET", name)
		reply, _ := v.([]any)
		if err != nil || len(reply) != 2 {
			continue
		}
		got := audit.Conf.Get(name).Text
		if name == "save" {
			pairs, _ := audit.Conf.Saves()
			words := []string{}
			for _, p := range pairs {
				words = append(words, p[0], p[1])
			}
			got = strings.Join(words, " ")
		}
		if name == "maxmemory-samples" {
			continue // the battery sets it
		}
		if !strings.EqualFold(got, reply[1].(string)) {
			t.Errorf("%s: the audit says %q, the server %q\n", name, got, reply[1])
		}
	}
}
