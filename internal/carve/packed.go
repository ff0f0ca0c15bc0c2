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

const thenCarve = " && valkeyfs carve disk.raw"

// wrappings are files that hold another in a compressed form, by what they begin with,
// and the command that gives what is inside; "" where none is known.
var wrappings = []struct{ format, magic, open string }{
	{"gzip", string(gzipMagic), "gzip -dc IMAGE > disk.raw" + thenCarve},
	{"zstd", string(zstdMagic), "zstd -dc IMAGE > disk.raw" + thenCarve},
	{"lz4", "\x04\x22\x4d\x18", "lz4 -dc IMAGE > disk.raw" + thenCarve},         // lz4 doc/lz4_Frame_format.md
	{"xz", "\xfd7zXZ\x00", "xz -dc IMAGE > disk.raw" + thenCarve},               // xz doc/xz-file-format.txt, 2.1.1.1
	{"bzip2", "BZh", "bzip2 -dc IMAGE > disk.raw" + thenCarve},                  // bzip2 compress.c, BZ_HDR_*
	{"7z", "7z\xbc\xaf\x27\x1c", "7z x -so IMAGE > disk.raw" + thenCarve},       // 7-Zip DOC/7zFormat.txt
	{"zip", "PK\x03\x04", "unzip -p IMAGE > disk.raw" + thenCarve},              // APPNOTE.TXT, 4.3.7; AFF4 is told by its first entry
	{"AFF", "AFF10\r\n\x00", "affcat IMAGE > disk.raw" + thenCarve},             // AFFLIBv3 lib/afflib_i.h, AF_HEADER
	{"AVML", "AVML\x02\x00\x00\x00", "avml-convert IMAGE disk.raw" + thenCarve}, // avml src/image.rs
	{"kdump", "KDUMP   ", ""},         // makedumpfile diskdump_mod.h, KDUMP_SIGNATURE
	{"kdump", "makedumpfile\x00", ""}, // makedumpfile.h, MAKEDUMPFILE_SIGNATURE
	{"squashfs", "hsqs", "unsquashfs -d disk.d IMAGE && valkeyfs scan disk.d"}, // linux fs/squashfs/squashfs_fs.h
}

// aff4 is what the first entry of a zip is called that is an AFF4 image (AFF4 Standard
// 1.0, 3.4), at the place of names in zip's APPNOTE.TXT, 4.3.7.
const (
	aff4   = "container.description"
	aff4At = 30
)

// Wrapped returns the format of a file that begins as a compressed one, and the command
// that gives what is inside of one named IMAGE, if one is known; "" of others. Unless Run finds a piece there, it is no
// snapshot and no log, and the bytes that were searched are not those of a disk.
func Wrapped(img Image) (format, open string) {
	head := make([]byte, aff4At+len(aff4))
	n, _ := img.ReadAt(head, 0) // what cannot be read is told by Run
	for _, w := range wrappings {
		switch {
		case !strings.HasPrefix(string(head[:n]), w.magic):
		case w.format == "zip" && n > aff4At && strings.HasPrefix(string(head[aff4At:n]), aff4):
			return "AFF4", ""
		default:
			return w.format, w.open
		}
	}
	return "", ""
}
