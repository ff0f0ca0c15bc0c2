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

// compile makes a test of a value.
func (m *modifiers) compile(value string) (func(string) bool, error) {
	switch m.how {
	case "re":
		flags := m.flags
		if flags != "" {
			flags = "(?" + flags + ")"
		}
		re, err := regexp.Compile(flags + value)
		if err != nil {
			return nil, err
		}
		return re.MatchString, nil
	case "cidr":
		net, err := netip.ParsePrefix(value)
		if err != nil {
			return nil, fmt.Errorf("cidr: %q is no network", value)
		}
		return func(s string) bool {
			addr, err := netip.ParseAddr(s)
			return err == nil && net.Contains(addr)
		}, nil
	case "lt", "lte", "gt", "gte":
		return m.number(value)
	}
	switch m.encode {
	case "base64":
		return m.text(quote(base64.StdEncoding.EncodeToString([]byte(value)))), nil
	case "base64offset":
		if m.how != "contains" || len(value) < 3 {
			return nil, errors.New("base64offset wants contains, and three characters")
		}
		var of [3]func(string) bool
		for i := range of {
			of[i] = m.text(quote(offset64(value, i)))
		}
		return func(s string) bool { return of[0](s) || of[1](s) || of[2](s) }, nil
	}
	return m.text(value), nil
}

// number compares numbers; what is none is neither less nor greater.
func (m *modifiers) number(value string) (func(string) bool, error) {
	bound, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return nil, fmt.Errorf("%s: %q is no number", m.how, value)
	}
	return func(s string) bool {
		v, err := strconv.ParseFloat(s, 64)
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
func (m *modifiers) text(pattern string) func(string) bool {
	literal, wild := compilePattern(pattern)
	fold := func(s string) string {
		if m.cased || m.encode != "" {
			return s
		}
		return strings.ToLower(s)
	}
	if wild == nil {
		literal = fold(literal)
		switch m.how {
		case "contains":
			return func(s string) bool { return strings.Contains(fold(s), literal) }
		case "startswith":
			return func(s string) bool { return strings.HasPrefix(fold(s), literal) }
		case "endswith":
			return func(s string) bool { return strings.HasSuffix(fold(s), literal) }
		}
		return func(s string) bool { return fold(s) == literal }
	}
	expr := wild.String()
	if m.how != "contains" && m.how != "endswith" {
		expr = `\A` + expr
	}
	if m.how != "contains" && m.how != "startswith" {
		expr += `\z`
	}
	flags := "(?s)"
	if !m.cased && m.encode == "" {
		flags = "(?si)"
	}
	return regexp.MustCompile(flags + expr).MatchString
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
