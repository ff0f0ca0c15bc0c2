package scan

import (
	"slices"
	"testing"
)

// An id and a secret under neighbouring keys belong together, whichever the file
// has first, and each names the other.
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
			for i, f := range found {
				paired := slices.Equal(f.Also, []string{found[1-i].ID})
				if paired != c.paired || paired != (f.Severity == Critical && f.Confidence == Confirmed) {
					t.Errorf("%s, %s: paired %v, %v, %v", c.idKey, c.secretKey, paired, f.Severity, f.Confidence)
				}
			}
		}
	}
}

// Of two that are further apart than is held back, the later names the earlier,
// and nothing comes out of order.
func TestPairFarApart(t *testing.T) {
	var h heldBack
	var out []*Finding
	emit := func(i *heldItem) error { out = append(out, i.finding); return nil }
	add := func(f *Finding) {
		h.finding(f)
		if err := h.release(emit, false); err != nil {
			t.Fatal(err)
		}
	}
	id, secret := &Finding{Rule: awsID, ID: "i", prefix: "p"}, &Finding{Rule: awsSecret, ID: "s", prefix: "p"}
	add(id)
	for range maxHeld + 10 {
		add(&Finding{Rule: "other"})
	}
	if len(out) == 0 || out[0] != id {
		t.Fatalf("%d came out", len(out))
	}
	add(secret)
	if len(id.Also) > 0 || !slices.Equal(secret.Also, []string{"i"}) {
		t.Errorf("%v, %v", id.Also, secret.Also)
	}
	if err := h.release(emit, true); err != nil || len(out) != maxHeld+12 || out[len(out)-1] != secret {
		t.Errorf("%v, %d came out", err, len(out))
	}
}

// What is remembered of a hostile file is bounded.
func TestPairsAreBounded(t *testing.T) {
	var h heldBack
	for i := range 3 * maxPairs {
		h.finding(&Finding{Rule: awsID, prefix: string(rune(i)) + "p"})
		if err := h.release(func(*heldItem) error { return nil }, false); err != nil {
			t.Fatal(err)
		}
	}
	if len(h.first) > maxPairs || len(h.items) > maxHeld {
		t.Errorf("%d prefixes are remembered, %d findings held back", len(h.first), len(h.items))
	}
	if got := prefix(make([]byte, 10*maxPrefix)); got != "" {
		t.Errorf("a prefix of %d bytes", len(got))
	}
}

// Forty characters of the URL form of base64 between a dash and an underline are a
// piece of a cookie, not the partner of an id.
func TestAWSSecretIsNoPiece(t *testing.T) {
	id, secret := awsKeyID("a"), awsSecretKey("b")
	for value, want := range map[string]int{id + " eJw-" + secret + "_Qx": 1, id + " eJw-" + secret: 1, id + " " + secret + "_Qx": 1, id + ":" + secret: 2} {
		if found := findingsIn(t, "k", value); len(found) != want {
			t.Errorf("found %s, want %d", brief(found), want)
		}
	}
}
