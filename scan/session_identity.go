package scan

import (
	"bytes"
	"net/netip"
	"strings"
)

// Whose session it is: the names under which applications keep the user.
// Frameworks leave that to the application, so it goes by names that are common
// to all of them, in the order of the facts.

// identityNames are the names of facts without what stands between words.
var identityNames = func() map[string]string {
	out := map[string]string{}
	for kind, names := range map[string]string{
		"user_id":    "userid uid authuserid memberid accountid customerid adminid sub useruuid currentuserid userpk useridentifier usercredentialsid personid employeeid loginuserid loggedinuserid sessionuserid",
		"user":       "username login loginname userlogin displayname preferredusername springsecuritylastusername nickname fullname screenname principal identity loggedinuser currentuser account uname loginid userdisplayname",
		"ip":         "ip ipaddress remoteaddr remoteaddress clientip lastip userip currentsigninip lastsigninip loginip ipaddr remoteip",
		"roles":      "role roles authority authorities group groups permission permissions userrole usertype scope scopes",
		"user_agent": "useragent ua browser agent httpuseragent",
		"csrf_token": "csrf csrftoken xsrf xsrftoken csrfsecret requesttoken csrfmiddlewaretoken authenticitytoken",
	} {
		for _, n := range strings.Fields(names) {
			out[n] = kind
		}
	}
	return out
}()

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
		if _, ok := out[kind]; !ok && len(v) > 0 && isText(v) {
			out[kind] = string(v[:min(len(v), 256)])
		}
	}
	roles := 0
	for i := range p.facts {
		f := &p.facts[i]
		name, v := p.name(f), p.value(f)
		if len(v) == 0 || !isText(v) {
			continue
		}
		kind := identityNames[name]
		switch {
		case looksLikeMail(v):
			if kind == "" || kind == "user" || strings.Contains(name, "mail") || name == "user" {
				kind = "email"
			}
		case kind == "ip":
			if _, err := netip.ParseAddr(string(v)); err != nil {
				continue
			}
		case kind == "roles":
			if roles++; roles > maxRoles || len(v) > 64 || name == "group" && isNumeric(v) {
				continue
			}
			if have, ok := out[kind]; ok {
				if !strings.Contains(","+have+",", ","+string(v)+",") {
					out[kind] = have + "," + string(v)
				}
				continue
			}
		case kind != "":
		case name == "user" || name == "" && bytes.HasSuffix(p.path(f), []byte("user")):
			kind = "user"
			if isIdentifierValue(v) {
				kind = "user_id"
			}
		case name == "id" || name == "pk" || name == "uuid":
			if holders[p.parent(f)] {
				kind = "user_id"
			}
		case name == "name":
			if holders[p.parent(f)] {
				kind = "user"
			}
		case strings.HasSuffix(name, "userid"):
			kind = "user_id"
		}
		if kind != "" {
			set(kind, v)
		}
	}
	return out
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
