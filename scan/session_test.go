package scan

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// A person is a user whose session is made up anew in each run.
type person struct {
	rnd                       *rand.Rand
	id                        int
	name, mail, ip, csrf, sid string
	sid32, sid40, sidUUID     string
}

func (p *person) text(n int, alphabet string) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[p.rnd.IntN(len(alphabet))]
	}
	return string(b)
}

func newPerson(rnd *rand.Rand) *person {
	p := &person{rnd: rnd, id: 1 + rnd.IntN(90000)}
	first, last := []string{"mira", "jonas", "yuki", "ada", "omar"}, []string{"okafor", "haddad", "moreau", "lindqvist"}
	p.name = first[rnd.IntN(len(first))] + "." + last[rnd.IntN(len(last))]
	p.mail = p.name + fmt.Sprint(rnd.IntN(999)) + "@mail.test"
	p.ip = fmt.Sprintf("203.0.%d.%d", rnd.IntN(255), 1+rnd.IntN(250))
	p.sid, p.sid32, p.sid40, p.csrf = p.text(32, alnumAlphabet), p.text(32, hexAlphabet), p.text(40, alnumAlphabet), p.text(40, alnumAlphabet)
	h := p.text(32, hexAlphabet)
	p.sidUUID = h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:]
	return p
}

// Writers of the formats that frameworks use, of names and values in turn.
func phpValue(v any) string {
	switch v := v.(type) {
	case int:
		return fmt.Sprintf("i:%d;", v)
	case string:
		return fmt.Sprintf("s:%d:\"%s\";", len(v), v)
	case []any:
		var b strings.Builder
		for _, e := range v {
			b.WriteString(phpValue(e))
		}
		return fmt.Sprintf("a:%d:{%s}", len(v)/2, b.String())
	}
	panic("no such type")
}

func phpSession(pairs ...any) string {
	var b strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		b.WriteString(pairs[i].(string) + "|" + phpValue(pairs[i+1]))
	}
	return b.String()
}

func pickled(pairs ...any) string {
	body := "}\x94("
	for _, v := range pairs {
		switch v := v.(type) {
		case int:
			body += "J" + le32(v)
		case string:
			body += "\x8c" + string([]byte{byte(len(v))}) + v + "\x94"
		}
	}
	body += "u."
	return "\x80\x04\x95" + string(binary.LittleEndian.AppendUint64(nil, uint64(len(body)))) + body
}

func msgpacked(pairs ...any) string {
	out := string([]byte{0x80 | byte(len(pairs)/2)})
	for _, v := range pairs {
		switch v := v.(type) {
		case int:
			out += "\xce" + string(binary.BigEndian.AppendUint32(nil, uint32(v)))
		case string:
			out += "\xd9" + string([]byte{byte(len(v))}) + v
		}
	}
	return out
}

func marshaled(pairs ...any) string {
	var value func(v any) string
	value = func(v any) string {
		switch v := v.(type) {
		case int:
			if v < 123 {
				return "i" + string([]byte{byte(v + 5)})
			}
			return "i\x03" + string([]byte{byte(v), byte(v >> 8), byte(v >> 16)})
		case string:
			return `I"` + marshalLong(len(v)) + v + "\x06:\x06ET"
		case []any:
			out := "[" + marshalLong(len(v))
			for _, e := range v {
				out += value(e)
			}
			return out
		}
		panic("no such type")
	}
	out := "\x04\x08{" + marshalLong(len(pairs)/2)
	for _, v := range pairs {
		out += value(v)
	}
	return out
}

func gobbed(v any) string {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(v); err != nil {
		panic(err)
	}
	return b.String()
}

// erlangMap writes a map as Erlang's external term format does.
func erlangMap(pairs ...string) string {
	out := "\x83t" + string(binary.BigEndian.AppendUint32(nil, uint32(len(pairs)/2)))
	for _, v := range pairs {
		out += "m" + string(binary.BigEndian.AppendUint32(nil, uint32(len(v)))) + v
	}
	return out
}

func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

type object = map[string]any

// A sessionCase is a key of a framework and what is to be found.
type sessionCase struct {
	name      string
	events    []keyspace.Event
	framework string
	rule      string
	id        string
	identity  map[string]string
}

func javaObjects(t testing.TB) map[string]string {
	t.Helper()
	text, err := os.ReadFile("testdata/spring.txt")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name != "#" {
			raw, err := base64.StdEncoding.DecodeString(value)
			if err != nil {
				t.Fatal(err)
			}
			out[name] = string(raw)
		}
	}
	return out
}

func aspnetData(pairs ...string) string {
	out := "\x02" + string([]byte{0, 0, byte(len(pairs) / 2)}) + strings.Repeat("\x17", 16)
	for i := 0; i+1 < len(pairs); i += 2 {
		out += javaUTF(pairs[i]) + string(binary.BigEndian.AppendUint32(nil, uint32(len(pairs[i+1])))) + pairs[i+1]
	}
	return out
}

func sessionCases(t testing.TB, p *person) []sessionCase {
	java := javaObjects(t)
	id := fmt.Sprint(p.id)
	hash := p.text(64, hexAlphabet)
	cookie := object{"originalMaxAge": 86400000, "expires": "2033-05-18T03:33:20.000Z", "httpOnly": true, "path": "/"}
	bcrypt := "$2" + "y$10$" + p.text(53, cryptAlphabet)
	laravel := []any{"_token", p.csrf, "_previous", []any{"url", "https://shop.test/"}, "_flash", []any{"old", []any{}, "new", []any{}}, "login_web_" + p.text(40, hexAlphabet), p.id, "password_hash_web", bcrypt}
	opaque := make([]byte, 200)
	for i := range opaque {
		opaque[i] = byte(p.rnd.UintN(256))
	}
	opaque[0] = 0xf0
	return []sessionCase{
		{"express with passport", stringKey("sess:"+p.sid, jsonText(object{"cookie": cookie, "passport": object{"user": object{"id": p.id, "email": p.mail, "role": "admin"}}, "csrfSecret": p.csrf})), "express", sessionRule, p.sid,
			map[string]string{"user_id": id, "email": p.mail, "csrf_token": p.csrf, "roles": "admin"}},
		{"express with an id and a prefix of its own", stringKey("shop:s:"+p.sid, jsonText(object{"cookie": object{"originalMaxAge": nil, "path": "/"}, "userId": p.id, "ip": p.ip})), "express", sessionRule, p.sid,
			map[string]string{"user_id": id, "ip": p.ip}},
		{"django", stringKey(":1:django.contrib.sessions.cache"+p.sid32, pickled("_auth_user_id", id, "_auth_user_backend", "django.contrib.auth.backends.ModelBackend", "_auth_user_hash", hash, "_csrftoken", p.csrf)), "django", sessionRule, p.sid32,
			map[string]string{"user_id": id, "csrf_token": p.csrf, "backend": "ModelBackend"}},
		{"django in base64", stringKey("session:"+p.sid32, base64.StdEncoding.EncodeToString([]byte(hash[:40]+":"+jsonText(object{"_auth_user_id": id, "_auth_user_hash": hash, "_auth_user_backend": "x.Y"})))), "django", sessionRule, p.sid32,
			map[string]string{"user_id": id}},
		{"flask, pickle", stringKey("session:"+p.sidUUID, pickled("_permanent", "x", "user_id", p.id, "csrf_token", p.csrf)), "flask-session", sessionRule, p.sidUUID,
			map[string]string{"user_id": id, "csrf_token": p.csrf}},
		{"flask, the oldest pickle", stringKey("session:"+p.sidUUID, wrapPickle0("user_id", id)), "flask-session", sessionRule, p.sidUUID, map[string]string{"user_id": id}},
		{"django without a user", stringKey(":1:django.contrib.sessions.cached_db"+p.sid32, "\x80\x04}\x94."), "django", sessionRule, p.sid32, nil},
		{"flask, msgpack", stringKey("session:"+p.sid, msgpacked("_user_id", id, "username", p.name, "csrf_token", p.csrf)), "flask-session", sessionRule, p.sid,
			map[string]string{"user_id": id, "user": p.name, "csrf_token": p.csrf}},
		{"flask, prefix of its own", stringKey("app1:"+p.sid, jsonText(object{"_permanent": true, "_fresh": true, "_user_id": id, "email": p.mail})), "flask-session", sessionRule, p.sid,
			map[string]string{"user_id": id, "email": p.mail}},
		{"php", stringKey("PHPREDIS_SESSION:"+p.sid32, phpSession("user_id", p.id, "auth", []any{"email", p.mail, "ip", p.ip}, "csrf", p.csrf)), "php", sessionRule, p.sid32,
			map[string]string{"user_id": id, "email": p.mail, "ip": p.ip, "csrf_token": p.csrf}},
		{"symfony", stringKey("sf_s"+p.sid32, phpSession("_sf2_attributes", []any{"_csrf/https-auth", p.csrf, "username", p.name}, "_sf2_meta", []any{"u", 1, "c", 1})), "symfony", sessionRule, "sf_s" + p.sid32,
			map[string]string{"user": p.name}},
		{"nextcloud", stringKey("PHPREDIS_SESSION:"+p.sid32, phpSession("encrypted_session_data", p.text(300, hexAlphabet)+"|"+p.csrf)), "nextcloud", opaqueRule, p.sid32, nil},
		{"laravel", stringKey("shop_database_shop_cache_:"+p.sid40, phpValue(phpValue(laravel))), "laravel", sessionRule, p.sid40,
			map[string]string{"user_id": id, "csrf_token": p.csrf}},
		{"laravel 11", stringKey("shop-database-shop-cache-"+p.sid40, phpValue(phpValue(laravel))), "laravel", sessionRule, p.sid40,
			map[string]string{"user_id": id, "csrf_token": p.csrf}},
		{"rails", stringKey("_session_id:2::"+hash, marshaled("session_id", p.sid32, "_csrf_token", p.csrf, "warden.user.user.key", []any{[]any{p.id}, bcrypt[:29]})), "rails", sessionRule, "2::" + hash,
			map[string]string{"user_id": id, "csrf_token": p.csrf}},
		{"gitlab", stringKey("session:gitlab:2::"+hash, marshaled("_csrf_token", p.csrf, "warden.user.user.key", []any{[]any{p.id}, bcrypt[:29]}, "ip_address", p.ip)), "gitlab", sessionRule, "2::" + hash,
			map[string]string{"user_id": id, "csrf_token": p.csrf, "ip": p.ip}},
		{"gitlab by user", stringKey("session:user:gitlab:"+id+":2::"+hash, "v2:"+jsonText(object{"ip_address": p.ip, "browser": "Firefox", "created_at": "2026-01-01"})), "gitlab", sessionRule, "2::" + hash,
			map[string]string{"user_id": id}},
		{"spring", hashKey("spring:session:sessions:"+p.sidUUID, "creationTime", java["long"], "maxInactiveInterval", java["int"], "lastAccessedTime", java["long"], "sessionAttr:SPRING_SECURITY_CONTEXT", java["context"]), "spring-session", sessionRule, p.sidUUID,
			map[string]string{"user": "inken.behrens", "ip": "203.0.113.77", "roles": "ROLE_ADMIN,ROLE_BILLING", "created": "2025-10-09T08:53:20Z"}},
		{"spring, a map", hashKey("app:sessions:"+p.sidUUID, "lastAccessedTime", java["long"], "sessionAttr:user", wrapJava("username", p.name)), "spring-session", sessionRule, p.sidUUID,
			map[string]string{"user": p.name}},
		{"spring, JSON", hashKey("spring:session:sessions:"+p.sidUUID, "creationTime", "1760000000000", "maxInactiveInterval", "1800", "lastAccessedTime", "1760000000000", "sessionAttr:SPRING_SECURITY_CONTEXT",
			jsonText(object{"authentication": object{"principal": object{"username": p.name, "authorities": []any{object{"authority": "ROLE_USER"}}}}})), "spring-session", sessionRule, p.sidUUID,
			map[string]string{"user": p.name, "roles": "ROLE_USER"}},
		{"spring oauth, access", stringKey("access:5f2c1a7e-1d0e-4c37-9f2e-2b1f6f3d9a10", java["access"]), "spring-oauth", sessionRule, "5f2c1a7e-1d0e-4c37-9f2e-2b1f6f3d9a10",
			map[string]string{"roles": "read,write", "kind": "access"}},
		{"spring oauth, authentication", stringKey("auth:5f2c1a7e-1d0e-4c37-9f2e-2b1f6f3d9a10", java["auth"]), "spring-oauth", sessionRule, "5f2c1a7e-1d0e-4c37-9f2e-2b1f6f3d9a10",
			map[string]string{"user": "inken.behrens", "client_id": "webshop", "ip": "203.0.113.77"}},
		{"spring oauth, by user", elements(keyspace.Set, "uname_to_access:webshop:"+p.name, keyspace.Event{Value: []byte(java["access"])}), "spring-oauth", sessionRule, "5f2c1a7e-1d0e-4c37-9f2e-2b1f6f3d9a10",
			map[string]string{"user": p.name}},
		{"nextauth session", stringKey("user:session:"+p.sidUUID, jsonText(object{"sessionToken": p.sidUUID, "userId": "u" + id, "expires": "2033-05-18T03:33:20.000Z", "id": p.sidUUID})), "nextauth", sessionRule, p.sidUUID,
			map[string]string{"user_id": "u" + id}},
		{"nextauth account", stringKey("user:account:github:"+id, jsonText(object{"provider": "github", "type": "oauth", "providerAccountId": id, "access_token": "gho", "userId": "u" + id})), "nextauth", identityRule, id,
			map[string]string{"user_id": "u" + id, "provider": "github"}},
		{"aspnet", hashKey(p.sidUUID, "absexp", "-1", "sldexp", "12000000000", "data", aspnetData("UserId", string(binary.BigEndian.AppendUint32(nil, uint32(p.id))), "UserName", p.name)), "aspnet-core", sessionRule, p.sidUUID,
			map[string]string{"user_id": id, "user": p.name}},
		{"wordpress user", stringKey("wp:users:"+id, phpValue([]any{"ID", id, "user_login", p.name, "user_pass", bcrypt, "user_email", p.mail})), "wordpress", identityRule, id,
			map[string]string{"user_id": id, "user": p.name, "email": p.mail}},
		{"koa", stringKey("koa:sess:"+p.sid, jsonText(object{"user": object{"id": p.id, "email": p.mail}, "_expire": 1900000000000, "_maxAge": 86400000})), "koa", sessionRule, p.sid,
			map[string]string{"user_id": id, "email": p.mail}},
		{"koa, egg", stringKey(p.sidUUID, jsonText(object{"userId": p.id, "_expire": 1900000000000, "_maxAge": 86400000})), "koa", sessionRule, p.sidUUID, map[string]string{"user_id": id}},
		{"koa-generic-session", stringKey("koa:sess:"+p.sid, jsonText(object{"cookie": object{"path": "/", "httpOnly": true, "maxAge": 86400000, "overwrite": true, "signed": true}, "username": p.name})), "koa", sessionRule, p.sid,
			map[string]string{"user": p.name}},
		{"better-auth", stringKey(p.sid, jsonText(object{"session": object{"id": p.sid40, "token": p.sid, "userId": "u" + id, "expiresAt": "2033-05-18T03:33:20.000Z", "ipAddress": p.ip}, "user": object{"id": "u" + id, "email": p.mail, "emailVerified": true, "role": "admin"}})), "better-auth", sessionRule, p.sid,
			map[string]string{"user_id": "u" + id, "email": p.mail, "ip": p.ip, "roles": "admin"}},
		{"better-auth, of a user", stringKey("active-sessions-u"+id, jsonText([]any{object{"token": p.sid, "expiresAt": 1900000000000}})), "better-auth", sessionRule, p.sid, map[string]string{"user_id": "u" + id}},
		{"lucia", stringKey("session:"+p.sid40, jsonText(object{"id": p.sid40, "user_id": "u" + id, "active_expires": 1900000000000, "idle_expires": 1900000000000})), "lucia", sessionRule, p.sid40, map[string]string{"user_id": "u" + id}},
		{"adonis", stringKey(p.sid, jsonText(object{"message": object{"auth_web": p.id, "csrf-secret": p.csrf}, "purpose": p.sid})), "adonis", sessionRule, p.sid, map[string]string{"user_id": id}},
		{"hapi", stringKey("hapi-cache:%40hapi%2Fyar:"+p.sidUUID, jsonText(object{"item": object{"user": object{"id": p.id, "email": p.mail}}, "stored": 1760000000000, "ttl": 86400000})), "hapi", sessionRule, p.sidUUID,
			map[string]string{"user_id": id, "email": p.mail}},
		{"starsessions", stringKey("starsessions."+p.sid32, jsonText(object{"user_id": p.id, "role": "editor", "__metadata__": object{"created": 1700000000.5, "last_access": 1700000001.5, "lifetime": 0}})), "starsessions", sessionRule, p.sid32,
			map[string]string{"user_id": id, "roles": "editor"}},
		{"aiohttp-session", stringKey("AIOHTTP_SESSION_"+p.sid32, `{"created": 1700000000, "session": `+jsonText(object{"user_id": p.id})+"}"), "aiohttp-session", sessionRule, p.sid32, map[string]string{"user_id": id}},
		{"pyramid", stringKey(p.sid40, pickled("managed_dict", p.name, "created", 1700000000, "timeout", 1200)), "pyramid", sessionRule, p.sid40, nil},
		{"phoenix", stringKey("sessions:"+p.sid40, erlangMap("_csrf_token", p.csrf, "user_id", id, "live_socket_id", "users_sessions:x")), "phoenix", sessionRule, p.sid40, map[string]string{"user_id": id, "csrf_token": p.csrf}},
		{"shiro", stringKey("shiro:session:"+p.sidUUID, wrapJava("username", p.name)), "shiro", sessionRule, p.sidUUID, map[string]string{"user": p.name}},
		{"tomcat", hashKey("redisson:tomcat_session:"+p.sid32, "session:creationTime", "x", "session:lastAccessedTime", "x", "user", wrapJava("username", p.name)), "tomcat", sessionRule, p.sid32, map[string]string{"user": p.name}},
		{"sa-token", stringKey("Authorization:login:token:"+p.sidUUID, id), "sa-token", sessionRule, p.sidUUID, map[string]string{"user_id": id}},
		{"sa-token, an account", stringKey("satoken:login:session:"+id, jsonText(object{"@class": "cn.dev33.satoken.session.SaSession", "id": "satoken:login:session:" + id, "tokenSignList": []any{object{"value": p.sidUUID, "device": "PC"}}})), "sa-token", identityRule, id,
			map[string]string{"user_id": id}},
		{"ruoyi", stringKey("login_tokens:"+p.sidUUID, jsonText(object{"@type": "com.ruoyi.common.core.domain.model.LoginUser", "token": p.sidUUID, "userId": p.id, "username": p.name, "ipaddr": p.ip, "permissions": []any{"*:*:*"}})), "ruoyi", sessionRule, p.sidUUID,
			map[string]string{"user_id": id, "user": p.name, "ip": p.ip, "roles": "*:*:*"}},
		{"scs", stringKey("scs:session:"+p.sid, gobbed(struct {
			Deadline time.Time
			Values   map[string]any
		}{time.Unix(1900000000, 0), map[string]any{"userID": p.id, "email": p.mail}})), "scs", sessionRule, p.sid, map[string]string{"user_id": id, "email": p.mail}},
		{"gorilla", stringKey("session_"+p.text(52, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), gobbed(map[any]any{"user_id": p.id, "username": p.name})), "gorilla", sessionRule, "", map[string]string{"user_id": id, "user": p.name}},
		{"gitea", stringKey(p.text(16, hexAlphabet), gobbed(map[any]any{"uid": int64(p.id), "uname": p.name})), "go-session", sessionRule, "", map[string]string{"user_id": id}},
		{"of the application", stringKey("app:session:"+p.sidUUID, jsonText(object{"user_id": p.id, "role": "admin", "ip": p.ip})), "custom", sessionRule, p.sidUUID, map[string]string{"user_id": id, "roles": "admin", "ip": p.ip}},
		{"of the application, a hash", hashKey("sess:"+p.sid32, "uid", id, "email", p.mail, "last_seen", "1700000000"), "custom", sessionRule, p.sid32, map[string]string{"user_id": id, "email": p.mail}},
		{"oauth2-proxy", stringKey("_oauth2_proxy-"+p.sid32, string(opaque)), "oauth2-proxy", opaqueRule, p.sid32, nil},
		{"authelia", stringKey("authelia-session:"+p.sid, string(opaque)), "authelia", opaqueRule, p.sid, nil},
	}
}

// TestSessions: of each framework the session, whose it is and what guards its
// forms. The people are others in each run.
func TestSessions(t *testing.T) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 1))
	var excluded []*Exclusion
	hidden, err := New(Config{Workers: 1, IDKey: []byte("test"), Plain: true, Explain: func(e *Exclusion) error {
		excluded = append(excluded, e)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	for range 8 {
		for _, c := range sessionCases(t, newPerson(rnd)) {
			found, _ := scanAll(t, newTestScanner(t), c.events)
			i := slices.IndexFunc(found, func(f *Finding) bool { return f.Framework != "" })
			if i < 0 {
				t.Errorf("%s (seed %d): no session among %s", c.name, seed, brief(found))
				continue
			}
			f := found[i]
			if f.Framework != c.framework || f.Rule != c.rule || f.Category != Session || c.id != "" && f.Secret != c.id || f.Where != WhereKey {
				t.Errorf("%s (seed %d): %s of %s at %s, want %s of %s", c.name, seed, f.Rule, f.Framework, f.Where, c.rule, c.framework)
			}
			for kind, want := range c.identity {
				if f.Identity[kind] != want {
					t.Errorf("%s (seed %d): %s has %d bytes, want %d", c.name, seed, kind, len(f.Identity[kind]), len(want))
				}
			}
			if c.rule != sessionRule && f.Severity > Medium {
				t.Errorf("%s: severity %s", c.name, f.Severity)
			}
			// Nothing of it is shown without being told to.
			excluded = excluded[:0]
			found, _ = scanAll(t, hidden, c.events)
			text := jsonText(found) + jsonText(excluded)
			if i := slices.IndexFunc(found, func(f *Finding) bool { return f.Framework != "" }); i < 0 || !maps.Equal(found[i].Plain().Identity, f.Identity) || c.id != "" && found[i].Plain().Secret != c.id {
				t.Errorf("%s (seed %d): what is masked is lost", c.name, seed)
			}
			for _, secret := range []string{c.id, c.identity["csrf_token"], c.identity["email"], c.identity["ip"]} {
				if len(secret) > 8 && strings.Contains(text, secret) {
					t.Errorf("%s (seed %d): a secret of %d bytes is shown", c.name, seed, len(secret))
				}
			}
		}
	}
}

// TestSessionExpiry: the key's own expiry, or that which the session gives.
func TestSessionExpiry(t *testing.T) {
	p := newPerson(rand.New(rand.NewPCG(1, 2)))
	value := jsonText(object{"cookie": object{"originalMaxAge": 1, "expires": "2033-05-18T03:33:20.000Z"}, "user": p.name})
	events := stringKey("sess:"+p.sid, value)
	found, _ := scanAll(t, newTestScanner(t), events)
	if f := found[len(found)-1]; f.ExpiresAt != "2033-05-18T03:33:20Z" || f.TTLBasis != "token" || f.Severity != High {
		t.Errorf("expires %s by the %s, severity %s", f.ExpiresAt, f.TTLBasis, f.Severity)
	}
	for i := range events {
		events[i].Expire, events[i].State = 1900000000000, keyspace.Expired
	}
	found, _ = scanAll(t, newTestScanner(t), events)
	if f := found[len(found)-1]; f.ExpiresAt != "2030-03-17T17:46:40Z" || f.TTLBasis != "key" || f.State != "expired" || f.Severity != Medium {
		t.Errorf("expires %s by the %s, state %s, severity %s", f.ExpiresAt, f.TTLBasis, f.State, f.Severity)
	}
}

// TestQueues: a queue names its jobs, and a secret in one the job and the
// argument that it is.
func TestQueues(t *testing.T) {
	url := "postgres://svc_app:" + random("qpw", 16, alnumAlphabet) + "@db1.internal:5432/app"
	list := func(key string, values ...string) []keyspace.Event {
		var es []keyspace.Event
		for _, v := range values {
			es = append(es, keyspace.Event{Value: []byte(v)})
		}
		return elements(keyspace.List, key, es...)
	}
	body := base64.StdEncoding.EncodeToString([]byte(jsonText([]any{[]any{"x", url}, object{}, object{"callbacks": nil}})))
	message := func(actor, arg string) object {
		return object{"queue_name": "default", "actor_name": actor, "args": []any{arg}, "kwargs": object{}, "message_id": "0b1c"}
	}
	rq := "\x80\x02(X" + le32(11) + "tasks.mailsN]X" + le32(len(url)) + url + "a}t."
	for _, c := range []struct {
		name           string
		events         []keyspace.Event
		framework, job string
		argument       string
	}{
		{"sidekiq", list("queue:default", jsonText(object{"class": "OtherJob", "args": []any{1}, "jid": "a", "queue": "default"}), jsonText(object{"class": "ChargeJob", "args": []any{42, object{"dsn": url}}, "jid": "b", "queue": "default"})), "sidekiq", "ChargeJob", "args[1].dsn"},
		{"sidekiq retries", elements(keyspace.SortedSet, "retry", keyspace.Event{Value: []byte(jsonText(object{"class": "SyncJob", "args": []any{url}, "jid": "c", "retry_count": 3}))}), "sidekiq", "SyncJob", "args[0]"},
		{"resque", list("resque:queue:high", jsonText(object{"class": "Export", "args": []any{object{"to": url}}})), "resque", "Export", "args[0].to"},
		{"celery", list("celery", jsonText(object{"body": body, "content-encoding": "utf-8", "headers": object{"task": "ci.clone"}, "properties": object{"body_encoding": "base64"}})), "celery", "ci.clone", "body.[0][1]"},
		{"celery, taken and not done", hashKey("unacked", "8d1c", jsonText([]any{object{"body": body, "content-encoding": "utf-8", "content-type": "application/json", "headers": object{"task": "ci.clone"}, "properties": object{"body_encoding": "base64"}}, "", "celery"})), "celery", "ci.clone", ""},
		{"celery, a result", stringKey("celery-task-meta-1a9e167e", jsonText(object{"status": "FAILURE", "traceback": "connect('" + url + "')", "result": nil})), "celery", "", "traceback"},
		{"discourse", elements(keyspace.SortedSet, "__mb_backlog_n_/private-messages", keyspace.Event{Value: []byte("17|3|/private-messages|" + jsonText(object{"data": "see " + url}))}), "discourse", "", ""},
		{"bullmq", hashKey("bull:mail:59", "name", "send", "data", jsonText(object{"smtp": object{"url": url}}), "opts", `{"attempts":3}`, "timestamp", "1760000000123"), "bullmq", "send", "data.smtp.url"},
		{"rq", hashKey("rq:job:1a9e167e-aa16-4891-a1eb-c5986003c554", "data", rq, "origin", "default", "created_at", "2026-01-01", "description", "tasks.mails('…')"), "rq", "tasks.mails", ""},
		{"laravel", list("queues:default", jsonText(object{"displayName": `App\Jobs\Upload`, "job": `Illuminate\Queue\CallQueuedHandler@call`, "data": object{"commandName": `App\Jobs\Upload`, "command": phpValue([]any{"dsn", url})}})), "laravel-queue", `App\Jobs\Upload`, "data.command.dsn"},
		{"bee-queue", hashKey("bq:mail:jobs", "1", jsonText(object{"data": object{"dsn": url}, "options": object{"timestamp": 1, "stacktraces": []any{}}, "status": "created"})), "bee-queue", "", "1.data.dsn"},
		{"kue", hashKey("q:job:17", "type", "email", "data", jsonText(object{"dsn": url}), "priority", "0", "state", "inactive"), "kue", "email", "data.dsn"},
		{"faktory", list("default", jsonText(object{"jid": "abcdef1234", "jobtype": "SendMail", "args": []any{url}, "queue": "default"})), "faktory", "SendMail", "args[0]"},
		{"dramatiq", hashKey("dramatiq:default.msgs", "0a", jsonText(message("warm_up", "x")), "0b", jsonText(message("send_mail", url))), "dramatiq", "send_mail", "0b.args[0]"},
		{"arq", stringKey("arq:job:0b1c", pickled("f", "send_mail", "a", url, "et", 1760000000)), "arq", "send_mail", ""},
		{"huey", list("huey.redis.app", "\x80\x02chuey.registry\nMessage\n(X"+le32(36)+"1a9e167e-aa16-4891-a1eb-c5986003c554X"+le32(14)+"app.tasks.mailNK\x00K\x00X"+le32(len(url))+url+"\x85}t\x81."), "huey", "app.tasks.mail", ""},
		{"asynq", hashKey("asynq:{low}:t:0b1c", "state", "pending", "msg", "\x0a\x0demail:deliver\x12"+string(rune(len(url)))+url+"\x1a\x040b1c\x22\x03low\x28\x19"), "asynq", "email:deliver", ""},
		{"hangfire", hashKey("{hangfire}:job:0b1c", "Type", "App.Jobs.Mailer, App, Version=1.0.0.0", "Method", "Send", "Arguments", jsonText([]any{jsonText(url)}), "State", "Enqueued"), "hangfire", "App.Jobs.Mailer.Send", ""},
	} {
		found, _ := scanAll(t, newTestScanner(t), c.events)
		secret := slices.IndexFunc(found, func(f *Finding) bool { return f.Secret == url })
		queue := slices.IndexFunc(found, func(f *Finding) bool { return f.Rule == jobRule })
		if secret < 0 || queue < 0 {
			t.Errorf("%s: found %s, want a URL and a queue", c.name, brief(found))
			continue
		}
		f, q := found[secret], found[queue]
		if f.Framework != c.framework || f.Identity["job"] != c.job || c.argument != "" && f.Identity["argument"] != c.argument {
			t.Errorf("%s: the URL is argument %q of %q, of %s; want %q of %q", c.name, f.Identity["argument"], f.Identity["job"], f.Framework, c.argument, c.job)
		}
		if q.Framework != c.framework || !strings.Contains(q.Identity["job"], c.job) || q.Severity != Info {
			t.Errorf("%s: the queue is %s's, with jobs %q", c.name, q.Framework, q.Identity["job"])
		}
	}
}

// TestIdentitiesHideSecrets: what names a role, a queue or a job is masked where it is
// a secret, and whole for those who may see it.
func TestIdentitiesHideSecrets(t *testing.T) {
	token := "gl" + "pat-" + random("ih", 20, alnumAlphabet)
	url := "postgres://app:" + random("ih2", 18, alnumAlphabet) + "@db.internal:5432/x"
	sid := random("ih3", 32, hexAlphabet)
	s, err := New(Config{Workers: 1, Plain: true, IDKey: []byte("test")})
	if err != nil {
		t.Fatal(err)
	}
	for _, events := range [][]keyspace.Event{
		elements(keyspace.List, "queue:default", keyspace.Event{Value: []byte(jsonText(object{"class": token, "args": []any{url}, "jid": "b", "queue": token}))}),
		hashKey("q:job:17", "type", token, "data", jsonText(object{"dsn": url}), "state", "inactive"),
		hashKey("bull:"+token+":59", "name", token, "data", jsonText(object{"dsn": url}), "opts", `{"attempts":3}`),
		hashKey("hangfire:job:17", "Type", token, "Method", token, "Arguments", jsonText([]any{url})),
		stringKey("session:"+sid, jsonText(object{"user_id": 7, "lastLogin": "2026-01-01", "roles": []any{"admin", token, url}})),
	} {
		found, _ := scanAll(t, s, events)
		identities := 0
		for _, f := range found {
			if strings.Contains(jsonText(f), token) || strings.Contains(jsonText(f), url) {
				t.Errorf("%s of %s shows a secret", f.Rule, f.Framework)
			}
			if p := f.Plain(); strings.Contains(jsonText(p.Identity), token) {
				identities++
			}
		}
		if identities == 0 {
			t.Errorf("%s: %s tells no one", events[0].Key, brief(found))
		}
	}
}

// TestSessionsKeysAreHidden: the identifier in the name of a session's key is a
// credential also where its values do not tell: behind those of a large one that do, and
// of one that only names a session.
func TestSessionsKeysAreHidden(t *testing.T) {
	sid := random("sh", 32, hexAlphabet)
	secret := func(i int) string { return random(fmt.Sprint("sh", i), 16, alnumAlphabet) }
	fields := []string{"user_id", "7", "lastLogin", "2026-01-01"}
	for i := range 3000 {
		fields = append(fields, fmt.Sprintf("password%d", i), secret(i), fmt.Sprintf("note%d", i), strings.Repeat("word ", 50))
	}
	s, err := New(Config{Workers: 1, IDKey: []byte("test")})
	if err != nil {
		t.Fatal(err)
	}
	for _, events := range [][]keyspace.Event{
		hashKey("session:"+sid, fields...),
		stringKey("app:sess:"+sid, jsonText(object{"password": secret(1)})),
		stringKey("session:"+sid, jsonText(object{"user_id": 7, "lastLogin": "2026-01-01", "password": secret(2)})),
	} {
		found, _ := scanAll(t, s, events)
		if len(found) == 0 || len(events) > 100 && len(found) < 2900 {
			t.Errorf("%d findings", len(found))
		}
		for _, f := range found {
			if !strings.HasSuffix(f.Key, "****"+sid[len(sid)-4:]) || strings.Contains(jsonText(f), sid) {
				t.Fatalf("%s shows the session's identifier", f.Rule)
			}
		}
	}
}

// TestNoSessions: names alone make no session, nor do values that only look
// like one.
func TestNoSessions(t *testing.T) {
	sid := random("ns", 40, alnumAlphabet)
	for _, events := range [][]keyspace.Event{
		stringKey("sess:"+sid, "rotated"), stringKey("session:"+sid, "1"), stringKey("PHPREDIS_SESSION:"+sid, "hello world"), stringKey("session:gitlab:"+sid, "x"),
		stringKey(":1:django.contrib.sessions.cache"+sid, "none"), stringKey("laravel_database_laravel_cache_:"+sid, phpValue("a cached page")), stringKey("spring:session:sessions:expires:"+sid, ""),
		hashKey("spring:session:sessions:"+sid, "count", "1"), stringKey("_oauth2_proxy-"+strings.Repeat("a", 32), "plain text that nobody encrypted"), stringKey("authelia:"+sid, "settings of the portal"),
		stringKey("app:cookie", `{"cookie":"chocolate","originalMaxAge":3}`), stringKey("user:7", `{"id":7,"sessionToken":null}`), hashKey("cache:x", "absexp", "-1", "sldexp", "-1", "data", "<html>"),
		stringKey("queue:default", `{"class":"btn btn-primary","id":3}`), hashKey("bull:mail:meta", "opts.maxLenEvents", "10000"),
		hashKey("bq:mail:jobs", "1", "none"), hashKey("bq:mail:stats", "1", `{"data":{},"options":{"timestamp":1,"stacktraces":[]}}`), hashKey("bq:mail:jobs", "1", `{"stacktraces":[]}`), hashKey("q:job:1", "type", "email"), stringKey("film", `{"actor_name":"Keaton","queue_name":"x"}`), stringKey("post", `{"jobtype":"full-time"}`),
		stringKey("arq:job:1", "1"), stringKey("note", "see huey.registry"), hashKey("asynq:{low}", "paused", "1"), hashKey("hangfire:job:1:state", "State", "Enqueued"),
		stringKey("koa:sess:"+sid, "rotated"), stringKey("cache:"+sid, `{"_expire":12,"_maxAge":3}`), stringKey(sid, `{"session":{"token":"x","expiresAt":"2033-05-18T03:33:20.000Z"}}`), stringKey("active-sessions-7", `[]`),
		stringKey("starsessions."+sid, "none"), stringKey("hapi-cache:users:42", `{"item":{"user":{"id":42,"email":"a.b@example.org"}},"stored":1760000000000,"ttl":86400000}`), stringKey("cache:"+sid, `{"item":{"price":3},"stored":1760000000000,"ttl":86400000}`), stringKey("scs:session:"+sid, "hello world"), stringKey("session_"+strings.Repeat("A", 52), "1234567890"),
		stringKey("cache:"+sid, gobbed(map[any]any{"colour": "red"})), stringKey("app:login:token:"+sid, "-4"), stringKey("login_tokens:"+sid, `{"count":3}`), stringKey("satoken:login:session:7", `{"id":"7"}`),
		stringKey("session:"+sid, `{"user_id":7,"messages":[{"role":"user","content":"hello"}]}`), stringKey("session:stats", `{"user_id":7,"expires":"never"}`), stringKey("session:"+strings.Repeat("settings", 4), `{"user_id":7,"role":"admin"}`), stringKey("session_count:"+sid, `{"user_id":7,"role":"admin"}`),
		hashKey("metrics:session:latency", "user", "p99", "ip", "192.0.2.7"), stringKey("doc", `{"name":"x","job":"painter"}`),
	} {
		found, _ := scanAll(t, newTestScanner(t), events)
		if i := slices.IndexFunc(found, func(f *Finding) bool { return f.Framework != "" }); i >= 0 {
			t.Errorf("%q: a session of %s", events[0].Key, found[i].Framework)
		}
	}
}

func TestDataProtectionFamily(t *testing.T) {
	key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte(random("dp", 32, alnumAlphabet)), 2))
	xml := `<key id="7a" version="1"><descriptor><encryption algorithm="AES_256_CBC" /><master` + `Key p4:requiresEncryption="true" xmlns:p4="x"><!-- plain --><value>` + key + `</value></master` + `Key></descriptor></key>`
	found, _ := scanAll(t, newTestScanner(t), elements(keyspace.List, "DataProtection-Keys", keyspace.Event{Value: []byte(xml)}))
	if len(found) != 1 || found[0].Rule != "aspnet-data-protection-key" || found[0].Secret != key || found[0].Severity != Critical {
		t.Errorf("found %s", brief(found))
	}
	testFamily(t, []familyCase{
		{name: "encrypted", value: `<key><descriptor><encryptedSecret decryptorType="x"><encryptedKey><value>` + key + `</value></encryptedKey></encryptedSecret></descriptor></key>`},
		{name: "placeholder", value: `<masterKey><value>` + strings.Repeat("A", 88) + `</value></masterKey>`},
	})
}

// TestMarks: decoders and frameworks are a word of bits each.
func TestMarks(t *testing.T) {
	if n, m := len(decoders()), len(frameworks()); n > 64 || m > 64 {
		t.Fatalf("%d decoders, %d frameworks", n, m)
	}
	for _, f := range frameworks() {
		if f.name == "" || len(f.marks) == 0 || f.judge == nil {
			t.Errorf("framework %q is not complete", f.name)
		}
		for _, m := range f.marks {
			if len(m) < 5 || m != strings.ToLower(m) {
				t.Errorf("%s: mark %q", f.name, m)
			}
		}
	}
}

// FuzzSessions: whatever a key and its values say, judging it ends, keeps to its
// bounds and leaves the worker as it was.
func FuzzSessions(f *testing.F) {
	for _, c := range sessionCases(f, newPerson(rand.New(rand.NewPCG(3, 4)))) {
		e := c.events[1]
		f.Add(e.Key, e.Field, e.Value)
	}
	s := newTestScanner(f)
	f.Fuzz(func(t *testing.T, key, field, value []byte) {
		if len(key)+len(field)+len(value) > 1<<16 {
			return
		}
		w := newWorker(s)
		b := newBatch()
		c := &collector{cur: b, next: func(b *batch) *batch { return b }}
		for _, events := range [][]keyspace.Event{stringKey(string(key), string(value)), hashKey(string(key), string(field), string(value), "data", string(value), "sldexp", "1", "opts", "{}")} {
			for i := range events {
				c.add(&events[i])
			}
		}
		w.batch(b)
		if len(w.probe.facts) > maxFacts || w.probe.collecting || len(w.scopes) > 1 || w.docsUsed != 0 {
			t.Errorf("%d facts, %d names and %d documents left", len(w.probe.facts), len(w.scopes), w.docsUsed)
		}
	})
}

// TestProbeIsBounded: a hostile key costs no more than its bounds.
func TestProbeIsBounded(t *testing.T) {
	var wide strings.Builder
	wide.WriteString(`{"cookie":{"originalMaxAge":1,"path":"/"}`)
	for i := range 50_000 {
		fmt.Fprintf(&wide, `,"k%d":{"user":{"id":%d}}`, i, i)
	}
	wide.WriteString("}")
	deep := strings.Repeat(`{"originalMaxAge":`, 120) + "1" + strings.Repeat("}", 120)
	for _, v := range []string{wide.String(), deep, hex.EncodeToString([]byte(deep)), strings.Repeat(`"_token"`, 20_000)} {
		s := newTestScanner(t)
		w := newWorker(s)
		b := newBatch()
		c := &collector{cur: b, next: func(b *batch) *batch { return b }}
		for _, e := range stringKey("sess:"+random("b", 40, alnumAlphabet), v) {
			c.add(&e)
		}
		w.batch(b)
		if len(w.probe.facts) > maxFacts || len(w.probe.text) > maxFactText+maxFact+maxDocument*maxName {
			t.Errorf("%d facts, %d bytes", len(w.probe.facts), len(w.probe.text))
		}
	}
}
