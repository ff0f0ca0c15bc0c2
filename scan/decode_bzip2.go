package scan

import (
	"bytes"
	"compress/bzip2"
	"io"
)

var bzip2Decoder = decoder{kind: "bzip2", starts: startsWith("B"), fits: func(data []byte) bool { return isBzip2(data) && data[4] == 0x31 && data[5] == 0x41 }, open: openBzip2}

// isBzip2: magic and level; a block begins with the digits of pi.
func isBzip2(data []byte) bool {
	return string(data[:3]) == "BZh" && data[3] >= '1' && data[3] <= '9'
}

// smallBzip2 is the length below which a stream is read as if it were of the lowest
// level first: the level, 9 where nobody chose one, says only how much memory each
// stream takes that is opened.
const (
	smallBzip2 = 16 << 10
	bzip2Block = 900_000
)

func openBzip2(w *worker, f *fragment, hits []hit, base uint32) bool {
	z := bzip2Stream{w: w, data: f.data}
	if z.small = len(f.data) < smallBzip2 && f.data[3] > '1'; z.small {
		z.Reader = bzip2.NewReader(io.MultiReader(bytes.NewReader([]byte("BZh1")), bytes.NewReader(f.data[4:])))
	} else {
		z.Reader = bzip2.NewReader(bytes.NewReader(f.data))
	}
	return w.decompress("bzip2", f, &z)
}

// A bzip2Stream reads a stream, once more at its own level where the lowest was
// too low.
type bzip2Stream struct {
	io.Reader
	w     *worker
	data  []byte
	small bool
	given int64
}

func (z *bzip2Stream) Read(p []byte) (int, error) {
	n, err := z.Reader.Read(p)
	z.given += int64(n)
	if _, bad := err.(bzip2.StructuralError); !bad || !z.small || n > 0 || !z.w.budget.spend(bzip2Block) {
		return n, err
	}
	z.small = false
	z.Reader = bzip2.NewReader(bytes.NewReader(z.data))
	if _, err := io.CopyN(io.Discard, z.Reader, z.given); err != nil {
		return 0, err
	}
	return z.Read(p)
}
