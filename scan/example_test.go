package scan_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/valkeyfs/valkeyfs/rdb"
	"github.com/valkeyfs/valkeyfs/scan"
)

// The secrets of a snapshot, masked, and where they stand.
func ExampleScanner_Scan() {
	value := "postgres://app:" + "tr0ub4dor-kX9" + "@db1.internal/orders"
	snapshot := "REDIS0011\xfe\x00\x00\x06config" + string(rune(len(value))) + value + "\xff" + strings.Repeat("\x00", 8)

	scanner, err := scan.New(scan.Config{})
	if err != nil {
		log.Fatal(err)
	}
	events := rdb.NewReader(strings.NewReader(snapshot), rdb.Options{Source: "dump.rdb"}).Events(context.Background())
	stats, err := scanner.Scan(context.Background(), events, func(f *scan.Finding) error {
		fmt.Printf("%s %s: db %d, key %s, at %d: %s\n", f.Severity, f.Rule, f.DB, f.Key, f.Offset, f.Secret)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(stats.Keys, "key")
	// Output:
	// high connection-string: db 0, key config, at 20: postgres://****
	// 1 key
}
