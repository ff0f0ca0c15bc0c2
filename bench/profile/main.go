// Command profile runs what takes long on the data of data.sh, each for the same
// time, and writes the CPU profile that cmd/valkeyfs is built by. `make profile`
// runs it.
//
//	profile [-for DURATION] DIR FILE
package main

import (
	"flag"
	"io"
	"log"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/cli"
)

// runs are commands and the file that follows.
var runs = []string{
	"inspect small.rdb",
	"inspect mixed.rdb",
	"inspect mixed.aof",
	"scan --format jsonl mixed.rdb",
	"scan --format jsonl mixed.aof",
	"export --format jsonl mixed.rdb",
	"export --format jsonl small.rdb",
	"export --format resp mixed.rdb",
	"salvage small.rdb",
	"salvage mixed.rdb",
	"history --tombstones --max-mem 1GiB mixed.aof",
	"carve --workers 1 noise",
}

func main() {
	log.SetFlags(0)
	long := flag.Duration("for", 5*time.Second, "how long each command is repeated")
	flag.Parse()
	if flag.NArg() != 2 {
		log.Fatal("usage: profile [-for DURATION] DIR FILE")
	}
	out, err := os.Create(flag.Arg(1))
	if err != nil {
		log.Fatal(err)
	}
	if err := pprof.StartCPUProfile(out); err != nil {
		log.Fatal(err)
	}
	for _, r := range runs {
		args := strings.Fields(r)
		last := len(args) - 1
		args[last] = filepath.Join(flag.Arg(0), args[last])
		for begin := time.Now(); time.Since(begin) < *long; {
			if status := cli.Main(args, strings.NewReader(""), io.Discard, io.Discard); status > 1 { // 1: findings
				log.Fatalf("%s: status %d", r, status)
			}
		}
	}
	pprof.StopCPUProfile()
	if err := out.Close(); err != nil {
		log.Fatal(err)
	}
}
