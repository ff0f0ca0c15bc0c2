package scan

import "bytes"

// Other frameworks of Java. Shiro's stores keep a SimpleSession under
// shiro:session: and its id; Redisson's for Tomcat a hash with fields of
// session:…; Sa-Token the login's id under NAME:login:token:TOKEN, and JSON with
// the tokens of an account under NAME:login:session:ID; RuoYi JSON or a serialised
// LoginUser under login_tokens: and the token's id.
var javaFrameworks = []framework{
	{name: "shiro", marks: []string{"shiro:session:", "shiro_redis_session:", "shiro-session:", "shiro.session.mgt"}, judge: func(p *probe) *session {
		if v := p.first(); !isStructured(v) {
			return nil
		}
		p.collect()
		return &session{rule: sessionRule, id: p.last(), identity: p.identity()}
	}},
	{name: "tomcat", marks: []string{"session:lastaccessedtime"}, judge: func(p *probe) *session {
		if p.field("session:lastAccessedTime") == nil || p.field("session:creationTime") == nil && p.field("session:maxInactiveInterval") == nil {
			return nil
		}
		p.collect()
		return &session{rule: sessionRule, id: p.last(), identity: p.identity()}
	}},
	{name: "sa-token", marks: []string{":login:token:", ":login:session:"}, judge: judgeSaToken},
	{name: "ruoyi", marks: []string{"login_tokens:"}, judge: func(p *probe) *session {
		id := p.after("login_tokens:")
		if !isStructured(p.first()) || len(id) < 16 {
			return nil
		}
		s := &session{rule: sessionRule, id: id}
		p.collect()
		if s.identity = p.identity(); !s.isSomebodys() {
			return nil
		}
		return s
	}},
}

func judgeSaToken(p *probe) *session {
	v := p.first()
	if token := p.after(":login:token:"); len(token) >= 16 {
		if len(v) == 0 || len(v) > 64 || !isText(v) || v[0] == '-' { // a negative number: kicked out, or replaced
			return nil
		}
		return &session{rule: sessionRule, id: token, identity: map[string]string{"user_id": string(bytes.Trim(v, `"`))}}
	}
	user := p.after(":login:session:")
	if len(user) == 0 || !isStructured(v) {
		return nil
	}
	if p.collect(); !p.under("tokenSignList") && !p.under("terminalList") {
		return nil
	}
	s := &session{rule: identityRule, id: user, identity: p.identity()}
	s.identity["user_id"] = string(user)
	return s
}
