package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/url"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// maxOpened bounds what the strings of an event may decompress to; what is larger stays
// closed, and is replaced as a whole if something is found in it.
const maxOpened = 64 << 20

// maxLayers is how deep containers are opened.
const maxLayers = 8

// inner replaces all that stands in p, which stands in so many containers itself, as
// it is or behind an encoding. It returns p itself where there is nothing. What is
// compressed is opened first: a secret can stand in it as it is, under a checksum.
func (t *texts) inner(p []byte, depth int) []byte {
	if depth >= maxLayers || len(p) < 4 {
		return t.plain(p)
	}
	if q := t.compressed(p, depth); q != nil {
		return t.plain(q)
	}
	p = t.plain(p)
	for _, in := range []func([]byte, int) []byte{t.jsonStrings, t.percent, t.base64Runs, t.hexRuns} {
		p = in(p, depth)
	}
	return p
}

// compressed opens gzip, zlib and zstd, and is nil where p is none of them or holds
// nothing that is to be replaced.
func (t *texts) compressed(p []byte, depth int) []byte {
	var r io.Reader
	var w io.WriteCloser
	var out bytes.Buffer
	switch {
	case p[0] == 0x1f && p[1] == 0x8b:
		z, err := gzip.NewReader(bytes.NewReader(p))
		if err != nil {
			return nil
		}
		zw := gzip.NewWriter(&out)
		zw.Header = z.Header
		r, w = z, zw
	case p[0] == 0x78 && (int(p[0])<<8|int(p[1]))%31 == 0:
		z, err := zlib.NewReader(bytes.NewReader(p))
		if err != nil {
			return nil
		}
		r, w = z, zlib.NewWriter(&out)
	case bytes.HasPrefix(p, []byte("\x28\xb5\x2f\xfd")):
		z, err := zstd.NewReader(bytes.NewReader(p), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxOpened))
		if err != nil {
			return nil
		}
		defer z.Close()
		zw, err := zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return nil
		}
		r, w = z, zw
	default:
		return nil
	}
	plain, err := io.ReadAll(io.LimitReader(r, int64(maxOpened-t.opened)+1))
	if t.opened += len(plain); t.opened > maxOpened {
		t.opened = maxOpened
		return nil
	}
	if err != nil {
		return nil
	}
	q := t.inner(plain, depth+1)
	if bytes.Equal(q, plain) {
		return nil
	}
	if _, err := w.Write(q); err != nil || w.Close() != nil {
		return nil
	}
	return out.Bytes()
}

// jsonStrings opens strings between quotes that hold an escape or a container.
func (t *texts) jsonStrings(p []byte, depth int) []byte {
	if bytes.IndexByte(p, '"') < 0 || bytes.IndexByte(p, '\\') < 0 {
		return p
	}
	var out []byte
	done := 0
	for i := 0; i < len(p); i++ {
		if p[i] != '"' {
			continue
		}
		end := endOfString(p, i)
		if end < 0 {
			break
		}
		if q := t.jsonString(p[i:end], depth); q != nil {
			out = append(append(out, p[done:i]...), q...)
			done = end
		}
		i = end - 1
	}
	if out == nil {
		return p
	}
	return append(out, p[done:]...)
}

// endOfString is the index behind the closing quote of a string that begins at i.
func endOfString(p []byte, i int) int {
	for k := i + 1; k < len(p); k++ {
		switch p[k] {
		case '\\':
			k++
		case '"':
			return k + 1
		}
	}
	return -1
}

// jsonString is the string with what it means replaced; nil: nothing is.
func (t *texts) jsonString(quoted []byte, depth int) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return nil
	}
	var text string
	if json.Unmarshal(quoted, &text) != nil {
		return nil
	}
	q := t.inner([]byte(text), depth+1)
	if string(q) == text {
		return nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(string(q)) != nil {
		return nil
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// percent opens the percent-encoded stretches of p.
func (t *texts) percent(p []byte, depth int) []byte {
	if bytes.IndexByte(p, '%') < 0 {
		return p
	}
	return eachRun(p, &percentBytes, 8, func(run []byte) []byte {
		if bytes.IndexByte(run, '%') < 0 {
			return nil
		}
		text, err := url.QueryUnescape(string(run))
		if err != nil {
			return nil
		}
		q := t.inner([]byte(text), depth+1)
		if string(q) == text {
			return nil
		}
		return escapedLike(run, text, q)
	})
}

// escapedLike percent-encodes q, which stands for text, of which run is the encoding:
// what is the same stays as it was encoded.
func escapedLike(run []byte, text string, q []byte) []byte {
	if len(q) != len(text) {
		return []byte(url.QueryEscape(string(q)))
	}
	var out []byte
	for i := range q {
		n := 1
		if run[0] == '%' {
			n = len("%00")
		}
		if q[i] == text[i] {
			out = append(out, run[:n]...)
		} else {
			out = append(out, url.QueryEscape(string(q[i:i+1]))...)
		}
		run = run[n:]
	}
	return out
}

// minCoded is how long text must be to be taken for an encoding of other text.
const minCoded = 12

var alphabets = []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding}

// base64Runs opens the runs of base64 in p, of either alphabet, padded or not.
func (t *texts) base64Runs(p []byte, depth int) []byte {
	return eachRun(p, &base64Bytes, minCoded, func(run []byte) []byte {
		for _, a := range alphabets {
			plain := make([]byte, a.DecodedLen(len(run)))
			n, err := a.Decode(plain, run)
			if err != nil {
				continue
			}
			q := t.inner(plain[:n], depth+1)
			if bytes.Equal(q, plain[:n]) {
				return nil
			}
			return a.AppendEncode(nil, q)
		}
		return nil
	})
}

// hexRuns opens runs of hexadecimal digits.
func (t *texts) hexRuns(p []byte, depth int) []byte {
	return eachRun(p, &hexBytes, 2*anywhere, func(run []byte) []byte {
		plain := make([]byte, len(run)/2)
		if _, err := hex.Decode(plain, run); err != nil {
			return nil
		}
		q := t.inner(plain, depth+1)
		if bytes.Equal(q, plain) {
			return nil
		}
		q = hex.AppendEncode(nil, q)
		if bytes.Equal(bytes.ToUpper(run), run) {
			q = bytes.ToUpper(q)
		}
		return q
	})
}

// The bytes of which runs of each encoding consist.
var (
	percentBytes = bytesOf(alnum + "%-_.~+*!'();:@$,/?")
	base64Bytes  = bytesOf(alnum + "+/-_=")
	hexBytes     = bytesOf("0123456789abcdefABCDEF")
)

const alnum = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

func bytesOf(s string) (set [256]bool) {
	for i := range len(s) {
		set[s[i]] = true
	}
	return set
}

// eachRun replaces the longest runs of bytes that belong, of least bytes or more, by
// what to makes of them; nil keeps one.
func eachRun(p []byte, belongs *[256]bool, least int, to func([]byte) []byte) []byte {
	var out []byte
	done := 0
	for i := 0; i < len(p); {
		if !belongs[p[i]] {
			i++
			continue
		}
		from := i
		for i < len(p) && belongs[p[i]] {
			i++
		}
		if i-from < least {
			continue
		}
		if q := to(p[from:i]); q != nil {
			out = append(append(out, p[done:from]...), q...)
			done = i
		}
	}
	if out == nil {
		return p
	}
	return append(out, p[done:]...)
}
