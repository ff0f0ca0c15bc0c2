package scan

import (
	"slices"
	"testing"
)

// An id and a secret under neighbouring keys belong together, whichever the file
// has first; the second names the first.
func TestAWSPairByPrefix(t *testing.T) {
	id, secret := awsKeyID("a"), awsSecretKey("b")
	between := stringKey("app:other", "nothing")
	for _, c := range []struct {
		idKey, secretKey string
		paired           bool
	}{
		{"app:aws:id", "app:aws:secret", true},
		{"app:aws:access_key_id", "app:aws:key", true},
		{"prod/aws.id", "prod/aws.secret", true},
		{"aws_id", "aws_secret", true},
		{"app:aws:id", "web:aws:secret", false},
	} {
		for _, turned := range []bool{false, true} {
			keys := [][2]string{{c.idKey, id}, {c.secretKey, secret}}
			if turned {
				slices.Reverse(keys)
			}
			found, _ := scanAll(t, newTestScanner(t), slices.Concat(stringKey(keys[0][0], keys[0][1]), between, stringKey(keys[1][0], keys[1][1])))
			if len(found) != 2 || found[0].Rule == found[1].Rule {
				t.Errorf("%s, %s: found %s", c.idKey, c.secretKey, brief(found))
				continue
			}
			if paired := slices.Equal(found[1].Also, []string{found[0].ID}); paired != c.paired || paired != (found[1].Severity == Critical && found[1].Confidence == Confirmed) {
				t.Errorf("%s, %s: paired %v, %v, %v", c.idKey, c.secretKey, paired, found[1].Severity, found[1].Confidence)
			}
		}
	}
}

// What is remembered of a hostile file is bounded.
func TestPairsAreBounded(t *testing.T) {
	var p prefixPairs
	for i := range 3 * maxPairs {
		p.join(&Finding{Rule: awsID, prefix: string(rune(i)) + "p"})
	}
	if len(p.first) > maxPairs {
		t.Errorf("%d prefixes are remembered", len(p.first))
	}
	if got := prefix(make([]byte, 10*maxPrefix)); got != "" {
		t.Errorf("a prefix of %d bytes", len(got))
	}
}
