package scan

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strconv"
)

// ASP.NET Core's distributed cache keeps a hash with absexp, sldexp and data
// (RedisCache of Microsoft.Extensions.Caching.StackExchangeRedis); the data of a
// session is a list of names and byte strings (DistributedSession, revision 2).
var aspnetFrameworks = []framework{
	{name: "aspnet-core", marks: []string{"absexp", "sldexp"}, judge: judgeASPNet},
	{name: "aspnet", marks: []string{"}_data", "}_sessionstateitemcollection"}, judge: judgeASPNetState},
}

// judgeASPNetState knows the sessions of Microsoft.Web.RedisSessionStateProvider:
// a hash {application_id}_Data whose fields are the session's items, or, since
// version 5, {application_id}_SessionStateItemCollection with all of them in one
// (KeyGenerator, RedisConnectionWrapper). Its id is what the cookie holds.
func judgeASPNetState(p *probe) *session {
	end := bytes.LastIndexByte(p.key, '}')
	begin := bytes.LastIndexByte(p.key[:max(end, 0)], '_')
	if begin < 0 || !slices.ContainsFunc(p.leaves, func(l leaf) bool {
		v := p.w.b.bytes(l.value)
		return len(v) > 12 && (fitsNRBF(v) || fitsASPNetState(v))
	}) {
		return nil
	}
	p.collect()
	return &session{rule: sessionRule, id: p.key[begin+1 : end], identity: p.identity()}
}

// ticksToUnix is how many ticks of 100 ns lie between the year 1 and 1970.
const ticksToUnix = 621355968000000000

func judgeASPNet(p *probe) *session {
	data := p.field("data")
	if data == nil || p.field("sldexp") == nil && p.field("absexp") == nil {
		return nil
	}
	s := &session{rule: sessionRule, id: p.last()}
	if !p.aspnetEntries(data) {
		return nil
	}
	s.identity = p.identity()
	if ticks, err := strconv.ParseInt(string(p.field("absexp")), 10, 64); err == nil && ticks > ticksToUnix {
		s.expires = (ticks - ticksToUnix) / 10000
	}
	return s
}

// aspnetEntries makes facts of a session's entries and reports whether the data
// are a session's to their end.
func (p *probe) aspnetEntries(data []byte) bool {
	const revision, head = 2, 20 // revision, number of entries in three bytes, 16 bytes of identification
	if len(data) < head || data[0] != revision {
		return false
	}
	p.facts, p.text, p.collected = p.facts[:0], p.text[:0], true
	n := int(data[1])<<16 | int(data[2])<<8 | int(data[3])
	at := head
	for range n {
		if at+2 > len(data) || len(p.facts) >= maxFacts || len(p.text) >= maxFactText {
			return false
		}
		size := int(binary.BigEndian.Uint16(data[at:]))
		at += 2
		if size > len(data)-at {
			return false
		}
		name := data[at : at+size]
		if at += size; at+4 > len(data) {
			return false
		}
		length := binary.BigEndian.Uint32(data[at:])
		if at += 4; uint64(length) > uint64(len(data)-at) {
			return false
		}
		value := data[at : at+int(length)]
		at += int(length)
		if len(value) == 4 { // SetInt32
			value = strconv.AppendInt(nil, int64(int32(binary.BigEndian.Uint32(value))), 10)
		}
		p.fact(name, value)
	}
	return at == len(data)
}

// fact adds one fact with a name.
func (p *probe) fact(name, value []byte) {
	var x fact
	x.path.from = uint32(len(p.text))
	p.text = append(p.text, name[:min(len(name), maxName)]...)
	x.path.to, x.name.from = uint32(len(p.text)), uint32(len(p.text))
	for _, b := range bytes.ToLower(name[:min(len(name), maxName)]) {
		if isAlnum(b) {
			p.text = append(p.text, b)
		}
	}
	x.name.to = uint32(len(p.text))
	p.text = append(p.text, value[:min(len(value), maxFact)]...)
	x.value = span{x.name.to, uint32(len(p.text))}
	p.facts = append(p.facts, x)
}
