package aof

import (
	"bytes"
	"context"
	"fmt"
	"testing"
)

// resp encodes commands, each a list of arguments.
func resp(commands ...[]string) []byte {
	var b []byte
	for _, c := range commands {
		b = fmt.Appendf(b, "*%d\r\n", len(c))
		for _, a := range c {
			b = fmt.Appendf(b, "$%d\r\n%s\r\n", len(a), a)
		}
	}
	return b
}

func BenchmarkReader(b *testing.B) {
	mix := map[string][]byte{}
	var all []byte
	for i := range 2000 {
		k := fmt.Sprintf("session:%024x", i)
		set := resp([]string{"SET", k, fmt.Sprintf(`{"id":%d,"user":"u%06d","roles":["admin"]}`, i, i), "PXAT", "1795558367617"})
		hset := resp([]string{"HSET", k, "name", "x y z", "email", "someone@example.com", "updated", "1700000000"})
		push := resp([]string{"RPUSH", k, "one", "two", "three"})
		zadd := resp([]string{"ZADD", k, "17", "player:1", "2.5", "player:2"})
		xadd := resp([]string{"XADD", k, "1795558367617-0", "field", "value"})
		del := resp([]string{"DEL", k})
		mix["set"] = append(mix["set"], set...)
		mix["hset"] = append(mix["hset"], hset...)
		mix["rpush"] = append(mix["rpush"], push...)
		mix["zadd"] = append(mix["zadd"], zadd...)
		mix["xadd"] = append(mix["xadd"], xadd...)
		mix["del"] = append(mix["del"], del...)
		for _, x := range [][]byte{set, hset, push, zadd, xadd, del} {
			all = append(all, x...)
		}
	}
	mix["mixed"] = all
	for _, name := range []string{"mixed", "set", "hset", "rpush", "zadd", "xadd", "del"} {
		data := bytes.Repeat(mix[name], 8)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				n := 0
				for _, err := range NewReader(bytes.NewReader(data), Options{}).Events(context.Background()) {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
				b.ReportMetric(float64(n)/float64(len(data))*1e6, "events/MB")
			}
		})
	}
}
