package scan

import "bytes"

// Django's cache and cached_db session stores: the key is the cache's prefix
// and version, then the store's own (django/contrib/sessions/backends/cache.py,
// cached_db.py) and the session key; the value is a pickle. Older third-party
// stores keep base64 of an HMAC, a colon, and JSON or a pickle.
var djangoFrameworks = []framework{
	{name: "django", marks: []string{"django.contrib.sessions.", "_auth_user_id", "_auth_user_hash", "_auth_user_backend"}, judge: judgeDjango},
}

func judgeDjango(p *probe) *session {
	id := p.after("django.contrib.sessions.cached_db", "django.contrib.sessions.cache")
	ours := id != nil
	if p.collect(); len(p.facts) == 0 || p.alone() {
		if ours && isStructured(p.first()) { // an empty session
			return &session{rule: sessionRule, id: id, identity: map[string]string{}}
		}
		return nil
	}
	if !ours && (p.find("authuserid") == nil || p.find("authuserbackend", "authuserhash") == nil) {
		return nil
	}
	if !ours {
		id = p.last()
	}
	s := &session{rule: sessionRule, id: id, identity: p.identity()}
	if backend := p.find("authuserbackend"); backend != nil {
		s.identity["backend"] = string(backend[bytes.LastIndexByte(backend, '.')+1:])
	}
	return s
}

// alone reports whether all that was found is one text without a name: no
// structure at all.
func (p *probe) alone() bool {
	return len(p.facts) == 1 && p.facts[0].path.len() == 0
}

// isStructured reports whether a value begins as serialised objects do.
func isStructured(v []byte) bool {
	return len(v) > 3 && (v[0] == 0x80 && v[1] >= 2 && v[1] <= 5 || v[0] == 4 && v[1] == 8 || v[0] == '{' || v[0] == 0xac && v[1] == 0xed || v[0] >= 0x81 && v[0] <= 0x8f || v[0] == 0xde)
}
