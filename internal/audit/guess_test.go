package audit

import (
	"strings"
	"testing"

	"github.com/trustelem/zxcvbn"
)

// TestGuessScore holds the score against the library's own.
func TestGuessScore(t *testing.T) {
	for _, password := range []string{
		"", "x", "password", "PASSWORD", "Password1", "p4ssw0rd", "p@$$w0rD", "drowssap", "1l0veyou", "valkey", "Tr0ub4dor&3", "correcthorsebatterystaple", "correcthorse",
		"qwertyuiop", "qwERtyuiop", "zxcvbnm,./", "1qaz2wsx", "asdfghjkl", "7894561230", "abcdefghij", "zyxwvut", "97531", "aaaaaaaaaaaaaaaaaaaaaaaa", "abcabcabcabcabcabcabc",
		"dragondragondragon", "Passwordpasswordpassword1", "monkeymonkey123123", "iloveyou!iloveyou!", "sup3rs3cr3t", "letmein.letmein.letmein",
		"gK8#vQ2mZ!rT5xWb9LpD", "b3a1f0c4d9e8", "x9$Lq", "Zür1ch-Ümlaut", "\xff\xfe\xfd", "hunter2", "ILoveMyDog", strings.Repeat("ab1", 20),
	} {
		got, want := guessScore(password), zxcvbn.PasswordStrength(password, nil).Score
		if (got < minScore) != (want < minScore) || max(got-want, want-got) > 1 {
			t.Errorf("%q: %d, the library says %d", password, got, want)
		}
	}
}

func BenchmarkWeakness(b *testing.B) {
	p := strings.Repeat("aB1!", 16)
	weakness(p)
	for b.Loop() {
		weakness(p)
	}
}
