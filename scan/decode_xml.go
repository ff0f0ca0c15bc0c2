package scan

import "bytes"

// XML (W3C, XML 1.0): elements and attributes give names to what stands in
// them, <add key="password" value="…"/> names by a value. Only text whose
// elements all close is taken for XML. References are resolved further in.
var xmlDecoder = decoder{kind: "xml", starts: startsWith("<"), fits: fitsXML, open: openXML}

func fitsXML(data []byte) bool {
	if data[1] != '?' && data[1] != '!' && !isLetter(data[1]) {
		return false
	}
	x := xmlWalker{binaryWalker: binaryWalker{data: data}}
	err := x.walk()
	return (err == nil || isCut(err)) && x.elements > 0
}

// openXML reports false: the text is scanned as it stands, too, for the rules
// that know XML by its tags.
func openXML(w *worker, f *fragment, hits []hit, base uint32) bool {
	w.document("xml", f, hits, base, func(data []byte, doc *document, sink docSink) error {
		x := xmlWalker{binaryWalker: binaryWalker{document: doc, data: data, sink: sink}}
		return x.walk()
	})
	return false
}

type xmlWalker struct {
	binaryWalker
	open     int // elements
	elements int
}

func (x *xmlWalker) walk() error {
	for x.at < len(x.data) {
		if err := x.step(0); err != nil {
			return err
		}
		k := bytes.IndexByte(x.data[x.at:], '<')
		from, to := x.at, len(x.data)
		if k >= 0 {
			to = from + k
		}
		x.at = to
		if from, to = trimmed(x.data, from, to); from < to {
			if x.open == 0 {
				return errDocument
			}
			x.text(from, to)
		}
		if k < 0 {
			break
		}
		if err := x.markup(); err != nil {
			return err
		}
	}
	if x.open != 0 {
		return errDocument
	}
	return nil
}

// markup reads what begins with <.
func (x *xmlWalker) markup() error {
	d := x.data[x.at:]
	skip := func(open, end string) (bool, error) {
		if !bytes.HasPrefix(d, []byte(open)) {
			return false, nil
		}
		k := bytes.Index(d[len(open):], []byte(end))
		if k < 0 {
			return true, errDocument
		}
		x.at += len(open) + k + len(end)
		return true, nil
	}
	if ok, err := skip("<!--", "-->"); ok {
		return err
	}
	if bytes.HasPrefix(d, []byte("<![CDATA[")) {
		from := x.at + len("<![CDATA[")
		_, err := skip("<![CDATA[", "]]>")
		if err == nil && x.open > 0 {
			x.text(from, x.at-len("]]>"))
		}
		return err
	}
	for _, s := range [...][2]string{{"<?", "?>"}, {"<!", ">"}} {
		if ok, err := skip(s[0], s[1]); ok {
			return err
		}
	}
	if bytes.HasPrefix(d, []byte("</")) {
		if ok, err := skip("</", ">"); !ok || err != nil || x.open == 0 {
			return errDocument
		}
		return x.close()
	}
	return x.element()
}

func (x *xmlWalker) close() error {
	x.open--
	x.endMember()
	x.leave()
	return nil
}

// element reads an opening tag and its attributes.
func (x *xmlWalker) element() error {
	x.at++
	from := x.at
	to := run(x.data, from, maxPathKey, isXMLName)
	if to == from || x.open >= maxBinaryDepth {
		return errDocument
	}
	t, err := x.enter(false)
	if err != nil {
		return err
	}
	x.at = to
	x.open++
	x.elements++
	x.member(t, from, to)
	var label []byte
	for {
		x.at = run(x.data, x.at, len(x.data), isSpace)
		if x.at >= len(x.data) {
			return errDocument
		}
		switch x.data[x.at] {
		case '>':
			x.at++
			return x.name(t, label)
		case '/':
			if x.at++; x.at >= len(x.data) || x.data[x.at] != '>' {
				return errDocument
			}
			x.at++
			return x.close()
		}
		if label, err = x.attribute(label); err != nil {
			return err
		}
	}
}

// name lets a label, <entry key="password">, name what stands in the element.
func (x *xmlWalker) name(t *docFrame, label []byte) error {
	if x.sink == nil || label == nil || len(label) > maxPathKey {
		return nil
	}
	x.sink.end()
	t.setKey(label, false)
	at := bytesOffset(x.data, label)
	x.sink.key(at, at+len(label))
	return nil
}

// bytesOffset returns where a part of d begins in it.
func bytesOffset(d, part []byte) int { return cap(d) - cap(part) }

// attribute reads name="value". The value of a name or key attribute labels the
// others.
func (x *xmlWalker) attribute(label []byte) ([]byte, error) {
	from := x.at
	to := run(x.data, from, maxPathKey, isXMLName)
	at := run(x.data, to, 8, isSpace)
	if to == from || at >= len(x.data) || x.data[at] != '=' {
		return nil, errDocument
	}
	at = run(x.data, at+1, 8, isSpace)
	if at >= len(x.data) || x.data[at] != '"' && x.data[at] != '\'' {
		return nil, errDocument
	}
	k := bytes.IndexByte(x.data[at+1:], x.data[at])
	if k < 0 {
		return nil, errDocument
	}
	valueFrom, valueTo := at+1, at+1+k
	x.at = valueTo + 1
	t, err := x.enter(false)
	if err != nil {
		return nil, err
	}
	name := x.data[from:to]
	if label != nil && isContentName(name) {
		start := bytesOffset(x.data, label)
		x.member(t, start, start+len(label))
	} else {
		x.member(t, from, to)
	}
	x.text(valueFrom, valueTo)
	x.endMember()
	x.leave()
	if string(name) != "id" && isLabelName(name) && valueTo > valueFrom {
		label = x.data[valueFrom:valueTo]
	}
	return label, nil
}

func isXMLName(b byte) bool {
	return isAlnum(b) || b == '_' || b == '-' || b == '.' || b == ':' || b >= 0x80
}
