package report

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// hostile is what a terminal would obey, in every encoding of it.
var hostile = []string{
	"plain", "", "tab\tnewline\nreturn\r", "esc \x1b[31mred", "csi \u009b31m", "raw csi \x9b31m", "bidi \u202eevil\u202c",
	"isolate \u2066x\u2069", "zero\u200bwidth", "bom \ufeff", "del \x7f", "nul \x00", `back\slash`, "bad \xff\xfe utf8",
	"ünïcödé 漢字 🙂", "\u2028separator", "replacement \ufffd", "tag \U000e0041", "soft\u00adhyphen",
}

func TestEscape(t *testing.T) {
	seen := map[string]string{}
	for _, in := range hostile {
		out := Escape(in)
		for _, r := range out {
			if !unicode.IsPrint(r) {
				t.Errorf("Escape(%q) = %q holds %U", in, out, r)
			}
		}
		if other, ok := seen[out]; ok {
			t.Errorf("%q and %q look the same", in, other)
		}
		seen[out] = in
	}
	for in, want := range map[string]string{
		"a\nb": `a\nb`, "\x1b[0m": `\x1b[0m`, "\xff": `\xff`, "\u202e": `\u202e`, `\`: `\\`, "漢 字": "漢 字",
	} {
		if got := Escape(in); got != want {
			t.Errorf("Escape(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestJSONIsHarmlessAndTrue(t *testing.T) {
	for _, in := range hostile {
		var b strings.Builder
		if err := NewLines(&b).Line(map[string]string{in: in}); err != nil {
			t.Fatal(err)
		}
		line := strings.TrimSuffix(b.String(), "\n")
		for _, r := range line {
			if r == utf8.RuneError || !unicode.IsPrint(r) {
				t.Errorf("%q became %q, which holds %U", in, line, r)
			}
		}
		var back map[string]string
		if err := json.Unmarshal([]byte(line), &back); err != nil {
			t.Errorf("%q became %q: %v", in, line, err)
		}
		want := strings.ToValidUTF8(in, "\ufffd")
		if in == "bad \xff\xfe utf8" {
			want = "bad \ufffd\ufffd utf8"
		}
		if back[want] != want {
			t.Errorf("%q came back as %q", in, back)
		}
	}
}

func TestClip(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{
		{"short", 10, "short"}, {"0123456789", 10, "0123456789"}, {"0123456789a", 10, "012345…89a"},
		{"漢字漢字漢字", 7, "漢字…字"}, {"abc", 2, "…"}, {"abc", 0, ""},
	} {
		got := clip(c.in, c.n)
		if got != c.want || width(got) > c.n && c.n > 0 {
			t.Errorf("clip(%q, %d) = %q (%d columns), want %q", c.in, c.n, got, width(got), c.want)
		}
	}
}

func FuzzEscape(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		out := Escape(in)
		for _, r := range out {
			if !unicode.IsPrint(r) {
				t.Errorf("Escape(%q) = %q", in, out)
			}
		}
		for n := range 12 {
			if c := clip(out, n); width(c) > max(n, 0) {
				t.Errorf("clip(%q, %d) = %q", out, n, c)
			}
		}
		Pattern(in)
	})
}
