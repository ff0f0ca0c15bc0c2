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
// proof, of `make proof`.
func rounds(few int) int {
	if n, err := strconv.Atoi(os.Getenv("VALKEYFS_BACKUP_ROUNDS")); err == nil {
		return n
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

// slots is how many keys the load writes to in turn.
const slots = 3000

// load writes transactions, number n of which sets key n modulo slots and the
// counter to n, until it is stopped. acked is the last one that the server has
// acknowledged.
type load struct {
	acked atomic.Int64
	stop  chan struct{}
	wg    sync.WaitGroup
}

func newLoad(t *testing.T, s *servertest.Instance) *load {
	l := &load{stop: make(chan struct{})}
	writer, saver := dial(t, s), dial(t, s)
	l.wg.Go(func() {
		padding := strings.Repeat("v", 200)
		for n := int64(0); ; {
			select {
			case <-l.stop:
				return
			case <-time.After(5 * time.Millisecond): // some thousand writes a second
			}
			const batch = 16
			for i := int64(1); i <= batch; i++ {
				writer.Send("MULTI")
				writer.Send("SET", fmt.Sprint("k:", (n+i)%slots), fmt.Sprint(n+i, padding))
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
// missing, and no transaction is half there. So is what --from gets, and each
// snapshot in the directory.
func TestLiveLog(t *testing.T) {
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		live := s.Start(t, "", "--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0", "--repl-diskless-sync-delay", "0")
		h := newHost(t)
		files := h.keyFiles()
		l := newLoad(t, live)
		defer l.end()
		for l.acked.Load() == 0 && !t.Failed() {
			time.Sleep(time.Millisecond)
		}
		for i := range rounds(3) {
			before := l.acked.Load()
			args := h.backupArgs(live.Dir, h.dest)
			if i%3 == 2 {
				args = []string{"backup", "--from", live.Socket, "--to", h.dest, "--label", h.o.Label, "-R", filepath.Join(files, "recipients"), "--sign-key", filepath.Join(files, "sign")}
			}
			if status, said := h.cron(nil, args...); status != 0 {
				t.Fatalf("backup %d: exit status %d: %s", i, status, said)
			}
			into := filepath.Join(t.TempDir(), "data")
			done, err := h.restore(backup.RestoreOptions{Into: into})
			if err != nil {
				t.Fatal(err)
			}
			for _, appendonly := range []string{"no", "yes"} {
				log := len(done.Inner.Files) > 1
				snapshot := done.Inner.Files[0].Role == backup.RoleSnapshot || done.Inner.Files[len(done.Inner.Files)-1].Role == backup.RoleSnapshot
				if appendonly == "yes" && !log || appendonly == "no" && !snapshot {
					continue
				}
				again := s.Start(t, into, "--appendonly", appendonly)
				n := prefix(t, again)
				if n < before && (appendonly == "yes" || !log) {
					t.Errorf("backup %d: it has %d transactions, and %d were acknowledged before it", i, n, before)
				}
				again.Stop(t)
			}
			os.RemoveAll(into)
			time.Sleep(time.Duration(rand.IntN(50)) * time.Millisecond)
		}
		t.Logf("%d transactions", l.acked.Load())
		if kinds := h.verify(true, backup.ChainOptions{}); kinds != nil {
			t.Errorf("problems: %v", kinds)
		}
	})
}

// prefix returns how many transactions a server holds, all of the first ones.
func prefix(t *testing.T, s *servertest.Instance) int64 {
	t.Helper()
	text, _ := s.Must(t, "GET", "counter").(string)
	n, _ := strconv.ParseInt(text, 10, 64)
	args := []string{"MGET"}
	for i := range slots {
		args = append(args, fmt.Sprint("k:", i))
	}
	for i, v := range s.Must(t, args...).([]any) {
		text, _ := v.(string)
		got, _ := strconv.ParseInt(strings.TrimRight(text, "v"), 10, 64)
		want := n - (n-int64(i)+slots)%slots // the last transaction that wrote there
		if got != max(want, 0) {
			t.Errorf("after %d transactions, key %d was last set by %d, not by %d", n, i, got, want)
			break
		}
	}
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
