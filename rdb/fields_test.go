package rdb

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// A damaged hash whose fields expire: those without an expiry look like strings, and no
// keys are made of them; and all keys behind them are found.
func TestDamagedFields(t *testing.T) {
	const fields, least = 60, 1_800_000_000_000
	type harm struct {
		name  string
		count uint64 // that the hash claims
		hurt  func(rnd *rand.Rand, hash []byte)
	}
	var harms []harm
	for _, n := range []uint64{3, 10, 30, 124, 188, 1084, 1 << 20} {
		harms = append(harms, harm{fmt.Sprintf("%d fields", n), n, func(*rand.Rand, []byte) {}})
	}
	for seed := range 10 {
		harms = append(harms,
			harm{fmt.Sprintf("head lost %d", seed), fields, func(_ *rand.Rand, p []byte) { clear(p[:30+seed]) }},
			harm{fmt.Sprintf("noise %d", seed), fields, func(rnd *rand.Rand, p []byte) {
				p = p[40+rnd.IntN(100):][:100]
				for i := range p {
					p[i] = byte(rnd.Uint32())
				}
			}})
	}
	for _, name := range []string{"field-%s", "field:%s:x", "%d"} {
		for _, every := range []int{1, 2, 6, 12, 60} { // which of the fields expire
			for n, h := range harms {
				if every == 60 && (h.count <= fields) {
					continue // nothing contradicts it: what expires comes first
				}
				t.Run(fmt.Sprintf("%s, %s, one in %d", h.name, name, every), func(t *testing.T) {
					rnd := rand.New(rand.NewPCG(uint64(n), uint64(every)))
					want := []string{}
					p := file("REDIS0012", func(b *build) {
						keys := func(prefix string) {
							for i := range 200 {
								key := fmt.Sprintf("%s:%d", prefix, i)
								want = append(want, key)
								switch rnd.IntN(4) {
								case 0:
									b.op(opExpireMS).le64(least)
									fallthrough
								case 1, 2:
									b.op(0).str(key).str(fmt.Sprintf("%x", rnd.Uint64()))
								case 3:
									b.op(16).str(key).str(listpackOf("a", 1))
								}
							}
						}
						keys("before")
						from := b.Len()
						b.op(typeExpiring).str("hash:sessions").le64(least).len(h.count)
						first := rnd.IntN(fields / every)
						for i := range fields {
							ttl := uint64(0)
							if i%every == 0 {
								if ttl = 1; i/every != first {
									ttl += 1<<14 + rnd.Uint64N(1<<32)
								}
							}
							field := fmt.Sprintf(name, string([]byte{byte('a' + i/8), byte('a' + i%8)}))
							if name == "%d" {
								field = fmt.Sprint(1000 + i)
							}
							b.len(ttl).str(field).str(fmt.Sprintf("value %x", rnd.Uint32()))
						}
						h.hurt(rnd, b.Bytes()[from:])
						keys("behind")
					})
					clear(p[len(p)-8:])
					type record struct {
						at  int64
						key string
					}
					var got []record
					for e, err := range NewReader(bytes.NewReader(p), again(p)).Events(t.Context()) {
						if err != nil {
							t.Fatal(err)
						}
						switch e.Kind {
						case keyspace.KeyEnd:
							got = append(got, record{e.Record, string(e.Key)})
						case keyspace.Damage:
							got = slices.DeleteFunc(got, func(r record) bool { return r.at >= e.Pos.Offset && r.at < e.Pos.Offset+e.Length })
						}
					}
					phantoms, found := 0, 0
					for _, r := range got {
						if slices.Contains(want, r.key) {
							found++
						} else {
							phantoms++
						}
					}
					// The last field may be by itself, before true records.
					if phantoms > 1 || phantoms > 0 && h.count != fields || found < len(want) {
						t.Errorf("%d keys that never were, %d of %d that are there", phantoms, found, len(want))
					}
				})
			}
		}
	}
}
