package rdb

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// ballast adds n records of text, of which none could hold another.
func (b *build) ballast(prefix string, n int) {
	for i := range n {
		b.op(0).str(fmt.Sprintf("%s:%04d", prefix, i)).str(fmt.Sprintf("v%d", i%7))
	}
}

// Bytes of damaged records that look like others: no key is made of them, and none
// that is there is missed or loses its expiry.
func TestNoPhantoms(t *testing.T) {
	const (
		expiry = 1_800_000_000_000
		broken = "\x00\x99\x99\x99\x99\x99\x99\x99" // a string whose key has no length
	)
	cases := []struct {
		name  string
		magic string
		more  []string // keys that are there beside the ballast
		body  func(b *build)
	}{
		{"an expiry is its record's", "REDIS0011", []string{"session:expiring 1800000000000", "set:0", "set:1", "set:2", "set:3"}, func(b *build) {
			b.op(opExpireMS).le64(expiry).op(0).str("session:expiring").str(strings.Repeat("v", 40))
			for i := range 4 {
				b.op(11).str(fmt.Sprint("set:", i)).str(le(4, 2) + le(4, 3) + le(2, 1) + le(2, 20) + le(2, 300))
			}
			b.WriteString(broken)
		}},
		{"a binary name before numbers", "REDIS0011", []string{"first", "100001", "100002"}, func(b *build) {
			b.WriteString(broken)
			b.op(0).str("\x02\xff\x01\x09").str("abc")
			b.op(0).str("first").str("v").op(0).str("100001").str("v").op(0).str("100002").str("v")
		}},
		{"a binary name before what reaches far", "REDIS0011", nil, func(b *build) {
			b.WriteString(broken)
			b.op(0).str("\x02\xff\x01\x09").str("abc")
			b.op(4).str("\x03\xff\x01\x09").len(1 << 20)
			b.ballast("passed", 300_000)
		}},
		{"an opcode that servers no longer write", "REDIS0011", nil, func(b *build) {
			b.WriteString(broken)
			b.op(opExpire).Write(binary.LittleEndian.AppendUint32(nil, 1_800_000_000))
		}},
		{"a frequency that no other key has", "", nil, func(b *build) { // the header is lost
			b.WriteString(broken)
			b.op(opFreq, 7)
		}},
		{"an opcode, and a name of thousands of bytes", "REDIS0012", []string{"queue:1234567890", "hash"}, func(b *build) {
			b.WriteString(broken)
			b.op(opSlotInfo, 1, 1)
			// Its type and length are the length of this name and the name's first two bytes.
			from := b.Len() + 3
			b.op(0).str("queue:1234567890").str("v")
			b.ballast("passed", 700)
			fill := int('q'&63)<<8 + 'u' + from + 1 - b.Len() - len("\x10\x04hash")
			b.op(0).str("passed:fill").len(uint64(fill - 1 - 12 - 2))
			b.WriteString(strings.Repeat("f", fill-1-12-2))
			b.op(16).str("hash").str(listpackOf("a", 1))
		}},
		{"rows of a table", "REDIS0011", nil, func(b *build) {
			b.WriteString(broken)
			for range 100 {
				b.op(2).str("row").len(1).str("cell")
			}
			b.WriteString(broken)
		}},
		{"a number whose last byte is a type", "REDIS0011", []string{"4153"}, func(b *build) {
			b.WriteString(broken)
			b.op(18, 0xc1, 0x39, 0x10).len(1).len(nodePacked).str(listpackOf("a job", "another"))
		}},
		{"behind a string that claims too little", "REDIS0011", []string{"queue:short"}, func(b *build) {
			b.op(0).str("queue:short").str(strings.Repeat("v", 40))
			for range 3 {
				b.op(0).str("\x02\xff\x01\x09").str(strings.Repeat("\x07", 30))
			}
			b.op(0, 0, 0) // an empty string under an empty name
			b.op(0, 0x99).WriteString("rest")
		}},
		{"a name of thousands of bytes among others", "REDIS0011", []string{"queue:short"}, func(b *build) {
			b.op(0).str("queue:short").str(strings.Repeat("v", 40))
			name := &build{}
			name.ballast("behind", 100)
			b.op(16).len(uint64(name.Len())).Write(name.Bytes())
			b.str(listpackOf("a", 1)).WriteString(broken)
		}},
		{"a set that leads over strings", "REDIS0011", []string{"queue:short"}, func(b *build) {
			b.op(0).str("queue:short").str(strings.Repeat("v", 40))
			b.op(2).str("member").len(30)
		}},
		{"a snapshot in a value", "REDIS0011", []string{"backup:latest"}, func(b *build) {
			b.WriteString(broken)
			b.op(0).str("backup:latest").str(string(file("REDIS0011", func(b *build) { b.ballast("kept", 100) })))
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := file(c.magic, func(b *build) {
				if c.magic != "" {
					b.ballast("before", 200)
				}
				c.body(b)
				b.ballast("behind", 200)
			})
			want := c.more
			for i := range 200 {
				if c.magic != "" {
					want = append(want, fmt.Sprintf("before:%04d", i))
				}
				want = append(want, fmt.Sprintf("behind:%04d", i))
			}
			var got []string
			freq := false
			for e, err := range NewReader(bytes.NewReader(p), again(p)).Events(t.Context()) {
				switch {
				case err != nil:
					t.Fatal(err)
				case e.Kind == keyspace.Damage: // takes back what lies in it
					got = slices.DeleteFunc(got, func(s string) bool {
						var key string
						var at int64
						fmt.Sscan(s, &at, &key)
						return at >= e.Pos.Offset && at < e.Pos.Offset+e.Length
					})
				case e.Kind == keyspace.KeyEnd && bytes.HasPrefix(e.Key, []byte("passed:")):
				case e.Kind == keyspace.Key:
					freq = e.Freq >= 0
				case e.Kind == keyspace.KeyEnd && (e.Expire != keyspace.NoExpire || freq):
					got = append(got, fmt.Sprintf("%d %s %d", e.Record, e.Key, e.Expire))
				case e.Kind == keyspace.KeyEnd:
					got = append(got, fmt.Sprintf("%d %s", e.Record, e.Key))
				}
			}
			for i, s := range got {
				_, got[i], _ = strings.Cut(s, " ")
			}
			for _, s := range want {
				if !slices.Contains(got, s) {
					t.Errorf("%q is missing", s)
				}
			}
			for _, s := range got {
				if !slices.Contains(want, s) {
					t.Errorf("%.60q never was", s)
				}
			}
		})
	}
}

// A file that is cut between two records has lost what followed, and nothing before.
func TestCutBetweenRecords(t *testing.T) {
	for n := range 10 {
		b := &build{}
		b.WriteString("REDIS0011")
		for i := range n + 1 {
			b.op(0).str(fmt.Sprintf("app:%04d", i)).str(strings.Repeat("v", 200_000))
		}
		p, keys := b.Bytes(), 0
		for e, err := range NewReader(bytes.NewReader(p), again(p)).Events(t.Context()) {
			switch {
			case err != nil:
				t.Fatal(err)
			case e.Kind == keyspace.KeyEnd:
				keys++
			case e.Kind == keyspace.Damage && e.Pos.Offset < int64(len(p)):
				t.Errorf("%d: damage at %d of %d", n, e.Pos.Offset, len(p))
			}
		}
		if keys != n+1 {
			t.Errorf("%d keys of %d", keys, n+1)
		}
	}
}
