package audit

import (
	"strings"
	"testing"
)

// What several files fail is told once, with each file below it.
func TestTextTellsACheckOnce(t *testing.T) {
	check := &threat9[0]
	failed := func(file string) Result {
		return Result{Check: check, Server: "s", Answer: Answer{Status: Fail, Severity: High, Place: Place{File: file}, Evidence: "evidence", Remedy: "remedy"}}
	}
	var b strings.Builder
	r := &Report{Results: []Result{failed("a.aof"), failed("b.aof")}, Counts: map[Status]int{Fail: 2}}
	if err := WriteText(&b, &Header{Servers: []serverRecord{{Name: "s"}}}, r, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if strings.Count(text, check.ID) != 1 || !strings.Contains(text, "a.aof: evidence") || !strings.Contains(text, "b.aof: evidence") {
		t.Error(text)
	}
}
