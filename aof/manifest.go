package aof

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/valkeyfs/valkeyfs/internal/sds"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// A FileType is what a file is in a log, by the letter that the manifest uses
// (server.h, aof_file_type).
type FileType byte

// The types of files.
const (
	Base    FileType = 'b' // the data set at some point: RDB or RESP
	Incr    FileType = 'i' // what was written since
	History FileType = 'h' // replaced by a rewrite, about to be deleted
)

func (t FileType) String() string {
	switch t {
	case Base:
		return "base"
	case Incr:
		return "incr"
	case History:
		return "history"
	}
	return "invalid"
}

// A Manifest says which files a log consists of.
type Manifest struct {
	Files []ManifestFile // in the order of the manifest, which is that of replay within each type
}

// A ManifestFile is a line of a manifest.
type ManifestFile struct {
	Name        string // a file's base name, any bytes but NUL and slashes
	Seq         int64
	Type        FileType
	StartOffset int64       // replication offset at which the file begins (Redis 8); -1: not said
	EndOffset   int64       // and ends, once the server stopped; -1: not said
	Extra       [][2]string // pairs that are not known, as they stand
}

const (
	// maxManifestLine is the longest line with its end (aof.c, MANIFEST_MAX_LINE).
	maxManifestLine = 1024
	// maxManifest bounds a manifest: some 100,000 lines, where servers have a few.
	maxManifest = 4 << 20
	// maxManifestErrors bounds how many errors are told apart.
	maxManifestErrors = 16
)

// ParseManifest reads a manifest as servers do (aof.c, aofLoadManifestFromFile).
// What servers refuse is an error: a line too long, empty or without an end, an
// odd number of words, names that are paths, a second base, and sequence numbers
// of incr files that do not increase. The Manifest is never nil: it holds the
// lines that can be used in spite of the error. Errors are [*keyspace.FormatError]
// with the offset of the line, joined if there are several; their Pos.Source is
// empty.
func ParseManifest(r io.Reader) (*Manifest, error) {
	p := manifestParser{m: new(Manifest)}
	lines := bufio.NewReaderSize(io.LimitReader(r, maxManifest+1), maxManifestLine)
	for {
		line, err := lines.ReadSlice('\n')
		at := p.offset
		p.offset += int64(len(line))
		switch {
		case p.offset > maxManifest:
			p.fail(at, "a manifest larger than any", keyspace.ErrLimit)
			return p.result()
		case err == bufio.ErrBufferFull:
			p.fail(at, "a line longer than 1024 bytes", keyspace.ErrCorrupt)
			err = p.skipLine(lines)
		case len(line) == 0 || line[0] == '#' && err == nil:
		case err == nil:
			p.line(at, line)
		case err == io.EOF && line[0] != '#':
			p.fail(at, "a line without an end", keyspace.ErrTruncated)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			p.fail(p.offset, "reading", err)
			return p.result()
		}
	}
	if p.offset == 0 {
		p.fail(0, "an empty manifest", keyspace.ErrTruncated)
	}
	return p.result()
}

type manifestParser struct {
	m      *Manifest
	offset int64
	base   bool  // there is a base file
	seq    int64 // of the last incr file
	errs   []error
}

func (p *manifestParser) fail(at int64, what string, err error) {
	if len(p.errs) < maxManifestErrors {
		p.errs = append(p.errs, &keyspace.FormatError{Pos: keyspace.Pos{Offset: at, Inner: -1}, What: what, Err: err})
	}
}

func (p *manifestParser) result() (*Manifest, error) {
	if len(p.errs) == 1 {
		return p.m, p.errs[0]
	}
	return p.m, errors.Join(p.errs...)
}

// skipLine passes over the rest of a line.
func (p *manifestParser) skipLine(lines *bufio.Reader) error {
	for {
		rest, err := lines.ReadSlice('\n')
		if p.offset += int64(len(rest)); err != bufio.ErrBufferFull {
			return err
		}
	}
}

// line reads one line, "file NAME seq N type T" in any order, and further pairs.
func (p *manifestParser) line(at int64, line []byte) {
	words, err := sds.Words(bytes.Trim(line, " \t\r\n"))
	if err != nil || len(words) < 6 || len(words)%2 != 0 {
		p.fail(at, "a line that is not of pairs of words, three at least", keyspace.ErrCorrupt)
		return
	}
	f := ManifestFile{StartOffset: -1, EndOffset: -1}
	for ; len(words) > 0; words = words[2:] {
		key, value := words[0].Text, words[1].Text
		switch {
		case is(key, "FILE"):
			f.Name = string(value)
		case is(key, "SEQ"):
			f.Seq, _ = parseInt(value)
		case is(key, "TYPE"):
			f.Type = 0
			if len(value) > 0 {
				f.Type = FileType(value[0])
			}
		case is(key, "STARTOFFSET"):
			f.StartOffset = offsetOf(value)
		case is(key, "ENDOFFSET"):
			f.EndOffset = offsetOf(value)
		default:
			f.Extra = append(f.Extra, [2]string{string(key), string(value)})
		}
	}
	if what := p.add(f); what != "" {
		p.fail(at, what, keyspace.ErrCorrupt)
	}
}

// add takes the file into the manifest, or says what is wrong with it.
func (p *manifestParser) add(f ManifestFile) (what string) {
	switch {
	case !isBaseName(f.Name):
		return "a name that is none of a file in the manifest's directory"
	case f.Seq <= 0:
		return "a sequence number that is none"
	case f.Type == Base && p.base:
		return "a second base file"
	case f.Type == Incr && f.Seq <= p.seq:
		return "a sequence number that does not increase"
	case f.Type == Base:
		p.base = true
	case f.Type == Incr:
		p.seq = f.Seq
	case f.Type != History:
		return "a file of unknown type"
	}
	p.m.Files = append(p.m.Files, f)
	return ""
}

// isBaseName reports whether a name can only be that of a file in the same
// directory (util.c, pathIsBaseName, and the names that are directories).
func isBaseName(name string) bool {
	for i := range len(name) {
		if c := name[i]; c == '/' || c == '\\' || c == 0 {
			return false
		}
	}
	return name != "" && name != "." && name != ".."
}

func offsetOf(value []byte) int64 {
	if n, ok := parseInt(value); ok && n >= 0 {
		return n
	}
	return -1
}
