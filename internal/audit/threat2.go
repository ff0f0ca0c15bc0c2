package audit

import (
	"slices"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/acl"
)

// Weak authentication.
var threat2 = []Check{
	{ID: "VFS-PASS-001", Threat: 2, Severity: High, Title: "Passwords are strong", References: []string{"NIST 800-53 IA-5", "CWE-521", "ATT&CK T1110"}, run: checkStrength},
	{ID: "VFS-PASS-002", Threat: 2, Severity: Critical, Title: "No password is a common one", References: []string{"NIST 800-53 IA-5", "STIG V-251223", "CWE-521", "ATT&CK T1110"}, run: checkDictionary},
	{ID: "VFS-PASS-003", Threat: 2, Severity: Medium, Title: "No two users share a password", References: []string{"NIST 800-53 IA-5"}, run: checkShared},
	{ID: "VFS-PASS-004", Threat: 2, Severity: Medium, Title: "Passwords to other servers are not those of users", References: []string{"NIST 800-53 IA-5"}, run: checkReuse},
	{ID: "VFS-PASS-005", Threat: 2, Severity: Medium, Title: "Users' passwords are stored as hashes", References: []string{"NIST 800-53 IA-5", "STIG V-251223", "CWE-256", "ATT&CK T1552.001"}, run: checkCleartext},
	{ID: "VFS-PASS-006", Threat: 2, Severity: Critical, Title: "No user but default is without a password", References: []string{"NIST 800-53 IA-5", "STIG V-251222", "CWE-306"}, run: checkNoPass},
	{ID: "VFS-PASS-007", Threat: 2, Severity: Low, Title: "Guessing is slowed down", References: []string{"NIST 800-53 AC-7", "CWE-307"}, run: checkGuessing},
	{ID: "VFS-PASS-008", Threat: 2, Severity: High, Title: "No password stands in units, manifests, environment or history", References: []string{"NIST 800-53 IA-5", "CWE-526", "ATT&CK T1552.001"}, run: checkLying},
	{ID: "VFS-PASS-010", Threat: 2, Severity: Medium, Title: "Nobody is guessing passwords", References: []string{"NIST 800-53 AU-6", "NIST 800-53 SI-4", "ATT&CK T1110"}, run: checkRefusals},
	{ID: "VFS-PASS-009", Threat: 2, Title: "Passwords come from a password manager", Standing: "where passwords are kept outside these files, no file shows", References: []string{"NIST 800-53 IA-5"}},
}

// maxJudgements bounds how many passwords zxcvbn looks at.
const maxJudgements = 2000

func userPlace(s *Subject, u *acl.User) Place {
	if u.File != "" {
		return Place{u.File, u.Line}
	}
	return Place{File: s.Name}
}

const genPass = "ACL GENPASS makes one; store it as #SHA256"

// heldPassword is a password in clear, and where it stands.
type heldPassword struct {
	at       Place
	whose    string
	password string
}

// passwords returns those in clear, and how many there are as hashes only.
func (s *Subject) passwords() (held []heldPassword, hashes int) {
	for _, u := range s.Server.Users.List {
		for _, p := range u.Passwords {
			if p.Plain && !s.elsewhere(p.Clear) {
				held = append(held, heldPassword{userPlace(s, u), "the password of user " + clip(u.Name), p.Clear})
			} else {
				hashes++
			}
		}
	}
	if d, ok := s.Server.Conf.Last("primaryauth"); ok && len(d.Args) == 1 {
		held = append(held, heldPassword{atDirective(d), "the password for the primary", d.Args[0]})
	}
	for _, d := range s.Server.Conf.All("sentinel") {
		if len(d.Args) == 3 && strings.EqualFold(d.Args[0], "auth-pass") {
			held = append(held, heldPassword{atDirective(d), "sentinel auth-pass", d.Args[2]})
		}
		if len(d.Args) == 2 && strings.EqualFold(d.Args[0], "sentinel-pass") {
			held = append(held, heldPassword{atDirective(d), "sentinel sentinel-pass", d.Args[1]})
		}
	}
	return slices.DeleteFunc(held, func(h heldPassword) bool { return h.password == "" }), hashes
}

func checkStrength(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	held, hashes := s.passwords()
	var fs []Answer
	for i, why := range weaknesses(held[:min(len(held), maxJudgements)]) {
		if why != "" {
			fs = append(fs, fail(held[i].at, genPass, "%s: %s", held[i].whose, why))
		}
	}
	switch {
	case len(fs) > 0 || s.Server.Users.Cut:
		return s.ofUsers(fs, Place{}, "")
	case len(held) > maxJudgements:
		return unknown("more than %d passwords; those looked at are strong", maxJudgements)
	case hashes > 0:
		return unknown("stored as hashes or elsewhere, which does not tell their length: %d passwords (common ones are another check's)", hashes)
	case len(held) == 0:
		return na("no passwords")
	}
	return pass(Place{File: s.Name}, "%d passwords of at least %d mixed characters that are hard to guess", len(held), minLength)
}

func clip(name string) string {
	if len(name) > 40 {
		return name[:40] + "…"
	}
	return name
}

func checkDictionary(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	var fs []Answer
	n := 0
	for _, u := range s.Server.Users.List {
		for _, p := range u.Passwords {
			n++
			if _, ok := dictionary()[p.Hash]; ok {
				fs = append(fs, fail(userPlace(s, u), genPass, "user %s has a password from a dictionary of common ones; an unsalted SHA-256 does not hide it", clip(u.Name)))
			}
		}
	}
	if n == 0 && !s.Server.Users.Cut {
		return na("no passwords")
	}
	return s.ofUsers(fs, Place{File: s.Name}, "none of %d passwords is in the dictionary", n)
}

func checkShared(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	first := map[string]*acl.User{}
	var fs []Answer
	for _, u := range s.Server.Users.List {
		for _, p := range u.Passwords {
			if o := first[p.Hash]; o == nil {
				first[p.Hash] = u
			} else if o != u {
				fs = append(fs, fail(userPlace(s, u), genPass, "users %s and %s have the same password", clip(o.Name), clip(u.Name)))
			}
		}
	}
	if len(first) == 0 && !s.Server.Users.Cut {
		return na("no passwords")
	}
	return s.ofUsers(fs, Place{File: s.Name}, "all %d passwords differ", len(first))
}

func checkReuse(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	// The user that a replica is on its primary may be one that it has, too.
	primary := s.Server.Conf.Get("primaryuser").Text
	owners := map[string]*acl.User{}
	for _, u := range s.Server.Users.List {
		for _, p := range u.Passwords {
			if u.Name != primary {
				owners[p.Hash] = u
			}
		}
	}
	var fs []Answer
	n := 0
	look := func(where Place, what, password string) {
		n++
		if u := owners[digest(password)]; u != nil {
			fs = append(fs, fail(where, "a user of its own for replication, with a password of its own", "%s is the password of user %s", what, clip(u.Name)))
		}
	}
	if d, ok := s.Server.Conf.Last("primaryauth"); ok && len(d.Args) == 1 {
		look(atDirective(d), d.Name, d.Args[0])
	}
	for _, d := range s.Server.Conf.All("sentinel") {
		if len(d.Args) == 3 && strings.EqualFold(d.Args[0], "auth-pass") {
			look(atDirective(d), "sentinel auth-pass", d.Args[2])
		}
	}
	if n == 0 {
		return na("no passwords to other servers")
	}
	return s.ofUsers(fs, Place{File: s.Name}, "no user has the password to another server")
}

func checkCleartext(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	var fs []Answer
	n := 0
	for _, u := range s.Server.Users.List {
		for _, p := range u.Passwords {
			n++
			if p.Plain && !s.elsewhere(p.Clear) {
				fs = append(fs, fail(userPlace(s, u), "store #SHA256 of it in an ACL file", "the password of user %s stands in clear", clip(u.Name)))
			}
		}
	}
	if n == 0 && !s.Server.Users.Cut {
		return na("no passwords")
	}
	return s.ofUsers(fs, Place{File: s.Name}, "%d passwords, all as hashes", n)
}

func checkNoPass(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	var fs []Answer
	for _, u := range s.Server.Users.List {
		if u.Name != "default" && u.Enabled && u.NoPass {
			a := fail(userPlace(s, u), "user "+clip(u.Name)+" resetpass", "user %s gets in with any password", clip(u.Name))
			if len(u.Commands()) == len(s.everyone()) {
				a = a.severe(Low)
			}
			fs = append(fs, a)
		}
	}
	return s.ofUsers(fs, Place{File: s.Name}, "every other user that is on has a password, or none is there")
}

// everyone is what a user without rights can run.
func (s *Subject) everyone() []string {
	return acl.NewUser(acl.For(s.Server.Version), "").Commands()
}

func checkGuessing(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	if !s.Server.Public() {
		return na("the server listens on this host only")
	}
	if s.host.fail2ban != nil {
		return pass(*s.host.fail2ban, "a fail2ban jail is enabled")
	}
	if s.host.firewall != nil {
		for _, l := range s.Server.Listeners() {
			if v := s.host.firewall.Port(l.Port); v.Limited != nil {
				return pass(*v.Limited, "a firewall rule limits connections to port %d", l.Port)
			}
		}
	}
	return unknown("neither a fail2ban jail nor a firewall rule that limits connections was found; the server itself has no lockout")
}

// harmless reports whether what a variable with a password's name holds is none.
func harmless(value string) bool {
	if value == "" || value[0] == '$' {
		return true
	}
	switch strings.ToLower(value) {
	case "yes", "no", "true", "false", "0", "1", "on", "off":
		return true
	}
	return false
}

func checkLying(s *Subject) []Answer {
	var fs []Answer
	clients := s.clients()
	looked := len(s.host.clients) > 0
	for _, c := range clients {
		if c.password {
			fs = append(fs, fail(c.Place, "read it from a secret store or a 0600 file", "a client's password stands in clear"))
		}
	}
	if s.Container != nil {
		looked = true
		for _, v := range s.Container.Env {
			name := strings.ToUpper(v.name)
			if (strings.Contains(name, "PASS") || strings.Contains(name, "AUTH")) && !harmless(v.value) && !strings.HasSuffix(name, "_FILE") {
				fs = append(fs, fail(v.Place, "use a secret", "%s holds a password in clear", clip(v.name)))
			}
		}
	}
	args := []string(nil)
	where := Place{}
	if s.Unit != nil {
		args, looked = s.Unit.Args, true
		_, where = s.Unit.Get("ExecStart")
	} else if s.Container != nil {
		args, where = s.Container.Words, s.Container.Place
	}
	for i, a := range args {
		switch a {
		case "--requirepass", "--masterauth", "--primaryauth", "--tls-key-file-pass", "-a", "--user":
			if i+1 < len(args) && !strings.HasPrefix(args[i+1], "$") {
				fs = append(fs, fail(where, "put it into the configuration file", "%s on the command line, which every process of the host sees", a))
			}
		}
	}
	if !looked {
		return unknown("no unit, manifest, environment file or history was among the paths")
	}
	return orPass(fs, where, "none found")
}
