package audit

import (
	"strings"
	"testing"
)

// TestPolicy: patterns are the server's, and a policy that is none is refused.
func TestPolicy(t *testing.T) {
	for _, test := range []struct {
		pattern, key string
		want         bool
	}{
		{"config:*", "config:a", true}, {"config:*", "xconfig:a", false}, {"k?y", "key", true}, {"k?y", "ky", false}, {"k[ae]y", "kay", true}, {"k[^e]y", "key", false},
		{`a\*b`, "a*b", true}, {`a\*b`, "axb", false}, {"a.b", "axb", false}, {"[", "[", true}, {"*", "a\nb\xff", true},
	} {
		p, err := ParsePolicy([]byte("immutable:\n- '" + test.pattern + "'\n"))
		if err != nil {
			t.Fatal(err)
		}
		if p.covers([]byte(test.key)) != test.want {
			t.Errorf("%q and %q: want %v", test.pattern, test.key, test.want)
		}
	}
	for _, bad := range []string{"", "immutable: []", "immutable: x", "immutable: ['[z-a]']", "immutable: [a]\nmore: 1"} {
		if _, err := ParsePolicy([]byte(bad)); err == nil {
			t.Errorf("%q is taken for a policy", bad)
		}
	}
}

// TestHistories: what was typed is looked at, whatever program kept it, and no
// password is shown.
func TestHistories(t *testing.T) {
	secret := password()
	for name, line := range map[string]string{
		".bash_history":       "redis-cli -h cache -a " + secret + " ping",
		".zsh_history":        ": 1700000000:0;REDISCLI_AUTH=" + secret + " redis-cli ping",
		".rediscli_history":   "CONFIG SET requirepass " + secret,
		".valkeycli_history":  "acl setuser app on >" + secret + " +@read",
		".python_history":     "r = redis.Redis(host='cache', password='" + secret + "')",
		"fish_history":        "- cmd: valkey-cli --tls --pass " + secret,
		".sh_history":         "valkey-cli -u valkeys://:" + secret + "@cache:6379",
		".node_repl_history":  "redis://:" + secret + "@cache",
		".rediscli_history-2": "",
	} {
		tr := tree{confFile: private("port 0\n"), "home/me/" + name: private("ls\n" + line + "\n")}
		r, err := Run(t.Context(), image(t, tr), []string{"/etc", "/home"}, &Options{Now: now})
		if err != nil {
			t.Fatal(err)
		}
		if got := statuses(r)["VFS-PASS-008"]; (got == Fail) != (line != "") {
			t.Errorf("%s: %s", name, got)
		}
		if strings.Contains(explain(r), secret) {
			t.Errorf("%s: the password is shown", name)
		}
	}
	// Without paths, the homes of the host are looked at.
	tr := tree{confFile: private("port 0\n"), "root/.rediscli_history": private("auth " + secret + "\n"), "home/me/.local/share/fish/fish_history": private("- cmd: redis-cli -a " + secret + "\n")}
	r, err := Run(t.Context(), image(t, tr), nil, &Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if text := explain(r, "VFS-PASS-008"); strings.Count(text, "fail") != 2 {
		t.Error(text)
	}
}
