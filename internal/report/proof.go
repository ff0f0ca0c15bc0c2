package report

import (
	"maps"
	"slices"
	"strings"

	"github.com/valkeyfs/valkeyfs/scan"
)

// proof says in a line what the bytes of a secret prove; "" if nothing.
func proof(f *scan.Finding) string { return Escape(pairs(f.Proof, " ")) }

// pairs writes names and values in the order of the names.
func pairs(m map[string]string, between string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, k+between+m[k])
	}
	return strings.Join(parts, "; ")
}
