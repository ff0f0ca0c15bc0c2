package source

import (
	"context"
	"testing"
)

func TestSurvey(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"a.rdb": snapshot("k", "v"), "b.rdb": snapshot("k", "v"), "c.conf": "port 1\nbind x\n"})
	in, err := New(context.Background(), []string{dir}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := in.Survey(context.Background(), 1e10)
	if err != nil {
		t.Fatal(err)
	}
	if s.Files != 3 || len(s.Kinds) != 2 || s.Kinds[0].Kind != RDB || s.Kinds[0].Files != 2 || len(s.Snapshots) != 2 || s.Cut {
		t.Errorf("got %+v", s)
	}
	if sn := s.Snapshots[0]; sn.Server != "redis" || sn.Version != "7.2.4" || sn.Saved.Unix() != 0x6553f100 {
		t.Errorf("got %+v", sn)
	}
	if s, err := in.Survey(context.Background(), 0); err != nil || !s.Cut {
		t.Errorf("no time: %+v, %v", s, err)
	}
}
