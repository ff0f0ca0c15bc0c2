package scan

import (
	"math"
)

// MessagePack (github.com/msgpack/msgpack, spec.md). It has no magic: only a map
// with string keys, or an array, that ends where the value ends is taken for it,
// and a sequence of values among which is such a map or a record of msgpackr
// (github.com/kriszyp/msgpackr, README, Record Structure Extension).
var msgpackDecoder = decoder{kind: "msgpack", starts: startsMsgpack, fits: fitsMsgpack, open: openMsgpack}

// startsMsgpack: of a map, an array, a string before others, or the definition of a
// record.
func startsMsgpack(b byte) bool {
	return b >= 0x80 && b <= 0xbf || b >= 0xd9 && b <= 0xdf || b == mpRecordHead
}

func fitsMsgpack(data []byte) bool {
	m := msgpackWalker{data: data, check: true}
	err := m.values()
	switch {
	case err != nil && !isCut(err) || m.strings == 0:
		return false
	case m.count == 0: // not read to its end, as pixels may not be
		return m.named
	case m.count == 1:
		return m.named || data[0] < 0xa0 || data[0] >= 0xdc
	}
	return m.named && m.letters*4 < m.text
}

func openMsgpack(w *worker, f *fragment, hits []hit, base uint32) bool {
	return w.document("msgpack", f, hits, base, func(data []byte, doc *document, sink docSink) error {
		m := msgpackWalker{document: doc, data: data, sink: sink}
		return m.values()
	})
}

// A definition of a record is an extension of one byte, mpRecord, and its number;
// an array of names follows, and a value for each. Where its number stands later
// as a small integer, values follow at once.
const (
	mpRecordHead = 0xd4
	mpRecord     = 'r'
	mpFirst      = 0x40 // the lowest number of a record
	mpRecords    = 64
)

type msgpackWalker struct {
	*document
	data    []byte
	at      int
	sink    docSink
	check   bool // only look whether it can be read
	strings int
	text    int  // bytes in strings
	letters int  // small integers that are the code of a letter, as text of another format comes out
	named   bool // there is a map or record with names
	count   int  // of values that stand side by side
	seen    int
	records *[mpRecords][]span // the names of each, once one is defined
}

// values reads values to the end of the data.
func (m *msgpackWalker) values() error {
	for ; m.at < len(m.data); m.count++ {
		if err := m.value(0); err != nil {
			return err
		}
	}
	return nil
}

// record reads a definition of a record behind its first byte, and its values.
func (m *msgpackWalker) record(depth int) error {
	if len(m.data)-m.at < 2 || m.data[m.at+1]-mpFirst >= mpRecords {
		return errDocument
	}
	number := m.data[m.at+1] - mpFirst
	m.at += 2
	kind, n, _, err := m.head()
	if err != nil || kind != mpArray || n > len(m.data)-m.at {
		return errDocument
	}
	var names []span
	for range n {
		kind, size, _, err := m.head()
		if err != nil || kind != mpString || size > len(m.data)-m.at || !isText(m.data[m.at:m.at+size]) {
			return errDocument
		}
		names = append(names, span{uint32(m.at), uint32(m.at + size)})
		m.text += size
		m.at += size
	}
	if m.records == nil {
		m.records = new([mpRecords][]span)
	}
	m.records[number], m.named = names, true
	return m.recorded(names, depth)
}

// isMsgpackPrefix: msgpackr writes a set, an error, a regular expression, and what is
// referred to later, as an extension of one byte and a value behind it.
func isMsgpackPrefix(kind byte) bool {
	return kind == 's' || kind == 'e' || kind == 'x' || kind == 'i'
}

// recorded reads the values of a record.
func (m *msgpackWalker) recorded(names []span, depth int) error {
	var t *docFrame
	if !m.check {
		if t = m.push(false); t == nil {
			return errDocumentDepth
		}
	}
	for _, name := range names {
		if t != nil {
			t.setKey(m.data[name.from:name.to:name.to], false)
			m.sink.key(int(name.from), int(name.to))
		}
		if err := m.value(depth + 1); err != nil {
			return err
		}
		if t != nil {
			m.sink.end()
		}
	}
	if t != nil {
		m.depth--
	}
	return nil
}

// token is one object's head: what it is, and how many bytes or elements follow.
type msgpackKind uint8

const (
	mpOther msgpackKind = iota
	mpInt
	mpString // str or bin
	mpArray
	mpMap
)

// head reads the first bytes of an object.
func (m *msgpackWalker) head() (kind msgpackKind, n int, v int64, err error) {
	if m.at >= len(m.data) {
		return 0, 0, 0, errDocument
	}
	b := m.data[m.at]
	m.at++
	number := func(size int) uint64 {
		if size > len(m.data)-m.at {
			err = errDocument
			return 0
		}
		var v uint64
		for _, b := range m.data[m.at : m.at+size] {
			v = v<<8 | uint64(b)
		}
		m.at += size
		return v
	}
	length := func(size int) int { return int(min(number(size), math.MaxInt32)) }
	switch {
	case b < 0x80:
		if isGraphic(b) {
			m.letters++
		}
		return mpInt, 0, int64(b), nil
	case b < 0x90:
		return mpMap, int(b & 15), 0, nil
	case b < 0xa0:
		return mpArray, int(b & 15), 0, nil
	case b < 0xc0:
		return mpString, int(b & 31), 0, nil
	case b >= 0xe0:
		return mpInt, 0, int64(int8(b)), nil
	}
	switch b {
	case 0xc0, 0xc2, 0xc3:
	case 0xc4, 0xc5, 0xc6:
		kind, n = mpString, length(1<<(b-0xc4))
	case 0xc7, 0xc8, 0xc9: // ext: a type byte goes before the data
		kind, n = mpOther, length(1<<(b-0xc7))+1
	case 0xca:
		n = 4
	case 0xcb:
		n = 8
	case 0xcc, 0xcd, 0xce, 0xcf:
		kind, v = mpInt, int64(min(number(1<<(b-0xcc)), math.MaxInt64))
	case 0xd0, 0xd1, 0xd2, 0xd3:
		size := 1 << (b - 0xd0)
		u := number(size)
		kind, v = mpInt, int64(u<<(64-8*size))>>(64-8*size)
	case 0xd4, 0xd5, 0xd6, 0xd7, 0xd8: // fixext
		n = 1<<(b-0xd4) + 1
	case 0xd9, 0xda, 0xdb:
		kind, n = mpString, length(1<<(b-0xd9))
	case 0xdc, 0xdd:
		kind, n = mpArray, length(2<<(b-0xdc))
	case 0xde, 0xdf:
		kind, n = mpMap, length(2<<(b-0xde))
	default:
		return 0, 0, 0, errDocument
	}
	return kind, n, v, err
}

const maxMsgpackDepth = 32

func (m *msgpackWalker) value(depth int) error {
	if depth > maxMsgpackDepth {
		return errDocumentDepth
	}
	switch m.seen++; {
	case m.check && m.seen > maxElements:
		return errDocumentElements
	case !m.check && m.seen&63 == 0:
		if err := m.sink.more(); err != nil {
			return err
		}
	}
	from := m.at
	if from+1 < len(m.data) && m.data[from] == mpRecordHead && m.data[from+1] == mpRecord {
		m.at++
		return m.record(depth)
	}
	if m.records != nil && from+2 < len(m.data) && m.data[from] == mpRecordHead && isMsgpackPrefix(m.data[from+1]) {
		m.at += 3
		return m.value(depth + 1)
	}
	kind, n, v, err := m.head()
	if err != nil {
		return err
	}
	switch kind {
	case mpInt:
		if m.records != nil && m.at == from+1 && v >= mpFirst && m.records[v-mpFirst] != nil {
			return m.recorded(m.records[v-mpFirst], depth)
		}
		if !m.check {
			m.sink.integer(from, m.at, v)
		}
		return nil
	case mpArray:
		var t *docFrame
		if !m.check {
			if t = m.push(true); t == nil {
				return errDocumentDepth
			}
		}
		for i := range n {
			if t != nil {
				t.index = i
			}
			if err := m.value(depth + 1); err != nil {
				return err
			}
		}
		if t != nil {
			m.depth--
		}
		return nil
	case mpMap:
		return m.members(n, depth)
	}
	if n > len(m.data)-m.at {
		return errDocument
	}
	if kind == mpString {
		m.strings++
		m.text += n
		if !m.check {
			m.sink.text(m.at, m.at+n, false)
		}
	}
	m.at += n
	return nil
}

func (m *msgpackWalker) members(n, depth int) error {
	var t *docFrame
	if !m.check {
		if t = m.push(false); t == nil {
			return errDocumentDepth
		}
	}
	for i := range n {
		kind, size, _, err := m.head()
		if err != nil || kind != mpString && kind != mpInt {
			return errDocument
		}
		if kind == mpInt {
			size = 0
		}
		if size > len(m.data)-m.at {
			return errDocument
		}
		from, to := m.at, m.at+size
		m.at = to
		if m.check {
			if kind == mpString && !isText(m.data[from:to]) {
				return errDocument
			}
			m.named = m.named || size > 0
			m.text += size
			if err := m.value(depth + 1); err != nil {
				return err
			}
			continue
		}
		t.index = i
		t.setKey(m.data[from:to:to], false)
		m.sink.key(from, to)
		if err := m.value(depth + 1); err != nil {
			return err
		}
		m.sink.end()
	}
	if t != nil {
		m.depth--
	}
	return nil
}
