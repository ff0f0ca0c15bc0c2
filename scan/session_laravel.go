package scan

import "bytes"

// Laravel's cache session driver: the key ends in the session id, 40 letters
// and digits (Illuminate\Session\Store::isValidId), behind the prefixes of
// database and cache; the value is a serialised string that holds the
// serialised session, or JSON. The guard keeps the user's id as
// login_GUARD_SHA1 (Illuminate\Auth\SessionGuard::getName).
var laravelFrameworks = []framework{
	{name: "laravel", marks: []string{"\"_token\"", "\"_token\\\"", "login_web_", "\"_flash\"", "laravel_cache", "laravel-cache", "laravel_session"}, judge: judgeLaravel},
}

const laravelID = 40

func judgeLaravel(p *probe) *session {
	from := runBack(p.key, len(p.key), laravelID+1, isAlnum)
	id := p.key[from:]
	if len(id) != laravelID {
		return nil
	}
	p.collect()
	if p.alone() || p.find("token") == nil && !p.under("_flash") && !p.under("_previous") && p.guard() == nil {
		return nil
	}
	s := &session{rule: sessionRule, id: id, identity: p.identity()}
	if user := p.guard(); user != nil {
		s.identity["user_id"] = string(user)
	}
	for i := range p.facts {
		if f := &p.facts[i]; bytes.HasSuffix(p.path(f), []byte("_token")) && p.value(f) != nil && len(p.value(f)) == laravelID {
			s.identity["csrf_token"] = string(p.value(f))
			break
		}
	}
	return s
}

// guard returns the id that a guard keeps.
func (p *probe) guard() []byte {
	for i := range p.facts {
		path := p.path(&p.facts[i])
		if bytes.HasPrefix(path, []byte("login_")) && len(path) > 46 && path[len(path)-41] == '_' && run(path, len(path)-40, 40, isHex) == len(path) {
			return p.value(&p.facts[i])
		}
	}
	return nil
}
