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
// between words. Names are told apart by their ends and lengths before they are
// compared.
type nameIndex [1 << 9][]namedKind

type namedKind struct{ name, kind string }

func nameSlot[T string | []byte](name T) int {
	return (int(name[0])*31 + int(name[len(name)-1])*17 + len(name)) & (1<<9 - 1)
}

func newNameIndex(kinds map[string]string) *nameIndex {
	x := new(nameIndex)
	for kind, names := range kinds {
		for _, n := range strings.Fields(names) {
			slot := &x[nameSlot(n)]
			*slot = append(*slot, namedKind{n, kind})
		}
	}
	return x
}

// kind returns the kind of a name, "" if it is of none.
func (x *nameIndex) kind(name []byte) string {
	if len(name) == 0 {
		return ""
	}
	for _, n := range x[nameSlot(name)] {
		if n.name == string(name) {
			return n.kind
		}
	}
	return ""
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
	var said [8]struct { // by kind, of which there are fewer
		kind  string
		value []byte
	}
	n := 0
	saidOf := func(kind string) *[]byte {
		for i := range said[:n] {
			if said[i].kind == kind {
				return &said[i].value
			}
		}
		return nil
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
			if have := saidOf(kind); have != nil {
				if !isListed(*have, v) {
					*have = append(append((*have)[:len(*have):len(*have)], ','), v...)
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
			if holders[string(p.parent(f))] {
				kind = "user_id"
			}
		case string(name) == "name":
			if holders[string(p.parent(f))] {
				kind = "user"
			}
		case bytes.HasSuffix(name, []byte("userid")):
			kind = "user_id"
		}
		if kind != "" && saidOf(kind) == nil {
			said[n].kind, said[n].value = kind, v[:min(len(v), 256)]
			n++
		}
	}
	out := make(map[string]string, n)
	for i := range said[:n] {
		out[said[i].kind] = string(said[i].value)
	}
	return out
}

// isListed reports whether a word stands in a list, between commas.
func isListed(list, word []byte) bool {
	for at := 0; ; at++ {
		k := bytes.Index(list[at:], word)
		if k < 0 {
			return false
		}
		at += k
		if end := at + len(word); (at == 0 || list[at-1] == ',') && (end == len(list) || list[end] == ',') {
			return true
		}
	}
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

// parent returns the name before the last of a path, as names of facts are written.
// It is valid until the next call.
func (p *probe) parent(f *fact) []byte {
	path := p.path(f)
	k := bytes.LastIndexByte(path, '.')
	if k < 0 {
		return nil
	}
	path = path[:k]
	path = path[bytes.LastIndexAny(path, ".:")+1:]
	p.room = p.room[:0]
	for _, c := range path {
		if isAlnum(c) {
			p.room = append(p.room, lower(c))
		}
	}
	return p.room
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
