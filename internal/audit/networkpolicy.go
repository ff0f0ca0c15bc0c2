package audit

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/valkeyfs/valkeyfs/internal/hostfs"
)

// networkPolicy is a NetworkPolicy of Kubernetes that is about ingress.
type networkPolicy struct {
	Place
	name      string
	namespace string
	selects   map[string]string // labels; none: every pod of the namespace
	exprs     bool              // it selects by expressions, which are not looked at
	rules     []ingressRule
}

type ingressRule struct {
	Place
	anyone bool // from every source
	ports  []portRange
	named  bool // by a name of a container's port, which may be any
}

// readNetworkPolicies returns those of a manifest.
func readNetworkPolicies(fs *hostfs.FS, name string) []networkPolicy {
	text, err := fs.ReadFile(name, maxText)
	if err != nil || !strings.Contains(string(text), "NetworkPolicy") {
		return nil
	}
	var all []networkPolicy
	dec := yaml.NewDecoder(strings.NewReader(string(text)))
	for range maxDocuments {
		var doc yaml.Node
		if dec.Decode(&doc) != nil {
			break
		}
		if len(doc.Content) == 0 || scalar(child(doc.Content[0], "kind")) != "NetworkPolicy" {
			continue
		}
		root := doc.Content[0]
		p := networkPolicy{Place: Place{name, root.Line}, name: scalar(child(root, "metadata", "name")), namespace: scalar(child(root, "metadata", "namespace")),
			selects: labels(child(root, "spec", "podSelector", "matchLabels")), exprs: child(root, "spec", "podSelector", "matchExpressions") != nil}
		if types := child(root, "spec", "policyTypes"); types != nil && !contains(types, "Ingress") {
			continue
		}
		if rules := child(root, "spec", "ingress"); rules != nil {
			for _, r := range rules.Content {
				p.rules = append(p.rules, ingress(name, r))
			}
		}
		all = append(all, p)
	}
	return all
}

func contains(list *yaml.Node, word string) bool {
	for _, n := range list.Content {
		if n.Value == word {
			return true
		}
	}
	return false
}

func labels(n *yaml.Node) map[string]string {
	m := map[string]string{}
	for i := 0; n != nil && i+1 < len(n.Content); i += 2 {
		m[n.Content[i].Value] = n.Content[i+1].Value
	}
	return m
}

// ingress reads a rule. Without "from" it admits everyone, as do an empty selector
// of namespaces and the block of all addresses.
func ingress(file string, n *yaml.Node) ingressRule {
	r := ingressRule{Place: Place{file, n.Line}}
	from := child(n, "from")
	r.anyone = from == nil || len(from.Content) == 0
	for i := 0; from != nil && i < len(from.Content); i++ {
		source := from.Content[i]
		cidr := scalar(child(source, "ipBlock", "cidr"))
		all := child(source, "namespaceSelector")
		r.anyone = r.anyone || cidr == "0.0.0.0/0" || cidr == "::/0" || all != nil && len(all.Content) == 0 && child(source, "podSelector") == nil
	}
	if ports := child(n, "ports"); ports != nil {
		r.ports = []portRange{}
		for _, p := range ports.Content {
			if one, ok := parsePort(scalar(child(p, "port"))); ok {
				if end, ok := parsePort(scalar(child(p, "endPort"))); ok {
					one.to = end.to
				}
				r.ports = append(r.ports, one)
			} else {
				r.named = true
			}
		}
	}
	return r
}

// about reports whether a policy selects a container's pod.
func (p *networkPolicy) about(c *Container) bool {
	if p.exprs || p.namespace != c.Namespace && p.namespace != "" && c.Namespace != "" {
		return false
	}
	for k, v := range p.selects {
		if c.Labels[k] != v {
			return false
		}
	}
	return true
}

// checkPolicies judges the policies that select a pod: with the first of them
// everything is refused that none admits.
func (s *Subject) checkPolicies() []Answer {
	var fs []Answer
	var guard *networkPolicy
	for i := range s.host.policies {
		p := &s.host.policies[i]
		if !p.about(s.Container) {
			continue
		}
		guard = p
		for _, r := range p.rules {
			for _, l := range s.Server.Listeners() {
				if one := (rule{ports: r.ports}); r.anyone && (r.named || one.matches(l.Port)) {
					fs = append(fs, fail(r.Place, "from: the clients' podSelector", "NetworkPolicy %s admits everyone to port %d", clip(p.name), l.Port))
					break
				}
			}
		}
	}
	if guard == nil {
		return unknown("no NetworkPolicy that selects the pod was among the paths")
	}
	return orPass(fs, guard.Place, "NetworkPolicy %s admits named sources only", clip(guard.name))
}
