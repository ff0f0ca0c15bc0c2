package scan

// Go's stores keep gob. SCS a structure with Deadline and Values under
// scs:session: and the token; gorilla's redistore a map under session_ and 32 bytes
// in base32, or JSON; Gitea, Beego and others that descend from Macaron a map from
// any to any under the id alone, as Fiber does.
var goFrameworks = []framework{
	{name: "scs", marks: []string{"scs:session:"}, judge: func(p *probe) *session {
		id := p.after("scs:session:")
		if v := p.first(); len(id) < 16 || len(v) < minContainer || !fitsGob(v) {
			return nil
		}
		p.collect()
		return &session{rule: sessionRule, id: id, identity: p.identity()}
	}},
	{name: "gorilla", marks: []string{"session_"}, judge: func(p *probe) *session {
		const size = 52
		from := runBack(p.key, len(p.key), size+1, isBase32)
		id, v := p.key[from:], p.first()
		if len(id) != size || from < len("session_") || len(v) < minContainer || !fitsGob(v) && !isObject(v) {
			return nil
		}
		p.collect()
		return &session{rule: sessionRule, id: id, identity: p.identity()}
	}},
	{name: "go-session", marks: []string{"\x06string\x0c"}, judge: func(p *probe) *session {
		v, id := p.first(), p.last()
		if len(p.leaves) != 1 || len(id) < 16 || !isWordValue(id) || len(v) < minContainer || !fitsGob(v) {
			return nil
		}
		p.collect()
		s := &session{rule: sessionRule, id: id, identity: p.identity()}
		if !s.isSomebodys() {
			return nil // any map that a program keeps
		}
		return s
	}},
}
