package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"

	"github.com/trustelem/zxcvbn/frequency"
)

// Strength of a password, as the threat model asks for it.
const (
	minLength = 20 // characters
	minScore  = 3  // of zxcvbn, 0 to 4
	// maxJudged bounds what zxcvbn, which is quadratic, has to look at.
	maxJudged = 64
)

// weakness says why a password is weak, "" if it is not. It does not tell the
// password, nor its exact length.
func weakness(password string) string {
	if _, ok := dictionary()[digest(password)]; ok {
		return "in a dictionary of common passwords"
	}
	head := password
	if len(head) > maxJudged {
		head = head[:maxJudged]
	}
	if score := guessScore(head); score < minScore {
		return fmt.Sprintf("guessable (zxcvbn %d of 4)", score)
	}
	if len([]rune(password)) < minLength {
		return fmt.Sprintf("shorter than %d characters", minLength)
	}
	if !mixed(password) {
		return "of one kind of characters only"
	}
	return ""
}

// weaknesses judges passwords on all cores; the answers are in their order. Each
// costs some milliseconds at most, as only its first maxJudged characters are
// judged.
func weaknesses(held []heldPassword) []string {
	why := make([]string, len(held))
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(held)) {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(held)); i = next.Add(1) - 1 {
				why[i] = weakness(held[i].password)
			}
		})
	}
	all.Wait()
	return why
}

// mixed reports whether a password has letters and something else. Long
// hexadecimal ones, which ACL GENPASS makes, are fine.
func mixed(password string) bool {
	kinds := map[string]bool{}
	for _, r := range password {
		switch {
		case unicode.IsLower(r):
			kinds["lower"] = true
		case unicode.IsUpper(r):
			kinds["upper"] = true
		case unicode.IsDigit(r):
			kinds["digit"] = true
		default:
			kinds["other"] = true
		}
	}
	return len(kinds) > 1
}

func digest(password string) string {
	sum := sha256.Sum256([]byte(password))
	return hex.EncodeToString(sum[:])
}

// dictionary is the SHA-256 of common passwords, words and names, as they stand,
// capitalized, and with the commonest endings.
var dictionary = sync.OnceValue(func() map[string]struct{} {
	known := map[string]struct{}{}
	own := []string{"foobared", "redis", "valkey", "default", "changeme", "secret", "admin", "root", "cache", "mypassword", "redispassword", "valkeypassword", "redis123", "valkey123"}
	for _, list := range [][]string{own, frequency.FrequencyLists["passwords"]} {
		for _, word := range list {
			for _, stem := range []string{word, capital(word)} {
				for _, end := range []string{"", "1", "123", "!"} {
					known[digest(stem+end)] = struct{}{}
				}
			}
		}
	}
	return known
})

func capital(word string) string {
	if word == "" {
		return ""
	}
	return strings.ToUpper(word[:1]) + word[1:]
}
