package sigma

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/scan"
)

// A Judge judges commands by rules. It is safe for concurrent use.
type Judge struct {
	rules []*Rule
	// Others is how many rules of directories are for the logs of something else.
	Others int
}

// Load reads rules: a path is a file, or a directory whose .yml and .yaml files
// are read, those in directories below it included. A rule that is for the logs
// of something else is an error in a file that was named, and left out of a
// directory.
func Load(paths []string) (*Judge, error) {
	j := &Judge{}
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case err != nil:
			return nil, err
		case info.IsDir():
			err = j.dir(path)
		default:
			err = j.file(path, false)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(j.rules) == 0 {
		return nil, fmt.Errorf("%s: no rule for product valkey or redis", strings.Join(paths, ", "))
	}
	return j, j.unique()
}

func (j *Judge) dir(root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if ext := strings.ToLower(filepath.Ext(path)); ext != ".yml" && ext != ".yaml" {
			return nil
		}
		return j.file(path, true)
	})
}

// file reads a file; in a directory rules for something else are left out.
func (j *Judge) file(path string, inDir bool) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	rules, err := Parse(path, text)
	if inDir && errors.Is(err, ErrOther) {
		j.Others++
		return nil
	}
	j.rules = append(j.rules, rules...)
	return err
}

// unique sees to it that a name means one rule, and orders the rules by it.
func (j *Judge) unique() error {
	slices.SortStableFunc(j.rules, func(a, b *Rule) int { return cmp.Compare(a.name(), b.name()) })
	for i := 1; i < len(j.rules); i++ {
		if a, b := j.rules[i-1], j.rules[i]; a.name() == b.name() {
			return &errorAt{b.File, b.Line, fmt.Errorf("its title is that of %s:%d", a.File, a.Line)}
		}
	}
	return nil
}

// name is the rule's id in findings: its title in lower case, with dashes.
func (r *Rule) name() string {
	var b strings.Builder
	b.WriteString("sigma")
	dash := true
	for _, c := range strings.ToLower(r.Title) {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c >= 0x80 {
			if dash {
				b.WriteByte('-')
			}
			b.WriteRune(c)
		}
		dash = c < '0' || c > '9' && c < 'a' || c > 'z' && c < 0x80
	}
	return b.String()
}

// Rules describes the rules. What an author calls experimental is possible, all
// else likely.
func (j *Judge) Rules() []scan.RuleInfo {
	out := make([]scan.RuleInfo, len(j.rules))
	for i, r := range j.rules {
		out[i] = scan.RuleInfo{ID: r.name(), Description: r.Title, Category: scan.Artefact, Severity: r.Level, Confidence: scan.Likely, Technique: r.Technique}
		if r.Status == "experimental" || r.Status == "unsupported" || r.Status == "deprecated" {
			out[i].Confidence = scan.Possible
		}
	}
	return out
}

// Judge appends the places in Rules of those that match a command.
func (j *Judge) Judge(e *keyspace.Event, matched []int) []int {
	ev := NewEvent(e)
	for i, r := range j.rules {
		if r.Matches(ev) {
			matched = append(matched, i)
		}
	}
	return matched
}
