package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/valkeyfs/valkeyfs/scan"
)

// proof says in a line what the bytes of a secret prove; "" if nothing.
func proof(f *scan.Finding) string { return Escape(pairs(f.Proof, " ")) }

// proofOrder is the order in which a reader wants to know; what else there is
// comes behind it.
var proofOrder = []string{"format", "algorithm", "bits", "encrypted", "cipher", "kdf", "password", "entries", "public", "fingerprint", "comment"}

// pairs writes names and values, those of a proof in its order.
func pairs(m map[string]string, between string) string {
	names := slices.Collect(maps.Keys(m))
	rank := func(name string) int {
		if i := slices.Index(proofOrder, name); i >= 0 {
			return i
		}
		return len(proofOrder)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(rank(a)-rank(b), cmp.Compare(a, b)) })
	var parts []string
	for _, k := range names {
		parts = append(parts, k+between+m[k])
	}
	return strings.Join(parts, "; ")
}
