package rdb

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// What qualifies a key stands before one, and once.
func TestQualifiers(t *testing.T) {
	const year2027 = 1_800_000_000_000
	expiry := func(b *build) { b.op(opExpireMS).le64(year2027) }
	cases := []struct {
		name  string
		build func(b *build)
		want  string // of the error; none: sound
	}{
		{"all of them", func(b *build) { expiry(b); b.op(opIdle).len(300).op(opFreq, 7) }, ""},
		{"in any order", func(b *build) { b.op(opFreq, 7); expiry(b) }, ""},
		{"one expiry twice", func(b *build) { expiry(b); expiry(b) }, "twice"},
		{"two kinds of expiry", func(b *build) { expiry(b); b.op(opExpire, 1, 2, 3, 4) }, "twice"},
		{"an idle time twice", func(b *build) { b.op(opIdle).len(1).op(opIdle).len(1) }, "twice"},
		{"a frequency twice, others between", func(b *build) { b.op(opFreq, 1); expiry(b); b.op(opFreq, 2) }, "twice"},
		{"a million frequencies", func(b *build) { b.WriteString(strings.Repeat("\xf9\x01", 1_000_000)) }, "twice"},
		{"a database between", func(b *build) { expiry(b); b.op(opSelectDB).len(1) }, "no key"},
		{"an aux field between", func(b *build) { b.op(opFreq, 1, opAux).str("name").str("value") }, "no key"},
		{"the end marker", func(b *build) { b.op(0).str("k").str("v"); b.op(opFreq, 1, opEOF) }, "no key"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := file("REDIS0011", func(b *build) { c.build(b); b.op(0).str("behind").str("v") })
			err := drain(p, Options{})
			switch {
			case c.want == "" && err != nil:
				t.Fatal(err)
			case c.want == "":
				return
			case !errors.Is(err, keyspace.ErrCorrupt) || !strings.Contains(err.Error(), c.want):
				t.Fatalf("got %v, want %q", err, c.want)
			}
			damaged, ended := 0, false
			for e, err := range NewReader(bytes.NewReader(p), again(p)).Events(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				if e.Kind == keyspace.Damage {
					damaged++
				}
				ended = ended || e.Kind == keyspace.End
			}
			if damaged != 1 || !ended {
				t.Errorf("%d times damage; ended %t", damaged, ended)
			}
		})
	}
}
