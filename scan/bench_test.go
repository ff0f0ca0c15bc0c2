package scan

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// realistic makes the mix of a web application's cache: sessions in JSON, hashes,
// queues, leader boards, sets of ids, streams, counters; no secrets but the
// sessions' anti-forgery tokens.
func realistic(keys int) []keyspace.Event {
	rnd := rand.New(rand.NewPCG(42, 42))
	words := strings.Fields("account admin alert amount api app asset audit auth balance bank batch billing blob branch browser bucket build cache campaign card cart case catalog channel checkout city click client cloud cluster code color")
	text := func(n int) string {
		out := make([]string, n)
		for i := range out {
			out[i] = words[rnd.IntN(len(words))]
		}
		return strings.Join(out, " ")
	}
	hex := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = hexAlphabet[rnd.IntN(16)]
		}
		return string(b)
	}
	var out []keyspace.Event
	for i := range keys {
		switch r := i % 20; {
		case r < 9:
			out = append(out, stringKey("session:"+hex(24), fmt.Sprintf(`{"session_id": "%s", "user_id": %d, "email": "%s.%d@example.com", "ip": "10.%d.%d.%d", "ua": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36", "created_at": %d, "csrf": "%s", "roles": ["user", "admin"], "cart": [{"sku": "SKU-%07d", "qty": 2, "price": 9.99}], "flags": {"beta": true}, "last": "%s"}`,
				hex(32), rnd.IntN(1e8), text(1), i, rnd.IntN(256), rnd.IntN(256), rnd.IntN(256), 1700000000+i, random(fmt.Sprint(i), 32, urlAlphabet), i, text(5)))...)
		case r < 13:
			var pairs []string
			for f := range 20 {
				pairs = append(pairs, "f_"+words[f], []string{text(2), fmt.Sprint(rnd.IntN(1e6)), hex(12), "true"}[rnd.IntN(4)])
			}
			out = append(out, hashKey(fmt.Sprintf("user:%d", i), pairs...)...)
		case r < 17:
			var es []keyspace.Event
			for range 40 {
				es = append(es, keyspace.Event{Value: []byte([]string{fmt.Sprintf(`{"id": %d, "t": "%s", "a": "%s"}`, rnd.IntN(1e9), text(1), text(3)), "player:" + fmt.Sprint(rnd.IntN(1e8)), hex(20)}[r%3])})
			}
			out = append(out, elements(keyspace.List, fmt.Sprintf("queue:%d", i), es...)...)
		case r < 19:
			var es []keyspace.Event
			for range 100 {
				es = append(es, keyspace.Event{Value: []byte(fmt.Sprint(rnd.IntN(1 << 31)))})
			}
			out = append(out, elements(keyspace.Set, fmt.Sprintf("ids:%d", i), es...)...)
		default:
			out = append(out, stringKey(fmt.Sprintf("ctr:%d", i), fmt.Sprint(rnd.IntN(1e9)))...)
		}
	}
	return out
}

// batchOf collects events into one batch, whatever its size.
func batchOf(events []keyspace.Event) *batch {
	b := newBatch()
	c := &collector{cur: b, next: func(b *batch) *batch { return b }}
	for i := range events {
		c.add(&events[i])
	}
	return b
}

func BenchmarkMatcher(b *testing.B) {
	s := newTestScanner(b)
	text := batchOf(realistic(200)).text
	var hits []hit
	var spare [lanes - 1][]hit
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		hits = s.matcher.scanLanes(text, hits[:0], &spare)
	}
	b.ReportMetric(float64(len(text))/float64(len(hits)), "bytes/hit")
}

func BenchmarkCollector(b *testing.B) {
	events := realistic(200)
	c := &collector{cur: newBatch()}
	size := 0
	c.next = func(b *batch) *batch { size += len(b.text); b.reset(); return b }
	for i := range events {
		c.add(&events[i])
	}
	b.SetBytes(int64(size + len(c.cur.text)))
	b.ReportAllocs()
	for b.Loop() {
		c.cur.reset()
		for i := range events {
			c.add(&events[i])
		}
	}
}

func BenchmarkWorker(b *testing.B) {
	s := newTestScanner(b)
	for name, events := range map[string][]keyspace.Event{"mix": realistic(200), "sessions": realistic(9), "hashes": realistic(13)[18:], "ids": realistic(19)[len(realistic(17)):]} {
		b.Run(name, func(b *testing.B) {
			w, batch := newWorker(s), batchOf(events)
			b.SetBytes(int64(len(batch.text)))
			b.ReportAllocs()
			for b.Loop() {
				batch.findings, batch.stats = nil, Stats{}
				w.batch(batch)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(batch.leaves)), "ns/leaf")
		})
	}
}

func BenchmarkJSONWalk(b *testing.B) {
	text := realistic(1)[1].Value
	doc := new(document)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if err := walkJSON(text, doc, discard{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkIsText(b *testing.B) {
	text := realistic(1)[1].Value
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if !isText(text) {
			b.Fatal("no text")
		}
	}
}

// BenchmarkNames masks a key that is named like a session, and asks the rules of keys.
func BenchmarkNames(b *testing.B) {
	var events []keyspace.Event
	for i := range 100 {
		events = append(events, stringKey("session:"+random(fmt.Sprint(i), 32, hexAlphabet), `{"theme":"dark"}`)...)
	}
	w, batch := newWorker(newTestScanner(b)), batchOf(events)
	b.SetBytes(int64(len(batch.text)))
	b.ReportAllocs()
	for b.Loop() {
		batch.findings, batch.stats = nil, Stats{}
		w.batch(batch)
	}
}
