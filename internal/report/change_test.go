package report

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"testing"
)

// What is written of a change without encoding/json is what it writes, also when another
// field is added.
func TestChangeIsJSON(t *testing.T) {
	texts := []string{"", "a", "key:1", `"quoted\"`, "line\nend\t\r\b\f", "\x00\x1b[31m\x7f", "é€🙂", "\u202e\u2028\u2029", "<a&b>'"}
	r := rand.New(rand.NewPCG(1, 2))
	fill := func(v reflect.Value, name string) {
		text := texts[r.IntN(len(texts))]
		switch v.Interface().(type) {
		case string:
			v.SetString(text)
		case []byte:
			v.SetBytes([]byte(text + "\xff"))
		case bool:
			v.SetBool(true)
		case int32, int64:
			v.SetInt(int64(int32(r.Uint32())))
		case *int:
			n := int(r.Uint32())
			v.Set(reflect.ValueOf(&n))
		case *int64:
			n := r.Int64() - r.Int64()
			v.Set(reflect.ValueOf(&n))
		default:
			t.Fatalf("%s is a %s: tell how it is written", name, v.Kind())
		}
	}
	for i := range 2000 {
		c := &Change{}
		v := reflect.ValueOf(c).Elem()
		for k := range v.NumField() {
			if i < v.NumField() && i == k || i >= v.NumField() && r.IntN(2) == 0 {
				fill(v.Field(k), v.Type().Field(k).Name)
			}
		}
		var got, want bytes.Buffer
		if err := NewLines(&got).Change(c); err != nil {
			t.Fatal(err)
		}
		if err := NewLines(&want).Line(c); err != nil {
			t.Fatal(err)
		}
		if got.String() != want.String() {
			t.Fatalf("got  %s\nwant %s", &got, &want)
		}
	}
}
