package audit

import (
	"strings"
	"testing"
)

// TestFirewall: what becomes of a connection from anywhere, by the way it takes
// through the chains.
func TestFirewall(t *testing.T) {
	nft := func(rules string) tree {
		return tree{"etc/nftables.conf": file("#!/usr/sbin/nft -f\nflush ruleset\ntable inet filter {\n" + rules + "\n}\n")}
	}
	input := func(policy string, rules ...string) string {
		return "chain input {\n type filter hook input priority filter; policy " + policy + ";\n iif lo accept\n ct state established,related accept\n" + strings.Join(rules, "\n") + "\n}\n"
	}
	v4 := func(rules ...string) tree {
		return tree{"etc/iptables/rules.v4": file("*nat\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp --dport 6379 -j DROP\nCOMMIT\n*filter\n" + strings.Join(rules, "\n") + "\nCOMMIT\n")}
	}
	ufw := func(enabled string, rules ...string) tree {
		return tree{"etc/ufw/ufw.conf": file("ENABLED=" + enabled + "\n"), "etc/default/ufw": file("DEFAULT_INPUT_POLICY=\"DROP\"\n"),
			"etc/ufw/user.rules": file("*filter\n:ufw-user-input - [0:0]\n### RULES ###\n" + strings.Join(rules, "\n") + "\nCOMMIT\n")}
	}
	zone := func(body string) tree {
		return tree{"etc/firewalld/zones/public.xml": file("<zone>" + body + "</zone>")}
	}
	for name, test := range map[string]struct {
		tr      tree
		want    string // open, guarded, unknown
		limited bool
	}{
		"drops":                    {nft(input("drop")), "guarded", false},
		"admits":                   {nft(input("drop", "tcp dport 6379 accept")), "open", false},
		"admits by a set":          {nft(input("drop", "tcp dport { 22, 6000-7000 } accept")), "open", false},
		"admits another":           {nft(input("drop", "tcp dport { 22, 80 } accept")), "guarded", false},
		"admits all others":        {nft(input("drop", "tcp dport != 22 accept")), "open", false},
		"named set":                {nft("set ports { type inet_service; elements = { 80,\n 6379 } }\n" + input("drop", "tcp dport @ports accept")), "open", false},
		"variable":                 {nft("define cache = 6379\n" + input("drop", "tcp dport $cache accept")), "open", false},
		"named sources":            {nft(input("drop", "ip saddr { 10.0.0.0/8, 192.0.2.1 } tcp dport 6379 accept")), "guarded", false},
		"everyone is named":        {nft(input("drop", "ip saddr 0.0.0.0/0 tcp dport 6379 accept")), "open", false},
		"all but named":            {nft(input("drop", "ip saddr != 10.0.0.0/8 tcp dport 6379 drop", "tcp dport 6379 accept")), "guarded", false},
		"drop before accept":       {nft(input("accept", "tcp dport 6379 drop", "tcp dport 6379 accept")), "guarded", false},
		"jump":                     {nft("chain services { tcp dport 6379 accept }\n" + input("drop", "jump services")), "open", false},
		"jump and return":          {nft("chain services {\n tcp dport 6379 return\n accept\n}\n" + input("drop", "jump services")), "guarded", false},
		"goto does not come back":  {nft("chain services {\n tcp dport 22 accept\n}\n" + input("drop", "goto services", "tcp dport 6379 accept")), "guarded", false},
		"map of verdicts":          {nft("chain cache {\n ip saddr 10.0.0.0/8 accept\n drop\n}\n" + input("drop", "tcp dport vmap { 22 : accept, 6379 : jump cache }")), "guarded", false},
		"map of verdicts, open":    {nft(input("drop", "tcp dport vmap { 22 : drop, 6379 : accept }")), "open", false},
		"chains in a circle":       {nft("chain a { jump b; }\nchain b { jump a; jump a; jump a; }\n" + input("drop", "jump a")), "guarded", false},
		"policy accept":            {nft(input("accept", "tcp dport 22 accept")), "open", false},
		"as shipped":               {nft("chain input { type filter hook input priority filter; }"), "unknown", false},
		"output only":              {nft("chain output { type filter hook output priority 0; policy drop; }"), "unknown", false},
		"udp":                      {nft(input("drop", "udp dport 6379 accept")), "guarded", false},
		"comment":                  {nft(input("drop", `tcp dport 22 accept comment "not 6379 accept { }"`)), "guarded", false},
		"limit of connections":     {nft(input("drop", "tcp dport 6379 ct count over 20 drop", "tcp dport 6379 accept")), "open", true},
		"limit of the rate":        {nft(input("drop", "tcp dport 6379 limit rate 10/second accept")), "open", true},
		"add rule":                 {tree{"etc/nftables.conf": file("add table inet f\nadd chain inet f input { type filter hook input priority 0; policy drop; }\nadd rule inet f input tcp dport 6379 accept\n")}, "open", false},
		"two tables":               {tree{"etc/nftables.conf": file("table ip a {\nchain i { type filter hook input priority 0; policy accept; tcp dport 6379 accept\n}\n}\ntable inet b {\nchain i { type filter hook input priority 5; policy drop; tcp dport 22 accept\n}\n}\n")}, "guarded", false},
		"iptables drops":           {v4(":INPUT DROP [0:0]", "-A INPUT -i lo -j ACCEPT"), "guarded", false},
		"iptables admits":          {v4(":INPUT DROP [0:0]", "-A INPUT -p tcp -m tcp --dport 6379 -j ACCEPT"), "open", false},
		"iptables several":         {v4(":INPUT DROP [0:0]", "-A INPUT -p tcp -m multiport --dports 22,6379:6380 -j ACCEPT"), "open", false},
		"iptables named":           {v4(":INPUT DROP [0:0]", "-A INPUT -s 10.0.0.0/8 -p tcp --dport 6379 -j ACCEPT"), "guarded", false},
		"iptables all but named":   {v4(":INPUT ACCEPT [0:0]", "-A INPUT ! -s 10.0.0.0/8 -p tcp --dport 6379 -j DROP"), "guarded", false},
		"iptables chain":           {v4(":INPUT DROP [0:0]", ":CACHE - [0:0]", "-A INPUT -p tcp --dport 6379 -j CACHE", "-A CACHE -s 10.0.0.1 -j RETURN", "-A CACHE -j ACCEPT"), "open", false},
		"iptables goto":            {v4(":INPUT DROP [0:0]", ":CACHE - [0:0]", "-A INPUT -p tcp --dport 6379 -g CACHE", "-A CACHE -s 10.0.0.1 -j ACCEPT", "-A INPUT -j ACCEPT"), "guarded", false},
		"iptables reject at end":   {v4(":INPUT ACCEPT [0:0]", "-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT", "-A INPUT -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT", "-A INPUT -j REJECT --reject-with icmp-host-prohibited"), "guarded", false},
		"iptables connlimit":       {v4(":INPUT DROP [0:0]", "-A INPUT -p tcp --dport 6379 -m connlimit --connlimit-above 20 -j REJECT", "-A INPUT -s 10.0.0.0/8 -p tcp --dport 6379 -j ACCEPT"), "guarded", true},
		"iptables policy accept":   {v4(":INPUT ACCEPT [0:0]", "-A INPUT -p tcp --dport 22 -j ACCEPT"), "open", false},
		"ufw":                      {ufw("yes", "-A ufw-user-input -p tcp --dport 6379 -s 10.0.0.0/8 -j ACCEPT"), "guarded", false},
		"ufw admits":               {ufw("yes", "-A ufw-user-input -p tcp --dport 6379 -j ACCEPT"), "open", false},
		"ufw is off":               {ufw("no", "-A ufw-user-input -p tcp --dport 6379 -j ACCEPT"), "none", false},
		"firewalld":                {zone(`<service name="ssh"/><rule><source address="10.0.0.0/8"/><port port="6379" protocol="tcp"/><accept/></rule>`), "guarded", false},
		"firewalld admits":         {zone(`<port port="6379" protocol="tcp"/>`), "open", false},
		"firewalld service":        {zone(`<service name="redis"/>`), "open", false},
		"firewalld, named sources": {zone(`<source address="10.0.0.0/8"/><port port="6379" protocol="tcp"/>`), "guarded", false},
		"firewalld limit":          {zone(`<rule><port port="6379" protocol="tcp"/><accept><limit value="10/s"/></accept></rule>`), "open", true},
	} {
		f := readFirewall(image(t, test.tr))
		if f == nil {
			if test.want != "none" {
				t.Errorf("%s: not found", name)
			}
			continue
		}
		v := f.Port(6379)
		got := map[bool]string{true: "open", false: "unknown"}[v.Open]
		if v.Guarded {
			got = "guarded"
		}
		if got != test.want || (v.Limited != nil) != test.limited {
			t.Errorf("%s: %s (%v), limited %v, want %s, %v", name, got, v.At, v.Limited, test.want, test.limited)
		}
	}
}

func FuzzFirewall(f *testing.F) {
	f.Add("table inet f { chain i { type filter hook input priority 0; policy drop; tcp dport { 1, 2 } accept } }")
	f.Add("*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp ! --dport 6379 -j X\n-A X -g X\nCOMMIT\n")
	f.Add("add rule inet f i tcp dport vmap { 1 : jump x }\n\"{}\\\n#}")
	f.Fuzz(func(_ *testing.T, text string) {
		for _, set := range []*ruleset{readNftables("f", text), readIptables("f", text, "INPUT", false), readZone("f", []byte(text))} {
			fw := Firewall{Files: []string{"f"}, rulesets: []*ruleset{set}}
			fw.Port(6379)
		}
	})
}
