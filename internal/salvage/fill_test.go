package salvage

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// harnessKeys is how many keys a snapshot of the harness has.
const harnessKeys = 20_000

// fill gives a server n keys of the types and sizes that applications keep: by
// number strings more than all else, by bytes collections; a third of them expire.
func fill(t *testing.T, i *servertest.Instance, n int, seed uint64) {
	t.Helper()
	g := filler{rand: rand.New(rand.NewPCG(seed, 7))}
	sent := 0
	flush := func() {
		for ; sent > 0; sent-- {
			if _, err := i.Receive(); err != nil {
				t.Fatal(err)
			}
		}
	}
	send := func(args ...string) {
		i.Send(args...)
		if sent++; sent == 500 {
			flush()
		}
	}
	for k := range n {
		switch k {
		case n / 2:
			send("SELECT", "3")
		case n * 9 / 10:
			send("SELECT", "11")
		}
		key := g.key(k)
		send(g.command(k, key)...)
		if k%3 == 0 {
			send("PEXPIREAT", key, fmt.Sprint(4_000_000_000_000+int64(g.rand.IntN(1e9))))
		}
	}
	flush()
}

// filler makes keys and values.
type filler struct{ rand *rand.Rand }

func (g filler) key(k int) string {
	prefix := []string{"user:", "session:", "cache:product:", "queue:", "{tenant-7}:counters:", "rate:limit:"}[g.rand.IntN(6)]
	switch g.rand.IntN(40) {
	case 0:
		return fmt.Sprint(k) // stored as an integer
	case 1:
		return g.noise(16) // a binary id
	case 2:
		return prefix + strings.Repeat("segment/", 12) + fmt.Sprint(k) // stored compressed
	}
	return fmt.Sprintf("%s%d:%04x", prefix, k, g.rand.IntN(1<<16))
}

func (g filler) noise(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(g.rand.Uint32())
	}
	return string(b)
}

func (g filler) document(n int) string {
	var b strings.Builder
	for b.Len() < n {
		fmt.Fprintf(&b, `{"id":%d,"mail":"u%x@example.com","state":"active","tags":["a","b"]},`, g.rand.Uint32(), g.rand.IntN(1e6))
	}
	return b.String()
}

func (g filler) pairs(n int, field, value func(i int) string) (all []string) {
	for i := range n {
		all = append(all, field(i), value(i))
	}
	return all
}

// command stores key number k.
func (g filler) command(k int, key string) []string {
	number := func(int) string { return fmt.Sprint(g.rand.IntN(1e6)) }
	word := func(i int) string { return fmt.Sprintf("member-%d-%x", i, g.rand.Uint32()) }
	field := func(i int) string { return fmt.Sprint("field", i) }
	switch k % 20 {
	case 0, 1, 2:
		return []string{"SET", key, fmt.Sprintf("value %d %x", k, g.rand.Uint64())}
	case 3, 4:
		return []string{"SET", key, g.document(200 + g.rand.IntN(1500))}
	case 5:
		return []string{"SET", key, number(0)}
	case 6:
		return []string{"SET", key, g.noise(20 + g.rand.IntN(200))}
	case 7:
		return []string{"SET", key, g.noise(1000 + g.rand.IntN(1000))}
	case 8, 9, 10:
		return append([]string{"HSET", key}, g.pairs(2+g.rand.IntN(8), field, word)...)
	case 11:
		return append([]string{"HSET", key}, g.pairs(130+g.rand.IntN(20), word, number)...)
	case 12, 13:
		return append([]string{"RPUSH", key}, g.pairs(1+g.rand.IntN(20), word, number)...)
	case 14:
		return append([]string{"SADD", key}, g.pairs(2+g.rand.IntN(10), number, number)...)
	case 15:
		return append([]string{"SADD", key}, g.pairs(3+g.rand.IntN(10), word, word)...)
	case 16, 17:
		return append([]string{"ZADD", key}, g.pairs(1+g.rand.IntN(15), number, word)...)
	case 18:
		return append([]string{"ZADD", key}, g.pairs(130+g.rand.IntN(20), number, word)...)
	}
	return append([]string{"XADD", key, fmt.Sprintf("%d-%d", 1_700_000_000_000+k, k%7+1)}, g.pairs(1+g.rand.IntN(6), field, word)...)
}
