package scan

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/dsnet/compress/bzip2"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/mikelolasagasti/xz"
	"github.com/pierrec/lz4/v4"
)

var (
	gzipDecoder = decoder{kind: "gzip", starts: startsWith("\x1f"), fits: fitsGzip, open: openGzip}
	zlibDecoder = decoder{kind: "zlib", starts: startsWith("\x78"), fits: fitsZlib, open: openZlib}
	zstdDecoder = decoder{kind: "zstd", starts: startsWith("\x28"), fits: fitsZstd, open: openZstd}
	lz4Decoder  = decoder{kind: "lz4", starts: startsWith("\x04"), fits: fitsLZ4, open: openLZ4}
	xzDecoder   = decoder{kind: "xz", starts: startsWith("\xfd"), fits: fitsXZ, open: openXZ}
)

// inflaters are the decompressors of a worker, made when first needed.
type inflaters struct {
	src   bytes.Reader
	data  []byte // what flate reads, through src
	flate io.ReadCloser
	zstd  *zstd.Decoder
	lz4   *lz4.Reader

	snappy *snappy.Reader
	brotli *brotli.Reader
	bzip2  *bzip2.Reader
	xz     *xz.Reader
}

// fitsGzip: RFC 1952, magic and the one method.
func fitsGzip(data []byte) bool { return data[0] == 0x1f && data[1] == 0x8b && data[2] == 8 }

// fitsZlib: RFC 1950, deflate with a window of 32 KiB, header divisible by 31,
// no preset dictionary.
func fitsZlib(data []byte) bool {
	return data[0] == 0x78 && binary.BigEndian.Uint16(data)%31 == 0 && data[1]&0x20 == 0
}

// fitsZstd: RFC 8878, magic number.
func fitsZstd(data []byte) bool { return binary.LittleEndian.Uint32(data) == 0xFD2FB528 }

// fitsLZ4: LZ4 frame format, magic number.
func fitsLZ4(data []byte) bool { return binary.LittleEndian.Uint32(data) == 0x184D2204 }

func openGzip(w *worker, f *fragment, hits []hit, base uint32) bool {
	n := gzipHeader(f.data)
	if n < 0 {
		w.failed("gzip")
		return false
	}
	if !w.zip.deflate(f.data[n:]) {
		return false
	}
	return w.decompress("gzip", f, (*gzipMembers)(&w.zip))
}

// gzipMembers reads a gzip member behind its header, and the members that follow it
// (RFC 1952, 2.2).
type gzipMembers inflaters

func (z *gzipMembers) Read(p []byte) (int, error) {
	n, err := z.flate.Read(p)
	if err == io.EOF && z.next() {
		err = nil
	}
	return n, err
}

// next goes to the member behind the one that was read, if there is one.
func (z *gzipMembers) next() bool {
	const trailer = 8 // CRC32 and length
	rest := z.data[len(z.data)-z.src.Len():]
	if len(rest) < trailer+3 || !fitsGzip(rest[trailer:]) {
		return false
	}
	n := gzipHeader(rest[trailer:])
	return n >= 0 && (*inflaters)(z).deflate(rest[trailer+n:])
}

// gzipHeader returns the length of the header of a gzip member, or -1.
func gzipHeader(data []byte) int {
	if len(data) < 10 {
		return -1
	}
	flags, n := data[3], 10
	if flags&4 != 0 { // FEXTRA
		if n+2 > len(data) {
			return -1
		}
		n += 2 + int(binary.LittleEndian.Uint16(data[n:]))
	}
	for _, flag := range [...]byte{8, 16} { // FNAME, FCOMMENT
		if flags&flag != 0 {
			if n > len(data) {
				return -1
			}
			k := bytes.IndexByte(data[n:], 0)
			if k < 0 {
				return -1
			}
			n += k + 1
		}
	}
	if flags&2 != 0 { // FHCRC
		n += 2
	}
	if n > len(data) {
		return -1
	}
	return n
}

func openZlib(w *worker, f *fragment, hits []hit, base uint32) bool {
	return w.inflate("zlib", f, f.data[2:])
}

// inflate decompresses raw deflate data (RFC 1951). Checksums behind it are not
// looked at: damaged evidence is evidence.
func (w *worker) inflate(kind string, f *fragment, data []byte) bool {
	return w.zip.deflate(data) && w.decompress(kind, f, w.zip.flate)
}

// deflate readies the decompressor of deflate data.
func (z *inflaters) deflate(data []byte) bool {
	z.data = data
	z.src.Reset(data)
	if z.flate == nil {
		z.flate = flate.NewReader(&z.src)
		return true
	}
	return z.flate.(flate.Resetter).Reset(&z.src, nil) == nil
}

func openZstd(w *worker, f *fragment, hits []hit, base uint32) bool {
	z := &w.zip
	z.src.Reset(f.data)
	if z.zstd == nil {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(8<<20), zstd.WithDecoderMaxMemory(maxOutput))
		if err != nil {
			return false
		}
		z.zstd = d
	}
	if err := z.zstd.Reset(&z.src); err != nil {
		w.brokeOff("zstd", err)
		return false
	}
	return w.decompress("zstd", f, z.zstd)
}

// fitsXZ: the .xz file format, 2.1.1.1.
func fitsXZ(data []byte) bool { return string(data[:6]) == "\xfd7zXZ\x00" }

// xzDictMax bounds the dictionary, which a stream may claim; one that is not filled
// takes no memory.
const xzDictMax = 64 << 20

func openXZ(w *worker, f *fragment, hits []hit, base uint32) bool {
	z := &w.zip
	z.src.Reset(f.data)
	var err error
	if z.xz == nil {
		z.xz, err = xz.NewReader(&z.src, xzDictMax)
	} else {
		err = z.xz.Reset(&z.src)
	}
	if err != nil {
		w.brokeOff("xz", err)
		return false
	}
	return w.decompress("xz", f, z.xz)
}

func openLZ4(w *worker, f *fragment, hits []hit, base uint32) bool {
	z := &w.zip
	z.src.Reset(f.data)
	if z.lz4 == nil {
		z.lz4 = lz4.NewReader(&z.src)
	} else {
		z.lz4.Reset(&z.src)
	}
	return w.decompress("lz4", f, z.lz4)
}

// decompress reads r to its end or to the end of the budget and scans what came
// out, also where it broke off.
func (w *worker) decompress(kind string, f *fragment, r io.Reader) bool {
	out := w.bufs[f.depth][:0]
	var err error
	for err == nil {
		if len(out) == cap(out) {
			out = append(out, make([]byte, max(4<<10, min(len(out), 1<<20)))...)[:len(out)]
		}
		room := out[len(out):min(cap(out), len(out)+w.budget.output+1)]
		var n int
		n, err = r.Read(room)
		out = out[:len(out)+n]
		if !w.budget.spend(n) {
			w.bufs[f.depth] = out
			w.limited(kind)
			w.child(f, piece{kind: kind, data: out, to: len(f.data)}, nil, 0)
			return false
		}
	}
	w.bufs[f.depth] = out
	if err == io.EOF || len(out) > 0 {
		w.child(f, piece{kind: kind, data: out, to: len(f.data)}, nil, 0)
	}
	if err != io.EOF {
		w.brokeOff(kind, err)
	}
	return err == io.EOF
}

// brokeOff counts what a decompressor could not read to its end: a limit stopped it
// where a stream wants more memory than it may have.
func (w *worker) brokeOff(kind string, err error) {
	if errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, xz.ErrMemlimit) {
		w.limited(kind)
		return
	}
	w.failed(kind)
}
