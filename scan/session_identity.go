package scan

import (
	"bytes"
	"net/netip"
	"strings"
)

// Whose session it is: the names under which applications keep the user.
// Frameworks leave that to the application, so it goes by names that are common
// to all of them, in the order of the facts.

// A nameIndex says of what kind the names of facts are, without what stands
// between words.
type nameIndex struct {
	kinds   map[string]string
	lengths [256]uint64 // of the names, by their first byte
}

func newNameIndex(kinds map[string]string) *nameIndex {
	x := &nameIndex{kinds: map[string]string{}}
	for kind, names := range kinds {
		for _, n := range strings.Fields(names) {
			x.kinds[n] = kind
			x.lengths[n[0]] |= 1 << len(n)
		}
	}
	return x
}

// kind returns the kind of a name, "" if it is of none.
func (x *nameIndex) kind(name []byte) string {
	if len(name) == 0 || x.lengths[name[0]]>>len(name)&1 == 0 {
		return ""
	}
	return x.kinds[string(name)]
}

// identityNames are the names under which applications keep whose a session is.
var identityNames = newNameIndex(map[string]string{
	"user_id":    "userid uid authuserid memberid accountid customerid adminid sub useruuid currentuserid userpk useridentifier usercredentialsid personid employeeid loginuserid loggedinuserid sessionuserid",
	"user":       "username login loginname userlogin displayname preferredusername springsecuritylastusername nickname fullname screenname principal identity loggedinuser currentuser account uname loginid userdisplayname",
	"ip":         "ip ipaddress remoteaddr remoteaddress clientip lastip userip currentsigninip lastsigninip loginip ipaddr remoteip",
	"roles":      "role roles authority authorities group groups permission permissions userrole usertype scope scopes",
	"user_agent": "useragent ua browser agent httpuseragent",
	"csrf_token": "csrf csrftoken xsrf xsrftoken csrfsecret requesttoken csrfmiddlewaretoken authenticitytoken",
})

// hiddenIdentity are the parts of an identity that are masked: personal data
// and what guards forms. Roles and jobs are not.
var hiddenIdentity = map[string]bool{"user_id": true, "user": true, "email": true, "ip": true, "user_agent": true, "csrf_token": true, "client_id": true}

// holders are objects whose id and name are the user's.
var holders = map[string]bool{"user": true, "account": true, "member": true, "currentuser": true, "profile": true, "principal": true, "customer": true, "admin": true,
	"authuser": true, "userinfo": true, "passport": true, "auth": true, "logininfo": true, "identity": true}

// maxRoles is how many roles are named.
const maxRoles = 8

// identity collects what the facts say of the user.
func (p *probe) identity() map[string]string {
	out := map[string]string{}
	set := func(kind string, v []byte) {
		if _, ok := out[kind]; !ok {
			out[kind] = string(v[:min(len(v), 256)])
		}
	}
	roles := 0
	for i := range p.facts {
		f := &p.facts[i]
		name, v := p.name(f), p.value(f)
		kind := identityNames.kind(name)
		if kind == "" && !mayIdentify(name) && bytes.IndexByte(v, '@') < 0 || len(v) == 0 || !isText(v) {
			continue
		}
		switch {
		case looksLikeMail(v):
			if kind == "" || kind == "user" || bytes.Contains(name, []byte("mail")) {
				kind = "email"
			}
		case kind == "ip":
			if _, err := netip.ParseAddr(string(v)); err != nil {
				continue
			}
		case kind == "roles":
			if roles++; roles > maxRoles || len(v) > 64 || string(name) == "group" && isNumeric(v) {
				continue
			}
			if have, ok := out[kind]; ok {
				if !strings.Contains(","+have+",", ","+string(v)+",") {
					out[kind] = have + "," + string(v)
				}
				continue
			}
		case kind != "":
		case string(name) == "user" || len(name) == 0 && bytes.HasSuffix(p.path(f), []byte("user")):
			kind = "user"
			if isIdentifierValue(v) {
				kind = "user_id"
			}
		case string(name) == "id" || string(name) == "pk" || string(name) == "uuid":
			if holders[p.parent(f)] {
				kind = "user_id"
			}
		case string(name) == "name":
			if holders[p.parent(f)] {
				kind = "user"
			}
		case bytes.HasSuffix(name, []byte("userid")):
			kind = "user_id"
		}
		if kind != "" {
			set(kind, v)
		}
	}
	return out
}

// mayIdentify reports whether a name that is of no kind may yet say, with what
// stands around it, who somebody is.
func mayIdentify(name []byte) bool {
	switch string(name) {
	case "", "user", "id", "pk", "uuid", "name":
		return true
	}
	return bytes.HasSuffix(name, []byte("userid"))
}

// parent returns the name before the last of a path, in lower case.
func (p *probe) parent(f *fact) string {
	path := p.path(f)
	k := bytes.LastIndexByte(path, '.')
	if k < 0 {
		return ""
	}
	path = path[:k]
	path = path[bytes.LastIndexAny(path, ".:")+1:]
	var b strings.Builder
	for _, c := range path {
		if isAlnum(c) {
			b.WriteByte(lower(c))
		}
	}
	return b.String()
}

// isIdentifierValue reports whether a value counts or identifies somebody
// rather than naming him.
func isIdentifierValue(v []byte) bool {
	return isDigits(v) || isUUID(v) || isULID(v) || len(v) == 24 && run(v, 0, 24, isHex) == 24 // of MongoDB
}

func looksLikeMail(v []byte) bool {
	at := bytes.IndexByte(v, '@')
	return at > 0 && len(v) <= 254 && bytes.IndexByte(v[at:], '.') > 1 && bytes.IndexByte(v[at+1:], '@') < 0 && !bytes.ContainsAny(v, " /:<>\"")
}
