package fleet

import (
	"testing"

	"github.com/jackc/pgx/v5"
)

// A URL that does not say otherwise has no password go over a network in the clear.
func TestInsistOnTLS(t *testing.T) {
	for url, clear := range map[string]int{
		"postgres://u:p@db.example/fleet":                0,
		"postgres://u:p@10.0.0.1/fleet":                  0,
		"postgres://u:p@db.example,127.0.0.1/fleet":      1,
		"postgres://u:p@127.0.0.1/fleet":                 1,
		"postgres://u:p@[::1]/fleet":                     1,
		"postgres://u:p@/fleet?host=/var/run/postgresql": 0, // a socket is tried once, and stays
	} {
		c, err := pgx.ParseConfig(url)
		if err != nil {
			t.Fatal(err)
		}
		insistOnTLS(c)
		n := 0
		for _, f := range c.Fallbacks {
			if f.TLSConfig == nil {
				n++
			}
		}
		if n != clear || c.Host == "db.example" && c.TLSConfig == nil {
			t.Errorf("%s: %d attempts without TLS behind the first, not %d", url, n, clear)
		}
	}
}
