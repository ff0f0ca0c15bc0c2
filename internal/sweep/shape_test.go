package sweep

import (
	"math/rand/v2"
	"testing"
)

func TestMaskShapes(t *testing.T) {
	for text, want := range map[string]string{
		"login failed, password=hunter2 from 10.0.0.7":                           "login failed, password=**** from 10.0.0.7",
		`{"user":"bob","passwd": "s3cr3t-x"}`:                                    `{"user":"bob","passwd": "****"}`,
		"requirepass Zx81spec":                                                   "requirepass ****",
		"sentinel auth-pass mymaster: not read":                                  "sentinel auth-pass mymaster: not read",
		"the password reset is over":                                             "the password reset is over",
		"token: invalid":                                                         "token: invalid",
		"/var/lib/valkey/appendonlydir/appendonly.aof.12.incr.aof":               "/var/lib/valkey/appendonlydir/appendonly.aof.12.incr.aof",
		"replid 8371445ebb47dc3ea1f5ad2be9e39d1c4b5c6e21:90112":                  "replid 8371445ebb47dc3ea1f5ad2be9e39d1c4b5c6e21:90112",
		"run 5e0b2d4c-1f2a-4b3c-8d9e-0a1b2c3d4e5f":                               "run 5e0b2d4c-1f2a-4b3c-8d9e-0a1b2c3d4e5f",
		"MONITOR_2024-05-01_BackgroundRewriteAppendOnlyFile finished":            "MONITOR_2024-05-01_BackgroundRewriteAppendOnlyFile finished",
		"TestBackupOfManyClustersWithoutADirectory2024/001":                      "TestBackupOfManyClustersWithoutADirectory2024/001",
		"open /data/--password-file: no such file or directory":                  "open /data/--password-file: no such file or directory",
		"1:M 28 Nov 2026 16:55:09.524 * Background saving started by pid 123456": "1:M 28 Nov 2026 16:55:09.524 * Background saving started by pid 123456",
	} {
		if got := maskShapes(text); got != want {
			t.Errorf("%s: %s", text, got)
		}
	}
}

// Tokens that no rule knows are masked by their shape alone.
func TestRandomTokensAreMasked(t *testing.T) {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	r := rand.New(rand.NewPCG(1, 2))
	missed := 0
	const tries = 2000
	for range tries {
		token := make([]byte, 32)
		for i := range token {
			token[i] = letters[r.IntN(len(letters))]
		}
		if maskShapes("GET x "+string(token)+" ok") != "GET x **** ok" {
			missed++
		}
	}
	if missed > tries/50 {
		t.Errorf("%d of %d were shown", missed, tries)
	}
}
