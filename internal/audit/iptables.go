package audit

import (
	"slices"
	"strings"
)

// readIptables reads what iptables-save writes. Packets enter base, whose policy
// is drops where the file has none.
func readIptables(file, text, base string, drops bool) *ruleset {
	s := &ruleset{file: file}
	n, filter := 0, true
	entry := s.chain(base, Place{File: file})
	entry.drops = drops
	s.bases = []*chain{entry}
	for line := range strings.Lines(text) {
		n++
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		at := Place{file, n}
		switch {
		case words[0][0] == '*':
			filter = words[0] == "*filter"
		case !filter:
		case words[0][0] == ':' && len(words) > 1:
			c := s.chain(words[0][1:], at)
			if c.at = at; words[1] != "-" {
				c.drops = words[1] == "DROP"
			}
		case words[0] == "-P" && len(words) > 2:
			s.chain(words[1], at).drops = words[2] == "DROP"
		case (words[0] == "-A" || words[0] == "-I") && len(words) > 2:
			c := s.chain(words[1], at)
			r := iptablesRule(words[2:])
			r.at = at
			if words[0] == "-I" {
				c.rules = slices.Insert(c.rules, 0, r)
			} else {
				c.rules = append(c.rules, r)
			}
		}
	}
	return s
}

var iptablesVerdicts = map[string]verdict{"ACCEPT": accepts, "DROP": refuses, "REJECT": refuses, "RETURN": returns, "LOG": goesOn, "NFLOG": goesOn,
	"ufw-user-limit": refuses, "ufw-user-limit-accept": accepts}

// iptablesRule reads the options of a rule (iptables(8), iptables-extensions(8)).
func iptablesRule(words []string) rule {
	var r rule
	not := false
	for i := 0; i < len(words); i++ {
		value := ""
		if i+1 < len(words) {
			value = words[i+1]
		}
		switch words[i] {
		case "!":
			not = true
			continue
		case "-p", "--protocol":
			r.others = r.others || (value != "tcp" && value != "all") != not
		case "-s", "--source", "--src":
			r.others = r.others || !not && value != "0.0.0.0/0" && value != "::/0"
		case "-i", "--in-interface":
			r.others = r.others || !not
		case "--dport", "--dports", "--destination-port", "--destination-ports":
			r.ports, r.except = parsePorts(value), not
		case "--ctstate", "--state":
			r.others = r.others || strings.Contains(value, "NEW") == not
		case "--connlimit-above", "--hashlimit-above", "--hitcount":
			r.limits, r.over = true, true
		case "--connlimit-upto", "--hashlimit-upto", "--hashlimit", "--limit":
			r.limits = true
		case "--set", "--update", "--rcheck": // of recent: it is about those seen before
			r.over = r.over || words[i] != "--set"
		case "-j", "--jump", "-g", "--goto":
			v, ok := iptablesVerdicts[value]
			switch r.verdict = v; {
			case ok:
			case words[i] == "-g" || words[i] == "--goto":
				r.verdict, r.target = goesTo, value
			default:
				r.verdict, r.target = jumpsTo, value
			}
			if strings.HasPrefix(value, "ufw-user-limit") {
				r.limits = true
			}
		}
		not = false
	}
	return r
}
