package scan

import "bytes"

// Flask-Session keeps a dictionary under session: and the session id, as a
// pickle, since 0.7 as MessagePack or JSON. Flask's own members are _permanent,
// _flashes and, of Flask-Login, _user_id, _fresh and _id.
var flaskFrameworks = []framework{
	{name: "flask-session", marks: []string{"session:"}, judge: func(p *probe) *session {
		if v := p.first(); len(v) < minContainer || !fitsPickle(v) && !(v[0] >= 0x81 && v[0] <= 0x8f || v[0] == 0xde) {
			return nil
		}
		return judgeFlask(p, p.after("session:"))
	}},
	{name: "flask-session", marks: []string{"_permanent", "_flashes", "_fresh"}, judge: func(p *probe) *session {
		if v := p.first(); !isStructured(v) || isMarshal(v) {
			return nil
		}
		if p.collect(); p.find("permanent", "fresh", "flashes") == nil && p.find("userid") == nil {
			return nil
		}
		return judgeFlask(p, p.last())
	}},
}

func judgeFlask(p *probe, id []byte) *session {
	if len(p.leaves) != 1 || len(id) < 16 || bytes.IndexByte(id, ':') >= 0 {
		return nil
	}
	if p.collect(); len(p.facts) == 0 || p.alone() {
		return nil
	}
	return &session{rule: sessionRule, id: id, identity: p.identity()}
}
