package scan

import (
	"bytes"
	"encoding/binary"
)

// Java's object serialization (Java Object Serialization Specification, chapter
// 6): what Spring keeps its sessions in.
var javaDecoder = decoder{kind: "java-serialize", starts: startsWith("\xac"), fits: func(data []byte) bool {
	return data[1] == 0xed && data[2] == 0 && data[3] == 5
}, open: openJava}

func openJava(w *worker, f *fragment, hits []hit, base uint32) bool {
	return w.document("java-serialize", f, hits, base, func(data []byte, doc *document, sink docSink) error {
		j := javaWalker{document: doc, data: data, at: 4, sink: sink}
		for j.at < len(data) {
			if _, err := j.content(0); err != nil {
				return err
			}
		}
		return nil
	})
}

// Bytes of the grammar (java.io.ObjectStreamConstants).
const (
	tcNull          = 0x70
	tcReference     = 0x71
	tcClassDesc     = 0x72
	tcObject        = 0x73
	tcString        = 0x74
	tcArray         = 0x75
	tcClass         = 0x76
	tcBlockData     = 0x77
	tcEndBlockData  = 0x78
	tcReset         = 0x79
	tcBlockDataLong = 0x7A
	tcException     = 0x7B
	tcLongString    = 0x7C
	tcProxyClass    = 0x7D
	tcEnum          = 0x7E

	scWriteMethod    = 1
	scSerializable   = 2
	scExternalizable = 4
	scBlockData      = 8

	baseWireHandle = 0x7E0000
)

const (
	maxJavaDepth   = 48
	maxJavaHandles = 1 << 14
)

type javaWalker struct {
	*document
	data    []byte
	at      int
	sink    docSink
	classes []*javaClass // by handle; nil where the handle is of something else
	seen    int
}

// A javaClass says how the fields of its objects are laid out.
type javaClass struct {
	name   []byte
	flags  byte
	fields []javaField
	super  *javaClass
}

type javaField struct {
	kind byte
	name span
}

// A javaItem is what one content was.
type javaItem struct {
	end  bool // of an annotation
	text span // of a string
	any  bool // an object, not data between objects
}

func (j *javaWalker) handle(c *javaClass) {
	if len(j.classes) < maxJavaHandles {
		j.classes = append(j.classes, c)
	}
}

// content reads one object, or a block of data between objects, and tells the
// sink of the strings in it, but not of one that it is itself: the caller knows
// whether it is a key or a value.
func (j *javaWalker) content(depth int) (javaItem, error) {
	if depth > maxJavaDepth {
		return javaItem{}, errDocumentDepth
	}
	if j.seen++; j.seen&63 == 0 {
		if err := j.sink.more(); err != nil {
			return javaItem{}, err
		}
	}
	b, err := j.byte()
	if err != nil {
		return javaItem{}, err
	}
	item := javaItem{any: true}
	switch b {
	case tcNull:
	case tcReference:
		_, err = j.take(4)
	case tcClassDesc, tcProxyClass:
		j.at--
		_, err = j.classDesc(depth)
	case tcObject:
		err = j.object(depth)
	case tcString:
		j.handle(nil)
		item.text, err = j.utf(2)
		if depth == 0 && err == nil {
			j.emit(item)
		}
	case tcLongString:
		j.handle(nil)
		item.text, err = j.utf(8)
		if depth == 0 && err == nil {
			j.emit(item)
		}
	case tcArray:
		err = j.array(depth)
	case tcClass:
		_, err = j.classDesc(depth)
		j.handle(nil)
	case tcEnum:
		if _, err = j.classDesc(depth); err == nil {
			j.handle(nil)
			_, err = j.content(depth + 1)
		}
	case tcBlockData, tcBlockDataLong:
		item.any = false
		size := 1
		if b == tcBlockDataLong {
			size = 4
		}
		var s span
		if s, err = j.counted(size); err == nil && s.len() >= minContainer {
			j.sink.text(int(s.from), int(s.to), false)
		}
	case tcEndBlockData:
		item.end, item.any = true, false
	case tcReset:
		j.classes = j.classes[:0]
	default:
		err = errDocument
	}
	return item, err
}

func (j *javaWalker) emit(i javaItem) {
	if i.text.len() > 0 {
		j.sink.text(int(i.text.from), int(i.text.to), false)
	}
}

// classDesc reads a class description, new, by reference, or none.
func (j *javaWalker) classDesc(depth int) (*javaClass, error) {
	if depth > maxJavaDepth {
		return nil, errDocumentDepth
	}
	b, err := j.byte()
	if err != nil {
		return nil, err
	}
	switch b {
	case tcNull:
		return nil, nil
	case tcReference:
		s, err := j.take(4)
		if err != nil {
			return nil, err
		}
		n := int(binary.BigEndian.Uint32(j.data[s.from:])) - baseWireHandle
		if n < 0 {
			return nil, errDocument
		}
		if n >= len(j.classes) {
			return nil, notKept(len(j.classes), maxJavaHandles)
		}
		return j.classes[n], nil
	case tcProxyClass:
		c := new(javaClass)
		j.handle(c)
		s, err := j.take(4)
		if err != nil {
			return nil, err
		}
		for range binary.BigEndian.Uint32(j.data[s.from:]) {
			if _, err := j.utf(2); err != nil {
				return nil, err
			}
		}
		return c, j.endOfClass(c, depth)
	case tcClassDesc:
	default:
		return nil, errDocument
	}
	c := new(javaClass)
	name, err := j.utf(2)
	if err != nil {
		return nil, err
	}
	c.name = j.data[name.from:name.to]
	if _, err := j.take(8); err != nil { // serialVersionUID
		return nil, err
	}
	j.handle(c)
	if c.flags, err = j.byte(); err != nil {
		return nil, err
	}
	s, err := j.take(2)
	if err != nil {
		return nil, err
	}
	for range binary.BigEndian.Uint16(j.data[s.from:]) {
		kind, err := j.byte()
		if err != nil {
			return nil, err
		}
		field, err := j.utf(2)
		if err != nil {
			return nil, err
		}
		c.fields = append(c.fields, javaField{kind, field})
		if kind == 'L' || kind == '[' { // its type, a string
			if _, err := j.content(depth + 1); err != nil {
				return nil, err
			}
		}
	}
	return c, j.endOfClass(c, depth)
}

// endOfClass reads a class's annotation and its super class.
func (j *javaWalker) endOfClass(c *javaClass, depth int) (err error) {
	if err = j.annotation(depth, false); err == nil {
		c.super, err = j.classDesc(depth + 1)
	}
	return err
}

// annotation reads what a class's own methods wrote. Of a map, that is keys and
// values in turn.
func (j *javaWalker) annotation(depth int, isMap bool) error {
	var key span
	haveKey := false
	t := j.push(!isMap)
	if t == nil {
		return errDocumentDepth
	}
	for i := 0; ; {
		if isMap && haveKey {
			t.setKey(j.data[key.from:key.to:key.to], false)
			j.sink.key(int(key.from), int(key.to))
		}
		item, err := j.content(depth + 1)
		if err != nil {
			return err
		}
		if isMap && haveKey {
			j.emit(item)
			j.sink.end()
			haveKey = false
			continue
		}
		if item.end {
			j.depth--
			return nil
		}
		if !item.any {
			continue
		}
		if isMap {
			key, haveKey = item.text, true
			continue
		}
		t.index = i
		i++
		j.emit(item)
	}
}

// object reads the data of an object, the super class's first.
func (j *javaWalker) object(depth int) error {
	c, err := j.classDesc(depth + 1)
	if err != nil {
		return err
	}
	j.handle(nil)
	var line []*javaClass
	for k := c; k != nil; k = k.super {
		if line = append(line, k); len(line) > maxJavaDepth {
			return errDocumentDepth
		}
	}
	for i := len(line) - 1; i >= 0; i-- {
		if err := j.classData(line[i], depth); err != nil {
			return err
		}
	}
	return nil
}

func (j *javaWalker) classData(c *javaClass, depth int) error {
	isMap := isJavaMap(c.name)
	switch {
	case c.flags&scSerializable != 0:
		t := j.push(false)
		if t == nil {
			return errDocumentDepth
		}
		for _, f := range c.fields {
			if f.kind != 'L' && f.kind != '[' {
				if err := j.number(t, f); err != nil {
					return err
				}
				continue
			}
			t.setKey(j.data[f.name.from:f.name.to:f.name.to], false)
			j.sink.key(int(f.name.from), int(f.name.to))
			item, err := j.content(depth + 1)
			if err != nil {
				return err
			}
			j.emit(item)
			j.sink.end()
		}
		j.depth--
		if c.flags&scWriteMethod != 0 {
			return j.annotation(depth, isMap)
		}
		return nil
	case c.flags&scExternalizable != 0 && c.flags&scBlockData != 0:
		return j.annotation(depth, isMap)
	case c.flags&scExternalizable != 0:
		return errDocument // of a length that only the class knows
	}
	return nil
}

func isJavaMap(name []byte) bool {
	for _, s := range [...]string{"Map", "Hashtable", "Properties"} {
		if bytes.HasSuffix(name, []byte(s)) {
			return true
		}
	}
	return false
}

func (j *javaWalker) primitive(kind byte) error {
	size := 0
	switch kind {
	case 'B', 'Z':
		size = 1
	case 'C', 'S':
		size = 2
	case 'I', 'F':
		size = 4
	case 'J', 'D':
		size = 8
	default:
		return errDocument
	}
	_, err := j.take(size)
	return err
}

// number tells of a field that is an integer.
func (j *javaWalker) number(t *docFrame, f javaField) error {
	from := j.at
	if err := j.primitive(f.kind); err != nil || f.kind != 'I' && f.kind != 'J' {
		return err
	}
	var v int64
	for _, b := range j.data[from:j.at] {
		v = v<<8 | int64(b)
	}
	if f.kind == 'I' {
		v = int64(int32(v))
	}
	t.setKey(j.data[f.name.from:f.name.to:f.name.to], false)
	j.sink.key(int(f.name.from), int(f.name.to))
	j.sink.integer(from, j.at, v)
	j.sink.end()
	return nil
}

func (j *javaWalker) array(depth int) error {
	c, err := j.classDesc(depth + 1)
	if err != nil {
		return err
	}
	j.handle(nil)
	s, err := j.take(4)
	if err != nil || c == nil || len(c.name) < 2 {
		return errDocument
	}
	n := int(binary.BigEndian.Uint32(j.data[s.from:]))
	switch kind := c.name[1]; kind {
	case 'B', 'C':
		size := n
		if kind == 'C' {
			size = 2 * n
		}
		body, err := j.take(size)
		if err == nil && kind == 'B' && size >= minContainer {
			j.sink.text(int(body.from), int(body.to), false)
		}
		return err
	case 'L', '[':
		t := j.push(true)
		if t == nil {
			return errDocumentDepth
		}
		for i := 0; i < n; i++ {
			t.index = i
			item, err := j.content(depth + 1)
			if err != nil {
				return err
			}
			j.emit(item)
		}
		j.depth--
		return nil
	default:
		for range n {
			if err := j.primitive(kind); err != nil {
				return err
			}
		}
		return nil
	}
}

func (j *javaWalker) byte() (byte, error) {
	if j.at >= len(j.data) {
		return 0, errDocument
	}
	j.at++
	return j.data[j.at-1], nil
}

func (j *javaWalker) take(n int) (span, error) {
	if n < 0 || n > len(j.data)-j.at {
		return span{}, errDocument
	}
	j.at += n
	return span{uint32(j.at - n), uint32(j.at)}, nil
}

// utf reads a text behind a length of so many bytes.
func (j *javaWalker) utf(size int) (span, error) { return j.counted(size) }

func (j *javaWalker) counted(size int) (span, error) {
	s, err := j.take(size)
	if err != nil {
		return span{}, err
	}
	var n uint64
	for _, b := range j.data[s.from:s.to] {
		n = n<<8 | uint64(b)
	}
	if n > uint64(len(j.data)) {
		return span{}, errDocument
	}
	return j.take(int(n))
}
