package rdb

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Strings that claim more or less than their length, where no checksum tells: what
// was made of them lies in what is reported as damage, and all other keys are found.
func TestFalseLengths(t *testing.T) {
	cases := []struct {
		name    string
		ofKey   bool
		by      func(rnd *rand.Rand, n int) int
		escaped int // how many of 100 may, by chance, contradict nothing
	}{
		{"value too short", false, func(rnd *rand.Rand, n int) int { return -1 - rnd.IntN(n-1) }, 0},
		{"value too long", false, func(rnd *rand.Rand, _ int) int { return 1 + rnd.IntN(60) }, 2},
		{"key too short", true, func(rnd *rand.Rand, n int) int { return -1 - rnd.IntN(n-1) }, 2},
		{"key too long", true, func(rnd *rand.Rand, _ int) int { return 1 + rnd.IntN(40) }, 4},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			escaped, lost := 0, 0
			for seed := range uint64(100) {
				rnd := rand.New(rand.NewPCG(seed, 77))
				at := map[string][2]int64{}
				wrong := 20 + rnd.IntN(20)
				p := file("REDIS0011", func(b *build) {
					for i := range 60 {
						key, from := fmt.Sprintf("session:%d:%x", i, rnd.Uint32()), b.Len()
						value := strings.Repeat(fmt.Sprintf("%x", rnd.Uint64()), 4)[:8+rnd.IntN(50)]
						claim := [2]int{len(key), len(value)}
						switch {
						case i != wrong:
						case c.ofKey:
							claim[0] += c.by(rnd, len(key))
						default:
							claim[1] += c.by(rnd, len(value))
						}
						b.op(0).len(uint64(claim[0])).WriteString(key)
						b.len(uint64(claim[1])).WriteString(value)
						if i != wrong {
							at[key] = [2]int64{int64(from), int64(b.Len())}
						}
					}
				})
				clear(p[len(p)-8:])
				var damage, made [][2]int64
				found := 0
				for e, err := range NewReader(bytes.NewReader(p), again(p)).Events(t.Context()) {
					if err != nil {
						t.Fatal(err)
					}
					switch e.Kind {
					case keyspace.KeyEnd:
						r := [2]int64{e.Record, e.Record + e.Length}
						if at[string(e.Key)] == r {
							found++
						} else {
							made = append(made, r)
						}
					case keyspace.Damage:
						damage = append(damage, [2]int64{e.Pos.Offset, e.Pos.Offset + e.Length})
					}
				}
				for _, m := range made {
					covered := false
					for _, d := range damage {
						covered = covered || d[0] <= m[0] && m[0] < d[1]
					}
					if !covered {
						escaped++
					}
				}
				lost += len(at) - found
			}
			if escaped > c.escaped || lost > c.escaped {
				t.Errorf("of 100, %d contradict what follows and are not damage; %d keys are lost", escaped, lost)
			}
		})
	}
}
