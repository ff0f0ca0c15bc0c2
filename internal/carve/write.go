package carve

import (
	"fmt"
	"io"

	"github.com/valkeyfs/valkeyfs/internal/rdbwrite"
)

// FileName is how the file of a piece is called: by its offset, so that a directory
// lists them in order.
func (p *Piece) FileName() string {
	ext := map[Kind]string{Snapshot: "rdb", Head: "head.rdb", Fragment: "fragment.rdb", Commands: "aof", Listpack: "listpack", String: "txt", Packed: "gz"}[p.Kind]
	if p.Format == "zstd" {
		ext = "zst"
	}
	return fmt.Sprintf("%016x.%s", p.Offset, ext)
}

// fragmentVersion is what the header says that is put before records without one.
var fragmentVersion = map[string]rdbwrite.Version{
	"REDIS":  {Magic: "REDIS", Number: 12},
	"VALKEY": {Magic: "VALKEY", Number: 80},
}

// Write writes a piece as it lies in the image. A fragment gets a header and an end
// marker, so that it can be read like a snapshot.
func (p *Piece) Write(img Image, w io.Writer) error {
	bytes := io.NewSectionReader(img, p.Offset, p.Length)
	if p.Kind == String {
		bytes = io.NewSectionReader(img, p.Offset+p.Length-p.body, p.body)
	}
	if p.Kind != Fragment {
		_, err := io.Copy(w, bytes)
		return err
	}
	x, err := rdbwrite.New(w, fragmentVersion[p.magic], rdbwrite.Options{})
	if err != nil {
		return err
	}
	if err := x.Unverified(); err != nil {
		return err
	}
	if err := x.Raw(bytes, p.body); err != nil {
		return err
	}
	return x.Close()
}
