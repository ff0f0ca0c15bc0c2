package sigma

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A predicate is a condition on a command.
type predicate func(*Event) bool

func all(of []predicate) predicate {
	return func(e *Event) bool {
		for _, p := range of {
			if !p(e) {
				return false
			}
		}
		return true
	}
}

// some needs at least n of them.
func some(n int, of []predicate) predicate {
	return func(e *Event) bool {
		left := n
		for _, p := range of {
			if p(e) {
				if left--; left == 0 {
					return true
				}
			}
		}
		return false
	}
}

// detection reads the selections and puts them together as the condition says.
func (p *parser) detection(n *yaml.Node) predicate {
	selections := map[string]predicate{}
	var names []string
	var conditions []*yaml.Node
	p.mapping(n, "detection", func(name string, key, value *yaml.Node) {
		switch name {
		case "condition":
			conditions = []*yaml.Node{value}
			if value.Kind == yaml.SequenceNode {
				conditions = value.Content
			}
		case "timeframe":
			p.fail(key, "timeframe: rules that count are not supported")
		default:
			names = append(names, name)
			selections[name] = p.selection(value)
		}
	})
	if p.err == nil && len(conditions) == 0 {
		p.fail(n, "no condition")
	}
	slices.Sort(names)
	var either []predicate
	for _, c := range conditions {
		if p.err != nil {
			return nil
		}
		m, err := parseCondition(p.text(c, "condition"), names, selections)
		if err != nil {
			p.fail(c, "condition: %v", err)
		}
		either = append(either, m)
	}
	return some(1, either)
}

// selection reads a mapping, all of which must hold, or a list, one of whose
// members must: mappings, or texts that stand somewhere in the command.
func (p *parser) selection(n *yaml.Node) predicate {
	switch n.Kind {
	case yaml.MappingNode:
		var of []predicate
		p.mapping(n, "a selection", func(name string, key, value *yaml.Node) {
			of = append(of, p.field(name, key, value))
		})
		if p.err == nil && len(of) == 0 {
			p.fail(n, "an empty selection")
		}
		return all(of)
	case yaml.SequenceNode:
		var of []predicate
		for _, member := range n.Content {
			if p.err != nil {
				return nil
			}
			if member.Kind == yaml.ScalarNode {
				of = append(of, p.field("commandline|contains", member, member))
			} else {
				of = append(of, p.selection(member))
			}
		}
		if p.err == nil && len(of) == 0 {
			p.fail(n, "an empty selection")
		}
		return some(1, of)
	}
	p.fail(n, "a selection is neither a mapping nor a list")
	return nil
}

// field reads name|modifier…: values.
func (p *parser) field(name string, key, value *yaml.Node) predicate {
	name, rest, _ := strings.Cut(name, "|")
	get := fields[name]
	if get == nil {
		p.fail(key, "no such field: %q", name)
		return nil
	}
	m := modifiers{}
	if rest != "" {
		for word := range strings.SplitSeq(rest, "|") {
			if !m.set(word) {
				p.fail(key, "modifier %q is not supported", word)
				return nil
			}
		}
	}
	if m.exists {
		want := value.Value == "true"
		if !want && value.Value != "false" {
			p.fail(value, "exists: neither true nor false")
		}
		return func(e *Event) bool { return (len(get(e)) > 0) == want }
	}
	values := []*yaml.Node{value}
	if value.Kind == yaml.SequenceNode {
		values = value.Content
		if len(values) == 0 {
			p.fail(value, "an empty list")
		}
	}
	var of []predicate
	for _, v := range values {
		if v.Kind != yaml.ScalarNode {
			p.fail(v, "a value is neither a text nor a number")
			return nil
		}
		if v.Tag == "!!null" {
			of = append(of, func(e *Event) bool { return len(get(e)) == 0 })
			continue
		}
		test, err := m.compile(v.Value)
		if err != nil {
			p.fail(v, "%v", err)
			return nil
		}
		of = append(of, func(e *Event) bool { return slices.ContainsFunc(get(e), test) })
	}
	if m.all {
		return all(of)
	}
	return some(1, of)
}
