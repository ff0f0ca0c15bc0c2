package scan

import "strconv"

// Protocol buffers (protobuf.dev/programming-guides/encoding). A message has no
// magic and its fields have numbers, not names: a value is taken for one only
// if all of it can be read, with a text in it and low field numbers.
var protobufDecoder = decoder{kind: "protobuf", starts: startsWith("\x08\x09\x0a\x0d\x10\x11\x12\x15\x18\x1a\x20\x22"), fits: fitsProtobuf, open: openProtobuf}

// Wire types.
const (
	pbVarint = 0
	pbFixed8 = 1
	pbBytes  = 2
	pbFixed4 = 5
)

const (
	maxProtobufField  = 1 << 12 // of what is taken for a message
	minProtobufText   = 4       // bytes of a text that makes it one
	maxProtobufNested = 8
)

func fitsProtobuf(data []byte) bool {
	p := protobufWalker{binaryWalker{data: data}}
	err := p.message(len(data), 0)
	return (err == nil || isCut(err)) && p.texts > 0 && !isText(data)
}

func openProtobuf(w *worker, f *fragment, hits []hit, base uint32) bool {
	return w.document("protobuf", f, hits, base, func(data []byte, doc *document, sink docSink) error {
		p := protobufWalker{binaryWalker{document: doc, data: data, sink: sink}}
		return p.message(len(data), 0)
	})
}

type protobufWalker struct{ binaryWalker }

// message reads fields up to end.
func (p *protobufWalker) message(end, depth int) error {
	if err := p.step(depth); err != nil {
		return err
	}
	t, err := p.enter(false)
	if err != nil {
		return err
	}
	for p.at < end {
		if err := p.step(depth); err != nil {
			return err
		}
		tag, err := p.varint()
		if err != nil || tag>>3 == 0 || tag>>3 > maxProtobufField || p.at > end {
			return errDocument
		}
		if p.sink != nil {
			t.own = strconv.AppendUint(t.own[:0], tag>>3, 10)
			t.key = t.own
		}
		from := p.at
		switch tag & 7 {
		case pbVarint:
			v, err := p.varint()
			if err != nil {
				return err
			}
			if v < 1<<63 {
				p.integer(from, int64(v))
			}
		case pbFixed8:
			_, _, err = p.take(8)
		case pbFixed4:
			_, _, err = p.take(4)
		case pbBytes:
			err = p.bytes(depth)
		default:
			err = errDocument
		}
		if err != nil || p.at > end {
			return errDocument
		}
	}
	p.leave()
	return nil
}

// bytes reads a field of a given length: a text, a message, or bytes.
func (p *protobufWalker) bytes(depth int) error {
	n, err := p.varint()
	if err != nil {
		return err
	}
	from, to, err := p.take(n)
	if err != nil {
		return err
	}
	v := p.data[from:to]
	switch {
	case isText(v):
		if p.sink != nil || len(v) >= minProtobufText {
			p.text(from, to)
		}
	case depth < maxProtobufNested && p.isMessage(v, depth+1):
		if p.sink == nil {
			p.texts++
			return nil
		}
		p.at = from
		return p.message(to, depth+1)
	default:
		if p.sink != nil {
			p.text(from, to)
		}
	}
	return nil
}

// isMessage looks whether a field's bytes are a message with a text in it. What
// is looked at level by level is counted as often.
func (p *protobufWalker) isMessage(v []byte, depth int) bool {
	inner := protobufWalker{binaryWalker{data: v, seen: p.seen}}
	err := inner.message(len(v), depth)
	p.seen = inner.seen
	return err == nil && inner.texts > 0
}
