package rdb

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// A skimmed snapshot yields what a whole reading yields beside what keys hold.
func TestSkim(t *testing.T) {
	paths, err := filepath.Glob("../testdata/dumps/*.rdb")
	if err != nil || len(paths) == 0 {
		t.Fatal("no fixtures", err)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		said := func(skim bool) (got []string) {
			for e, err := range NewReader(bytes.NewReader(b), Options{Skim: skim}).Events(t.Context()) {
				if err != nil {
					return append(got, err.Error())
				}
				switch e.Kind {
				case keyspace.Element, keyspace.KeyEnd, keyspace.Group, keyspace.Consumer, keyspace.Pending, keyspace.StreamMeta:
					if skim {
						t.Errorf("%s: %s", path, e.Kind)
					}
				default:
					got = append(got, fmt.Sprintf("%s %d %q %q %d %d %d", e.Kind, e.DB, e.Key, e.Value, e.Index, e.Count, e.Pos.Offset))
				}
			}
			return got
		}
		if got, want := said(true), said(false); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}
