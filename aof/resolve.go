package aof

import (
	"context"

	"github.com/valkeyfs/valkeyfs/internal/lifecycle"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// ErrChanged is the final error of [Resolve] if the parts were not the same when
// they were read for the second time: a server is writing to them.
var ErrChanged = lifecycle.ErrChanged

// ResolveOptions say how a log is read and resolved.
type ResolveOptions struct {
	AsOf   int64 // Unix ms against which expiries are judged; 0: the log's own time, see [Basis]
	Limits keyspace.Limits
	Resync bool             // as in Options
	MaxMem int64            // bytes that may be taken, apart from what a Reader takes; default 256 MiB
	Tmp    string           // directory for what does not fit, encrypted; default the system's
	Done   func(Resolution) // if not nil, called once all states are known, before the first event
}

// Basis says where the time comes from against which expiries were judged.
type Basis uint8

// The bases of a time.
const (
	NoTime    Basis = iota // the log holds none: nothing is Expired because its time has come
	ByOption               // ResolveOptions.AsOf
	ByCtime                // aux field ctime of the base file, the latest time there is
	Timestamp              // the last #TS
)

// Resolution says what the states are based on, and how many stay Unknown.
type Resolution struct {
	AsOf      int64 // Unix ms against which expiries were judged; 0: none were
	Basis     Basis
	TooLarge  int64 // values of lists, streams and linked keys that do not fit in MaxMem
	Untracked int64 // times that the track of a key was lost, because too many were renamed or exchange elements
	Lost      int64 // values of lists and streams that it would have taken too long to follow, or that depend on commands that name no elements
	Spilled   int64 // bytes that were put into the temporary file
}

// Resolve returns the events of a log with the State of Key, Element, Function,
// Group, Consumer and Pending events set to what became of them by the end of the
// log, and the Index of what is left in a list to its position there. The unit is
// the element; a value is Live as long as any key holds it, and a Key event as long
// as any value of its record is. How the server's deletions of what had expired
// are told from others, and what an expiry is judged against, package lifecycle
// tells.
//
// The parts are read twice, and nothing is yielded before they were read once. If
// the two readings differ, the sequence ends in ErrChanged.
func Resolve(ctx context.Context, parts []Part, o ResolveOptions) keyspace.Seq {
	lo := lifecycle.Options{MaxMem: o.MaxMem, Tmp: o.Tmp, AsOf: o.AsOf}
	if o.Done != nil {
		lo.Done = func(r lifecycle.Result) {
			o.Done(Resolution{AsOf: r.AsOf, Basis: Basis(r.Basis), TooLarge: r.TooLarge, Untracked: r.Untracked, Lost: r.Lost, Spilled: r.Spilled})
		}
	}
	return lifecycle.Resolve(ctx, func() keyspace.Seq {
		return Events(ctx, parts, Options{AsOf: o.AsOf, Limits: o.Limits, Resync: o.Resync})
	}, lo)
}
