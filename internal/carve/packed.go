package carve

import (
	"bufio"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/valkeyfs/valkeyfs/aof"
	"github.com/valkeyfs/valkeyfs/rdb"
)

var (
	gzipMagic = []byte{0x1f, 0x8b, 8}          // RFC 1952, 2.3.1
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd} // RFC 8878, 3.1.1
)

const (
	// maxPacked bounds what is decompressed to see where a compressed file ends.
	maxPacked = 1 << 30
	maxWindow = 128 << 20
	headSize  = 16
)

// counter counts what is read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// packed is the compressed file that begins at an offset, if it holds a snapshot or
// commands. Where it ends is known of gzip; zstd tells as far as it was read.
func packed(img Image, at int64, what hit) *Piece {
	in := &counter{r: io.NewSectionReader(img, at, img.Size()-at)}
	buf := bufio.NewReader(in)
	p := &Piece{Offset: at, Kind: Packed, Confidence: Partial, Format: "gzip"}
	var r io.Reader
	if what == hitGzip {
		z, err := gzip.NewReader(buf)
		if err != nil {
			return nil
		}
		z.Multistream(false)
		r = z
	} else {
		z, err := zstd.NewReader(buf, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil
		}
		defer z.Close()
		r, p.Format = z, "zstd"
	}
	head := make([]byte, headSize)
	n, err := io.ReadFull(r, head)
	if err != nil && n == 0 {
		return nil
	}
	switch head = head[:n]; {
	case rdb.Sniff(head):
		p.Inside = string(Snapshot)
	case aof.Sniff(head):
		p.Inside = string(Commands)
	default:
		return nil
	}
	if what == hitZstd {
		// Frames do not say how long they are, and what follows the last looks like
		// a broken one: the piece is found again by who decompresses it.
		_, _ = io.Copy(io.Discard, io.LimitReader(r, maxPacked))
		p.Length, p.Confidence = in.n-int64(buf.Buffered()), Unverified
		return p
	}
	rest, err := io.Copy(io.Discard, io.LimitReader(r, maxPacked))
	if p.Length = in.n - int64(buf.Buffered()); err == nil && rest < maxPacked {
		p.Confidence = Intact // gzip has a checksum
	}
	return p
}

// wrappings are compressed files by what they begin with, and what takes them apart.
var wrappings = []struct{ format, magic, open string }{
	{"gzip", string(gzipMagic), "gzip -dc"},
	{"zstd", string(zstdMagic), "zstd -dc"},
	{"lz4", "\x04\x22\x4d\x18", "lz4 -dc"},   // lz4 doc/lz4_Frame_format.md
	{"xz", "\xfd7zXZ\x00", "xz -dc"},         // xz doc/xz-file-format.txt, 2.1.1.1
	{"bzip2", "BZh", "bzip2 -dc"},            // bzip2 compress.c, BZ_HDR_*
	{"7z", "7z\xbc\xaf\x27\x1c", "7z x -so"}, // 7-Zip DOC/7zFormat.txt
	{"zip", "PK\x03\x04", "unzip -p"},        // APPNOTE.TXT, 4.3.7
}

// Wrapped returns the format of a file that begins as a compressed one, and the command
// that gives what is inside; "" of others. Unless Run finds a piece there, it is no
// snapshot and no log, and the bytes that were searched are not those of a disk.
func Wrapped(img Image) (format, open string) {
	head := make([]byte, headSize)
	n, _ := img.ReadAt(head, 0) // what cannot be read is told by Run
	for _, w := range wrappings {
		if strings.HasPrefix(string(head[:n]), w.magic) {
			return w.format, w.open
		}
	}
	return "", ""
}
