package scan

import "bytes"

// PHP's own sessions, kept by phpredis under PHPREDIS_SESSION: in the format
// that session.serialize_handler names, name|value as a rule; those of Symfony
// and Nextcloud have names of their own, and Nextcloud's are encrypted with a
// key that is in the cookie.
var phpFrameworks = []framework{
	{name: "nextcloud", marks: []string{"encrypted_session_data|"}, judge: judgeNextcloud},
	{name: "symfony", marks: []string{"_sf2_attributes|", "_sf2_meta|"}, judge: judgeSymfony},
	{name: "php", marks: []string{"phpredis_session:"}, judge: judgePHP},
}

func judgeNextcloud(p *probe) *session {
	return &session{rule: opaqueRule, id: p.last(), identity: map[string]string{}}
}

func judgeSymfony(p *probe) *session {
	if p.collect(); len(p.facts) == 0 || p.alone() {
		return nil
	}
	return &session{rule: sessionRule, id: p.last(), identity: p.identity()}
}

// igbinaryHead begins what igbinary writes, version 2 (igbinary.c).
var igbinaryHead = []byte{0, 0, 0, 2}

func judgePHP(p *probe) *session {
	id := p.after("phpredis_session:")
	v := p.first()
	if len(id) == 0 || len(p.leaves) != 1 {
		return nil
	}
	if bytes.HasPrefix(v, igbinaryHead) {
		s := &session{rule: sessionRule, id: id, identity: map[string]string{}}
		if p.collect(); len(p.facts) > 0 && !p.alone() {
			s.identity = p.identity()
		}
		return s
	}
	if p.collect(); len(p.facts) == 0 && !fitsPHPSession(append(bytes.Clone(v), "    "...)) || p.alone() {
		return nil
	}
	return &session{rule: sessionRule, id: id, identity: p.identity()}
}
