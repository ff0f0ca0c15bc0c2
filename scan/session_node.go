package scan

import (
	"bytes"
	"time"
)

// express-session's stores (connect-redis and others) keep JSON whose member
// cookie is the cookie's attributes, under sess: and the session id; Passport
// keeps the user as passport.user. Auth.js' Upstash adapter keeps JSON under
// user:session:, user:account: and user: (defaultOptions of the adapter).
// koa-session's external stores keep JSON with _expire and _maxAge, or _session,
// beside the application's members; koa-generic-session's, with koa-redis, keep
// the cookie's attributes under koa:sess: and the id. Better Auth's secondary
// storage keeps {"session": …, "user": …} under the token alone, and the tokens of
// a user under active-sessions-ID. Lucia keeps the times to which a session is
// active and idle; AdonisJS signs for which session the values are (purpose).
// hapi's cache keeps {"item": …, "stored": …, "ttl": …} (catbox-redis).
var nodeFrameworks = []framework{
	{name: "express", marks: []string{"originalmaxage"}, judge: judgeExpress},
	{name: "koa", marks: []string{"\"_expire\"", "\"_maxage\"", "koa:sess:"}, judge: judgeKoa},
	{name: "better-auth", marks: []string{"\"expiresat\""}, judge: judgeBetterAuth},
	{name: "lucia", marks: []string{"\"active_expires\"", "\"idle_expires\"", "\"activeperiodexpires", "\"idleperiodexpires"}, judge: judgeLucia},
	{name: "adonis", marks: []string{"\"purpose\""}, judge: judgeAdonis},
	{name: "hapi", marks: []string{"\"stored\""}, judge: judgeHapi},
	{name: "nextauth", marks: []string{"sessiontoken\"", "provideraccountid\"", "emailverified\""}, judge: judgeNextAuth},
}

func judgeExpress(p *probe) *session {
	if v := p.first(); len(v) == 0 || v[0] != '{' && v[0] != ' ' || !bytes.Contains(v, []byte("\"cookie\"")) {
		return nil
	}
	if p.collect(); !p.under("cookie") {
		return nil
	}
	id := p.after("sess:")
	if len(id) == 0 {
		id = p.last()
	}
	s := &session{rule: sessionRule, id: id, identity: p.identity()}
	for i := range p.facts {
		if f := &p.facts[i]; string(p.path(f)) == "cookie.expires" {
			s.expires = parseTime(p.value(f))
		}
	}
	return s
}

func judgeKoa(p *probe) *session {
	if !isObject(p.first()) {
		return nil
	}
	p.collect()
	id := p.after("koa:sess:")
	if p.number("expire") < leastTime && !(id != nil && p.under("cookie")) {
		return nil
	}
	if id == nil {
		id = p.last()
	}
	return &session{rule: sessionRule, id: id, identity: p.identity(), expires: p.number("expire")}
}

func judgeBetterAuth(p *probe) *session {
	v, user := bytes.TrimLeft(p.first(), "[ "), p.after("active-sessions-")
	if !isObject(v) || user == nil && !bytes.Contains(v, []byte("\"session\"")) {
		return nil
	}
	p.collect()
	token := p.find("token")
	expires := max(parseTime(p.find("expiresat")), p.number("expiresat"))
	switch {
	case token == nil || expires == 0:
	case p.under("session") && p.under("user") && bytes.Equal(token, p.last()):
		return &session{rule: sessionRule, id: token, identity: p.identity(), expires: expires}
	case user != nil:
		return &session{rule: sessionRule, id: token, identity: map[string]string{"user_id": string(user)}, expires: expires}
	}
	return nil
}

func judgeLucia(p *probe) *session {
	if !isObject(p.first()) {
		return nil
	}
	if p.collect(); p.find("activeexpires", "activeperiodexpiresat") == nil || p.find("idleexpires", "idleperiodexpiresat") == nil || p.find("userid") == nil {
		return nil
	}
	return &session{rule: sessionRule, id: p.last(), identity: p.identity(), expires: p.number("idleexpires")}
}

func judgeAdonis(p *probe) *session {
	id := p.last()
	if v := p.first(); !isObject(v) || len(id) < 16 || !bytes.Contains(v, id) {
		return nil
	}
	if p.collect(); !bytes.Equal(p.find("purpose"), id) || !p.under("message") {
		return nil
	}
	s := &session{rule: sessionRule, id: id, identity: p.identity()}
	for i := range p.facts { // auth_GUARD holds the user's id
		if f := &p.facts[i]; bytes.HasPrefix(p.path(f), []byte("message.auth_")) && len(p.value(f)) > 0 {
			s.identity["user_id"] = string(p.value(f))
			break
		}
	}
	return s
}

func judgeHapi(p *probe) *session {
	if v := p.first(); !isObject(v) || !bytes.Contains(v, []byte("\"item\"")) {
		return nil
	}
	if p.collect(); !p.under("item") || p.number("stored") < leastTime || p.find("ttl") == nil {
		return nil
	}
	s := &session{rule: sessionRule, id: p.last(), identity: p.identity()}
	named := p.has("yar") || p.has("sess") // of the segment
	if !s.isSomebodys() || !named && !isSessionID(s.id) {
		return nil // whatever else is cached
	}
	if !named { // it may be the user's profile
		s.doubt, s.severity = 1, Medium
	}
	return s
}

// parseTime reads a time as JSON and XML write it, in Unix ms; 0 if it is none.
func parseTime(v []byte) int64 {
	t, err := time.Parse(time.RFC3339, string(v))
	if err != nil || t.UnixMilli() < 0 {
		return 0
	}
	return t.UnixMilli()
}

func judgeNextAuth(p *probe) *session {
	if v := p.first(); !p.has("user:") || len(v) == 0 || v[0] != '{' {
		return nil
	}
	p.collect()
	token, user := p.find("sessiontoken"), p.find("userid")
	switch {
	case token != nil && user != nil:
		s := &session{rule: sessionRule, id: token, identity: p.identity(), expires: parseTime(p.find("expires"))}
		return s
	case p.find("provideraccountid") != nil && p.find("provider") != nil:
		s := &session{rule: identityRule, id: p.find("provideraccountid"), identity: p.identity()}
		s.identity["provider"] = string(p.find("provider"))
		return s
	case p.find("emailverified") != nil && p.find("id") != nil || p.find("email") != nil && p.find("id") != nil:
		s := &session{rule: identityRule, id: p.find("id"), identity: p.identity(), severity: Low}
		s.identity["user_id"] = string(p.find("id"))
		if name := p.find("name"); name != nil {
			s.identity["user"] = string(name)
		}
		return s
	}
	return nil
}
