package scan

import (
	"bytes"
	"slices"
)

// Sessions of applications that keep them themselves: a key named for a session,
// which ends in an identifier that nobody guesses, and an object or a hash that
// says whose it is and what only a login has: from where, with what rights, until
// when. A session of a conversation or of statistics has none of that.
var customFrameworks = []framework{
	{name: "custom", marks: []string{"session", "sess:"}, judge: judgeCustom},
}

// loginNames are names of what is kept of a login beside who it is.
var loginNames = newNameIndex(map[string]string{"login": `expires expiresat expiry expireat exp expiration loginat logintime loggedin loggedinat isloggedin authenticated isauthenticated
	lastactivity lastaccess lastaccessed lastseen lastactive refreshtoken accesstoken idtoken mfa mfaverified isadmin tenantid`})

func judgeCustom(p *probe) *session {
	id := p.last()
	if !isSessionName(p.key[:max(0, len(p.key)-len(id)-1)]) || !isSessionID(id) || !isObject(p.first()) && p.leaves[0].field.len() == 0 {
		return nil
	}
	p.collect()
	s := &session{rule: sessionRule, id: id, identity: p.identity(), likely: true}
	login := s.identity["ip"] != "" || s.identity["user_agent"] != "" || s.identity["csrf_token"] != "" ||
		slices.ContainsFunc(p.facts, func(f fact) bool {
			if identityNames.kind(p.name(&f)) == "roles" { // of the user, not of who says something in a conversation
				parent := p.parent(&f)
				return parent == "" || holders[parent]
			}
			return loginNames.kind(p.name(&f)) != ""
		})
	if !s.isSomebodys() || !login {
		return nil
	}
	return s
}

// isSessionName reports whether what stands before an identifier ends in a word
// for sessions.
func isSessionName(name []byte) bool {
	for _, end := range [...]string{"session", "sessions", "sess"} {
		if len(name) >= len(end) && foldPrefix(name[len(name)-len(end):], end) {
			return true
		}
	}
	return false
}

// isSessionID: a UUID, or letters and digits, enough of both, without words.
func isSessionID(id []byte) bool {
	if isUUID(id) || isULID(id) {
		return true
	}
	if len(id) < 20 || !isWordValue(id) || bytes.ContainsAny(id, ".@") {
		return false
	}
	digits := 0
	for _, b := range id {
		if isDigit(b) {
			digits++
		}
	}
	return digits > 1 && digits < len(id) && entropy(id) > 3
}
