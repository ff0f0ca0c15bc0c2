package scan

import "github.com/dsnet/compress/bzip2"

var bzip2Decoder = decoder{kind: "bzip2", starts: startsWith("B"), fits: func(data []byte) bool { return isBzip2(data) && data[4] == 0x31 && data[5] == 0x41 }, open: openBzip2}

// isBzip2: magic and level; a block begins with the digits of pi.
func isBzip2(data []byte) bool {
	return string(data[:3]) == "BZh" && data[3] >= '1' && data[3] <= '9'
}

// openBzip2 keeps the reader: what a stream takes in memory is what is in it, not
// what its level says.
func openBzip2(w *worker, f *fragment, hits []hit, base uint32) bool {
	z := &w.zip
	z.src.Reset(f.data)
	var err error
	if z.bzip2 == nil {
		z.bzip2, err = bzip2.NewReader(&z.src, nil)
	} else {
		err = z.bzip2.Reset(&z.src)
	}
	if err != nil {
		w.failed("bzip2")
		return false
	}
	return w.decompress("bzip2", f, z.bzip2)
}
