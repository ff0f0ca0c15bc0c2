package audit

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/hostfs"
)

// Firewall is what a host's rule files say of inbound connections. They are
// judged line by line, which tells what they admit to a port, not a packet's way
// through chains.
type Firewall struct {
	Files []string
	lines []firewallLine
	drops *Place // incoming connections are refused unless a rule admits them
}

type firewallLine struct {
	text string
	at   Place
}

// firewallFiles are where distributions keep rules that are loaded at boot.
var firewallFiles = []string{"/etc/nftables.conf", "/etc/sysconfig/nftables.conf", "/etc/nftables/*.nft", "/etc/iptables/rules.v4", "/etc/iptables/rules.v6",
	"/etc/sysconfig/iptables", "/etc/ufw/user.rules", "/etc/ufw/user6.rules", "/etc/ufw/ufw.conf", "/etc/default/ufw", "/etc/firewalld/zones/*.xml", "/etc/firewalld/firewalld.conf"}

var (
	nftDrop      = regexp.MustCompile(`hook\s+input\b.*policy\s+drop`)
	iptablesDrop = regexp.MustCompile(`^:(INPUT|ufw-user-input)\s+DROP|^-P\s+INPUT\s+DROP`)
	ufwDrop      = regexp.MustCompile(`^DEFAULT_INPUT_POLICY="?(DROP|REJECT)`)
)

// readFirewall returns what a host's rule files say, nil if it has none.
func readFirewall(fs *hostfs.FS) *Firewall {
	f := &Firewall{}
	ufw := ""
	for _, pattern := range firewallFiles {
		names, err := fs.Glob(pattern, 100)
		if err != nil {
			continue
		}
		for _, name := range names {
			text, err := fs.ReadFile(name, maxText)
			if err != nil {
				continue
			}
			if path.Base(name) == "ufw.conf" {
				ufw = string(text)
			}
			f.read(name, string(text))
		}
	}
	// ufw's rules count only where it is switched on (ufw.conf(5)).
	if ufw != "" && !regexp.MustCompile(`(?m)^ENABLED=yes`).MatchString(ufw) {
		f.forget("/ufw")
	}
	if len(f.Files) == 0 {
		return nil
	}
	return f
}

func (f *Firewall) read(name, text string) {
	f.Files = append(f.Files, name)
	n := 0
	zone := strings.HasSuffix(name, ".xml")
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		l := firewallLine{line, Place{name, n}}
		f.lines = append(f.lines, l)
		if f.drops == nil && (nftDrop.MatchString(line) || iptablesDrop.MatchString(line) || ufwDrop.MatchString(line) || zone && strings.Contains(line, "<zone")) {
			f.drops = &l.at
		}
	}
}

func (f *Firewall) forget(part string) {
	kept := f.lines[:0]
	for _, l := range f.lines {
		if !strings.Contains(l.at.File, part) {
			kept = append(kept, l)
		}
	}
	f.lines = kept
	if f.drops != nil && strings.Contains(f.drops.File, part) {
		f.drops = nil
	}
	files := f.Files[:0]
	for _, n := range f.Files {
		if !strings.Contains(n, part) {
			files = append(files, n)
		}
	}
	f.Files = files
}

// about returns the lines that name a port.
func (f *Firewall) about(port int64) []firewallLine {
	word := regexp.MustCompile(fmt.Sprintf(`(^|[^0-9])%d($|[^0-9])`, port))
	var ls []firewallLine
	for _, l := range f.lines {
		if word.MatchString(l.text) {
			ls = append(ls, l)
		}
	}
	return ls
}

var (
	admits  = regexp.MustCompile(`(?i)\baccept\b|\ballow\b|<port |<accept`)
	sources = regexp.MustCompile(`(?i)\bip6? saddr\b|(^| )(-s|--source) |\bfrom (\d|[0-9a-f]+:)|<source |### tuple ### allow \S+ \S+ \S+ \S+ (\d+\.\d+\.\d+\.\d+(/[1-9]\d*)?|[0-9a-f]+:[0-9a-f:]+(/[1-9]\d*)?) |iifname? |(^| )-i `)
	anyone  = regexp.MustCompile(`0\.0\.0\.0/0|::/0`)
	limits  = regexp.MustCompile(`(?i)connlimit|\bct count\b|\blimit rate\b|hashlimit|-m recent\b|\bmeter\b|<limit |### tuple ### limit`)
)

// Verdict says how a port is guarded.
type Verdict struct {
	Guarded bool   // connections are refused by default, and those admitted come from named places
	Open    bool   // a rule admits connections from everywhere
	Limited *Place // a rule bounds connections or their rate
	At      Place
}

// Port judges what the rules admit to a port.
func (f *Firewall) Port(port int64) Verdict {
	v := Verdict{At: Place{File: f.Files[0]}}
	for _, l := range f.about(port) {
		if limits.MatchString(l.text) && v.Limited == nil {
			v.Limited = &l.at
		}
		if admits.MatchString(l.text) && (!sources.MatchString(l.text) || anyone.MatchString(l.text)) {
			v.Open, v.At = true, l.at
		}
	}
	if f.drops != nil && !v.Open {
		v.Guarded, v.At = true, *f.drops
	}
	return v
}
