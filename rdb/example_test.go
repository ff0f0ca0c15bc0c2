package rdb_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// snapshot is a small one: a string, a list of two, and a string with an expiry.
const snapshot = "REDIS0011\xfa\x09redis-ver\x057.2.0" +
	"\xfe\x00" +
	"\x00\x04name\x05alice" +
	"\x01\x04todo\x02\x04milk\x05bread" +
	"\xfc\x00\xc8\xf5\x8c\x9b\x01\x00\x00\x00\x07session\x03abc" +
	"\xff\x00\x00\x00\x00\x00\x00\x00\x00"

// Keys and what they hold, in the order of the file. Values of more than
// Limits.MaxChunk come as several elements, by Part.
func ExampleReader_Events() {
	for e, err := range rdb.NewReader(strings.NewReader(snapshot), rdb.Options{Source: "dump.rdb"}).Events(context.Background()) {
		if err != nil {
			log.Fatal(err) // with the file's name and the offset
		}
		switch e.Kind {
		case keyspace.Key:
			fmt.Printf("db%d %s %s, record at %d\n", e.DB, e.Type, e.Key, e.Record)
		case keyspace.Element:
			fmt.Printf("  %s at %d\n", e.Value, e.Pos.Offset)
		case keyspace.End:
			fmt.Println("checksum:", keyspace.Checksum(e.Index))
		}
	}
	// Output:
	// db0 string name, record at 28
	//   alice at 35
	// db0 list todo, record at 40
	//   milk at 48
	//   bread at 53
	// db0 string session, record at 58
	//   abc at 77
	// checksum: disabled
}

// Without their values, keys alone are read fast; AsOf tells which had expired.
func ExampleOptions_skim() {
	o := rdb.Options{Skim: true, AsOf: 1_800_000_000_000}
	for e, err := range rdb.NewReader(strings.NewReader(snapshot), o).Events(context.Background()) {
		if err != nil {
			log.Fatal(err)
		}
		if e.Kind == keyspace.Key {
			fmt.Printf("%s: %s\n", e.Key, e.State)
		}
	}
	// Output:
	// name: live
	// todo: live
	// session: expired
}
