package scan

import (
	"strings"
	"sync"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// A name is shown as the last finding of a scan of that key alone shows it, whatever
// names came before and on however many goroutines.
func TestKeyName(t *testing.T) {
	s, err := New(Config{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	token := githubToken("gh"+"p_", "of a name")
	names := []string{"", "plain", "user:17", "cache:" + token, token, "a:" + token + ":b:" + githubToken("gh"+"p_", "another"), "http://me:" + "hunter2secret@host/x",
		`{"password":"` + "tr0ub4dor&3x" + `","a":"` + token + `"}`, "mail:someone@company.com", "card:4111111111111111", "\xff\xfe\x00", strings.Repeat("long ", 1<<17) + token}
	want, masked := make([]string, len(names)), 0
	for i, name := range names {
		want[i] = name
		_, err := s.Scan(t.Context(), sequence(keyspace.Event{Kind: keyspace.Key, DB: -1, Key: []byte(name), Expire: keyspace.NoExpire, Pos: keyspace.Pos{Inner: -1}}), func(f *Finding) error {
			want[i] = f.Key
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if want[i] != name {
			masked++
		}
	}
	if masked < 3 {
		t.Fatalf("%d names have secrets", masked)
	}
	var all sync.WaitGroup
	for w := range 4 {
		all.Go(func() {
			for i := range 3 * len(names) {
				i = (i*5 + w) % len(names)
				if got, err := s.KeyName(names[i]); err != nil || got != want[i] {
					t.Errorf("name %d is not as a scan shows it: %v", i, err)
				}
			}
		})
	}
	all.Wait()
}
