package scan

import "bytes"

// Other frameworks of Python. starsessions keeps JSON under starsessions. and the
// session id, with times under __metadata__; aiohttp-session JSON {"created": …,
// "session": …} under AIOHTTP_SESSION_ID; pyramid_redis_sessions a pickle with
// managed_dict, created and timeout.
var pythonFrameworks = []framework{
	{name: "starsessions", marks: []string{"\"__metadata__\"", "starsessions."}, judge: func(p *probe) *session {
		v := p.first()
		if !isObject(v) {
			return nil
		}
		p.collect()
		id := p.after("starsessions.")
		if p.find("lastaccess") == nil && id == nil {
			return nil
		}
		if id == nil {
			id = p.last()
		}
		return &session{rule: sessionRule, id: id, identity: p.identity()}
	}},
	{name: "aiohttp-session", marks: []string{"aiohttp_session_", "\"session\": {", "\"session\":{"}, judge: func(p *probe) *session {
		v := p.first()
		if !isObject(v) || !bytes.Contains(v[:min(len(v), 64)], []byte("\"created\"")) {
			return nil
		}
		p.collect()
		id := p.after("aiohttp_session_")
		if !p.under("session") || p.number("created") < leastTime/1000 || p.number("created") >= leastTime {
			return nil
		}
		if id == nil {
			id = p.key[bytes.LastIndexAny(p.key, ":/|_")+1:]
		}
		if len(id) < 32 {
			return nil
		}
		return &session{rule: sessionRule, id: id, identity: p.identity()}
	}},
	{name: "pyramid", marks: []string{"managed_dict"}, judge: func(p *probe) *session {
		if !isStructured(p.first()) {
			return nil
		}
		if p.collect(); p.find("created") == nil || p.find("timeout") == nil {
			return nil
		}
		return &session{rule: sessionRule, id: p.last(), identity: p.identity()}
	}},
}

// Phoenix' session stores keep a map of Erlang's external term format under the
// session id (Plug.Session.Store); phx.gen.auth names its members.
var phoenixFrameworks = []framework{
	{name: "phoenix", marks: []string{"_csrf_token", "live_socket_id", "user_token"}, judge: func(p *probe) *session {
		const etf = 131
		if v := p.first(); len(v) < minContainer || v[0] != etf {
			return nil
		}
		if p.collect(); p.find("csrftoken", "livesocketid", "usertoken") == nil {
			return nil
		}
		return &session{rule: sessionRule, id: p.last(), identity: p.identity()}
	}},
}
