package sweep

import (
	"slices"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

func damage(path string, offset, length int64) *keyspace.Event {
	return &keyspace.Event{Kind: keyspace.Damage, DB: 0, Pos: keyspace.Pos{Source: path, Offset: offset, Inner: -1}, Length: length}
}

func TestRangesMergeAndAreBounded(t *testing.T) {
	m := &meter{}
	for _, e := range []*keyspace.Event{
		damage("a", 10, 5), damage("a", 15, 5), damage("a", 12, 2), damage("a", 30, 0), damage("a", 40, -1),
		damage("a", 50, 1), damage("b", 51, 1),
		{Kind: keyspace.Damage, DB: 2, Key: []byte("k"), Pos: keyspace.Pos{Source: "b", Offset: 52, Inner: -1}, Length: 3},
		{Kind: keyspace.Damage, Pos: keyspace.Pos{Source: "b", Offset: 90, Inner: 7}, Length: 3}, // not in the file's own bytes
	} {
		m.lose(e)
	}
	var got []source.Range
	for _, r := range m.ranges {
		r.Key = nil
		got = append(got, r)
	}
	want := []source.Range{{Path: "a", Offset: 10, Length: 10}, {Path: "a", Offset: 50, Length: 1}, {Path: "b", Offset: 51, Length: 1}, {Path: "b", Offset: 52, Length: 3, DB: 2}}
	if !slices.EqualFunc(got, want, func(a, b source.Range) bool {
		return a.Path == b.Path && a.Offset == b.Offset && a.Length == b.Length && a.DB == b.DB
	}) || string(m.ranges[3].Key) != "k" {
		t.Errorf("%+v", m.ranges)
	}

	m = &meter{}
	for i := range int64(maxRanges + 1000) {
		m.lose(damage("a", i*100, 10))
	}
	if last := m.ranges[len(m.ranges)-1]; len(m.ranges) != maxRanges || last.Offset+last.Length != (maxRanges+999)*100+10 {
		t.Errorf("%d ranges, the last %+v", len(m.ranges), last)
	}
	selected := &meter{match: func(*keyspace.Event) bool { return true }}
	selected.lose(damage("a", 1, 1))
	if len(selected.ranges) > 0 {
		t.Error("with a selection of keys, what belongs to none is scanned")
	}
}
