package sweep

import (
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/scan"
)

// token is a synthetic GitHub token: 30 characters and their CRC-32 in base 62.
func token(body string) string {
	const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	sum := ""
	for n, i := crc32.ChecksumIEEE([]byte(body)), 0; i < 6; i++ {
		sum = string(base62[n%62]) + sum
		n /= 62
	}
	return "gh" + "p_" + body + sum
}

func TestNames(t *testing.T) {
	made := 0
	names := NewNames(func() (*scan.Scanner, error) {
		made++
		return scan.New(scan.Config{Workers: 1})
	})
	for _, plain := range []string{"", "dump.rdb", "data/appendonlydir/appendonly.aof.2.incr.aof", "a/very-long-name-without-digits.rdb", "12345678901234567890"} {
		if got := names.Mask(plain); got != plain {
			t.Errorf("Mask(%q) = %q", plain, got)
		}
	}
	if made != 0 {
		t.Error("a scanner was made for plain names")
	}
	secret := token("dGlMoiyrlfxX1rTnyFf3vA7NUtFOY6")
	for _, name := range []string{"data/dump-" + secret + ".rdb", secret, fmt.Sprintf("offset 5 of data/%s/x.rdb: header: corrupt", secret)} {
		for range 2 {
			if got := names.Mask(name); strings.Contains(got, secret[10:20]) || got == unknownName {
				t.Error("a token in a name was not masked, or nothing else was left")
			}
		}
	}
	var none *Names
	if none.Mask(secret) != secret {
		t.Error("nil Names masked")
	}
	broken := NewNames(func() (*scan.Scanner, error) { return nil, errors.New("no rules") })
	if got := broken.Mask(secret); got != unknownName {
		t.Error("a name that could not be looked at was shown")
	}
}
