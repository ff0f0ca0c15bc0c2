package scan

import (
	"context"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// KeyName returns the name of a key as its last finding shows it, with the secrets in it
// masked; if there is none, as it is. It is for names that come one by one, for which a
// whole [Scanner.Scan] is much.
func (s *Scanner) KeyName(name string) (masked string, err error) {
	n, _ := s.namers.Get().(*namer)
	if n == nil {
		n = &namer{w: newWorker(s), b: newBatch()}
	}
	n.b.reset()
	masked = name
	scan := func(b *batch) *batch {
		n.w.batch(b)
		if all := b.findings; len(all) > 0 {
			masked = all[len(all)-1].Key
		}
		b.reset()
		return b
	}
	c := &collector{cur: n.b, commands: s.config.Commands, next: scan}
	err = c.collect(context.Background(), func(yield func(*keyspace.Event, error) bool) {
		yield(&keyspace.Event{Kind: keyspace.Key, DB: -1, Key: []byte(name), Expire: keyspace.NoExpire, Pos: keyspace.Pos{Inner: -1}}, nil)
	})
	if err != nil {
		return "", err
	}
	if len(c.cur.leaves) > 0 {
		scan(c.cur)
	}
	s.namers.Put(n)
	return masked, nil
}

// namer scans names. It is used again.
type namer struct {
	w *worker
	b *batch
}
