package scan

import "testing"

// A map of CBOR with short names can be read as a sequence of MessagePack, in which
// its letters are small integers.
func TestCBORIsNoSequence(t *testing.T) {
	password := "Vq7" + random("cbor", 5, lowerAlphabet) + "#29"
	value := "\xa1\x61l\x81\xa1\x68password" + string(rune(0x60+len(password))) + password
	found := findingsIn(t, "k", value)
	if len(found) != 1 || found[0].Rule != "generic-password" || found[0].Secret != password || found[0].Chain[0] != "cbor:$.l[0].password" {
		t.Errorf("found %s", brief(found))
	}
}
