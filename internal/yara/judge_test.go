//go:build yara

package yara

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/valkeyfs/valkeyfs/scan"
)

const rules = `
rule Miner : T1496_001 {
  meta:
    description = "Coin miner's pool"
    severity = "critical"
  strings:
    $pool = "stratum+tcp://"
  condition:
    $pool
}
private rule Text { condition: filesize < 10MB }
rule Small { meta: score = 30 condition: Text and filesize == 3 }
`

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rules.yar")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestJudge(t *testing.T) {
	j, err := Load([]string{write(t, rules)})
	if err != nil {
		t.Fatal(err)
	}
	infos := j.Rules()
	if len(infos) != 2 || infos[0].ID != "yara-Miner" || infos[0].Severity != scan.Critical || infos[0].Technique != "T1496.001" || infos[1].Severity != scan.Low {
		t.Errorf("rules %+v", infos)
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 50 {
				for value, want := range map[string][3]int{"x stratum+tcp://pool:3333": {0, 2, 16}, "abc": {1, 0, 3}, "": {-1}, "nothing": {-1}} {
					got := [3]int{-1}
					if err := j.Judge([]byte(value), func(rule, from, to int) { got = [3]int{rule, from, to} }); err != nil {
						t.Error(err)
					}
					if got != want {
						t.Errorf("%q: %v, want %v", value, got, want)
					}
				}
			}
		})
	}
	wait.Wait()
}

func TestBadRules(t *testing.T) {
	for text, want := range map[string]string{
		"rule a {\n condition: nonsense }": ":2: ", "": "no rule", "include \"/etc/passwd\"": ":1: ",
		"rule a { condition: true }\nrule a { condition: true }": ":2: ",
	} {
		path := write(t, text)
		if _, err := Load([]string{path}); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), path) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
