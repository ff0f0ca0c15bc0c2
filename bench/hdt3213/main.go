// Command hdt3213 runs github.com/hdt3213/rdb on a snapshot, for comparison.
//
//	hdt3213 json|memory RDB OUT
package main

import (
	"log"
	"os"

	"github.com/hdt3213/rdb/helper"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Fatal("usage: hdt3213 json|memory RDB OUT")
	}
	var err error
	switch os.Args[1] {
	case "json":
		err = helper.ToJsons(os.Args[2], os.Args[3])
	case "memory":
		err = helper.MemoryProfile(os.Args[2], os.Args[3])
	default:
		log.Fatalf("no such mode: %s", os.Args[1])
	}
	if err != nil {
		log.Fatal(err)
	}
}
