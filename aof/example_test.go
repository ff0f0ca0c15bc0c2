package aof_test

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/valkeyfs/valkeyfs/aof"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Every value that was ever written to a log, and what became of it by its end.
func ExampleResolve() {
	const text = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$3\r\none\r\n" +
		"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$3\r\ntwo\r\n" +
		"*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$5\r\nthree\r\n" +
		"*2\r\n$3\r\nDEL\r\n$1\r\nb\r\n"
	parts := []aof.Part{{
		Source: "appendonly.aof",
		Open:   func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil },
		Last:   true,
	}}
	for e, err := range aof.Resolve(context.Background(), parts, aof.ResolveOptions{}) {
		if err != nil {
			panic(err)
		}
		if e.Kind == keyspace.Element {
			fmt.Printf("%s = %s: %s, at %d\n", e.Key, e.Value, e.State, e.Pos.Offset)
		}
	}
	// Output:
	// a = one: overwritten, at 24
	// a = two: live, at 53
	// b = three: deleted, at 82
}
