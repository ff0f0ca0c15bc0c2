package backup_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/backup"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// rounds is how often the slow tests try; VALKEYFS_BACKUP_ROUNDS=200 is the long
// proof.
func rounds(t *testing.T, few int) int {
	if n, err := strconv.Atoi(os.Getenv("VALKEYFS_BACKUP_ROUNDS")); err == nil {
		return n
	}
	if testing.Short() {
		return 1
	}
	return few
}

// dial opens one more connection to a server.
func dial(t *testing.T, s *servertest.Instance) *servertest.Client {
	t.Helper()
	reply, ok := s.Must(t, "CONFIG", "GET", "unixsocket").([]any)
	if !ok || len(reply) != 2 {
		t.Fatal("no socket")
	}
	conn, err := net.Dial("unix", reply[1].(string))
	if err != nil {
		t.Fatal(err)
	}
	c := servertest.NewClient(conn)
	t.Cleanup(func() { c.Close() })
	return c
}

// load writes transactions, number n of which sets a key n and the counter, until
// it is stopped. acked is the last one that the server has acknowledged.
type load struct {
	acked atomic.Int64
	stop  chan struct{}
	wg    sync.WaitGroup
}

func newLoad(t *testing.T, s *servertest.Instance) *load {
	l := &load{stop: make(chan struct{})}
	writer, saver := dial(t, s), dial(t, s)
	l.wg.Go(func() {
		value := strings.Repeat("v", 200)
		for n := int64(0); ; {
			select {
			case <-l.stop:
				return
			case <-time.After(5 * time.Millisecond): // some thousand writes a second
			}
			const batch = 16
			for i := int64(1); i <= batch; i++ {
				key := fmt.Sprint("k:", n+i)
				writer.Send("MULTI")
				writer.Send("SET", key, value)
				writer.Send("SET", "counter", fmt.Sprint(n+i))
				writer.Send("EXEC")
			}
			for range batch * 4 {
				if _, err := writer.Receive(); err != nil {
					t.Errorf("write: %v", err)
					return
				}
			}
			n += batch
			l.acked.Store(n)
		}
	})
	l.wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-l.stop:
				return
			case <-time.After(60 * time.Millisecond):
			}
			command := []string{"BGREWRITEAOF", "BGSAVE"}[i%2]
			saver.Do(command) // one of them may still be running
		}
	})
	return l
}

func (l *load) end() {
	close(l.stop)
	l.wg.Wait()
}

// Beside a server that is written to, rewrites its log and saves, every backup is
// a prefix of what was written: nothing that was acknowledged before it began is
// missing, and no transaction is half there.
func TestLiveLog(t *testing.T) {
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		live := s.Start(t, "", "--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0")
		h := newHost(t)
		l := newLoad(t, live)
		defer l.end()
		for l.acked.Load() == 0 && !t.Failed() {
			time.Sleep(time.Millisecond)
		}
		for i := range rounds(t, 2) {
			before := l.acked.Load()
			h.backup(live.Dir)
			into := filepath.Join(t.TempDir(), "data")
			if _, err := h.restore(backup.RestoreOptions{Into: into}); err != nil {
				t.Fatal(err)
			}
			again := s.Start(t, into, "--appendonly", "yes")
			n := count(t, again)
			keys := again.Must(t, "DBSIZE")
			if n < before {
				t.Errorf("backup %d: it has %d transactions, and %d were acknowledged before it", i, n, before)
			}
			if want := n + min(n, 1); keys != want {
				t.Errorf("backup %d: %v keys after %d transactions", i, keys, n)
			}
			again.Stop(t)
			os.RemoveAll(into)
			time.Sleep(time.Duration(rand.IntN(50)) * time.Millisecond)
		}
		if kinds := h.verify(true, backup.ChainOptions{}); kinds != nil {
			t.Errorf("problems: %v", kinds)
		}
	})
}

func count(t *testing.T, s *servertest.Instance) int64 {
	t.Helper()
	text, _ := s.Must(t, "GET", "counter").(string)
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

// A snapshot made a log is what a server with appendonly yes loads.
func TestSnapshotAsLog(t *testing.T) {
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		if s.Major() < 7 {
			return // multi-part logs came with 7.0
		}
		a := s.Start(t, "")
		a.Must(t, "SET", "k", "v")
		a.Must(t, "SAVE")
		digest := a.Digest(t)
		h := newHost(t)
		h.backup(a.Dir)
		into := filepath.Join(t.TempDir(), "data")
		if _, err := h.restore(backup.RestoreOptions{Into: into, AsLog: true}); err != nil {
			t.Fatal(err)
		}
		b := s.Start(t, into, "--appendonly", "yes")
		if got := b.Digest(t); got != digest {
			t.Errorf("digest %s, before %s", got, digest)
		}
		if _, err := h.restore(backup.RestoreOptions{Into: b.Dir, Force: true}); err == nil || !strings.Contains(err.Error(), "process") {
			t.Errorf("a restore under a running server: %v", err)
		}
	})
}
