package scan

import (
	"bytes"
	"strconv"
)

// Spring Session's indexed repository keeps a hash a session, with fields
// creationTime, lastAccessedTime, maxInactiveInterval and sessionAttr:NAME
// (RedisSessionMapper); the values are serialised by Java, or as JSON. Spring
// Security OAuth's RedisTokenStore keeps tokens and authentications, with the
// token in the key.
var springFrameworks = []framework{
	{name: "spring-session", marks: []string{"sessionattr:", "spring:session:sessions:", "maxinactiveinterval"}, judge: judgeSpring},
	{name: "spring-oauth", marks: []string{"springframework.security.oauth2"}, judge: judgeSpringOAuth},
}

func judgeSpring(p *probe) *session {
	attributes, own := false, 0
	for i := range p.leaves {
		field := p.w.b.bytes(p.leaves[i].field)
		attributes = attributes || bytes.HasPrefix(field, []byte("sessionAttr:"))
		switch string(field) {
		case "creationTime", "lastAccessedTime", "maxInactiveInterval":
			own++
		}
	}
	if !attributes && own < 2 && (own == 0 || !p.has(":sessions:")) {
		return nil
	}
	p.collect()
	s := &session{rule: sessionRule, id: p.last(), identity: p.identity()}
	accessed, interval := p.number("lastaccessedtime"), p.number("maxinactiveinterval")
	if accessed > 0 && interval > 0 && interval < 1<<31 {
		s.expires = accessed + 1000*interval
	}
	for kind, name := range map[string]string{"created": "creationtime", "last_seen": "lastaccessedtime"} {
		if ms := p.number(name); ms > leastTime && ms < mostTime {
			s.identity[kind] = formatMS(ms)
		}
	}
	return s
}

// Times in milliseconds that are taken for such: from 2001 to 2286.
const leastTime, mostTime = 1e12, 1e13

// number returns the number that a fact holds.
func (p *probe) number(name string) int64 {
	n, err := strconv.ParseInt(string(p.find(name)), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// springTokens are the prefixes of RedisTokenStore whose keys hold a token, and
// those that hold whose it is.
var springTokens = []struct {
	prefix string
	token  bool
}{
	{"access:", true}, {"auth:", true}, {"refresh:", true}, {"refresh_auth:", true}, {"access_to_refresh:", true}, {"refresh_to_access:", true},
	{"auth_to_access:", false}, {"client_id_to_access:", false}, {"uname_to_access:", false},
}

func judgeSpringOAuth(p *probe) *session {
	if v := p.first(); len(v) < 4 || v[0] != 0xac || v[1] != 0xed {
		return nil
	}
	for _, t := range springTokens {
		at := bytes.LastIndex(p.key, []byte(t.prefix))
		if at < 0 || at > 0 && isWord(p.key[at-1]) {
			continue
		}
		p.collect()
		s := &session{rule: sessionRule, id: p.key[at+len(t.prefix):], identity: p.identity()}
		if !t.token {
			s.id = p.find("value")
		}
		if client := p.find("clientid"); client != nil {
			s.identity["client_id"] = string(client)
		}
		if len(s.id) == 0 {
			return nil
		}
		if t.prefix == "uname_to_access:" && s.identity["user"] == "" {
			s.identity["user"] = string(p.last())
		}
		s.identity["kind"] = t.prefix[:len(t.prefix)-1]
		if s.identity["user_id"] == "" && s.identity["user"] == "" { // a token is somebody's, even if it does not say whose
			s.severity = High
		}
		return s
	}
	return nil
}
