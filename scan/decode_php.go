package scan

import "bytes"

// PHP's serialize() format, and the session format that puts name|value pairs
// one after the other (ext/standard/var.c, ext/session/session.c of php-src).
var (
	phpDecoder        = decoder{kind: "php-serialize", starts: startsWith("abCdEiNOsS"), fits: fitsPHP, open: openPHP}
	phpSessionDecoder = decoder{kind: "php-session", keywords: []string{"|a:", "|s:", "|i:", "|b:", "|o:", "|d:", "|n;", "|c:"}, fits: fitsPHPSession, open: openPHPSession}
)

func fitsPHP(data []byte) bool {
	switch data[0] {
	case 'a', 's', 'S', 'O', 'C', 'E':
		return data[1] == ':' && isDigit(data[2])
	case 'i', 'd', 'b':
		return data[1] == ':' && bytes.IndexByte(data, ';') > 0
	}
	return false
}

// fitsPHPSession wants a name, a bar and the beginning of a value.
func fitsPHPSession(data []byte) bool {
	i := run(data, 0, 128, isNameByte)
	return i+3 < len(data) && data[i] == '|' && (data[i+2] == ':' || data[i+2] == ';') && bytes.IndexByte([]byte("abdisOCN"), data[i+1]) >= 0
}

func openPHP(w *worker, f *fragment, hits []hit, base uint32) bool {
	return w.document("php-serialize", f, hits, base, func(data []byte, doc *document, sink docSink) error {
		p := phpWalker{document: doc, data: data, sink: sink}
		if err := p.value(); err != nil {
			return err
		}
		if len(bytes.TrimSpace(data[p.at:])) > 0 {
			return errDocument
		}
		return nil
	})
}

func openPHPSession(w *worker, f *fragment, hits []hit, base uint32) bool {
	return w.document("php-session", f, hits, base, func(data []byte, doc *document, sink docSink) error {
		p := phpWalker{document: doc, data: data, sink: sink}
		t := doc.push(false)
		for p.at < len(data) {
			k := bytes.IndexByte(data[p.at:], '|')
			if k < 0 {
				return errDocument
			}
			from, to := p.at, p.at+k
			if from < to && data[from] == '!' { // a variable without a value
				p.at = to + 1
				continue
			}
			t.setKey(data[from:to:to], false)
			sink.key(from, to)
			p.at = to + 1
			if err := p.value(); err != nil {
				return err
			}
			sink.end()
		}
		doc.depth--
		return nil
	})
}

type phpWalker struct {
	*document
	data []byte
	at   int
	sink docSink
	seen int
}

// value reads one value, and the elements of arrays and objects in it.
func (p *phpWalker) value() error {
	if p.seen++; p.seen&63 == 0 {
		if err := p.sink.more(); err != nil {
			return err
		}
	}
	if p.at+1 >= len(p.data) {
		return errDocument
	}
	kind := p.data[p.at]
	if kind == 'N' {
		p.at++
		return p.expect(';')
	}
	if p.at++; p.expect(':') != nil {
		return errDocument
	}
	switch kind {
	case 'b', 'i', 'd', 'r', 'R':
		from := p.at
		k := bytes.IndexByte(p.data[from:min(len(p.data), from+64)], ';')
		if k < 0 {
			return errDocument
		}
		p.at += k + 1
		if kind == 'i' {
			p.sink.number(from, from+k)
		}
		return nil
	case 's', 'S':
		from, to, err := p.str()
		if err != nil {
			return err
		}
		p.sink.text(from, to, false)
		return p.expect(';')
	case 'E':
		if _, _, err := p.str(); err != nil {
			return err
		}
		return p.expect(';')
	case 'a':
		return p.members()
	case 'O':
		if _, _, err := p.str(); err != nil {
			return err
		}
		if p.expect(':') != nil {
			return errDocument
		}
		return p.members()
	case 'C': // what its class wrote, of a length that is given
		if _, _, err := p.str(); err != nil {
			return err
		}
		if p.expect(':') != nil {
			return errDocument
		}
		n, err := p.length()
		if err != nil || p.expect('{') != nil || n > len(p.data)-p.at {
			return errDocument
		}
		p.sink.text(p.at, p.at+n, false)
		p.at += n
		return p.expect('}')
	}
	return errDocument
}

// members reads n:{key value …}.
func (p *phpWalker) members() error {
	n, err := p.length()
	if err != nil || p.expect('{') != nil {
		return errDocument
	}
	t := p.push(false)
	if t == nil {
		return errDocumentDepth
	}
	for range n {
		from, to, isIndex, err := p.key()
		if err != nil {
			return err
		}
		if isIndex {
			t.array, t.index = true, from
			if err := p.value(); err != nil {
				return err
			}
			continue
		}
		t.array = false
		t.setKey(p.data[from:to:to], false)
		p.sink.key(from, to)
		if err := p.value(); err != nil {
			return err
		}
		p.sink.end()
	}
	p.depth--
	return p.expect('}')
}

// key reads the key of a member: an integer, which is returned as from, or a
// string. The names of private and protected properties bear a class or a star
// between NUL bytes.
func (p *phpWalker) key() (from, to int, isIndex bool, err error) {
	if p.at+1 >= len(p.data) || p.data[p.at+1] != ':' {
		return 0, 0, false, errDocument
	}
	kind := p.data[p.at]
	p.at += 2
	switch kind {
	case 'i':
		negative := p.at < len(p.data) && p.data[p.at] == '-'
		if negative {
			p.at++
		}
		n, err := p.digits(';')
		if negative {
			n = -n
		}
		return n, 0, true, err
	case 's', 'S':
		if from, to, err = p.str(); err != nil {
			return
		}
		if k := bytes.LastIndexByte(p.data[from:to], 0); k >= 0 {
			from += k + 1
		}
		return from, to, false, p.expect(';')
	}
	return 0, 0, false, errDocument
}

// str reads n:"…" and returns the bounds of the text.
func (p *phpWalker) str() (from, to int, err error) {
	n, err := p.length()
	if err != nil || p.expect('"') != nil || n > len(p.data)-p.at {
		return 0, 0, errDocument
	}
	from, to = p.at, p.at+n
	p.at = to
	return from, to, p.expect('"')
}

func (p *phpWalker) length() (int, error) { return p.digits(':') }

// digits reads a number and the byte behind it.
func (p *phpWalker) digits(end byte) (int, error) {
	n, from := 0, p.at
	for p.at < len(p.data) && isDigit(p.data[p.at]) && p.at-from < 18 {
		n = n*10 + int(p.data[p.at]-'0')
		p.at++
	}
	if p.at == from {
		return 0, errDocument
	}
	return n, p.expect(end)
}

func (p *phpWalker) expect(b byte) error {
	if p.at >= len(p.data) || p.data[p.at] != b {
		return errDocument
	}
	p.at++
	return nil
}
