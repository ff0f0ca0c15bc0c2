package scan

import "encoding/binary"

// Sessions of ASP.NET Core, as DistributedSession writes them: revision 2, the
// number of entries in three bytes, 16 bytes of identification, then names and
// values with their lengths (SerializationRevision, Serialize of
// Microsoft.AspNetCore.Session). Taken for one only if all of it can be read.
var dotnetDecoder = decoder{kind: "aspnet-session", starts: startsWith("\x02"), fits: fitsDotnet, open: openDotnet}

const dotnetHead = 20

func fitsDotnet(data []byte) bool {
	d := dotnetWalker{binaryWalker{data: data}}
	return data[0] == 2 && d.entries() == nil && d.texts > 0
}

func openDotnet(w *worker, f *fragment, hits []hit, base uint32) bool {
	return w.document("aspnet-session", f, hits, base, func(data []byte, doc *document, sink docSink) error {
		d := dotnetWalker{binaryWalker{document: doc, data: data, sink: sink}}
		return d.entries()
	})
}

type dotnetWalker struct{ binaryWalker }

func (d *dotnetWalker) entries() error {
	if len(d.data) < dotnetHead {
		return errDocument
	}
	n := int(d.data[1])<<16 | int(d.data[2])<<8 | int(d.data[3])
	d.at = dotnetHead
	t, err := d.enter(false)
	if err != nil {
		return err
	}
	for range n {
		if err := d.step(0); err != nil {
			return err
		}
		size, err := d.uint(2, binary.BigEndian)
		if err != nil {
			return err
		}
		from, to, err := d.take(size)
		if err != nil || d.sink == nil && !isText(d.data[from:to]) {
			return errDocument
		}
		d.member(t, from, to)
		if size, err = d.uint(4, binary.BigEndian); err != nil {
			return err
		}
		if from, to, err = d.take(size); err != nil {
			return err
		}
		if d.sink == nil {
			d.texts++
		}
		d.text(from, to)
		d.endMember()
	}
	d.leave()
	if d.at != len(d.data) {
		return errDocument
	}
	return nil
}
