package scan

// WordPress' object cache keeps rows of its tables, serialised by PHP: users
// with their password hashes, and, in the users' meta data, session_tokens with
// the address and browser of each session (class-wp-session-tokens.php).
var wordpressFrameworks = []framework{
	{name: "wordpress", marks: []string{"user_pass", "session_tokens"}, judge: judgeWordPress},
}

func judgeWordPress(p *probe) *session {
	if v := p.first(); len(v) < minContainer || len(p.leaves) != 1 {
		return nil
	}
	p.collect()
	login, mail := p.find("userlogin"), p.find("useremail")
	switch {
	case login != nil && (mail != nil || p.find("userpass") != nil):
		s := &session{rule: identityRule, id: p.last(), identity: p.identity()}
		s.identity["user"] = string(login)
		if mail != nil {
			s.identity["email"] = string(mail)
		}
		if id := p.find("id"); id != nil {
			s.identity["user_id"] = string(id)
		}
		return s
	case p.find("login") != nil && p.find("expiration") != nil:
		s := &session{rule: sessionRule, id: p.last(), identity: p.identity(), expires: 1000 * p.number("expiration")}
		s.identity["user_id"] = string(p.last())
		return s
	}
	return nil
}
