package audit

import (
	"crypto/rand"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/conf"
	"github.com/valkeyfs/valkeyfs/internal/hostfs"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// apply applies a fix to an image, as its text tells a reader to.
func (f *Fix) apply(tr tree) {
	name := strings.TrimPrefix(f.ConfFile, "/")
	lines := strings.Split(tr[name].text, "\n")
	for _, at := range f.Remove {
		lines[at.Line-1] = ""
	}
	tr.set(name, strings.Join(lines, "\n")+"\n"+strings.Join(f.Conf, "\n")+"\n")
	if f.ACL != nil {
		tr[strings.TrimPrefix(f.ACLFile, "/")] = private(strings.Join(f.ACL, "\n") + "\n")
	}
	if f.Unit != "" {
		tr["etc/systemd/system/"+f.Unit+".d/hardening.conf"] = file(strings.Join(f.DropIn, "\n") + "\n")
	}
	for _, c := range f.Commands {
		words := strings.Fields(c) // chmod MODE PATH
		m := map[string]os.FileMode{"0600": 0o600, "0640": 0o640, "0700": 0o700}[words[1]]
		tr.mode(strings.TrimPrefix(words[2], "/"), m)
	}
}

// worst is a host on which much fails, as far as its server knows of it.
func worst(t testing.TB, v conf.Version) tree {
	t.Helper()
	tr := hardened(t)
	var known strings.Builder
	for line := range strings.Lines(`bind 0.0.0.0
protected-mode no
requirepass foobared
dir /var/lib/valkey
user default on nopass ~* &* +@all
user app on >secret1 ~* +@all -debug
user other on >secret1 ~app:* +@read
enable-debug-command yes
enable-module-command yes
enable-protected-configs yes
tcp-keepalive 0
maxclients 200000
slowlog-max-len 0
save 3600 1
replica-read-only no
lazyfree-lazy-user-del no
`) {
		name, _, _ := strings.Cut(line, " ")
		if _, ok := conf.Default(v, name); ok || name == "user" || name == "save" {
			known.WriteString(line)
		}
	}
	text := known.String()
	if v.Before(6, 2) {
		text = strings.Replace(text, " &*", "", 1) // it has no rules for channels
	}
	tr[confFile] = file(text)
	tr[unitFile] = file("[Service]\nExecStart=/usr/bin/" + program(v) + " /etc/valkey/valkey.conf\nLimitNOFILE=1024\n")
	tr.mode(dumpFile, 0o666)
	tr.mode("var/lib/valkey", 0o777)
	delete(tr, aclFile)
	return tr
}

// program is what the server of a version is called.
func program(v conf.Version) string {
	if v.Valkey {
		return "valkey-server"
	}
	return "redis-server"
}

// TestFix mends the worst host by what is printed: nothing fails any more.
func TestFix(t *testing.T) {
	v := conf.Version{Valkey: true, Major: 8, Minor: 1}
	_, f := mend(t, worst(t, v), v)
	var text strings.Builder
	if err := WriteFix(&text, f); err != nil || !strings.Contains(text.String(), "user default off") {
		t.Errorf("%v: %s", err, text.String())
	}
}

// TestFixRuns mends the worst host of each server, and runs it.
func TestFixRuns(t *testing.T) {
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		v, err := conf.ParseVersion(s.Name)
		if err != nil {
			t.Fatal(err)
		}
		tr := worst(t, v)
		dump, err := os.ReadFile("../../testdata/dumps/" + s.Name + ".rdb")
		if err != nil {
			t.Fatal(err)
		}
		tr.set(dumpFile, string(dump))
		tr, f := mend(t, tr, v)
		runFixed(t, s, v, tr, f)
	})
}

// mend has an image mended, in which nothing fails then.
func mend(t *testing.T, tr tree, v conf.Version) (tree, *Fix) {
	t.Helper()
	as := func(o *Options) { o.Version = v }
	r, got := judge(t, tr, as)
	if n := len(failing(got)); n < 22 {
		t.Errorf("only %d checks fail on the worst host:\n%s", n, explain(r))
	}
	f, err := NewFix(r, r.Servers[0], rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	f.apply(tr)
	r, got = judge(t, tr, as)
	for _, id := range failing(got) {
		t.Errorf("%s still fails\n%s", id, explain(r, id))
	}
	if len(f.ByHand) > 0 {
		t.Errorf("by hand: %v", f.ByHand)
	}
	return tr, f
}

// runFixed starts a server with the mended files: it works for its users, and
// nobody else gets anything.
func runFixed(t *testing.T, s servertest.Server, v conf.Version, tr tree, f *Fix) {
	dir, err := os.MkdirTemp("", "vfs")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	text := strings.ReplaceAll(tr[confFile].text, "/var/lib/valkey", dir)
	text = strings.ReplaceAll(text, "/etc/valkey", dir) + "\nport 0\nunixsocket " + dir + "/s\nlogfile " + dir + "/log\nmaxclients 100\n"
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "users.acl"), []byte(tr[strings.TrimPrefix(f.ACLFile, "/")].text), 0o600),
		os.WriteFile(filepath.Join(dir, "valkey.conf"), []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	cmd := s.Command(program(v), filepath.Join(dir, "valkey.conf"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	defer func() { _ = cmd.Process.Kill(); <-ended }()
	dial := func() *servertest.Client {
		for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
			if conn, err := net.Dial("unix", dir+"/s"); err == nil {
				c := servertest.NewClient(conn)
				if _, err := c.Do("PING"); err == nil || errors.As(err, new(servertest.ReplyError)) {
					return c
				}
				c.Close()
			}
			select {
			case <-ended:
				log, _ := os.ReadFile(dir + "/log")
				t.Fatalf("does not start: %s", log)
			default:
			}
		}
		t.Fatal("does not answer")
		return nil
	}
	nobody := dial()
	defer nobody.Close()
	for _, c := range [][]string{{"GET", "k"}, {"SET", "k", "v"}, {"CONFIG", "GET", "*"}, {"FLUSHALL"}, {"KEYS", "*"}, {"INFO"}, {"AUTH", "foobared"}} {
		if _, err := nobody.Do(c...); err == nil {
			t.Errorf("who does not authenticate can %s", c[0])
		}
	}
	for _, np := range f.Passwords {
		c := dial()
		defer c.Close()
		if _, err := c.Do("AUTH", np.User, np.Password); err != nil {
			t.Errorf("%s: %v", np.User, err)
			continue
		}
		if _, err := c.Do("CONFIG", "GET", "port"); (err == nil) != (np.User == "admin") {
			t.Errorf("%s: CONFIG GET: %v", np.User, err)
		}
		if _, err := c.Do("SET", "app:k", "v"); (err == nil) != (np.User != "other") {
			t.Errorf("%s: SET: %v", np.User, err)
		}
		if _, err := c.Do("GET", "app:k"); err != nil {
			t.Errorf("%s: GET: %v", np.User, err)
		}
	}
}

// TestFixStarts: what is left to default after a fix is as it was meant.
func TestFixKeepsGoodPassword(t *testing.T) {
	tr := hardened(t)
	tr.set(confFile, strings.Replace(tr[confFile].text, "aclfile ", "# ", 1)+"requirepass "+password()+"\n")
	r, _ := judge(t, tr)
	f, err := NewFix(r, r.Servers[0], rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	f.apply(tr)
	root := tr.write(t)
	fs, err := hostfs.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	defer fs.Close()
	s, err := ReadServer(t.Context(), fs, conf.Options{Path: "/" + confFile, Cwd: "/", Version: conf.Version{Valkey: true, Major: 8, Minor: 1}})
	if err != nil {
		t.Fatal(err)
	}
	if d := s.Default(); s.Open() || len(d.Passwords) != 1 || d.Passwords[0].Hash != digest(password()) || d.Allows("config|get") || !d.Allows("set") {
		t.Errorf("%+v", d)
	}
}

// TestFixAddsWhoIsMissing: an administrator and an application there must be, enabled.
func TestFixAddsWhoIsMissing(t *testing.T) {
	hash := " #" + digest(password()+"x")
	for _, c := range []struct {
		users, want string
	}{
		{"", "admin app"},
		{"user root on" + hash + " ~* &* +@all\n", "app"},
		{"user root off" + hash + " ~* &* +@all\n", "admin app"},
		{"user web on" + hash + " ~* &* +@all -@admin -@dangerous\n", "admin"},
		{"user web off" + hash + " ~* &* +@all -@admin -@dangerous\n", "admin app"},
		{"user stats on" + hash + " ~* +@read\n", "admin app"},
		{"user stats on" + hash + " ~* +@read\nuser root on #" + digest(password()+"y") + " ~* &* +@all\n", "app"},
	} {
		tr := hardened(t)
		tr.set(aclFile, "user default off\n"+c.users)
		r, _ := judge(t, tr)
		f := &Fix{}
		if err := f.users(r.Servers[0], rand.Reader); err != nil {
			t.Fatal(err)
		}
		var added []string
		for _, line := range f.ACL {
			if name := strings.Fields(line)[1]; name == "admin" || name == "app" {
				added = append(added, name)
			}
		}
		if got := strings.Join(added, " "); got != c.want {
			t.Errorf("with %q, added are %q, not %q", c.users, got, c.want)
		}
	}
}
