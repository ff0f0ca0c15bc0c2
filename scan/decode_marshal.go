package scan

// Ruby's Marshal format 4.8 (marshal.c): what Rails keeps its sessions in.
var marshalDecoder = decoder{kind: "ruby-marshal", starts: startsWith("\x04"), fits: func(data []byte) bool { return data[0] == 4 && data[1] == 8 }, open: openMarshal}

func openMarshal(w *worker, f *fragment, hits []hit, base uint32) bool {
	return w.document("ruby-marshal", f, hits, base, func(data []byte, doc *document, sink docSink) error {
		m := marshalWalker{document: doc, data: data, at: 2, sink: sink}
		_, err := m.value(0)
		if err == nil && m.at != len(data) {
			err = errDocument
		}
		return err
	})
}

type marshalWalker struct {
	*document
	data    []byte
	at      int
	sink    docSink
	symbols []span
	seen    int
}

const (
	maxMarshalDepth   = 48
	maxMarshalSymbols = 1 << 14
)

// value reads one object and returns where it stands if it is text.
func (m *marshalWalker) value(depth int) (text span, err error) {
	return m.object(depth, true)
}

// object reads one object; emit tells the sink of it, unless it is a key.
func (m *marshalWalker) object(depth int, emit bool) (text span, err error) {
	if depth > maxMarshalDepth {
		return text, errDocumentDepth
	}
	if m.seen++; m.seen&63 == 0 {
		if err := m.sink.more(); err != nil {
			return text, err
		}
	}
	kind, err := m.byte()
	if err != nil {
		return text, err
	}
	switch kind {
	case '0', 'T', 'F':
		return text, nil
	case 'i':
		from := m.at
		n, err := m.long()
		if err == nil && emit {
			m.sink.integer(from, m.at, int64(n))
		}
		return text, err
	case ':':
		text, err = m.bytes()
		if err == nil && len(m.symbols) < maxMarshalSymbols {
			m.symbols = append(m.symbols, text)
		}
		return text, err
	case ';':
		n, err := m.long()
		if err != nil || n < 0 {
			return text, errDocument
		}
		if n >= len(m.symbols) {
			return text, notKept(len(m.symbols), maxMarshalSymbols)
		}
		return m.symbols[n], nil
	case '@':
		_, err = m.long()
		return text, err
	case 'I':
		// An object with instance variables; of a string, its encoding.
		if text, err = m.object(depth+1, emit); err != nil {
			return text, err
		}
		return text, m.pairs(depth, false)
	case '"', 'f', '/', 'c', 'm', 'M':
		if text, err = m.bytes(); err != nil {
			return text, err
		}
		if kind == '/' { // a regexp ends with its options
			m.at++
		}
		if kind == '"' && emit {
			m.sink.text(int(text.from), int(text.to), false)
		}
		return text, nil
	case 'l': // bignum: sign, length in shorts
		if _, err = m.byte(); err != nil {
			return text, err
		}
		n, err := m.long()
		if err != nil || n < 0 || 2*n > len(m.data)-m.at {
			return text, errDocument
		}
		m.at += 2 * n
		return text, nil
	case '[':
		n, err := m.long()
		t := m.push(true)
		if err != nil || n < 0 || t == nil {
			return text, errDocument
		}
		for i := range n {
			t.index = i
			if _, err := m.object(depth+1, true); err != nil {
				return text, err
			}
		}
		m.depth--
		return text, nil
	case '{', '}':
		if err := m.pairs(depth, true); err != nil {
			return text, err
		}
		if kind == '}' { // with a default value
			_, err = m.object(depth+1, true)
		}
		return text, err
	case 'o', 'S': // class, then instance variables or members
		if _, err := m.object(depth+1, false); err != nil {
			return text, err
		}
		return text, m.pairs(depth, true)
	case 'u': // class, then what _dump wrote
		if _, err := m.object(depth+1, false); err != nil {
			return text, err
		}
		if text, err = m.bytes(); err == nil && emit {
			m.sink.text(int(text.from), int(text.to), false)
		}
		return text, err
	case 'U', 'C', 'e': // class or module, then an object
		if _, err := m.object(depth+1, false); err != nil {
			return text, err
		}
		return m.object(depth+1, emit)
	}
	return text, errDocument
}

// pairs reads a count and so many keys and values. Members of objects are
// named @name.
func (m *marshalWalker) pairs(depth int, emit bool) error {
	n, err := m.long()
	if err != nil || n < 0 {
		return errDocument
	}
	t := m.push(false)
	if t == nil {
		return errDocumentDepth
	}
	for range n {
		key, err := m.object(depth+1, false)
		if err != nil {
			return err
		}
		if key.from < key.to && m.data[key.from] == '@' {
			key.from++
		}
		t.setKey(m.data[key.from:key.to:key.to], false)
		if emit {
			m.sink.key(int(key.from), int(key.to))
		}
		if _, err := m.object(depth+1, emit); err != nil {
			return err
		}
		if emit {
			m.sink.end()
		}
	}
	m.depth--
	return nil
}

func (m *marshalWalker) byte() (byte, error) {
	if m.at >= len(m.data) {
		return 0, errDocument
	}
	m.at++
	return m.data[m.at-1], nil
}

// long reads an integer of one to five bytes (w_long in marshal.c).
func (m *marshalWalker) long() (int, error) {
	b, err := m.byte()
	if err != nil {
		return 0, err
	}
	c := int(int8(b))
	switch {
	case c == 0:
		return 0, nil
	case c > 4:
		return c - 5, nil
	case c < -4:
		return c + 5, nil
	}
	size := max(c, -c)
	if size > len(m.data)-m.at {
		return 0, errDocument
	}
	n := 0
	for i := range size {
		n |= int(m.data[m.at+i]) << (8 * i)
	}
	m.at += size
	if c < 0 {
		n -= 1 << (8 * size)
	}
	return n, nil
}

func (m *marshalWalker) bytes() (span, error) {
	n, err := m.long()
	if err != nil || n < 0 || n > len(m.data)-m.at {
		return span{}, errDocument
	}
	m.at += n
	return span{uint32(m.at - n), uint32(m.at)}, nil
}
