package scan

import (
	"bytes"
	"time"
)

// express-session's stores (connect-redis and others) keep JSON whose member
// cookie is the cookie's attributes, under sess: and the session id; Passport
// keeps the user as passport.user. Auth.js' Upstash adapter keeps JSON under
// user:session:, user:account: and user: (defaultOptions of the adapter).
var nodeFrameworks = []framework{
	{name: "express", marks: []string{"originalmaxage"}, judge: judgeExpress},
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
