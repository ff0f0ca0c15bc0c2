package audit

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

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
		rules := strings.Fields(strings.Replace(LiveUser, "#SHA256-OF-A-PASSWORD", "#"+digest(password()), 1))[1:]
		if s.Major() == 6 { // no channels, and no subcommands with their own rules
			rules = strings.Fields("auditor on #" + digest(password()) + " -@all +hello +config|get +acl|list +info +module|list")
		}
		i.Must(t, append([]string{"ACL", "SETUSER"}, rules...)...)

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
		r, got := judgeLive(ask())
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
