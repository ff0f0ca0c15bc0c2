package scan

import (
	"context"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// keyed is the events of string keys.
func keyed(pairs ...string) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		for i := 0; i+1 < len(pairs); i += 2 {
			e := &keyspace.Event{Kind: keyspace.Key, Key: []byte(pairs[i]), Type: keyspace.String, State: keyspace.Live, Expire: keyspace.NoExpire, Pos: keyspace.Pos{Source: "dump.rdb", Offset: int64(i), Inner: -1}}
			if !yield(e, nil) {
				return
			}
			v := *e
			v.Kind, v.Value, v.Part = keyspace.Element, []byte(pairs[i+1]), keyspace.Whole
			if !yield(&v, nil) {
				return
			}
		}
	}
}

// Why a value is no finding is said of each value, without the value, and the
// same whatever the number of workers.
func TestExplain(t *testing.T) {
	secret := "Zx9" + "vQ2mL7pR4sT8wK1nB6"
	events := keyed("app:password", "changeme", "app:password:"+secret, secret, "greeting", "hello", "cfg:api_key", "true", "app:"+"secret", secret)
	var first string
	for _, workers := range []int{1, 2, 16} {
		var out strings.Builder
		reasons := map[string]string{}
		s, err := New(Config{Workers: workers, IDKey: make([]byte, 32), Explain: func(e *Exclusion) error {
			reasons[e.Key] = e.Reason
			out.WriteString(e.Key + " " + e.Reason + "\n")
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Scan(context.Background(), events, func(*Finding) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if reasons["app:password"] != string(placeholderValue) || reasons["greeting"] != "" {
			t.Errorf("reasons %v", reasons)
		}
		if strings.Contains(out.String(), "changeme") || strings.Contains(out.String(), secret) {
			t.Error("a value is shown")
		}
		if first == "" {
			first = out.String()
		} else if first != out.String() {
			t.Errorf("%d workers: another explanation", workers)
		}
	}
}

// Plain undoes masking, and only where it was asked for.
func TestPlain(t *testing.T) {
	secret := "Zx9" + "vQ2mL7pR4sT8wK1nB6"
	for _, kept := range []bool{false, true} {
		s, err := New(Config{Workers: 1, Plain: kept})
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		_, err = s.Scan(context.Background(), keyed("app:password:"+secret, `{"password":"`+secret+`"}`), func(f *Finding) error {
			found++
			p := f.Plain()
			if strings.Contains(f.Secret+f.Key, secret) {
				t.Error("the finding shows the secret")
			}
			if (p.Secret == secret) != kept || strings.Contains(p.Key, secret) != kept {
				t.Errorf("kept %v: not what Plain should give", kept)
			}
			return nil
		})
		if err != nil || found == 0 {
			t.Errorf("%d findings, %v", found, err)
		}
	}
}

// Secrets in the names of a key and of its field are masked in each.
func TestExplainMasksBothNames(t *testing.T) {
	token := githubToken("ghp", "both")
	var got []*Exclusion
	s, err := New(Config{Workers: 1, Explain: func(e *Exclusion) error { got = append(got, e); return nil }})
	if err != nil {
		t.Fatal(err)
	}
	scanAll(t, s, hashKey(sessionKey, "password "+token, "changeme"))
	for _, e := range got {
		if e.Reason == string(placeholderValue) && e.Key == "session:****6b04" && e.Field == "password ghp_****"+token[36:] {
			return
		}
	}
	t.Errorf("%d exclusions, none that masks both: %s", len(got), strings.ReplaceAll(jsonText(got), token, "…"))
}
