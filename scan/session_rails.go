package scan

import "bytes"

// Rails and Rack keep sessions as a Marshal dump under session: or the name of
// the cookie, and ID, which is 2:: and a SHA-256 since Rack 2.0.8 (Rack's
// Session::SessionId). GitLab does so under session:gitlab:, and lists them by
// user and address (lib/gitlab/redis/sessions.rb). Devise keeps the user as
// warden.user.SCOPE.key, [[id], salt].
var railsFrameworks = []framework{
	{name: "gitlab", marks: []string{"session:gitlab:", "session:user:gitlab:", "session:lookup:"}, judge: judgeGitLab},
	{name: "rails", marks: []string{"warden.user.", "_csrf_token", "_session_id:", "user_return_to"}, judge: judgeRails},
}

func isMarshal(v []byte) bool { return len(v) > 2 && v[0] == 4 && v[1] == 8 }

func judgeGitLab(p *probe) *session {
	v := p.first()
	switch {
	case p.has("session:lookup:ip:gitlab"), p.has("session:lookup:user:gitlab:"):
		s := &session{rule: identityRule, id: v, identity: map[string]string{}, severity: Low}
		tail := p.after("session:lookup:ip:gitlab2:", "session:lookup:ip:gitlab:", "session:lookup:user:gitlab:")
		if len(tail) == 0 || len(v) < minContainer {
			return nil
		}
		kind := "ip"
		if p.has("lookup:user") {
			kind = "user_id"
		}
		s.identity[kind] = string(tail)
		return s
	case p.has("session:user:gitlab:"):
		tail := bytes.SplitN(p.after("session:user:gitlab:"), []byte(":"), 2)
		if len(tail) < 2 || !isMarshal(v) && (len(v) == 0 || v[0] != '{' && !bytes.HasPrefix(v, []byte("v2:{"))) {
			return nil
		}
		p.collect()
		s := &session{rule: sessionRule, id: tail[1], identity: p.identity()}
		s.identity["user_id"] = string(tail[0])
		return s
	case !isMarshal(v):
		return nil
	}
	return rails(p, p.after("session:gitlab:"))
}

func judgeRails(p *probe) *session {
	v := p.first()
	if !isMarshal(v) && (len(v) == 0 || v[0] != '{' || !bytes.Contains(v, []byte("\"_csrf_token\"")) && !bytes.Contains(v, []byte("\"warden.user."))) {
		return nil
	}
	id := p.after("_session_id:", "_session:", "session:", "session_")
	if id == nil {
		id = p.last()
	}
	return rails(p, id)
}

// rails judges the facts of a session with an id.
func rails(p *probe, id []byte) *session {
	p.collect()
	user := p.warden()
	if user == nil && p.find("csrftoken", "sessionid", "userreturnto", "askpassword") == nil && !p.under("flash") {
		return nil
	}
	s := &session{rule: sessionRule, id: id, identity: p.identity()}
	if user != nil {
		s.identity["user_id"] = string(user)
	}
	return s
}

// warden returns the user's id.
func (p *probe) warden() []byte {
	for i := range p.facts {
		path, v := p.path(&p.facts[i]), p.value(&p.facts[i])
		if bytes.HasPrefix(path, []byte("warden.user.")) && bytes.HasSuffix(path, []byte(".key")) && len(v) > 0 && v[0] != '$' && (isDigits(v) || isIdentifierValue(v)) {
			return v
		}
	}
	return nil
}
