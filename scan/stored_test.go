package scan

import (
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Libraries of functions and auxiliary fields that a file holds compressed say
// so: their bytes do not stand in it as they are.
func TestScanCompressedBesideKeys(t *testing.T) {
	token := githubToken("ghp", "library")
	for _, kind := range []keyspace.Kind{keyspace.Function, keyspace.Aux} {
		for encoding, want := range map[keyspace.Encoding]string{keyspace.EncodingNone: "", keyspace.LZF: "lzf"} {
			e := keyspace.Event{Kind: kind, Encoding: encoding, Key: []byte("lib"), Value: []byte("-- " + token + "\n"), DB: -1, Pos: keyspace.Pos{Source: "test", Offset: 9, Inner: -1}}
			found, _ := scanAll(t, newTestScanner(t), []keyspace.Event{e})
			if len(found) != 1 || strings.Join(found[0].Chain, ">") != want {
				t.Errorf("%v, %v: found %s", kind, encoding, brief(found))
			}
		}
	}
}
