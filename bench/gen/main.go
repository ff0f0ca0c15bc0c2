// Command gen writes the commands that fill a server for the benchmarks, as
// RESP on standard output: a realistic mix of keys with planted secrets, or ten
// million small ones. The same arguments give the same bytes.
//
//	gen [-scale F] [-secrets FILE] mixed|small
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
)

func main() {
	log.SetFlags(0)
	scale := flag.Float64("scale", 1, "fraction of the full size")
	secrets := flag.String("secrets", "", "write what was planted to `FILE`, a JSON object a line")
	flag.Parse()
	g := &gen{w: bufio.NewWriterSize(os.Stdout, 1<<20), r: rand.New(rand.NewPCG(42, 42))}
	if *secrets != "" {
		f, err := os.Create(*secrets)
		if err != nil {
			log.Fatal(err)
		}
		g.planted = json.NewEncoder(f)
	}
	switch flag.Arg(0) {
	case "mixed":
		g.mixed(*scale)
	case "small":
		g.small(int(10_000_000 * *scale))
	default:
		log.Fatal("usage: gen [-scale F] [-secrets FILE] mixed|small")
	}
	if err := g.w.Flush(); err != nil {
		log.Fatal(err)
	}
}

type gen struct {
	w       *bufio.Writer
	r       *rand.Rand
	planted *json.Encoder
	args    []string
}

// command writes one command; errors stick to the writer until it is flushed.
func (g *gen) command(args ...string) {
	_, _ = fmt.Fprintf(g.w, "*%d\r\n", len(args))
	for _, a := range args {
		_, _ = g.w.WriteString("$" + strconv.Itoa(len(a)) + "\r\n" + a + "\r\n")
	}
}

// list starts a command that grows by add; send writes it.
func (g *gen) list(args ...string) { g.args = append(g.args[:0], args...) }
func (g *gen) add(args ...string)  { g.args = append(g.args, args...) }
func (g *gen) send()               { g.command(g.args...) }

// vocabulary lacks "file": redis-check-aof 7.0 takes an append-only file in which
// a line begins with it for a manifest.
var vocabulary = strings.Fields(`account admin alert amount audit auth balance bank batch billing branch browser cache campaign
card cart catalog channel checkout city client cloud color comment company config contact content coupon credit currency customer
dashboard date deal delivery deposit design device digest discount document domain draft driver email engine entry event export
feature field filter finance flag flight folder format forum gateway gift grant graph group guest history home host hotel image
index input insight invoice item job journal key label language launch lead ledger level library license limit link listing load
location login loyalty machine manager market match media member menu merchant message metric mobile model money month mount music
name network news note notice number offer office online option order origin output owner package page partner path payment peer
permission phone photo pipeline plan plugin point policy pool price priority process product profile project promo provider query
queue quota rate reader receipt record referral refund region release report request resource response review reward role room route
rule sale sample schedule score script search section segment seller sensor server service session setting shard share shipment shop
signal site size slot source space stage state station status stock storage store stream street style subject summary support survey
system table tag target task team terminal test theme thread ticket time title token topic tour track trade traffic transfer trial
trigger tunnel type unit update upload usage user utility vault vendor version video view visit volume voucher wallet warehouse
webhook window worker workflow zone`)

func (g *gen) word() string { return vocabulary[g.r.IntN(len(vocabulary))] }

func (g *gen) words(n int) string {
	w := make([]string, n)
	for i := range w {
		w[i] = g.word()
	}
	return strings.Join(w, " ")
}

func (g *gen) from(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[g.r.IntN(len(alphabet))]
	}
	return string(b)
}

const (
	hexDigits = "0123456789abcdef"
	alphanum  = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
)

func (g *gen) number(n int) string { return strconv.Itoa(g.r.IntN(n)) }

// session returns the JSON of a web session; extra is one more member.
func (g *gen) session(extra string) string {
	var cart []map[string]any
	for range g.r.IntN(5) {
		cart = append(cart, map[string]any{"sku": "SKU-" + g.from("0123456789", 7), "qty": 1 + g.r.IntN(8), "price": float64(g.r.IntN(99999)) / 100})
	}
	b, err := json.Marshal(map[string]any{"session_id": g.from(hexDigits, 32), "user_id": g.r.IntN(1e8),
		"email":      g.word() + "." + g.word() + g.number(9999) + "@example.com",
		"ua":         "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/12" + g.number(9) + ".0.0.0 Safari/537.36",
		"created_at": 1700000000 + g.r.IntN(1e7), "csrf": g.from(alphanum, 32), "roles": []string{"user", g.word()}, "cart": cart, "last": g.words(5)})
	if err != nil {
		log.Fatal(err)
	}
	return string(b[:len(b)-1]) + extra + "}"
}

// mixed is what a web application keeps: 510,000 keys at full scale, and four
// huge ones.
func (g *gen) mixed(scale float64) {
	n := int(510_000 * scale)
	for i := range n {
		if i%1000 == 7 {
			g.secret(i)
		}
		id := strconv.Itoa(i)
		switch r := i % 20; {
		case r < 7:
			g.command("SET", "session:"+g.from(hexDigits, 24), g.session(""), "PXAT", strconv.Itoa(4102444800000+g.r.IntN(1e9)))
		case r < 9:
			g.command("SET", "session:"+g.from(hexDigits, 24), g.session(""))
		case r < 13:
			g.list("HSET", "user:"+id)
			for f := range 20 {
				g.add("f_"+vocabulary[f*7], []string{g.words(2), g.number(1e6), g.from(hexDigits, 12), "true"}[g.r.IntN(4)])
			}
			g.send()
		case r < 15:
			g.list("RPUSH", "queue:"+g.word()+":"+id)
			for range 3 + g.r.IntN(22) {
				g.add(`{"id": ` + g.number(1e9) + `, "t": "` + g.word() + `", "a": "` + g.words(3) + `"}`)
			}
			g.send()
		case r == 15:
			g.list("ZADD", "rank:"+g.word()+":"+id)
			for range []int{10, 40, 200}[g.r.IntN(3)] {
				g.add(strconv.FormatFloat(g.r.Float64()*1000, 'f', 4*g.r.IntN(2), 64), "player:"+g.number(1e8))
			}
			g.send()
		case r == 16:
			g.list("SADD", "tags:"+id)
			for range []int{5, 30, 180}[g.r.IntN(3)] {
				g.add(g.word() + g.number(999))
			}
			g.send()
		case r == 17:
			g.list("SADD", "ids:"+id)
			for range []int{10, 100, 400}[g.r.IntN(3)] {
				g.add(g.number(1 << 31))
			}
			g.send()
		case r == 18:
			for e := range 12 {
				g.command("XADD", "events:"+id, fmt.Sprintf("%d-%d", 1700000000000+i, e+1), "type", g.word(), "user", g.number(1e8), "payload", g.words(6))
			}
			g.command("XGROUP", "CREATE", "events:"+id, "workers", "0")
		default:
			g.command("SET", "ctr:"+id, g.number(1e9))
		}
	}
	g.huge(int(2_000_000 * scale))
}

func (g *gen) huge(n int) {
	const batch = 100
	for i := 0; i < n; i += batch {
		g.list("HSET", "huge:hash")
		for j := range batch {
			g.add(fmt.Sprintf("field:%08d", i+j), g.from(hexDigits, 16))
		}
		g.send()
	}
	for i := 0; i < n/8; i += batch {
		for _, kind := range []string{"RPUSH", "SADD", "ZADD"} {
			g.list(kind, "huge:"+strings.ToLower(kind))
			for j := range batch {
				if kind == "ZADD" {
					g.add(strconv.FormatFloat(g.r.Float64()*1e6, 'f', 6, 64))
				}
				g.add(fmt.Sprint(kind, i+j, g.words(3)))
			}
			g.send()
		}
	}
}

// secret plants a synthetic token: bare, in a session, in a hash, or in base64.
func (g *gen) secret(i int) {
	kind := i / 1000 % 4
	token, where, key := "gh"+"p_"+g.from(alphanum, 36), i/1000/4%4, ""
	switch kind {
	case 1:
		token = "AK" + "IA" + g.from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)
	case 2:
		token = "sk_" + "live_" + g.from(alphanum, 24)
	case 3:
		token = "postgres://app:" + g.from(alphanum, 18) + "@db.internal.example:5432/prod"
	}
	switch where {
	case 0:
		key = "cfg:" + g.word() + ":" + strconv.Itoa(i)
		g.command("SET", key, token)
	case 1:
		key = "session:" + g.from(hexDigits, 24)
		g.command("SET", key, g.session(`,"token":"`+token+`"`))
	case 2:
		key = "svc:" + strconv.Itoa(i)
		g.command("HSET", key, "name", g.words(2), "token", token)
	case 3:
		key = "blob:" + strconv.Itoa(i)
		g.command("SET", key, base64.StdEncoding.EncodeToString([]byte(`{"svc":"`+g.word()+`","token":"`+token+`"}`)))
	}
	if g.planted != nil {
		if err := g.planted.Encode(map[string]string{"key": key, "secret": token}); err != nil {
			log.Fatal(err)
		}
	}
}

func (g *gen) small(n int) {
	for i := range n {
		g.command("SET", "user:"+strconv.Itoa(i)+":name", g.word()+" "+g.number(10000))
	}
}
