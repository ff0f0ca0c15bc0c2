package sigma

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// modifiers say how a value is compared.
type modifiers struct {
	how    string // "": as a whole; contains, startswith, endswith, re, cidr, lt, lte, gt, gte
	encode string // base64, base64offset
	flags  string // of re
	cased  bool
	all    bool
	exists bool
}

// set takes a modifier; false if it is not supported.
func (m *modifiers) set(word string) bool {
	switch word {
	case "contains", "startswith", "endswith", "re", "cidr", "lt", "lte", "gt", "gte":
		if m.how != "" {
			return false
		}
		m.how = word
	case "base64", "base64offset":
		if m.encode != "" || m.how != "" {
			return false
		}
		m.encode = word
	case "i", "m", "s":
		if m.how != "re" {
			return false
		}
		m.flags += word
	case "cased":
		m.cased = true
	case "all":
		m.all = true
	case "exists":
		m.exists = true
	default:
		return false
	}
	return true
}

// A test judges a value.
type test func(value) bool

// compile makes a test of what a rule wants.
func (m *modifiers) compile(want string) (test, error) {
	switch m.how {
	case "re":
		flags := m.flags
		if flags != "" {
			flags = "(?" + flags + ")"
		}
		re, err := regexp.Compile(flags + want)
		if err != nil {
			return nil, err
		}
		return func(v value) bool { return re.MatchString(v.text) }, nil
	case "cidr":
		net, err := netip.ParsePrefix(want)
		if err != nil {
			return nil, fmt.Errorf("cidr: %q is no network", want)
		}
		return func(v value) bool {
			addr, err := netip.ParseAddr(v.text)
			return err == nil && net.Contains(addr)
		}, nil
	case "lt", "lte", "gt", "gte":
		return m.number(want)
	}
	switch m.encode {
	case "base64":
		return m.text(quote(base64.StdEncoding.EncodeToString([]byte(want)))), nil
	case "base64offset":
		if m.how != "contains" || len(want) < 3 {
			return nil, errors.New("base64offset wants contains, and three characters")
		}
		var of [3]test
		for i := range of {
			of[i] = m.text(quote(offset64(want, i)))
		}
		return func(v value) bool { return of[0](v) || of[1](v) || of[2](v) }, nil
	}
	return m.text(want), nil
}

// number compares numbers; what is none is neither less nor greater.
func (m *modifiers) number(want string) (test, error) {
	bound, err := strconv.ParseFloat(want, 64)
	if err != nil {
		return nil, fmt.Errorf("%s: %q is no number", m.how, want)
	}
	return func(of value) bool {
		v, err := strconv.ParseFloat(of.text, 64)
		if err != nil {
			return false
		}
		switch m.how {
		case "lt":
			return v < bound
		case "lte":
			return v <= bound
		case "gt":
			return v > bound
		}
		return v >= bound
	}, nil
}

// offset64 is the part of the base64 of a text that does not depend on what
// stands around it, if it begins i bytes behind a multiple of three.
func offset64(value string, i int) string {
	text := base64.RawStdEncoding.EncodeToString(append(make([]byte, i), value...))
	from := [3]int{0, 2, 3}[i]
	to := (len(value) + i) / 3 * 4
	switch (len(value) + i) % 3 {
	case 1:
		to++
	case 2:
		to += 2
	}
	return text[from:to]
}

// quote keeps a text from being a pattern.
func quote(s string) string { return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`).Replace(s) }

// text makes a test of a pattern, in which * stands for anything and ? for one
// character unless a backslash stands before it.
func (m *modifiers) text(pattern string) test {
	literal, wild := compilePattern(pattern)
	exact := m.cased || m.encode != ""
	of := func(v value) string {
		if exact {
			return v.text
		}
		return v.lower
	}
	if wild == nil {
		if !exact {
			literal = strings.ToLower(literal)
		}
		switch m.how {
		case "contains":
			return func(v value) bool { return strings.Contains(of(v), literal) }
		case "startswith":
			return func(v value) bool { return strings.HasPrefix(of(v), literal) }
		case "endswith":
			return func(v value) bool { return strings.HasSuffix(of(v), literal) }
		}
		return func(v value) bool { return of(v) == literal }
	}
	expr := wild.String()
	if m.how != "contains" && m.how != "endswith" {
		expr = `\A` + expr
	}
	if m.how != "contains" && m.how != "startswith" {
		expr += `\z`
	}
	flags := "(?s)"
	if !exact {
		flags = "(?si)"
	}
	re := regexp.MustCompile(flags + expr)
	return func(v value) bool { return re.MatchString(v.text) }
}

// compilePattern returns the text of a pattern without wildcards, or an
// expression of one that has some.
func compilePattern(pattern string) (literal string, wild *strings.Builder) {
	var plain, expr strings.Builder
	found := false
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		switch {
		case c == '\\' && i+1 < len(pattern) && strings.IndexByte(`*?\`, pattern[i+1]) >= 0:
			i++
			c = pattern[i]
		case c == '*':
			found = true
			expr.WriteString(".*")
			continue
		case c == '?':
			found = true
			expr.WriteByte('.')
			continue
		}
		plain.WriteByte(c)
		if c < 0x80 {
			expr.WriteString(regexp.QuoteMeta(string(rune(c))))
		} else {
			expr.WriteByte(c)
		}
	}
	if !found {
		return plain.String(), nil
	}
	return "", &expr
}
