package source

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// shelf is objects by name.
type shelf map[string]string

func (s shelf) object(name string) *Object {
	text, ok := s[name]
	if !ok {
		return nil
	}
	return &Object{Name: "s3://b//" + name, Size: int64(len(text)),
		Open: func(_ context.Context, offset int64) (io.ReadCloser, error) {
			if text == "refused" {
				return nil, errors.New("refused")
			}
			return io.NopCloser(strings.NewReader(text[offset:])), nil
		},
		Beside: func(name string) (*Object, error) { return s.object(name), nil }}
}

const setOne = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\n1\r\n"

// An object is a unit; a manifest brings the objects that it names, and what of
// them is missing is damage.
func TestObject(t *testing.T) {
	s := shelf{
		"m":   "file a seq 1 type b\nfile old seq 1 type h\nfile gone seq 1 type i\nfile c seq 2 type i\n",
		"a":   setOne,
		"old": setOne,
		"c":   setOne,
		"no":  "refused",
		"pic": "\x89PNG\r\n\x1a\n\x00\x01",
	}
	for _, tt := range []struct {
		name, kind, role string
		files, keys      int
		damage           string
	}{
		{"m", "manifest", "", 3, 2, "s3://b//gone: offset 0: a file that the manifest names does not exist"},
		{"old", "aof", "history", 1, 1, ""},
		{"no", "other", "history", 1, 0, "refused"},
		{"pic", "other", "history", 1, 0, ""},
	} {
		in := NewObject(t.Context(), s.object(tt.name), Options{Resolve: true, Hash: true, Role: HistoryFile})
		for u, err := range in.Units(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			keys, damage := 0, ""
			for e, err := range u.Events(t.Context()) {
				switch {
				case err != nil:
					t.Fatal(err)
				case e.Kind == keyspace.Damage:
					damage += e.Err.Error()
				case e.Kind == keyspace.Key:
					keys++
				}
			}
			if err := u.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			f := u.Files[0]
			if string(f.Kind) != tt.kind || string(f.Role) != tt.role || len(u.Files) != tt.files || keys != tt.keys || (damage == "") != (tt.damage == "") || !strings.Contains(damage, tt.damage) {
				t.Errorf("%s: %s %q, %d files, %d keys, %s", tt.name, f.Kind, f.Role, len(u.Files), keys, damage)
			}
			if (f.SHA256 == "") != (tt.name == "no") {
				t.Errorf("%s: hash %q", tt.name, f.SHA256)
			}
		}
		in.Close()
	}
}
