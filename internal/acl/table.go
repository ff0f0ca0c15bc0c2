package acl

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"github.com/valkeyfs/valkeyfs/internal/conf"
)

//go:embed commands.tsv
var commandsTSV string

// noAuth marks, among the categories of commands.tsv, what CMD_NO_AUTH says: the
// command is for everyone, before any authentication.
const noAuth = "no_auth"

// bitset is a set of commands.
type bitset []uint64

func (b bitset) has(i int) bool { return b[i/64]>>(i%64)&1 == 1 }

func (b bitset) set(i int, on bool) {
	if on {
		b[i/64] |= 1 << (i % 64)
	} else {
		b[i/64] &^= 1 << (i % 64)
	}
}

// Table is the commands of one version. It is immutable.
type Table struct {
	Version    conf.Version
	names      []string
	index      map[string]int
	children   map[int][]int
	parent     map[int]int
	categories map[string]bitset // each with the subcommands of the containers in it
	everyone   bitset            // no authentication needed
}

var (
	tablesMu sync.Mutex
	tables   = map[conf.Version]*Table{}
)

// For returns the commands of a version: see conf.Version.Measured.
func For(v conf.Version) *Table {
	v = v.Measured()
	tablesMu.Lock()
	defer tablesMu.Unlock()
	t := tables[v]
	if t == nil {
		t = newTable(v)
		tables[v] = t
	}
	return t
}

func newTable(v conf.Version) *Table {
	t := &Table{Version: v, index: map[string]int{}, children: map[int][]int{}, parent: map[int]int{}, categories: map[string]bitset{}}
	server := " " + v.String() + " "
	var rows [][]string
	for line := range strings.Lines(commandsTSV) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if !strings.HasPrefix(line, "#") && len(f) == 3 && strings.Contains(" "+f[2]+" ", server) {
			t.index[f[0]] = len(rows)
			t.names = append(t.names, f[0])
			rows = append(rows, strings.Fields(f[1]))
		}
	}
	t.everyone = t.none()
	for i, name := range t.names {
		if container, _, ok := strings.Cut(name, "|"); ok {
			p := t.index[container]
			t.parent[i] = p
			t.children[p] = append(t.children[p], i)
		}
	}
	for i, cats := range rows {
		for _, c := range cats {
			if c == noAuth {
				t.everyone.set(i, true)
				continue
			}
			if t.categories[c] == nil {
				t.categories[c] = t.none()
			}
			t.categories[c].set(i, true)
			for _, sub := range t.children[i] { // acl.c, ACLChangeSelectorPerm
				t.categories[c].set(sub, true)
			}
		}
	}
	return t
}

func (t *Table) none() bitset { return make(bitset, (len(t.names)+63)/64) }

// Has reports whether the version has a command: "get", "config|get".
func (t *Table) Has(command string) bool {
	_, ok := t.index[command]
	return ok
}

// Commands returns all names, sorted.
func (t *Table) Commands() []string { return slices.Clone(t.names) }
