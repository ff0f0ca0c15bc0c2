package scan

import (
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// textLine is the event of a line of a file.
func textLine(line string) []keyspace.Event {
	e := keyspace.Event{Kind: keyspace.Element, Op: keyspace.OpPut, Key: []byte(".rediscli_history"), Field: []byte("7"), Value: []byte(line), DB: -1, Expire: keyspace.NoExpire,
		Pos: keyspace.Pos{Source: ".rediscli_history", Offset: 9, Inner: -1}}
	return []keyspace.Event{e}
}

func TestCLIFamily(t *testing.T) {
	password := "Vq7xk#29ab"
	for line, found := range map[string]bool{
		"auth " + password:                                                        true,
		"AUTH deploy " + password:                                                 true,
		`auth "` + password + `"`:                                                 true,
		"127.0.0.1:6379> AUTH " + password:                                        true,
		"hello 3 auth deploy " + password:                                         true,
		"MIGRATE 192.0.2.7 6379 k 0 5000 COPY AUTH " + password:                   true,
		"migrate 192.0.2.7 6379 \"\" 0 5000 auth2 deploy " + password + " keys a": true,

		"auth required pam_unix.so":        false,
		"auth password":                    false,
		"auth <password>":                  false,
		"auth":                             false,
		"the auth " + password + " was ok": false,
		"oauth " + password:                false,
		"hello 3":                          false,
	} {
		fs, _ := scanAll(t, newTestScanner(t), textLine(line))
		if ok := len(fs) == 1 && fs[0].Rule == "valkey-password" && fs[0].Secret == password; ok != found || !found && len(fs) > 0 {
			t.Errorf("%q: found %s", line, brief(fs))
		}
	}
	if fs := findingsIn(t, "chat:1", "auth "+password); len(fs) > 0 {
		t.Errorf("in a value: found %s", brief(fs))
	}
}
