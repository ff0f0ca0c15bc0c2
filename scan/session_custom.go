package scan

import (
	"bytes"
	"slices"
	"strings"
)

// Sessions of applications that keep them themselves: a key named for a session,
// which ends in an identifier that nobody guesses, and an object or a hash that
// says whose it is and what only a login has: rights, a token, when it was. Where
// from and until when are kept of carts, games and visits, too: they make a login
// of what says nothing else, and may make one of what says more.
var customFrameworks = []framework{
	{name: "custom", marks: []string{"session", "sess:"}, judge: judgeCustom},
}

// The kinds of customNames.
const (
	ofLogin = "login" // only a login has it
	ofTrace = "trace" // a login has it, and other sessions
	ofAny   = "any"   // it says nothing
	ofOther = "other" // another session has it
)

var customNames = newNameIndex(map[string]string{
	ofLogin: `loginat logintime loggedin loggedinat isloggedin lastlogin lastloginat authenticated isauthenticated authenticatedat authtime authmethod
		refreshtoken accesstoken idtoken authtoken mfa mfaverified isadmin issuperuser`,
	ofTrace: `expires expiresat expiry expireat exp expiration expirationtime lastactivity lastactivityat lastaccess lastaccessed lastaccessedat lastaccesstime
		lastseen lastseenat lastactive lastactiveat tenantid`,
	ofAny: `id sid sessionid session token key version v type status state active created createdat creationtime issuedat iat nbf iss aud jti
		updated updatedat lastupdated timestamp ts ttl maxage device deviceid devicetype devicename os platform client clientid location country city region geo locale
		lang language timezone tz theme provider method fingerprint firstname lastname name avatar picture phone tenant orgid organizationid organization company
		data value attributes attrs payload content metadata meta flash cookie preferences prefs settings remember rememberme`,
	ofOther: `page pages pageviews pageview hits visits referrer referer landing landingpage utmsource utmmedium utmcampaign visitorid visitor events
		messages message history conversation conversationid threadid thread model prompt prompts systemprompt tokensused turns turncount intent step appname agentname memory context connectedat
		players player score scores level map game gameid round lobby white black question questions answers quiz course courseid lesson progress
		filename filesize totalsize chunks chunk uploaded offset parts contenttype uploadid rows
		videoid position codec callee caller participants host roomid room socketid node channel document documentid cursor
		amount amounttotal currency total subtotal items plate station kwh seats bytesin bytesout bytessent bytesreceived bytes framedip mac lease attempts codehash otp`,
})

// envelopes are objects that only hold what a session says.
var envelopes = map[string]bool{"": true, "data": true, "value": true, "session": true, "sessiondata": true, "attributes": true, "attrs": true, "payload": true, "content": true}

// otherSessions are words before session in the name of what is no login.
var otherSessions = setOf("analytics tracking stats metrics visit visitor game match play quiz exam training learning lesson course workout chat conversation dialog dialogue thread " +
	"bot agent llm ai assistant rasa whatsapp telegram ussd sms cart basket checkout order payment pay stripe booking reservation upload download import export transfer file " +
	"presence ws websocket socket stream streaming live video audio media call meeting conference room voice charging parking ride trip edit editing editor collab debug trace " +
	"radius dhcp ppp pppoe nat vpn ssh tcp bgp ice rtc webrtc survey poll form otp verification captcha recording replay scan print shopping")

func judgeCustom(p *probe) *session {
	id := p.last()
	name := p.key[:max(0, len(p.key)-len(id)-1)]
	of, named := beforeSession(name)
	if !named || !isSessionID(id) || !mayHoldCustom(&p.leaves[0], p.first()) {
		return nil
	}
	p.collect()
	if !p.namesUser() {
		return nil
	}
	s := &session{rule: sessionRule, id: id, identity: p.identity(), doubt: 1}
	if !s.isSomebodys() {
		return nil
	}
	if s.identity["csrf_token"] != "" || p.provesLogin() {
		return s
	}
	if isOtherSession(of) {
		return nil
	}
	roles, trace, other, foreign := false, s.identity["ip"] != "" || s.identity["user_agent"] != "", false, false
	for i := range p.facts {
		f := &p.facts[i]
		roles = roles || p.hasRole(f)
		trace = trace || customNames.kind(p.name(f)) == ofTrace
		top := p.top(f)
		switch kind := customNames.kind(top); {
		case kind == ofOther:
			other = true
		case kind == "" && identityNames.kind(top) == "" && !holders[string(top)] && !bytes.Contains(top, []byte("mail")):
			foreign = true
		}
	}
	switch {
	case !roles && (other || !trace):
		return nil
	case other, foreign && !roles: // it may be a login's, with what the application keeps beside it
		s.doubt, s.severity = 2, Medium
	}
	return s
}

// mayHoldCustom reports whether a leaf, the first of its key, is of an object or a
// hash.
func mayHoldCustom(l *leaf, value []byte) bool { return isObject(value) || l.field.len() > 0 }

// hasRole reports whether a fact is a role of the user, rather than of who says
// something in a conversation.
func (p *probe) hasRole(f *fact) bool {
	if identityNames.kind(p.name(f)) != "roles" {
		return false
	}
	switch string(p.value(f)) {
	case "assistant", "system", "tool", "bot", "agent", "host", "player", "participant", "speaker":
		return false
	}
	parent := p.parent(f)
	return envelopes[string(parent)] || holders[string(parent)]
}

// namesUser reports whether it is the session that somebody is named for, rather
// than one of those who take part in it.
func (p *probe) namesUser() bool {
	return slices.ContainsFunc(p.facts, func(f fact) bool {
		name, value := p.name(&f), p.value(&f)
		switch kind := identityNames.kind(name); {
		case kind == "user_id", kind == "user", looksLikeMail(value), kind == "" && mayIdentify(name):
		default:
			return false
		}
		parent := p.parent(&f)
		return !isNobody(value) && (envelopes[string(parent)] || holders[string(parent)])
	})
}

// isNobody recognises what stands for the user where nobody has logged in.
func isNobody(v []byte) bool {
	const longest = len("anonymous")
	if len(v) > longest {
		return false
	}
	var room [longest]byte
	for i, b := range v {
		room[i] = lower(b)
	}
	switch string(room[:len(v)]) {
	case "", "0", "-1", "anonymous", "anon", "guest", "none", "null":
		return true
	}
	return false
}

// provesLogin reports whether something says that somebody has logged in.
func (p *probe) provesLogin() bool {
	for i := range p.facts {
		if f := &p.facts[i]; customNames.kind(p.name(f)) == ofLogin {
			if v := string(p.value(f)); v != "" && v != "0" && !strings.EqualFold(v, "false") && v != "null" {
				return true
			}
		}
	}
	return slices.ContainsFunc(p.leaves[:min(len(p.leaves), maxProbeLeaves)], func(l leaf) bool { return saysLogin(p.w.b.bytes(l.value)) })
}

// saysLogin looks for a member of JSON that is true and means a login: facts are
// strings and numbers.
func saysLogin(v []byte) bool {
	if !isObject(v) {
		return false
	}
	const most = 16
	for at, n := 0, 0; n < most; n++ {
		k := bytes.Index(v[at:], []byte("true"))
		if k < 0 {
			return false
		}
		before := bytes.TrimRight(v[at:at+k], " ")
		at += k + len("true")
		if before, is := bytes.CutSuffix(before, []byte(`":`)); is {
			var room [maxName]byte
			name := appendName(room[:0], before[bytes.LastIndexByte(before, '"')+1:])
			if customNames.kind(name) == ofLogin {
				return true
			}
		}
	}
	return false
}

// top returns the first name of a fact's path, as names of facts are written.
func (p *probe) top(f *fact) []byte {
	path := p.path(f)
	if k := bytes.IndexByte(path, '.'); k >= 0 {
		path = path[:k]
	} else {
		return p.name(f)
	}
	p.room = appendName(p.room[:0], path)
	if envelopes[string(p.room)] || holders[string(p.room)] {
		return p.name(f)
	}
	return p.room
}

// beforeSession returns what stands before the word for sessions that a name ends in.
func beforeSession(name []byte) ([]byte, bool) {
	for _, end := range [...]string{"session", "sessions", "sess"} {
		if at := len(name) - len(end); at >= 0 && foldPrefix(name[at:], end) {
			return name[:at], true
		}
	}
	return nil, false
}

// hideSession masks the identifier in the name of a session's key, whatever the values
// say: those of a large key are judged a part at a time. It reports whether the name
// is one.
func (w *worker) hideSession(name []byte) bool {
	id := name[bytes.LastIndexAny(name, ":/|")+1:]
	if _, named := beforeSession(name[:max(0, len(name)-len(id)-1)]); !named || !isSessionID(id) {
		return false
	}
	w.masks = append(w.masks, maskedSpan{len(name) - len(id), len(name), maskSecret(&sessionFamily[0], string(id))})
	return true
}

// isOtherSession reports whether the word before session says that it is none of
// a login.
func isOtherSession(before []byte) bool {
	word := bytes.TrimRight(before, "_:-./|")
	from := runBack(word, len(word), maxName, isLetter)
	var room [maxName]byte
	return otherSessions[string(appendName(room[:0], word[from:]))]
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
