package audit

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/hostfs"
)

// Firewall is what a host's rule files say of inbound connections.
type Firewall struct {
	Files    []string
	rulesets []*ruleset
}

// ruleset is what filters the connections of one or both address families.
type ruleset struct {
	file   string
	chains map[string]*chain
	bases  []*chain          // those that every inbound packet enters
	sets   map[string]string // elements of nftables' named sets
}

type chain struct {
	name  string
	at    Place
	drops bool // what comes to its end is refused
	rules []rule
}

// rule is a rule as a new TCP connection from an address that nobody has named
// meets it.
type rule struct {
	at      Place
	ports   []portRange // nil: any
	except  bool        // any but those
	others  bool        // it is about named sources, other protocols, connections that are there
	limits  bool        // it bounds connections, or their rate
	over    bool        // and is about those above the bound
	verdict verdict
	target  string // of a jump or goto
}

type portRange struct{ from, to int64 }

type verdict uint8

const (
	goesOn verdict = iota // nothing is decided
	accepts
	refuses
	returns
	jumpsTo
	goesTo
)

func (r *rule) matches(port int64) bool {
	if r.ports == nil {
		return true
	}
	return slices.ContainsFunc(r.ports, func(p portRange) bool { return p.from <= port && port <= p.to }) != r.except
}

// parsePort reads "6379" or "6379-6380", also with a colon; named services are
// those of /etc/services for the server.
func parsePort(text string) (portRange, bool) {
	if text == "redis" {
		return portRange{6379, 6379}, true
	}
	from, to, isRange := strings.Cut(strings.ReplaceAll(text, ":", "-"), "-")
	if !isRange {
		to = from
	}
	a, e1 := strconv.ParseInt(from, 10, 32)
	b, e2 := strconv.ParseInt(to, 10, 32)
	return portRange{a, b}, e1 == nil && e2 == nil
}

// parsePorts reads a list between commas; what cannot be understood is no port,
// so that the rule is about others.
func parsePorts(list string) []portRange {
	ports := []portRange{}
	for p := range strings.SplitSeq(list, ",") {
		if r, ok := parsePort(strings.TrimSpace(p)); ok {
			ports = append(ports, r)
		}
	}
	return ports
}

// firewallFiles are where distributions keep rules that are loaded at boot.
var firewallFiles = []string{"/etc/nftables.conf", "/etc/sysconfig/nftables.conf", "/etc/nftables/*.nft", "/etc/nftables.d/*.nft", "/etc/iptables/rules.v4", "/etc/iptables/rules.v6",
	"/etc/iptables/iptables.rules", "/etc/sysconfig/iptables", "/etc/sysconfig/ip6tables", "/etc/ufw/user.rules", "/etc/ufw/user6.rules", "/etc/firewalld/zones/*.xml"}

// readFirewall returns what a host's rule files say, nil if it has none.
func readFirewall(fs *hostfs.FS) *Firewall {
	f := &Firewall{}
	ufw, ufwDrops := readUFW(fs)
	for _, pattern := range firewallFiles {
		names, err := fs.Glob(pattern, 100)
		if err != nil {
			continue
		}
		for _, name := range names {
			text, err := fs.ReadFile(name, maxText)
			if err != nil || strings.HasPrefix(name, "/etc/ufw/") && !ufw {
				continue
			}
			f.Files = append(f.Files, name)
			switch {
			case strings.HasSuffix(name, ".xml"):
				f.rulesets = append(f.rulesets, readZone(name, text))
			case strings.Contains(name, "nft"):
				f.rulesets = append(f.rulesets, readNftables(name, string(text)))
			case ufw && strings.HasPrefix(name, "/etc/ufw/"):
				f.rulesets = append(f.rulesets, readIptables(name, string(text), "ufw-user-input", ufwDrops))
			default:
				f.rulesets = append(f.rulesets, readIptables(name, string(text), "INPUT", false))
			}
		}
	}
	if len(f.Files) == 0 {
		return nil
	}
	return f
}

// readUFW returns whether ufw is switched on, and whether it refuses what no rule
// admits (ufw-framework(8)).
func readUFW(fs *hostfs.FS) (on, drops bool) {
	if text, err := fs.ReadFile("/etc/ufw/ufw.conf", maxText); err == nil {
		on = shellVariable(string(text), "ENABLED") == "yes"
	}
	drops = true // the default of the package
	if text, err := fs.ReadFile("/etc/default/ufw", maxText); err == nil {
		drops = shellVariable(string(text), "DEFAULT_INPUT_POLICY") != "ACCEPT"
	}
	return on, drops
}

// shellVariable returns a variable of a shell's file.
func shellVariable(text, name string) string {
	value := ""
	for line := range strings.Lines(text) {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), "="); ok && k == name {
			value = strings.Trim(v, `"'`)
		}
	}
	return value
}

// Verdict says how a port is guarded.
type Verdict struct {
	Guarded bool   // a connection from an address that nobody has named is refused
	Open    bool   // it is admitted
	Limited *Place // a rule bounds connections or their rate
	At      Place
}

// Port judges what becomes of a new connection to a port from an address that no
// rule names. All base chains of a file have to admit it, and of several files
// that guard different address families each counts.
func (f *Firewall) Port(port int64) Verdict {
	v := Verdict{At: Place{File: f.Files[0]}}
	for _, set := range f.rulesets {
		w := &walk{set: set, port: port}
		out, at := w.bases()
		if v.Limited == nil {
			v.Limited = w.limited
		}
		switch {
		case out == accepts && !v.Open:
			v.Open, v.Guarded, v.At = true, false, at
		case out == refuses && !v.Open && !v.Guarded:
			v.Guarded, v.At = true, at
		}
	}
	return v
}

// walk is the way of a connection through the chains of a file.
type walk struct {
	set     *ruleset
	port    int64
	steps   int
	limited *Place
}

// Bounds on what hostile rules can cost.
const (
	maxSteps = 100_000
	maxJumps = 16 // nftables, NFT_JUMP_STACK_SIZE
)

// bases goes through all base chains: one that refuses is enough. It goes on
// where nothing is filtered.
func (w *walk) bases() (verdict, Place) {
	out, where := goesOn, Place{File: w.set.file}
	for _, c := range w.set.bases {
		v, at := w.chain(c, 0)
		if v != accepts && v != refuses {
			if v, at = accepts, c.at; c.drops {
				v = refuses
			} else if !w.set.guards() {
				v = goesOn
			}
		}
		if v == refuses {
			return v, at
		}
		if v == accepts {
			out, where = v, at
		}
	}
	return out, where
}

// guards reports whether there are any rules, so that the file is not merely the
// one that a distribution ships.
func (s *ruleset) guards() bool {
	for _, c := range s.chains {
		if len(c.rules) > 0 {
			return true
		}
	}
	return false
}

func (w *walk) chain(c *chain, depth int) (verdict, Place) {
	if depth > maxJumps {
		return goesOn, c.at
	}
	for i := range c.rules {
		r := &c.rules[i]
		if w.steps++; w.steps > maxSteps {
			return goesOn, r.at
		}
		if !r.matches(w.port) {
			continue
		}
		if r.limits && w.limited == nil {
			w.limited = &r.at
		}
		if r.others || r.over {
			w.limitsBelow(r, depth)
			continue
		}
		switch r.verdict {
		case accepts, refuses, returns:
			return r.verdict, r.at
		case jumpsTo, goesTo:
			to := w.set.chains[r.target]
			if to == nil {
				continue
			}
			v, at := w.chain(to, depth+1)
			if v == accepts || v == refuses || r.verdict == goesTo {
				return v, at
			}
		}
	}
	return goesOn, c.at
}

// limitsBelow looks for bounds in the chain into which a rule sends named sources.
func (w *walk) limitsBelow(r *rule, depth int) {
	if to := w.set.chains[r.target]; to != nil && w.limited == nil && (r.verdict == jumpsTo || r.verdict == goesTo) {
		_, _ = w.chain(to, depth+1)
	}
}

func (s *ruleset) chain(name string, at Place) *chain {
	if s.chains == nil {
		s.chains, s.sets = map[string]*chain{}, map[string]string{}
	}
	if s.chains[name] == nil {
		s.chains[name] = &chain{name: path.Base(name), at: at}
	}
	return s.chains[name]
}
