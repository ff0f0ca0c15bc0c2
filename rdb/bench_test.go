package rdb

import (
	"bytes"
	"fmt"
	"testing"
)

// mix is a snapshot of the kinds of keys that applications keep, about 8 MB.
func mix() []byte {
	session := `{"session_id":"%032x","user_id":%d,"ua":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36","roles":["user","editor"],"cart":[{"sku":"SKU-0001","qty":1},{"sku":"SKU-0002","qty":2}]}`
	return file("REDIS0011", func(b *build) {
		for i := range 12_000 {
			b.op(opExpireMS).le64(4102444800000).op(0).str(fmt.Sprintf("session:%024x", i)).lzf(fmt.Sprintf(session, i, i))
			b.op(16).str(fmt.Sprint("user:", i)).str(listpackOf("name", "account number", "count", i, "flag", "true", "hash", fmt.Sprintf("%012x", i*7919)))
			b.op(18).str(fmt.Sprint("queue:", i)).len(1).len(nodePacked).lzf(listpackOf(`{"id":1,"t":"task"}`, `{"id":2,"t":"task"}`, `{"id":3,"t":"task"}`))
			b.op(17).str(fmt.Sprint("board:", i)).str(listpackOf("player:1", i, "player:2", "371.25", "player:3", -5))
			b.op(0).str(fmt.Sprint("counter:", i)).op(0xc1, byte(i), byte(i>>8))
		}
	})
}

func benchmarkEvents(b *testing.B, p []byte) {
	b.SetBytes(int64(len(p)))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for _, err := range NewReader(bytes.NewReader(p), Options{}).Events(b.Context()) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/event")
}

func BenchmarkMix(b *testing.B) { benchmarkEvents(b, mix()) }

func BenchmarkSmallKeys(b *testing.B) {
	benchmarkEvents(b, file("REDIS0011", func(w *build) {
		for i := range 200_000 {
			w.op(0).str(fmt.Sprintf("user:%d:name", i)).str("market 1234")
		}
	}))
}

func BenchmarkHashTable(b *testing.B) {
	benchmarkEvents(b, file("REDIS0011", func(w *build) {
		w.op(4).str("huge").len(200_000)
		for i := range 200_000 {
			w.str(fmt.Sprintf("field:%08d", i)).str("0123456789abcdef")
		}
	}))
}

func BenchmarkLZF(b *testing.B) {
	text := bytes.Repeat([]byte(`{"user":12345,"mail":"a.b@example.com","roles":["user","admin"],"n":`), 400)
	c := lzfEncode(text)
	dst := make([]byte, len(text)+lzfSlack)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		lzfDecode(dst, 0, len(text), c)
	}
}
