package audit

import (
	"regexp"
	"strings"
)

// readNftables reads a file of rules as nft(8) takes them, blocks as well as
// "add rule" commands. Packets enter the chains that are hooked to input.
func readNftables(file, text string) *ruleset {
	p := &nftParser{set: &ruleset{file: file}, file: file, variables: map[string]string{}}
	p.set.chain("", Place{File: file}) // makes the maps
	for _, st := range nftStatements(text) {
		p.statement(st)
	}
	return p.set
}

type nftParser struct {
	set       *ruleset
	file      string
	table     string
	in        string // "" outside of tables, else "table", "chain" or "set"
	name      string // of the chain or set
	variables map[string]string
}

// nftStatement is what stands between line ends, semicolons and the braces of
// blocks; opens and closes tell of the latter.
type nftStatement struct {
	text   string
	line   int
	opens  bool
	closes bool
}

var nftBlock = regexp.MustCompile(`^(?:add |create )?(?:table|chain|set|map|flowtable|counter|quota|limit|ct helper|ct timeout|ct expectation)\b`)

// nftStatements splits a text. Braces that open no block are part of a statement:
// they hold the elements of a set.
func nftStatements(text string) []nftStatement {
	var all []nftStatement
	var b strings.Builder
	line, start, inline := 1, 1, 0
	quoted, comment := false, false
	emit := func(opens, closes bool) {
		if t := strings.TrimSpace(b.String()); t != "" || opens || closes {
			all = append(all, nftStatement{t, start, opens, closes})
		}
		b.Reset()
		start = line
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '\n' {
			comment = false
			line++
		}
		switch {
		case comment:
		case c == '"':
			quoted = !quoted
			b.WriteByte(c)
		case quoted && c != '\n':
			b.WriteByte(c)
		case c == '#':
			comment = true
		case c == '\\' && i+1 < len(text) && text[i+1] == '\n':
			i++
			line++
		case inline > 0:
			if c == '{' {
				inline++
			} else if c == '}' {
				inline--
			}
			if c == '\n' {
				c = ' '
			}
			b.WriteByte(c)
		case c == '{' && nftBlock.MatchString(strings.TrimSpace(b.String())):
			emit(true, false)
		case c == '{':
			inline++
			b.WriteByte(c)
		case c == '}':
			emit(false, false)
			emit(false, true)
		case c == ';' || c == '\n':
			quoted = false
			emit(false, false)
			start = line
		default:
			if strings.TrimSpace(b.String()) == "" {
				start = line
			}
			b.WriteByte(c)
		}
	}
	emit(false, false)
	return all
}

func (p *nftParser) statement(st nftStatement) {
	words := strings.Fields(strings.TrimPrefix(st.text, "add "))
	switch {
	case st.closes:
		if p.in == "table" {
			p.in = ""
		} else if p.in != "" {
			p.in = "table"
		}
	case st.opens && len(words) > 1:
		p.open(words)
	case len(words) == 0:
	case words[0] == "define" && len(words) > 3:
		p.variables[words[1]] = strings.Join(words[3:], " ")
	case words[0] == "rule" && len(words) > 4: // rule FAMILY TABLE CHAIN …
		p.rule(words[2]+"/"+words[3], strings.Join(words[4:], " "), st.line)
	case p.in == "set" && words[0] == "elements":
		_, list, _ := strings.Cut(st.text, "{")
		p.set.sets[p.name] += strings.TrimSuffix(strings.TrimSpace(list), "}") + ","
	case p.in == "chain" && words[0] == "type":
		if strings.Contains(st.text, "hook input") && words[1] == "filter" {
			p.set.bases = append(p.set.bases, p.set.chain(p.name, Place{p.file, st.line}))
		}
	case p.in == "chain" && words[0] == "policy":
		p.set.chain(p.name, Place{p.file, st.line}).drops = len(words) > 1 && words[1] == "drop"
	case p.in == "chain":
		p.rule(p.name, st.text, st.line)
	}
}

// open enters a block: table FAMILY NAME, chain NAME, chain FAMILY TABLE NAME.
func (p *nftParser) open(words []string) {
	last := words[len(words)-1]
	switch {
	case words[0] == "table":
		p.in, p.table = "table", last
	case words[0] == "chain" && len(words) > 3:
		p.in, p.name = "chain", words[2]+"/"+last
	case words[0] == "chain":
		p.in, p.name = "chain", p.table+"/"+last
	default:
		p.in, p.name = "set", last
	}
}

var (
	nftVariable = regexp.MustCompile(`\$\w+`)
	nftQuoted   = regexp.MustCompile(`"[^"]*"`)
	nftComment  = regexp.MustCompile(`comment "[^"]*"`)
	nftOthers   = regexp.MustCompile(`\b(?:ip|ip6) saddr (?:[^!]|$)|\biif(?:name)? (?:[^!]|$)|\budp\b|\bicmp(?:v6)?\b|\b(?:ip protocol|ip6 nexthdr|meta l4proto) (?:udp|icmp|ipv6-icmp|igmp|esp|ah)|\bct state vmap\b`)
	nftAnyone   = regexp.MustCompile(`\b(?:ip|ip6) saddr (?:0\.0\.0\.0/0|::/0)`)
	nftState    = regexp.MustCompile(`\bct state (\{[^}]*\}|\S+)`)
	nftPorts    = regexp.MustCompile(`\bdport (!= )?(\{[^}]*\}|@?[\w-]+)`)
	nftPortMap  = regexp.MustCompile(`\bdport vmap \{([^}]*)\}`)
	nftLimit    = regexp.MustCompile(`\bct count\b|\blimit rate\b|\bmeter\b|\bquota\b`)
	nftVerdict  = regexp.MustCompile(`\b(accept|drop|reject|return)\b|\b(jump|goto) (\S+)`)
)

// rule adds a rule to a chain; a map of ports to verdicts is a rule for each.
func (p *nftParser) rule(to, text string, line int) {
	text = nftVariable.ReplaceAllStringFunc(text, func(v string) string { return p.variables[v[1:]] })
	text = nftQuoted.ReplaceAllString(nftComment.ReplaceAllString(text, ""), "name")
	r := rule{at: Place{p.file, line}, limits: nftLimit.MatchString(text)}
	r.over = r.limits && strings.Contains(text, " over ")
	r.others = nftOthers.MatchString(nftAnyone.ReplaceAllString(text, ""))
	if m := nftState.FindStringSubmatch(text); m != nil && !strings.Contains(m[1], "new") {
		r.others = true
	}
	c := p.set.chain(to, r.at)
	if m := nftPortMap.FindStringSubmatch(text); m != nil {
		for entry := range strings.SplitSeq(m[1], ",") {
			port, what, _ := strings.Cut(entry, " : ")
			one := r
			one.ports = parsePorts(port)
			one.decide(what, to)
			c.rules = append(c.rules, one)
		}
		return
	}
	if m := nftPorts.FindStringSubmatch(text); m != nil {
		list := strings.Trim(m[2], "{}")
		if strings.HasPrefix(list, "@") {
			list = p.set.sets[list[1:]]
		}
		r.ports, r.except = parsePorts(list), m[1] != ""
	}
	r.decide(text, to)
	c.rules = append(c.rules, r)
}

// decide reads the verdict of a rule; chains are those of its own table.
func (r *rule) decide(text, chain string) {
	m := nftVerdict.FindStringSubmatch(text)
	if m == nil {
		return
	}
	switch table, _, _ := strings.Cut(chain, "/"); m[1] + m[2] {
	case "accept":
		r.verdict = accepts
	case "drop", "reject":
		r.verdict = refuses
	case "return":
		r.verdict = returns
	case "jump":
		r.verdict, r.target = jumpsTo, table+"/"+m[3]
	case "goto":
		r.verdict, r.target = goesTo, table+"/"+m[3]
	}
}
