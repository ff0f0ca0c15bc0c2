package carve

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// TestServerMemory: in the memory of a server the values of all types are found, small
// ones and those that are no listpack any more.
func TestServerMemory(t *testing.T) {
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		i := s.Start(t, "")
		r := rand.New(rand.NewPCG(4, 1))
		secrets := map[string]string{} // by what they are in
		secret := func(in string) string {
			secrets[in] = fmt.Sprintf("secret of %s %016x", in, r.Uint64())
			return secrets[in]
		}
		i.Must(t, "SET", "string", secret("a string"))
		i.Must(t, "SET", "long", secret("a long string")+strings.Repeat(" and so on", 100))
		for j := range 2000 {
			n := fmt.Sprint(j)
			i.Must(t, "HSET", "hash", n, "value")
			i.Must(t, "SADD", "set", "member "+n)
			i.Must(t, "ZADD", "zset", n, "member "+n)
		}
		i.Must(t, "HSET", "hash", "field", secret("a hash"))
		i.Must(t, "SADD", "set", secret("a set"))
		i.Must(t, "ZADD", "zset", "1", secret("a sorted set"))
		if s.Major() >= 7 { // before, they are ziplists
			i.Must(t, "HSET", "small hash", "field", secret("a small hash"), "other", "value")
			i.Must(t, "RPUSH", "list", "a", secret("a list"))
		}
		i.Must(t, "XADD", "stream", "1-1", "field", secret("a stream"))
		for range 40 { // what the commands left in buffers goes
			i.Must(t, "ECHO", strings.Repeat("x", 20_000))
		}
		info, _ := i.Must(t, "INFO", "server").(string)
		pid := regexp.MustCompile(`process_id:(\d+)`).FindStringSubmatch(info)
		if pid == nil {
			t.Fatal("a server does not tell its process")
		}
		img := memory{memoryOf(t, pid[1])}
		var all strings.Builder
		_, err := Run(t.Context(), img, Options{Workers: 1, Found: func(p *Piece) error {
			for e, err := range p.Events(t.Context(), img, keyspace.Limits{}) {
				if err != nil {
					return err
				}
				all.Write(slices.Concat(e.Field, []byte(" "), e.Value, []byte("\n")))
			}
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		for in, secret := range secrets {
			if !strings.Contains(all.String(), secret) {
				t.Errorf("what %s holds is not found; it is in the memory: %v", in, bytes.Contains(img.p, []byte(secret)))
			}
		}
	})
}

// memoryOf is what a process can write to, one region behind another.
func memoryOf(t *testing.T, pid string) []byte {
	t.Helper()
	maps, err := os.Open("/proc/" + pid + "/maps")
	if errors.Is(err, fs.ErrNotExist) {
		servertest.Lacks(t, "no /proc")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer maps.Close()
	mem, err := os.Open("/proc/" + pid + "/mem")
	if errors.Is(err, fs.ErrPermission) {
		servertest.Lacks(t, "the memory of a process must not be read: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	var all []byte
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var from, to uint64
		var rights string
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x %s", &from, &to, &rights); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(rights, "rw") || to-from > 1<<28 {
			continue
		}
		b := make([]byte, to-from)
		n, _ := mem.ReadAt(b, int64(from)) // what is mapped and cannot be read is no value
		all = append(all, b[:n]...)
	}
	return all
}
