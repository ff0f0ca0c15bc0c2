package carve

import (
	"bytes"

	"github.com/valkeyfs/valkeyfs/aof"
)

// run reads commands through a window of an image.
type run struct {
	img Image
	at  int64  // of buf[0]
	buf []byte // read
	i   int    // of the next byte
}

const (
	runWindow   = 64 << 10
	maxArgument = 512 << 20 // proto-max-bulk-len of valkey.conf
	maxArgs     = 1 << 20   // src/networking.c, processMultibulkBuffer: 1024*1024
	lineLength  = 16        // of a number with its sign and end
)

func (r *run) offset() int64 { return r.at + int64(r.i) }

// need makes n bytes visible, or as many as there are.
func (r *run) need(n int) []byte {
	if len(r.buf)-r.i < n {
		r.at, r.i = r.offset(), 0
		r.buf = r.buf[:cap(r.buf)]
		k, _ := r.img.ReadAt(r.buf, r.at)
		r.buf = r.buf[:k]
	}
	return r.buf[r.i:]
}

// skip passes over n bytes.
func (r *run) skip(n int64) {
	if n <= int64(len(r.buf)-r.i) {
		r.i += int(n)
		return
	}
	r.at, r.i, r.buf = r.offset()+n, 0, r.buf[:0]
}

func (r *run) number(sign byte) (int64, bool) {
	b := r.need(lineLength)
	n, rest, ok := number(b, sign)
	if ok {
		r.i += len(b) - len(rest)
	}
	return n, ok
}

// command passes over one command. known: it is one that logs hold; a command of
// which that is not known is believed among others only.
func (r *run) command() (known, ok bool) {
	argc, ok := r.number('*')
	if !ok || argc < 1 || argc > maxArgs {
		return false, false
	}
	for i := range argc {
		size, ok := r.number('$')
		if !ok || size > maxArgument {
			return false, false
		}
		if i == 0 {
			if size > 2*maxName {
				return false, false
			}
			name := r.need(int(size))
			if int64(len(name)) < size || !isName(name[:size]) {
				return false, false
			}
			spec, ok := aof.LookupCommand(name[:size])
			known = ok && spec.Takes(argc)
		}
		r.skip(size)
		if b := r.need(2); len(b) < 2 || b[0] != '\r' || b[1] != '\n' {
			return false, false
		}
		r.i += 2
	}
	return known, true
}

// isName reports whether a command can be called so: those of modules have a dot.
func isName(b []byte) bool {
	for _, c := range b {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '.' && c != '_' && c != '-' && (c < '0' || c > '9') {
			return false
		}
	}
	return len(b) > 0
}

// annotation passes over "#TS:" and what follows it on a line.
func (r *run) annotation() bool {
	b := r.need(lineLength + 8)
	if !bytes.HasPrefix(b, []byte("#TS:")) {
		return false
	}
	i := 4
	for i < len(b) && b[i] >= '0' && b[i] <= '9' {
		i++
	}
	if i == 4 || i+1 >= len(b) || b[i] != '\r' || b[i+1] != '\n' {
		return false
	}
	r.i += i + 2
	return true
}

// commands is the piece of commands that begins at an offset; nil if the first is
// not whole.
func commands(img Image, at int64) *Piece {
	r := &run{img: img, at: at, buf: make([]byte, 0, runWindow)}
	p := &Piece{Offset: at, Kind: Commands, Confidence: Unverified, Format: "RESP"}
	end := at
	for {
		if r.annotation() {
			continue
		}
		known, ok := r.command()
		if !ok || !known && p.Records == 0 {
			break
		}
		p.Records++
		end = r.offset()
	}
	if p.Records == 0 {
		return nil
	}
	p.Length = end - at
	return p
}
