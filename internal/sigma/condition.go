package sigma

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxNesting bounds the depth of a condition.
const maxNesting = 64

// parseCondition reads a condition over selections, whose names are sorted:
//
//	or    = and { "or" and }
//	and   = not { "and" not }
//	not   = "not" not | "(" or ")" | ("all" | number) "of" ("them" | pattern) | name
func parseCondition(text string, names []string, selections map[string]predicate) (predicate, error) {
	if strings.Contains(text, "|") {
		return nil, errors.New("rules that count are not supported")
	}
	text = strings.NewReplacer("(", " ( ", ")", " ) ").Replace(text)
	c := conditionParser{words: strings.Fields(text), names: names, selections: selections}
	m, err := c.or(0)
	switch {
	case err != nil:
		return nil, err
	case len(c.words) > 0:
		return nil, fmt.Errorf("what is %q doing there?", c.words[0])
	}
	return m, nil
}

type conditionParser struct {
	words      []string
	names      []string
	selections map[string]predicate
}

// peek reports whether a keyword comes next.
func (c *conditionParser) peek(word string) bool {
	return len(c.words) > 0 && strings.EqualFold(c.words[0], word)
}

func (c *conditionParser) take(word string) bool {
	if !c.peek(word) {
		return false
	}
	c.words = c.words[1:]
	return true
}

func (c *conditionParser) or(depth int) (predicate, error) {
	return c.chain("or", depth, c.and, func(of []predicate) predicate { return some(1, of) })
}

func (c *conditionParser) and(depth int) (predicate, error) {
	return c.chain("and", depth, c.not, all)
}

func (c *conditionParser) chain(word string, depth int, next func(int) (predicate, error), join func([]predicate) predicate) (predicate, error) {
	var of []predicate
	for {
		m, err := next(depth)
		if err != nil {
			return nil, err
		}
		if of = append(of, m); !c.take(word) {
			break
		}
	}
	if len(of) == 1 {
		return of[0], nil
	}
	return join(of), nil
}

func (c *conditionParser) not(depth int) (predicate, error) {
	if depth > maxNesting {
		return nil, errors.New("nested too deeply")
	}
	switch {
	case len(c.words) == 0:
		return nil, errors.New("it ends too soon")
	case c.take("not"):
		m, err := c.not(depth + 1)
		if err != nil {
			return nil, err
		}
		return func(e *Event) bool { return !m(e) }, nil
	case c.take("("):
		m, err := c.or(depth + 1)
		if err == nil && !c.take(")") {
			err = errors.New("a parenthesis is not closed")
		}
		return m, err
	case len(c.words) > 2 && strings.EqualFold(c.words[1], "of"):
		return c.of()
	}
	name := c.words[0]
	c.words = c.words[1:]
	m, ok := c.selections[name]
	if !ok {
		return nil, fmt.Errorf("no selection is called %q", name)
	}
	return m, nil
}

// of reads a quantifier.
func (c *conditionParser) of() (predicate, error) {
	quantity, pattern := c.words[0], c.words[2]
	c.words = c.words[3:]
	var of []predicate
	for _, name := range c.names {
		if pattern == "them" && !strings.HasPrefix(name, "_") || pattern != "them" && matchName(pattern, name) {
			of = append(of, c.selections[name])
		}
	}
	if len(of) == 0 {
		return nil, fmt.Errorf("no selection is called like %q", pattern)
	}
	if strings.EqualFold(quantity, "all") {
		return all(of), nil
	}
	n, err := strconv.Atoi(quantity)
	if err != nil || n < 1 {
		return nil, fmt.Errorf("%q of: neither a number nor all", quantity)
	}
	return some(n, of), nil
}

// matchName matches a name of a selection, in which * stands for anything.
func matchName(pattern, name string) bool {
	head, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == name
	}
	if !strings.HasPrefix(name, head) {
		return false
	}
	for name = name[len(head):]; ; name = name[1:] {
		if matchName(rest, name) {
			return true
		}
		if name == "" {
			return false
		}
	}
}
