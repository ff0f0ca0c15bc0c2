package audit

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestDocsTable: each mitigation has checks, tests that are there, and a reason
// where its checks cannot answer.
func TestDocsTable(t *testing.T) {
	text, err := os.ReadFile("../../docs/audit.md")
	if err != nil {
		t.Fatal(err)
	}
	sources, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	tests := ""
	for _, name := range sources {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		tests += string(source)
	}
	standing := map[string]bool{}
	for _, c := range Catalogue() {
		standing[c.ID] = c.run == nil
	}
	rows := map[string]int{}
	for _, row := range regexp.MustCompile(`(?m)^\| (\d+) \| ([^|]+) \| ([^|]*) \| ([^|]*) \|([^|]*)\|$`).FindAllStringSubmatch(string(text), -1) {
		rows[row[1]]++
		for _, name := range strings.Split(row[4], ", ") {
			if !strings.Contains(tests, "func "+name+"(t *testing.T)") {
				t.Errorf("%s: there is no test %q", row[2], name)
			}
		}
		answered := slices.ContainsFunc(strings.Split(row[3], ", "), func(id string) bool { return !standing[id] })
		if !answered && strings.TrimSpace(row[5]) == "" {
			t.Errorf("%s: no check answers, and no reason is given", row[2])
		}
	}
	// Of threat n of the threat model, from 1 on.
	for i, n := range []int{2, 3, 3, 4, 3, 4, 3, 4, 4, 4} {
		if got := rows[strconv.Itoa(i+1)]; got != n {
			t.Errorf("threat %d has %d mitigations, want %d", i+1, got, n)
		}
	}
}

// TestDocs: the table of the documentation names every check, and no others.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/audit.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`VFS-[A-Z]+-\d{3}`).FindAllString(string(text), -1)
	var ids []string
	for _, c := range Catalogue() {
		ids = append(ids, c.ID)
		if !slices.Contains(named, c.ID) {
			t.Errorf("%s is not in docs/audit.md", c.ID)
		}
		if c.Threat < 1 || c.Threat > 10 || c.Title == "" || len(c.References) == 0 || (c.run == nil) != (c.Standing != "") {
			t.Errorf("%+v", c)
		}
	}
	for _, id := range named {
		if !slices.Contains(ids, id) {
			t.Errorf("%s stands in docs/audit.md and is no check", id)
		}
	}
	slices.Sort(ids)
	if len(slices.Compact(ids)) != len(Catalogue()) {
		t.Error("an id stands for two checks")
	}
	for id := range fixedBy {
		if !slices.Contains(ids, id) {
			t.Errorf("%s is no check", id)
		}
	}
}

func TestProfiles(t *testing.T) {
	tr := hardened(t)
	say("maxmemory 0")(t, tr)
	p, err := ParseProfile("Sentinel")
	if err != nil {
		t.Fatal(err)
	}
	if _, got := judge(t, tr, func(o *Options) { o.Profiles = []Profile{p} }); got["VFS-MEM-001"] != NA || got["VFS-AUTH-001"] != Pass {
		t.Error(got["VFS-MEM-001"], got["VFS-AUTH-001"])
	}
	if _, err := ParseProfile("other"); err == nil {
		t.Error("a profile that is none")
	}
}
