package scan

import (
	"strings"
	"testing"
)

// wrapUU encodes as uuencode does, behind a line that begins; zero is what stands for no
// bits.
func wrapUU(begin string, zero byte) func(name, value string) string {
	return func(_, value string) string {
		var b strings.Builder
		b.WriteString(begin)
		char := func(v uint32) {
			if v &= 63; v == 0 {
				b.WriteByte(zero)
			} else {
				b.WriteByte(byte(v) + ' ')
			}
		}
		for line := ""; value != ""; b.WriteByte('\n') {
			n := min(45, len(value))
			line, value = value[:n], value[n:]
			char(uint32(n))
			for line += "\x00\x00"; len(line) > 2; line = line[3:] {
				v := uint32(line[0])<<16 | uint32(line[1])<<8 | uint32(line[2])
				for shift := 18; shift >= 0; shift -= 6 {
					char(v >> shift)
				}
			}
		}
		char(0)
		b.WriteString("\nend\n")
		return b.String()
	}
}

// What Python's uu writes, and what of it is damaged: what stands before the damage is
// found, and that there is more is said.
func TestUUEncoded(t *testing.T) {
	token := "sk_" + "live_" + random("uu", 24, alnumAlphabet)
	lines := wrapUU("begin 666 -\n", ' ')("", "key: "+token+" "+strings.Repeat("and much more of it ", 9))
	if hello := wrapUU("begin 666 -\n", ' ')("", "hello, a text of python"); hello != "begin 666 -\n7:&5L;&\\L(&$@=&5X=\"!O9B!P>71H;VX \n \nend\n" {
		t.Errorf("%q", hello)
	}
	for _, c := range []struct {
		name, value string
		failed      bool
	}{
		{"whole", lines, false},
		{"two", lines + "\n" + wrapUU("begin 644 b\n", '`')("", "another text"), false},
		{"without its last spaces", strings.ReplaceAll(strings.ReplaceAll(lines, " \n", "\n"), " \n", "\n"), false},
		{"cut off", lines[:len(lines)-70], true},
		{"damaged", lines[:len(lines)-50] + "\x7f" + lines[len(lines)-49:], true},
	} {
		found, stats := scanAll(t, newTestScanner(t), stringKey("k", c.value))
		if len(found) != 1 || found[0].Secret != token || strings.Join(found[0].Chain, ">") != "uuencode" || stats.Failures["uuencode"] > 0 != c.failed {
			t.Errorf("%s: found %s; failures %v", c.name, brief(found), stats.Failures)
		}
	}
	for _, value := range []string{
		"begin 644 is a line that a file begins with\nand nothing follows", "begin 6 a\n#86)C\n`\nend\n", "a begin 644 b\n#86)C\n`\nend\n", "begin 644 \n#86)C\n", "begin 644", "begin 644 a\n",
		"begin 644 a\nTHE END OF IT\n",
	} {
		if _, stats := scanAll(t, newTestScanner(t), stringKey("k", value)); stats.Decoded > 0 || len(stats.Failures) > 0 {
			t.Errorf("%q: %d opened; failures %v", value, stats.Decoded, stats.Failures)
		}
	}
	long := wrapUU("begin 644 a\n", '`')("", strings.Repeat("0", leastOutput))
	if _, stats := scanAll(t, newTestScanner(t), stringKey("k", strings.Repeat("begin 644 a\n#86)C\n`\nend\n", maxParts+1))); stats.Limited["uuencode"] != 1 {
		t.Errorf("of many, cut: %v", stats.Limited)
	}
	bomb := gzipped(strings.Repeat(long, maxOutput/len(long)-1))
	if _, stats := scanAll(t, newTestScanner(t), stringKey("k", bomb)); stats.Limited["uuencode"] != 1 {
		t.Errorf("of a bomb, cut: %v", stats.Limited)
	}
}
