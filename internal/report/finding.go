package report

import (
	"slices"
	"strconv"

	"github.com/valkeyfs/valkeyfs/scan"
)

// Finding writes a finding as Line would, with its type before it. There may be
// millions, so their fields are written without reflection.
func (l *Lines) Finding(f *scan.Finding) error {
	l.object = append(l.object[:0], `{"type":"finding"`...)
	l.text("rule", f.Rule)
	l.text("category", f.Category.String())
	l.text("severity", f.Severity.String())
	l.text("confidence", f.Confidence.String())
	l.text("source", f.Source)
	l.number("offset", f.Offset)
	l.number("length", f.Length)
	l.number("record_offset", f.RecordOffset)
	l.number("db", int64(f.DB))
	if f.Presumed {
		l.name("db_presumed")
		l.object = append(l.object, "true"...)
	}
	l.text("key", f.Key)
	l.some("key_b64", f.KeyB64)
	l.text("key_type", f.KeyType)
	l.some("encoding", f.Encoding)
	l.text("where", f.Where.String())
	l.some("field", f.Field)
	l.some("field_b64", f.FieldB64)
	if f.Index != nil {
		l.number("index", *f.Index)
	}
	l.some("entry_id", f.EntryID)
	l.name("chain")
	l.list(f.Chain)
	l.text("secret", f.Secret)
	l.text("id", f.ID)
	l.text("fingerprint", f.Fingerprint)
	l.text("state", f.State)
	l.some("expires_at", f.ExpiresAt)
	l.some("written_at", f.WrittenAt)
	l.some("ttl_basis", f.TTLBasis)
	l.some("framework", f.Framework)
	l.pairs("identity", f.Identity)
	l.pairs("proof", f.Proof)
	l.some("technique", f.Technique)
	if len(f.Also) > 0 {
		l.name("also")
		l.list(f.Also)
	}
	l.object = append(l.object, "}\n"...)
	_, err := l.w.Write(l.object)
	return err
}

// name begins a member; it is plain.
func (l *Lines) name(name string) {
	l.object = append(append(append(l.object, `,"`...), name...), `":`...)
}

func (l *Lines) text(name, s string) {
	l.name(name)
	l.string(s)
}

// some writes a member that is left out if it is empty.
func (l *Lines) some(name, s string) {
	if s != "" {
		l.text(name, s)
	}
}

func (l *Lines) number(name string, n int64) {
	l.name(name)
	l.object = strconv.AppendInt(l.object, n, 10)
}

func (l *Lines) list(texts []string) {
	if texts == nil {
		l.object = append(l.object, "null"...)
		return
	}
	l.object = append(l.object, '[')
	for i, s := range texts {
		if i > 0 {
			l.object = append(l.object, ',')
		}
		l.string(s)
	}
	l.object = append(l.object, ']')
}

func (l *Lines) pairs(name string, of map[string]string) {
	if len(of) == 0 {
		return
	}
	l.keys = l.keys[:0]
	for k := range of {
		l.keys = append(l.keys, k)
	}
	slices.Sort(l.keys)
	l.name(name)
	for i, k := range l.keys {
		l.object = append(l.object, "{,"[min(i, 1)])
		l.string(k)
		l.object = append(l.object, ':')
		l.string(of[k])
	}
	l.object = append(l.object, '}')
}

// string writes a string: most need no escapes.
func (l *Lines) string(s string) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			l.buf.Reset()
			_ = l.enc.Encode(s) // to memory, of a string
			text := l.buf.Bytes()
			l.object = escapeJSON(l.object, text[:len(text)-1])
			return
		}
	}
	l.object = append(append(append(l.object, '"'), s...), '"')
}
