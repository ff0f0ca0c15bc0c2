package rdb

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// TestTrialOfFields: a trial takes the names of fields that are read, short ones whatever
// the limit of names is and long ones up to it, plain or compressed, in every form of a hash.
func TestTrialOfFields(t *testing.T) {
	const keys = 40
	short, long := "a name of 20 bytes:%d", "a name that is longer than 64 bytes, of which a length takes more than one:%d"
	forms := map[string]func(b *build, name string){
		"plain": func(b *build, name string) { b.str(name) },
		"lzf":   func(b *build, name string) { b.lzf(name + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa") },
		"int":   func(b *build, _ string) { b.op(0xc0, 7) },
	}
	types := map[byte]func(b *build, name func()){
		4:  func(b *build, name func()) { b.len(1); name(); b.str("value") },
		24: func(b *build, name func()) { b.le64(1 << 40).len(1).len(5); name(); b.str("value") },
	}
	for _, c := range []struct {
		field, form string
		max, want   int
	}{
		{short, "plain", 12, keys}, {long, "plain", 12, 0}, {long, "plain", 100, keys},
		{short, "lzf", 12, 0}, {short, "lzf", 100, keys}, {short, "int", 12, keys},
	} {
		for typ, hash := range types {
			p := file("REDIS0012", func(b *build) {
				b.op(200, 201, 202) // no type
				for i := range keys {
					b.op(typ).str(fmt.Sprint("key:", i*i))
					hash(b, func() { forms[c.form](b, fmt.Sprintf(c.field, i)) })
				}
			})
			found := 0
			for e, err := range NewReader(bytes.NewReader(p), Options{Resync: true, Limits: keyspace.Limits{MaxKey: c.max}}).Events(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				if e.Kind == keyspace.KeyEnd {
					found++
				}
			}
			if found != c.want {
				t.Errorf("type %d, fields %s, %.20q, names up to %d: %d keys behind damage, not %d", typ, c.form, c.field, c.max, found, c.want)
			}
		}
	}
}
