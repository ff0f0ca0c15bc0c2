package audit

import (
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/conf"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// slowLibrary is a function library that calls what it should not.
const slowLibrary = "#!lua name=slow\nredis.register_function('f', function() return redis.call('KEYS', '*') end)"

// auditorOnly: the user may ask, and do nothing else.
func auditorOnly(t *testing.T, socket string) {
	t.Helper()
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	c := servertest.NewClient(conn)
	defer c.Close()
	if _, err := c.Do("AUTH", "auditor", password()); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"GET", "k"}, {"SET", "k", "v"}, {"KEYS", "*"}, {"CONFIG", "SET", "timeout", "1"}, {"CONFIG", "REWRITE"}, {"ACL", "SETUSER", "x"}, {"ACL", "SAVE"},
		{"CLIENT", "KILL", "TYPE", "normal"}, {"MODULE", "LOAD", "/x"}, {"FUNCTION", "FLUSH"}, {"FLUSHALL"}, {"SHUTDOWN"}, {"PUBLISH", "c", "m"}, {"EVAL", "return 1", "0"}} {
		_, err := c.Do(args...)
		// What the version does not have, or no user may do, is refused before.
		if err == nil || !strings.Contains(err.Error(), "NOPERM") && !strings.Contains(err.Error(), "unknown command") && !strings.Contains(err.Error(), "not allowed") {
			t.Errorf("the auditor may %s: %v", args[0], err)
		}
	}
}

// TestLive asks real servers, and finds what was changed on them and not in
// their files.
func TestLive(t *testing.T) {
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		var protected []string
		if s.Major() >= 7 {
			protected = []string{"--enable-protected-configs", "yes"}
		}
		i := s.Start(t, "", protected...)
		socket := i.Must(t, "CONFIG", "GET", "unixsocket").([]any)[1].(string)
		ask := func() *Live {
			t.Helper()
			l, err := Ask(t.Context(), LiveOptions{Address: socket, User: "auditor", Password: password()})
			if err != nil {
				t.Fatal(err)
			}
			return l
		}
		if _, err := Ask(t.Context(), LiveOptions{Address: filepath.Join(t.TempDir(), "none")}); err == nil {
			t.Error("a server that is not there answers")
		}
		v, err := conf.ParseVersion(s.Name)
		if err != nil {
			t.Fatal(err)
		}
		rules := strings.Fields(strings.Replace(LiveUser(v), "#SHA256-OF-A-PASSWORD", "#"+digest(password()), 1))[1:]
		i.Must(t, append([]string{"ACL", "SETUSER"}, rules...)...)
		auditorOnly(t, socket)

		l := ask()
		if len(l.server.Problems) > 0 {
			t.Errorf("the auditor may not ask: %+v", l.server.Problems)
		}
		want, _ := strings.CutPrefix(s.Name, "valkey-")
		want = strings.TrimPrefix(want, "redis-")
		if l.server.Version.Valkey != s.Valkey() || !strings.HasPrefix(l.server.Version.String(), strings.SplitN(s.Name, "-", 2)[0]+"-"+strings.SplitN(want, ".", 2)[0]) {
			t.Errorf("the version is %v", l.server.Version)
		}

		// Its file, as it was started; then somebody changes the server.
		text := "port 0\nunixsocket " + socket + "\ndir " + i.Dir + "\nsave \"\"\nlogfile " + i.Must(t, "CONFIG", "GET", "logfile").([]any)[1].(string) + "\n"
		if s.Major() >= 7 {
			text += "enable-debug-command yes\nenable-protected-configs yes\n"
		}
		tr := tree{confFile: {mode: 0o600, text: text + "user auditor " + strings.Join(rules[1:], " ") + "\n"}}
		judgeLive := func(l *Live) (*Report, map[string]Status) {
			r, err := Run(t.Context(), image(t, tr), []string{"/etc/valkey"}, &Options{Now: now, Version: l.server.Version, Live: l})
			if err != nil {
				t.Fatal(err)
			}
			return r, statuses(r)
		}
		if r, got := judgeLive(l); got["VFS-CONF-008"] == Fail {
			t.Errorf("differences where there are none\n%s", explain(r, "VFS-CONF-008"))
		}
		i.Must(t, "CONFIG", "SET", "dbfilename", "root")
		i.Must(t, "CONFIG", "SET", "masterauth", password())
		i.Must(t, "ACL", "SETUSER", "backdoor", "on", "nopass", "+@all", "~*")
		i.Must(t, "KEYS", "*")
		if s.Major() >= 7 {
			i.Must(t, "FUNCTION", "LOAD", slowLibrary)
		}
		l = ask()
		r, got := judgeLive(l)
		if got["VFS-SLOW-008"] != Fail || got["VFS-PASS-010"] != Pass || got["VFS-CONN-007"] != Pass || got["VFS-REPL-011"] != Pass || len(l.clients) == 0 || len(l.refusals) == 0 {
			t.Errorf("%d clients, %d refusals\n%s", len(l.clients), len(l.refusals), explain(r, "VFS-SLOW-008", "VFS-PASS-010", "VFS-CONN-007", "VFS-REPL-011"))
		}
		if s.Major() >= 7 && (got["VFS-SLOW-007"] != Fail || l.functions[0].SHA256 != digest(slowLibrary)) {
			t.Errorf("the function library is not judged: %v", l.functions)
		}
		text = explain(r, "VFS-CONF-008")
		if got["VFS-CONF-008"] != Fail || !strings.Contains(text, "dbfilename") || !strings.Contains(text, "primaryauth") || !strings.Contains(text, "backdoor") {
			t.Errorf("what was changed is not found:\n%s", text)
		}
		if strings.Contains(text, password()) {
			t.Error("a secret is shown")
		}
		if got["VFS-INTEG-003"] != Fail {
			t.Errorf("the running server is not judged: %s", got["VFS-INTEG-003"])
		}
	})
}
