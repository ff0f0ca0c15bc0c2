package scan

import "bytes"

var dataURLDecoder = decoder{kind: "data-url", starts: startsWith("dD"), fits: fitsDataURL, open: openDataURL}

// fitsDataURL recognises data: URLs (RFC 2397) in base64.
func fitsDataURL(data []byte) bool {
	return bytes.HasPrefix(data, []byte("data:")) && bytes.Contains(data[:min(len(data), 256)], []byte(";base64,"))
}

// openDataURL hands on what follows the comma. Images and the like come out as
// no text and no container; then there is nothing in them.
func openDataURL(w *worker, f *fragment, hits []hit, base uint32) bool {
	i := bytes.Index(f.data, []byte(";base64,")) + len(";base64,")
	if base64Encoding(f.data[i:]) == nil {
		return false
	}
	c := &w.frags[f.depth+1]
	*c = fragment{data: f.data[i:], parent: f, kind: "data-url", depth: f.depth + 1, inName: f.inName, from: f.from, to: f.to}
	if len(c.data) >= minBase64 && fitsBase64(c.data) {
		openBase64(w, c, nil, 0)
	}
	return true
}
