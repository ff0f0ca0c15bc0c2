package replay

import (
	"context"
	"sync"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// atOnce is how many partitions are replayed at a time at most, which share the
// memory. It is the same whatever the number of workers, so that what fits is.
const atOnce = 2

// player replays partitions, some at a time, and hands them over in their order.
type player struct {
	observer
	limit   int64 // of each machine
	work    int64
	workers int

	full []*tape           // those that did not fit
	keys []*keyspace.Event // where each of them did not
}

// played is a partition that was replayed. Its worker goes on once it is released.
type played struct {
	m        *machine
	full     *keyspace.Event
	err      error
	released chan struct{}
}

// play replays partitions and frees the tapes of those that fitted. more is false if
// done said so.
func (p *player) play(ctx context.Context, tapes []*tape) (more bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	var workers sync.WaitGroup
	defer workers.Wait()
	defer cancel()
	lanes := make([]chan *played, min(p.workers, len(tapes)))
	for w := range lanes {
		lanes[w] = make(chan *played)
		workers.Go(func() {
			for i := w; i < len(tapes); i += len(lanes) {
				if !p.one(ctx, tapes[i], lanes[w]) {
					return
				}
			}
		})
	}
	for i, t := range tapes {
		var x *played
		select {
		case x = <-lanes[i%len(lanes)]:
		case <-ctx.Done():
			return false, ctx.Err()
		}
		switch {
		case x.err != nil:
			return false, x.err
		case x.full != nil:
			p.full, p.keys = append(p.full, t), append(p.keys, x.full)
		default:
			if !p.done(x.m) {
				return false, nil
			}
			t.stream.Free()
		}
		x.m = nil
		close(x.released)
	}
	return true, nil
}

// one replays a partition, hands it over and waits until it is released; false if
// nothing waits for it any more.
func (p *player) one(ctx context.Context, t *tape, lane chan<- *played) bool {
	x := &played{m: newMachine(p.limit, p.work), released: make(chan struct{})}
	end := p.made(x.m)
	if x.full, x.err = replay(x.m, until(ctx, t.play)); x.full != nil {
		x.m = nil
	} else if x.err == nil {
		end()
	}
	select {
	case lane <- x:
	case <-ctx.Done():
		return false
	}
	select {
	case <-x.released:
		return true
	case <-ctx.Done():
		return false
	}
}
