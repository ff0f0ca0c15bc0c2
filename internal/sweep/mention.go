package sweep

import (
	"bytes"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// mentions gives the arguments of a command that names no key (EVAL, PUBLISH, one
// that is unknown) the command's name as their key, so that findings in them have
// one.
func mentions(events keyspace.Seq) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		var command []byte
		var named keyspace.Event
		for e, err := range events {
			if err == nil {
				switch e.Kind {
				case keyspace.Header:
					command = command[:0]
				case keyspace.Command:
					command = command[:0]
					if len(e.Args) > 0 {
						command = append(command, bytes.ToUpper(e.Args[0])...)
					}
				case keyspace.Key, keyspace.Element, keyspace.KeyEnd:
					if e.Key == nil && len(command) > 0 {
						named = *e
						named.Key = command
						e = &named
					}
				}
			}
			if !yield(e, err) {
				return
			}
		}
	}
}
