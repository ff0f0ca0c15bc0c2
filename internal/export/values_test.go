package export_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/export"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// object is a line of JSON, or what several lines of one key amount to.
type object struct {
	DB     int
	Key    any
	Type   string
	State  string
	Expire *int64 `json:"expire_ms"`
	Value  any
}

// objects reads an export of a snapshot and joins the lines of each key.
func objects(t *testing.T, file string) map[string]*object {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b bytes.Buffer
	if err := export.Run(context.Background(), rdb.NewReader(f, rdb.Options{AsOf: time.Now().UnixMilli()}).Events(context.Background()), &b, export.Options{}); err != nil {
		t.Fatal(err)
	}
	all := map[string]*object{}
	for line := range bytes.Lines(b.Bytes()) {
		o := new(object)
		d := json.NewDecoder(bytes.NewReader(line))
		d.UseNumber()
		if err := d.Decode(o); err != nil {
			t.Fatalf("%v: %.200s", err, line)
		}
		name := fmt.Sprint(o.DB, " ", text(o.Key))
		if first := all[name]; first != nil {
			first.Value = append(pairs(first.Value), pairs(o.Value)...)
		} else {
			all[name] = o
		}
	}
	return all
}

// pairs returns the elements of an array, or the members of an object as pairs.
func pairs(v any) []any {
	if list, ok := v.([]any); ok {
		return list
	}
	var list []any
	for f, v := range v.(map[string]any) {
		list = append(list, []any{f, v})
	}
	return list
}

// text returns a string, out of base64 where it is in it.
func text(v any) string {
	if m, ok := v.(map[string]any); ok {
		b, err := base64.StdEncoding.DecodeString(m["b64"].(string))
		if err != nil || len(m) != 1 {
			panic(fmt.Sprint("no base64: ", m))
		}
		return string(b)
	}
	return fmt.Sprint(v)
}

func float(s string) string {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic(err)
	}
	return fmt.Sprint(f)
}

// testValues: the JSON of each key holds what the server says that it has.
func testValues(t *testing.T, i *servertest.Instance, file string) {
	all := objects(t, file)
	for db := range 16 {
		i.Must(t, "SELECT", fmt.Sprint(db))
		for _, k := range i.Must(t, "KEYS", "*").([]any) {
			key := k.(string)
			name := fmt.Sprint(db, " ", key)
			o := all[name]
			delete(all, name)
			if o == nil || o.Type != i.Must(t, "TYPE", key) {
				t.Errorf("database %d, key %q: %v", db, key, o)
				continue
			}
			if i.Server.Major() >= 7 {
				expire := int64(-1)
				if o.Expire != nil {
					expire = *o.Expire
				}
				if want := i.Must(t, "PEXPIRETIME", key); want != expire {
					t.Errorf("database %d, key %q: expires %v, want %v", db, key, expire, want)
				}
			}
			if want, got := onServer(t, i, o.Type, key), inObject(o); want != got {
				n := 0
				for n < min(len(got), len(want)) && got[n] == want[n] {
					n++
				}
				t.Errorf("database %d, key %q, %s: at %d of %d\n%.200s\nwant\n%.200s", db, key, o.Type, n, len(want), got[n:], want[n:])
			}
		}
	}
	for name, o := range all {
		if o.State != "expired" {
			t.Errorf("%q is not on the server", name)
		}
	}
}

// inObject writes a value in a form that compares.
func inObject(o *object) string {
	var parts []string
	switch o.Type {
	case "string":
		return fmt.Sprintf("%q", text(o.Value))
	case "list", "set":
		for _, e := range o.Value.([]any) {
			parts = append(parts, fmt.Sprintf("%q", text(e)))
		}
	case "zset":
		for _, p := range o.Value.([]any) {
			parts = append(parts, fmt.Sprintf("%q %s", text(p.([]any)[0]), float(text(p.([]any)[1]))))
		}
	case "hash":
		for _, p := range pairs(o.Value) {
			if f := text(p.([]any)[0]); f != "went" { // an expired field, which no server shows
				parts = append(parts, fmt.Sprintf("%q %q", f, text(p.([]any)[1])))
			}
		}
	case "stream":
		for _, e := range o.Value.(map[string]any)["entries"].([]any) {
			e := e.(map[string]any)
			if e["state"] == "deleted" {
				continue
			}
			entry := e["id"].(string)
			for _, p := range e["fields"].([]any) {
				entry += fmt.Sprintf(" %q %q", text(p.([]any)[0]), text(p.([]any)[1]))
			}
			parts = append(parts, entry)
		}
	}
	if o.Type != "list" && o.Type != "stream" {
		slices.Sort(parts)
	}
	return strings.Join(parts, "\n")
}

func onServer(t *testing.T, i *servertest.Instance, typ, key string) string {
	t.Helper()
	command := map[string][]string{"string": {"GET", key}, "list": {"LRANGE", key, "0", "-1"}, "set": {"SMEMBERS", key},
		"zset": {"ZRANGE", key, "0", "-1", "WITHSCORES"}, "hash": {"HGETALL", key}, "stream": {"XRANGE", key, "-", "+"}}[typ]
	if command == nil {
		return ""
	}
	v := i.Must(t, command...)
	if typ == "string" {
		return fmt.Sprintf("%q", v)
	}
	var parts []string
	list := v.([]any)
	for n := 0; n < len(list); n++ {
		switch typ {
		case "stream":
			entry := list[n].([]any)[0].(string)
			for _, s := range list[n].([]any)[1].([]any) {
				entry += fmt.Sprintf(" %q", s)
			}
			parts = append(parts, entry)
		case "hash":
			parts = append(parts, fmt.Sprintf("%q %q", list[n], list[n+1]))
			n++
		case "zset":
			parts = append(parts, fmt.Sprintf("%q %s", list[n], float(list[n+1].(string))))
			n++
		default:
			parts = append(parts, fmt.Sprintf("%q", list[n]))
		}
	}
	if typ != "list" && typ != "stream" {
		slices.Sort(parts)
	}
	return strings.Join(parts, "\n")
}
