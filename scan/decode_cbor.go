package scan

import "encoding/binary"

// CBOR (RFC 8949). Only its self-describing tag is a magic: else a map, or an
// array, that ends where the value ends is taken for it.
var cborDecoder = decoder{kind: "cbor", starts: func(b byte) bool { return b >= 0x80 && b <= 0xbf || b == 0xd9 }, fits: fitsCBOR, open: openCBOR}

// Major types of RFC 8949, section 3.1, and what the low five bits say.
const (
	cborUint = iota
	cborNegative
	cborBytes
	cborText
	cborArray
	cborMap
	cborTag
	cborSimple

	cborIndefinite = 31
	cborBreak      = 0xff
)

func fitsCBOR(data []byte) bool {
	c := cborWalker{binaryWalker{data: data}}
	if major := data[0] >> 5; major != cborArray && major != cborMap && (data[1] != 0xd9 || data[2] != 0xf7) {
		return false
	}
	err := c.value(0)
	return (err == nil && c.at == len(data) || isCut(err)) && c.texts > 0
}

func openCBOR(w *worker, f *fragment, hits []hit, base uint32) bool {
	return w.document("cbor", f, hits, base, func(data []byte, doc *document, sink docSink) error {
		c := cborWalker{binaryWalker{document: doc, data: data, sink: sink}}
		return c.value(0)
	})
}

type cborWalker struct{ binaryWalker }

// head reads the first byte of an item and its argument.
func (c *cborWalker) head() (major, info byte, n uint64, err error) {
	b, err := c.byte()
	if err != nil {
		return 0, 0, 0, err
	}
	major, info = b>>5, b&31
	switch {
	case info < 24:
		return major, info, uint64(info), nil
	case info < 28:
		n, err = c.uint(1<<(info-24), binary.BigEndian)
		return major, info, n, err
	case info == cborIndefinite && major >= cborBytes && major != cborTag:
		return major, info, 0, nil
	}
	return 0, 0, 0, errDocument
}

// ends reports whether the array or map at hand ends after i of n items.
func (c *cborWalker) ends(info byte, i, n uint64) bool {
	if info != cborIndefinite {
		return i >= n
	}
	if c.at < len(c.data) && c.data[c.at] == cborBreak {
		c.at++
		return true
	}
	return false
}

func (c *cborWalker) value(depth int) error {
	if err := c.step(depth); err != nil {
		return err
	}
	from := c.at
	major, info, n, err := c.head()
	if err != nil {
		return err
	}
	switch major {
	case cborUint:
		if n < 1<<63 {
			c.integer(from, int64(n))
		}
	case cborBytes, cborText:
		return c.str(major, info, n)
	case cborArray:
		t, err := c.enter(true)
		if err != nil {
			return err
		}
		for i := uint64(0); !c.ends(info, i, n); i++ {
			t.index = int(i)
			if err := c.value(depth + 1); err != nil {
				return err
			}
		}
		c.leave()
	case cborMap:
		return c.members(info, n, depth)
	case cborTag:
		return c.value(depth + 1)
	case cborSimple:
		if info == cborIndefinite {
			return errDocument // a break where nothing is open
		}
	}
	return nil
}

// str reads a string; one of indefinite length comes in chunks, each of which
// is handed on by itself.
func (c *cborWalker) str(major, info byte, n uint64) error {
	if info != cborIndefinite {
		from, to, err := c.take(n)
		if err != nil || major == cborText && c.sink == nil && !isText(c.data[from:to]) {
			return errDocument
		}
		c.text(from, to)
		return nil
	}
	for i := uint64(0); !c.ends(info, i, 0); i++ {
		m, k, n, err := c.head()
		if err != nil || m != major || k == cborIndefinite {
			return errDocument
		}
		if err := c.str(m, k, n); err != nil {
			return err
		}
	}
	return nil
}

// members reads the pairs of a map. Names are strings or numbers.
func (c *cborWalker) members(info byte, n uint64, depth int) error {
	t, err := c.enter(false)
	if err != nil {
		return err
	}
	for i := uint64(0); !c.ends(info, i, n); i++ {
		major, info, n, err := c.head()
		if err != nil || info == cborIndefinite || major != cborText && major != cborBytes && major != cborUint && major != cborNegative {
			return errDocument
		}
		if major < cborBytes {
			n = 0
		}
		from, to, err := c.take(n)
		if err != nil {
			return err
		}
		c.member(t, from, to)
		if err := c.value(depth + 1); err != nil {
			return err
		}
		c.endMember()
	}
	c.leave()
	return nil
}
