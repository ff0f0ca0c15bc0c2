// Valkeyfs reads the snapshots and logs of Valkey and Redis servers as evidence.
package main

import (
	"os"

	"github.com/valkeyfs/valkeyfs/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
