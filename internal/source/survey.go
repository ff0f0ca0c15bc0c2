package source

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Survey is what a first look at the inputs shows: heads and manifests only.
type Survey struct {
	Files     int         // all files, links and the like included
	Bytes     int64       // what they hold on disk; streams are not counted
	Work      int64       // bytes that reading the events of all units will read
	Kinds     []KindCount // most frequent first
	Snapshots []Snapshot  // the first of them, at most maxSnapshots
	Touched   int         // files whose access time the look may have changed
	Cut       bool        // the time was up before all was seen
}

// KindCount is how many files of a kind there are.
type KindCount struct {
	Kind  Kind
	Files int
	Bytes int64
}

// Snapshot is what a snapshot or a log says of itself.
type Snapshot struct {
	Path            string
	Kind            Kind
	Server, Version string // empty where it does not say
	Saved           time.Time
	Size            int64
}

const maxSnapshots = 8

// Survey looks over the inputs for at most the given time.
func (in *Inputs) Survey(ctx context.Context, atMost time.Duration) (*Survey, error) {
	limited, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	s := &Survey{}
	for u, err := range in.Units(limited) {
		if err != nil {
			if ctx.Err() == nil && limited.Err() != nil {
				s.Cut = true
				break
			}
			return s, err
		}
		if u.Readable() {
			s.Work += u.Size()
		}
		for _, f := range u.Files {
			s.add(f)
		}
	}
	slices.SortStableFunc(s.Kinds, func(a, b KindCount) int {
		if a.Files != b.Files {
			return b.Files - a.Files
		}
		return strings.Compare(string(a.Kind), string(b.Kind))
	})
	return s, nil
}

func (s *Survey) add(f *File) {
	s.Files++
	s.Bytes += max(f.Size, 0)
	if f.Touched {
		s.Touched++
	}
	if (f.Kind == RDB || f.Kind == AOF) && len(s.Snapshots) < maxSnapshots {
		s.Snapshots = append(s.Snapshots, Snapshot{f.Path, f.Kind, f.Server, f.Version, f.Saved, f.Size})
	}
	i := slices.IndexFunc(s.Kinds, func(k KindCount) bool { return k.Kind == f.Kind })
	if i < 0 {
		i = len(s.Kinds)
		s.Kinds = append(s.Kinds, KindCount{Kind: f.Kind})
	}
	s.Kinds[i].Files++
	s.Kinds[i].Bytes += max(f.Size, 0)
}
