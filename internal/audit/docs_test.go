package audit

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

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
