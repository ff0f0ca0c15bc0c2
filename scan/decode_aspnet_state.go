package scan

import (
	"bytes"
	"encoding/binary"
)

// The session state of ASP.NET before Core, as SessionStateItemCollection
// serialises it and Microsoft.Web.RedisSessionStateProvider has kept it since
// version 5: the number of items, which of them has no name, the names, where
// each value ends, then the values, each with the number of its type in front
// (SessionStateItemCollection.Serialize, AltSerialization.WriteValueToStream of
// System.Web). Other stores put the timeout in front and 0xFF behind
// (SessionStateUtility). Taken for one only if all of it can be read.
var aspnetStateDecoder = decoder{kind: "aspnet-state", binary: true, starts: func(byte) bool { return true }, fits: fitsASPNetState, open: openASPNetState}

func fitsASPNetState(data []byte) bool {
	at := aspnetStateAt(data)
	if at < 0 {
		return false
	}
	d := aspnetStateWalker{nrbfWalker: nrbfWalker{binaryWalker: binaryWalker{data: data, at: at}}}
	return d.items() == nil
}

// aspnetStateAt returns where the items begin, -1 if the data cannot be such.
func aspnetStateAt(data []byte) int {
	plausible := func(at int) bool {
		if len(data) < at+12 {
			return false
		}
		count, null := binary.LittleEndian.Uint32(data[at:]), int32(binary.LittleEndian.Uint32(data[at+4:]))
		return count > 0 && count <= maxASPNetItems && null >= -1 && null < int32(count)
	}
	switch {
	case len(data) < 12:
		return -1
	case plausible(0):
		return 0
	case data[4] == 1 && data[5] <= 1 && data[3] == 0 && plausible(6):
		return 6
	}
	return -1
}

// maxASPNetItems is how many items a session may have.
const maxASPNetItems = 1 << 12

func openASPNetState(w *worker, f *fragment, hits []hit, base uint32) bool {
	return w.document("aspnet-state", f, hits, base, func(data []byte, doc *document, sink docSink) error {
		d := aspnetStateWalker{nrbfWalker: nrbfWalker{binaryWalker: binaryWalker{document: doc, data: data, at: aspnetStateAt(data), sink: sink}}}
		return d.items()
	})
}

type aspnetStateWalker struct{ nrbfWalker }

func (d *aspnetStateWalker) items() error {
	wrapped := d.at > 0
	count, err := d.uint(4, binary.LittleEndian)
	if err != nil {
		return err
	}
	null, err := d.uint(4, binary.LittleEndian)
	if err != nil {
		return err
	}
	names := make([]span, 0, min(count, 64))
	for i := range count {
		var name span
		if i != null {
			from, to, err := d.prefixed()
			if err != nil || !isText(d.data[from:to]) {
				return errDocument
			}
			name = span{uint32(from), uint32(to)}
		}
		names = append(names, name)
	}
	ends, _, err := d.take(4 * count)
	if err != nil {
		return err
	}
	values := d.at
	t, err := d.enter(false)
	if err != nil {
		return err
	}
	for i, name := range names {
		end := values + int(binary.LittleEndian.Uint32(d.data[ends+4*i:]))
		if end <= d.at || end > len(d.data) {
			return errDocument
		}
		d.member(t, int(name.from), int(name.to))
		if err := d.value(end); err != nil || d.at != end {
			return errDocument
		}
		d.endMember()
	}
	d.leave()
	if rest := d.data[d.at:]; wrapped && bytes.HasSuffix(rest, []byte{0xff}) {
		return nil // behind the objects of the application
	} else if len(rest) > 0 {
		return errDocument
	}
	return nil
}

// Types of values (AltSerialization.TypeID), those that are no fixed number of
// bytes.
const (
	aspnetString = 1
	aspnetInt32  = 2
	aspnetInt64  = 12
	aspnetObject = 20
	aspnetNull   = 21
)

// aspnetSizes are the bytes of the others.
var aspnetSizes = [...]uint64{3: 1, 4: 8, 5: 16, 6: 1, 7: 2, 8: 4, 9: 8, 10: 1, 11: 2, 13: 2, 14: 4, 15: 8, 16: 8, 17: 16, 18: 8, 19: 8}

// value reads a value that ends at end.
func (d *aspnetStateWalker) value(end int) error {
	t, err := d.byte()
	if err != nil {
		return err
	}
	from := d.at
	switch {
	case t == aspnetNull:
		return nil
	case t == aspnetString:
		from, to, err := d.prefixed()
		if err == nil {
			d.text(from, to)
		}
		return err
	case t == aspnetInt32 || t == aspnetInt64:
		size := 4
		if t == aspnetInt64 {
			size = 8
		}
		v, err := d.uint(size, binary.LittleEndian)
		if err == nil {
			d.integer(from, signed(v, size))
		}
		return err
	case t == aspnetObject:
		d.at = end
		if !fitsNRBF(d.data[from:end]) {
			return errDocument
		}
		d.text(from, end)
		return nil
	case t == 7 && end == d.at+1: // a character of one byte
		return d.skip(1)
	case int(t) < len(aspnetSizes) && aspnetSizes[t] > 0:
		return d.skip(aspnetSizes[t])
	}
	return errDocument
}
