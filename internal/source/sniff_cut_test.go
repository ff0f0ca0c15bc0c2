package source

import "testing"

// A snapshot cut inside its header is a snapshot, not text.
func TestCutMagic(t *testing.T) {
	for head, want := range map[string]Kind{
		"REDIS": RDB, "REDIS0": RDB, "REDIS001": RDB, "VALKE": RDB, "VALKEY": RDB, "VALKEY08": RDB,
		"REDI": Text, "VALK": Text, "REDISX": Text, "VALUE": Text, "VALKE0": Text, "redis": Text,
	} {
		if got, _ := sniff([]byte(head)); got != want {
			t.Errorf("%q is %v, want %v", head, got, want)
		}
	}
}
