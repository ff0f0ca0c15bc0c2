package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Page writes text that is broken at a width. The caller escapes what comes out
// of an input.
type Page struct {
	w     *bufio.Writer
	width int
}

// NewPage returns a Page of so many columns; 0: 80.
func NewPage(w io.Writer, width int) *Page {
	if width <= 0 {
		width = 80
	}
	return &Page{bufio.NewWriter(w), max(width, 40)}
}

// Flush writes what is buffered.
func (p *Page) Flush() error { return p.w.Flush() }

// Line writes a line as it is.
func (p *Page) Line(s string) {
	p.w.WriteString(s)
	p.w.WriteByte('\n')
}

// Wrap writes s behind first, broken at spaces, with rest at the start of each
// further line. Words stay whole, so that a path can be copied.
func (p *Page) Wrap(first, rest, s string) {
	p.w.WriteString(first)
	p.wrapAt(width(first), rest, s)
}

// wrapAt is Wrap behind what has taken col columns of the line.
func (p *Page) wrapAt(col int, rest, s string) {
	begun := false // a word stands on the line
	for word := range strings.FieldsSeq(s) {
		w := width(word)
		switch {
		case begun && col+1+w > p.width:
			p.w.WriteByte('\n')
			p.w.WriteString(rest)
			col = width(rest)
		case begun:
			p.w.WriteByte(' ')
			col++
		}
		p.w.WriteString(word)
		col += w
		begun = true
	}
	p.w.WriteByte('\n')
}

// Break returns a line, broken between words where it is wider than so many columns,
// with indent at the start of each further line. Words stay whole.
func Break(line, indent string, columns int) string {
	var b strings.Builder
	for width(line) > columns {
		at := breakAt(line, columns)
		if at < 0 {
			break
		}
		b.WriteString(strings.TrimRight(line[:at], " ") + "\n")
		line = indent + strings.TrimLeft(line[at:], " ")
	}
	return b.String() + line
}

// breakAt returns the last space between words that the columns hold, or else the
// first one; -1 if there is none.
func breakAt(line string, columns int) int {
	from := len(line) - len(strings.TrimLeft(line, " "))
	at, col := -1, 0
	for i, r := range strings.TrimRight(line, " ") {
		if r == ' ' && i > from {
			if at >= 0 && col > columns {
				return at
			}
			at = i
		}
		col += runeWidth(r)
	}
	return at
}

// plural writes a count with its noun.
func plural(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Count(n) + " " + noun + "s"
}

// Count writes a number with a comma between every three digits.
func Count(n uint64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Bytes writes a size for a reader: 512 bytes, 1.5 KiB, 390 MiB.
func Bytes(n int64) string {
	if n < 1024 {
		return plural(uint64(max(n, 0)), "byte")
	}
	v, unit := float64(n)/1024, 0
	for v >= 1024 && unit < 4 {
		v /= 1024
		unit++
	}
	if v >= 100 {
		return fmt.Sprintf("%.0f %ciB", v, "KMGTP"[unit])
	}
	return fmt.Sprintf("%.1f %ciB", v, "KMGTP"[unit])
}
