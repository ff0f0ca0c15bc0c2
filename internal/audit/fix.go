package audit

import (
	"encoding/hex"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/acl"
	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/internal/sds"
)

// fixKind says where a failure is mended.
type fixKind uint8

const (
	byHand fixKind = iota
	byConf         // the remedy is lines of the configuration file
	byACL          // users are defined anew
	byUnit         // the remedy is lines of the unit
	byMode         // the remedy is a chmod or chown
)

// fixedBy says where the failures of a check are mended; those of others need a
// hand: a certificate, a firewall, another host.
var fixedBy = map[string]fixKind{
	"VFS-AUTH-001": byACL, "VFS-AUTH-002": byACL, "VFS-AUTH-003": byConf, "VFS-AUTH-004": byConf, "VFS-AUTH-006": byConf,
	"VFS-PASS-001": byACL, "VFS-PASS-002": byACL, "VFS-PASS-003": byACL, "VFS-PASS-005": byACL, "VFS-PASS-006": byACL,
	"VFS-TLS-001": byConf, "VFS-TLS-002": byConf, "VFS-TLS-003": byConf, "VFS-TLS-004": byConf, "VFS-TLS-005": byConf, "VFS-TLS-006": byMode,
	"VFS-DATA-001": byMode, "VFS-DATA-002": byMode, "VFS-DATA-004": byMode, "VFS-DATA-008": byUnit, "VFS-DATA-012": byUnit, "VFS-DATA-013": byUnit, "VFS-DATA-014": byConf,
	"VFS-CONF-001": byACL, "VFS-CONF-002": byConf, "VFS-CONF-003": byConf, "VFS-CONF-004": byConf, "VFS-CONF-005": byMode,
	"VFS-MEM-001": byConf, "VFS-MEM-003": byConf, "VFS-MEM-004": byConf,
	"VFS-CONN-001": byUnit, "VFS-CONN-002": byConf, "VFS-CONN-003": byConf, "VFS-CONN-005": byConf,
	"VFS-SLOW-001": byACL, "VFS-SLOW-009": byACL, "VFS-SLOW-002": byConf, "VFS-SLOW-003": byConf, "VFS-SLOW-006": byConf,
	"VFS-INTEG-007": byMode,
	"VFS-REPL-001":  byConf, "VFS-REPL-008": byACL,
}

// Fix is what mends what can be mended without knowing more.
type Fix struct {
	ConfFile string   // to whose end Conf is to be added
	Conf     []string // what is said last holds
	Remove   []Place  // lines of the configuration that stand in the way
	ACLFile  string
	ACL      []string // the whole of the ACL file
	Unit     string   // whose drop-in it is
	DropIn   []string
	Commands []string
	// Passwords are those that were made, by user. They are shown once.
	Passwords []NewPassword
	ByHand    []string // ids of the failing checks that need a hand
}

// NewPassword is a password that was made for a user.
type NewPassword struct{ User, Password string }

// NewFix returns what mends the failures of one server of a report. random is
// where new passwords come from.
func NewFix(r *Report, s *Subject, random io.Reader) (*Fix, error) {
	f := &Fix{}
	if s.Server == nil || s.Container != nil {
		for i := range r.Results {
			if x := &r.Results[i]; x.Server == s.Name && x.Status == Fail {
				f.hand(x.Check.ID)
			}
		}
		return f, nil
	}
	f.ConfFile = s.Server.Conf.Path
	users := false
	certified := s.Server.Conf.Get("tls-cert-file").Text != ""
	for i := range r.Results {
		x := &r.Results[i]
		if x.Server != s.Name || x.Status != Fail {
			continue
		}
		kind := fixedBy[x.Check.ID]
		if kind == byConf && strings.HasPrefix(x.Check.ID, "VFS-TLS-00") && !certified {
			kind = byHand
			// A server that listens on this host only is not overheard.
			if x.Check.ID == "VFS-TLS-001" && slices.ContainsFunc(r.Results, func(o Result) bool {
				return o.Server == s.Name && o.Check.ID == "VFS-AUTH-003" && o.Status == Fail
			}) {
				continue
			}
		}
		switch kind {
		case byConf:
			f.line(&f.Conf, strings.Split(x.Remedy, "\n")...)
		case byACL:
			users = true
		case byUnit:
			f.line(&f.DropIn, x.Remedy)
		case byMode:
			f.line(&f.Commands, x.Remedy)
		default:
			f.hand(x.Check.ID)
		}
	}
	if s.Unit != nil && len(f.DropIn) > 0 {
		f.Unit = s.Unit.Name
		f.DropIn = append([]string{"[Service]"}, f.DropIn...)
	}
	if !users {
		return f, nil
	}
	if s.Server.Users.Cut || s.Server.Users.RulesCut {
		f.hand("the users, who are more than were looked at")
		return f, nil
	}
	return f, f.users(s, random)
}

func (f *Fix) hand(id string) { f.line(&f.ByHand, id) }

func (f *Fix) line(to *[]string, lines ...string) {
	for _, l := range lines {
		if !slices.Contains(*to, l) {
			*to = append(*to, l)
		}
	}
}

// restricted is taken from users that are neither administrators nor auditors.
var restricted = []string{"-@admin", "-@dangerous", "+info"}

// users writes the ACL file: passwords as hashes and weak ones anew, default off
// unless requirepass gives it a good one, administration for administrators, of
// whom there is one at least, as there is an application.
func (f *Fix) users(s *Subject, random io.Reader) error {
	f.ACLFile = s.Server.ACLFile
	if f.ACLFile == "" {
		f.ACLFile = path.Join(path.Dir(f.ConfFile), "users.acl")
		f.line(&f.Conf, "aclfile "+sds.Quote(f.ACLFile))
		for _, d := range s.Server.Conf.All("user") {
			f.Remove = append(f.Remove, atDirective(d))
		}
	}
	w := &userWriter{f: f, s: s, random: random, used: map[string]bool{}}
	admin, application := false, false
	for _, u := range s.Server.Users.List {
		if err := w.user(u); err != nil {
			return err
		}
		if u.Name != "default" && u.Enabled {
			admin, application = admin || u.AllowsAll(), application || !u.AllowsAll() && mayWrite(u)
		}
	}
	application = application || w.defaultOn
	for _, more := range []struct {
		there bool
		name  string
		rules []string
	}{{admin, "admin", []string{"~*", "+@all"}}, {application, "app", append([]string{"~*", "+@all"}, restricted...)}} {
		if more.there || s.Server.Users.Get(more.name) != nil {
			continue
		}
		hash, err := w.newPassword(more.name)
		if err != nil {
			return err
		}
		w.write(more.name, slices.Concat([]string{"on", "#" + hash}, more.rules)...)
	}
	return nil
}

type userWriter struct {
	f         *Fix
	s         *Subject
	random    io.Reader
	used      map[string]bool // hashes that another user has
	defaultOn bool
}

func (w *userWriter) write(name string, rules ...string) {
	w.f.ACL = append(w.f.ACL, "user "+name+" "+strings.Join(rules, " "))
}

// newPassword makes a password as ACL GENPASS does (acl.c: 256 bits).
func (w *userWriter) newPassword(user string) (hash string, err error) {
	b := make([]byte, 32)
	if _, err := io.ReadFull(w.random, b); err != nil {
		return "", err
	}
	p := hex.EncodeToString(b)
	w.f.Passwords = append(w.f.Passwords, NewPassword{user, p})
	return digest(p), nil
}

func (w *userWriter) user(u *acl.User) error {
	passwords := u.Passwords
	if u.Name == "default" && open(u) {
		d, ok := w.s.Server.Conf.Last("requirepass")
		if !ok || len(d.Args) != 1 || weakness(d.Args[0]) != "" {
			w.write(u.Name, "off")
			return nil
		}
		passwords = []acl.Password{{Hash: digest(d.Args[0])}} // what it was meant to be
	}
	if u.Name == "default" && !u.Enabled {
		w.write(u.Name, "off")
		return nil
	}
	rules := slices.DeleteFunc(slices.Clone(u.Rules), func(r string) bool {
		return strings.ContainsAny(r[:min(1, len(r))], "><#!") || slices.Contains([]string{"", "nopass", "resetpass"}, strings.ToLower(r))
	})
	if u.Rules == nil { // as requirepass made it
		rules = []string{"on", "~*", "+@all"}
	}
	rules = append(rules, "resetpass")
	for _, p := range passwords {
		_, common := dictionary()[p.Hash]
		if common || w.used[p.Hash] || p.Plain && weakness(p.Clear) != "" {
			hash, err := w.newPassword(u.Name)
			if err != nil {
				return err
			}
			p.Hash = hash
		}
		w.used[p.Hash] = true
		rules = append(rules, "#"+p.Hash)
	}
	if u.Enabled && !administrator(u) && !w.auditor(u) {
		rules = append(rules, restricted...)
	}
	w.defaultOn = w.defaultOn || u.Name == "default"
	w.write(u.Name, rules...)
	return nil
}

// auditor reports whether a user reads the configuration and changes nothing, or
// does nothing that needs restricting.
func (w *userWriter) auditor(u *acl.User) bool {
	return !mayWrite(u) && len(u.AllowsAny("config|set", "config|rewrite", "keys", "flushall", "flushdb", "slowlog|reset", "replicaof", "slaveof", "failover")) == 0
}

// WriteFix writes a fix for a reader: files, commands, and the passwords that
// were made.
func WriteFix(w io.Writer, f *Fix) error {
	p := report.NewPage(w, 0)
	part := func(title string, lines []string) {
		if len(lines) == 0 {
			return
		}
		p.Line("# " + report.Escape(title))
		for _, l := range lines {
			p.Line(report.Escape(l))
		}
		p.Line("")
	}
	var remove []string
	for _, at := range f.Remove {
		remove = append(remove, fmt.Sprintf("sed -i %dd %s", at.Line, at.File))
	}
	slices.Reverse(remove) // or the numbers would shift
	part("Remove what the ACL file takes the place of", remove)
	part("Add to the end of "+f.ConfFile, f.Conf)
	part("Write "+f.ACLFile+", mode 0600, owned by the server's user", f.ACL)
	part("Write /etc/systemd/system/"+f.Unit+".d/hardening.conf", f.DropIn)
	part("Run", f.Commands)
	var passwords []string
	for _, np := range f.Passwords {
		passwords = append(passwords, np.User+": "+np.Password)
	}
	part("Keep these passwords: they are shown once, and made anew each time", passwords)
	part("These need a hand", f.ByHand)
	return p.Flush()
}
