package sds

import (
	"slices"
	"testing"
)

func TestSplit(t *testing.T) {
	tests := []struct {
		line string
		want []string // nil: refused
	}{
		{``, []string{}},
		{"  a\tb \v", []string{"a", "b"}},
		{`a "b c" 'd e'`, []string{"a", "b c", "d e"}},
		{`"\x41\x4a\xfF"`, []string{"AJ\xff"}},
		{`"\x4g"`, []string{"x4g"}},
		{`"\n\r\t\b\a\"\\\q"`, []string{"\n\r\t\b\a\"\\q"}},
		{`'it\'s \n'`, []string{`it's \n`}},
		{`a"b c"`, []string{"ab c"}},
		{`""`, []string{""}},
		{`a # no comment`, []string{"a", "#", "no", "comment"}},
		{`"a`, nil},
		{`'a`, nil},
		{`"a"b`, nil},
		{`"a\`, nil},
		{"\"a\"\x00", nil},
	}
	for _, test := range tests {
		got, err := Split(test.line)
		if (err != nil) != (test.want == nil) || err == nil && !slices.Equal(got, test.want) {
			t.Errorf("%q: %q, %v; want %q", test.line, got, err, test.want)
		}
	}
}

func TestQuote(t *testing.T) {
	for _, w := range []string{"", "a", "a b", `"`, `\`, "#x", "a#", "\x00\xff\n", "'", "é"} {
		got, err := Split("x " + Quote(w))
		if err != nil || len(got) != 2 || got[1] != w {
			t.Errorf("%q: %s: %q, %v", w, Quote(w), got, err)
		}
	}
}

func FuzzSplit(f *testing.F) {
	for _, s := range []string{`a "b\x00" 'c'`, `"\x4`, `'\'`, "\t \v"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		words, err := Split(line)
		if err != nil {
			return
		}
		quoted := ""
		for _, w := range words {
			quoted += Quote(w) + " "
		}
		if again, err := Split(quoted); err != nil || !slices.Equal(again, words) {
			t.Errorf("%q: %q, and again %q, %v", line, words, again, err)
		}
	})
}
