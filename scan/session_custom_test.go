package scan

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// ofCustom scans one session of an application and returns what was found of it, nil
// if it was taken for none.
func ofCustom(t *testing.T, prefix string, value object) *Finding {
	t.Helper()
	key := prefix + "3f0c1d9e-7a52-4b6e-9c81-5d2e8f7a6b04"
	text := jsonText(value)
	var first *Finding
	for i, events := range [][]keyspace.Event{stringKey(key, text), hashKey(key, members(t, value)...)} {
		var here *Finding
		found, _ := scanAll(t, newTestScanner(t), events)
		for _, f := range found {
			if f.Framework == "custom" {
				here = f
			}
		}
		switch {
		case i == 0:
			first = here
		case (first == nil) != (here == nil) || here != nil && here.Severity != first.Severity:
			t.Errorf("%s%s: %v as JSON, %v as a hash", prefix, text, first, here)
		}
	}
	return first
}

// members are the fields of a hash that keeps an object.
func members(t *testing.T, value object) []string {
	t.Helper()
	var out []string
	for _, name := range slices.Sorted(maps.Keys(value)) {
		text, ok := value[name].(string)
		if !ok {
			b, err := json.Marshal(value[name])
			if err != nil {
				t.Fatal(err)
			}
			text = string(b)
		}
		out = append(out, name, text)
	}
	return out
}

const (
	anAddress = "203.0.113.77"
	aTime     = 1714000000
)

// A login is found whatever else its application keeps with it.
func TestCustomLogins(t *testing.T) {
	for _, c := range []struct {
		prefix string
		value  object
	}{
		{"session:", object{"user_id": 23, "ip": anAddress, "user_agent": "Mozilla/5.0", "created_at": aTime}},
		{"session:", object{"userId": 23, "expiresAt": aTime}},
		{"sess:", object{"user": object{"id": 4, "email": "x.y@example.org"}, "isLoggedIn": true}},
		{"app:sessions:", object{"username": "al", "roles": []any{"admin"}, "login_at": aTime}},
		{"session:", object{"user_id": 4, "role": "admin", "favourite": "blue"}},
		{"chat:session:", object{"user_id": 4, "access_token": "q8Zr4TnXw2Lk9VbY6mJd"}},
		{"auth:session:", object{"sub": "u4", "exp": aTime, "iat": aTime}},
		{"user_session:", object{"user_id": 4, "tenant_id": 5}},
		{"login:session:", object{"account_id": 4, "authenticated": true, "cart": object{"items": []any{}}}},
		{"session:", object{"data": object{"user_id": 4, "mfa_verified": true}, "score": 3}},
	} {
		if f := ofCustom(t, c.prefix, c.value); f == nil || f.Severity != High || f.Confidence != Likely {
			t.Errorf("%s%s: %v", c.prefix, jsonText(c.value), f)
		}
	}
	for _, unsure := range []object{
		{"user_id": 4, "ip": anAddress, "expires": aTime, "favourite": "blue"},
		{"user_id": 4, "role": "user", "app_name": "helper", "last_update_time": aTime},
	} {
		if f := ofCustom(t, "session:", unsure); f == nil || f.Severity != Medium || f.Confidence != Possible {
			t.Errorf("%s: %v", jsonText(unsure), f)
		}
	}
}

// What is called a session and has a user, and is no login: by what the session is
// said to be of, and by what it holds.
func TestOtherSessionsAreNoLogins(t *testing.T) {
	user := func(more object) object {
		out := object{"user_id": 9, "ip": anAddress, "user_agent": "Mozilla/5.0", "last_seen": aTime, "expires_at": aTime}
		maps.Copy(out, more)
		return out
	}
	for _, of := range []string{"analytics", "game", "chat", "agent", "cart", "upload", "presence", "quiz", "video", "payment", "whatsapp"} {
		for _, between := range []string{of + ":session:", "shop:" + of + "_session:", of + "-sessions:"} {
			if f := ofCustom(t, between, user(nil)); f != nil {
				t.Errorf("%s: %+v", between, f)
			}
		}
	}
	for _, value := range []object{
		user(object{"pages": []any{"/", "/a"}, "referrer": "https://example.org/"}),
		user(object{"messages": []any{object{"role": "user", "content": "hi"}, object{"role": "assistant", "content": "hello"}}}),
		user(object{"events": []any{object{"author": "user", "content": "x"}}}),
		user(object{"filename": "a.bin", "chunks": []any{1, 2}}),
		user(object{"items": []any{object{"sku": "A", "qty": 1}}, "total": 9.9}),
		user(object{"socket_id": "a1b2"}),
		{"game": "chess", "white": object{"user_id": 1}, "black": object{"user_id": 2}, "lastActivity": aTime},
		{"players": []any{object{"user_id": 1}, object{"user_id": 2}}, "expires_at": aTime},
		{"members": []any{object{"user_id": 1, "role": "host"}}, "expires_at": aTime},
		{"user_id": "anonymous", "user_agent": "Mozilla/5.0"},
		{"user_id": 9, "roles": []any{"assistant"}, "system_prompt": "be kind"},
		{"user_id": 9, "count": 44},
		{"user_id": 9, "authenticated": false},
	} {
		if f := ofCustom(t, "session:", value); f != nil {
			t.Errorf("%s: %+v", jsonText(value), f)
		}
	}
}

// What hapi caches of a user under an identifier may be a session or a profile.
func TestHapiCache(t *testing.T) {
	const item = `{"item":{"user":{"id":42,"email":"a.b@example.org"}},"stored":1760000000000,"ttl":86400000}`
	for segment, want := range map[string]Severity{"%40hapi%2Fyar": High, "sessions": High, "people": Medium} {
		found, _ := scanAll(t, newTestScanner(t), stringKey("hapi-cache:"+segment+":3f0c1d9e-7a52-4b6e-9c81-5d2e8f7a6b04", item))
		i := slices.IndexFunc(found, func(f *Finding) bool { return f.Framework == "hapi" })
		if i < 0 || found[i].Severity != want || (found[i].Confidence == Confirmed) != (want == High) {
			t.Errorf("%s: %s", segment, brief(found))
		}
	}
}
