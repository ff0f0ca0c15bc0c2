package rdb

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// A skimmed snapshot yields what a whole reading yields beside keys.
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
				case keyspace.Key, keyspace.Element, keyspace.KeyEnd, keyspace.Group, keyspace.Consumer, keyspace.Pending, keyspace.StreamMeta:
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

// Of keys in no database the first is told of, and no other.
func TestSkimWithoutDatabase(t *testing.T) {
	var got []string
	b := "REDIS0009\x00\x01k\x01v\x00\x01l\x01v\xfe\x01\x00\x01m\x01v\xff\x00\x00\x00\x00\x00\x00\x00\x00"
	for e, err := range NewReader(strings.NewReader(b), Options{Skim: true}).Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e.Kind.String())
	}
	if want := []string{"header", "key", "db", "end"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
