package audit

import "encoding/xml"

// readZone reads a zone of firewalld (firewalld.zone(5)) as a chain: what it does
// not admit is refused, unless its target says otherwise.
func readZone(file string, text []byte) *ruleset {
	type port struct {
		Port     string `xml:"port,attr"`
		Protocol string `xml:"protocol,attr"`
	}
	type service struct {
		Name string `xml:"name,attr"`
	}
	var zone struct {
		Target   string     `xml:"target,attr"`
		Sources  []struct{} `xml:"source"`
		Ports    []port     `xml:"port"`
		Services []service  `xml:"service"`
		Rules    []struct {
			Source  *struct{} `xml:"source"`
			Port    *port     `xml:"port"`
			Service *service  `xml:"service"`
			Accept  *struct {
				Limit *struct{} `xml:"limit"`
			} `xml:"accept"`
		} `xml:"rule"`
	}
	s := &ruleset{file: file}
	at := Place{File: file}
	c := s.chain("zone", at)
	if xml.Unmarshal(text, &zone) != nil {
		return s
	}
	s.bases = []*chain{c}
	c.drops = zone.Target != "ACCEPT"
	named := len(zone.Sources) > 0 // the zone is for these only
	admit := func(p *port, sv *service, r rule) {
		r.at, r.verdict = at, accepts
		switch {
		case p != nil && p.Protocol == "tcp":
			r.ports = parsePorts(p.Port)
		case sv != nil:
			r.ports = parsePorts(sv.Name)
		default:
			return
		}
		c.rules = append(c.rules, r)
	}
	for i := range zone.Rules {
		if x := &zone.Rules[i]; x.Accept != nil {
			admit(x.Port, x.Service, rule{others: named || x.Source != nil, limits: x.Accept.Limit != nil})
		}
	}
	for i := range zone.Ports {
		admit(&zone.Ports[i], nil, rule{others: named})
	}
	for i := range zone.Services {
		admit(nil, &zone.Services[i], rule{others: named})
	}
	return s
}
