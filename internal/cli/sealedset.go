package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"

	"github.com/valkeyfs/valkeyfs/aof"
	"github.com/valkeyfs/valkeyfs/internal/backup"
	"github.com/valkeyfs/valkeyfs/internal/replay"
	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// setManifest is the file that a sealed set has in its directory.
const setManifest = "manifest.json"

// sealedSet opens the sealed set that lies at path; nil if none does.
func (a *app) sealedSet(ctx context.Context, path string) (*backup.Set, error) {
	if info, err := os.Stat(filepath.Join(path, setManifest)); err != nil || !info.Mode().IsRegular() {
		return nil, nil //nolint:nilerr // it is something else, or nothing
	}
	store, ref, err := backup.Split(ctx, path, func(l string) (backup.Store, error) { return backup.OpenDir(l, false) })
	if err != nil {
		return nil, err
	}
	return backup.OpenSet(ctx, store, ref)
}

// setData returns what yields, as often as it is asked, what a sealed set holds in the
// end.
func (a *app) setData(ctx context.Context, tmp string, set *backup.Set, match func(*keyspace.Event) bool) (func() (keyspace.Seq, error), error) {
	if len(a.global.identities) == 0 {
		return nil, usagef("%s is a sealed set: an identity is needed, by -i", safe(set.Manifest.ID))
	}
	ids, err := a.identities("the set")
	if err != nil {
		return nil, err
	}
	parts, snapshot, err := set.Data(ctx, ids)
	if err != nil {
		return nil, err
	}
	if len(parts) == 0 {
		return nil, errors.New("the set " + strconv.Quote(set.Manifest.ID) + " holds no data")
	}
	if snapshot {
		return func() (keyspace.Seq, error) {
			r, err := parts[0].Open()
			if err != nil {
				return nil, err
			}
			seq := rdb.NewReader(r, rdb.Options{Source: parts[0].Source, AsOf: a.global.asOf.ms, Want: match, Resync: true}).Events(ctx)
			return func(yield func(*keyspace.Event, error) bool) {
				defer r.Close()
				damaging(seq)(yield)
			}, nil
		}, nil
	}
	return func() (keyspace.Seq, error) {
		l, err := replay.Open(ctx, func(r replay.Reading) keyspace.Seq {
			return damaging(aof.Events(ctx, parts, aof.Options{AsOf: a.global.asOf.ms, Skim: r.Skim, Want: r.Want, Pass: r.Pass, Resync: true}))
		}, replay.Point{}, replay.Options{Workers: a.global.workers, MaxMem: int64(a.global.maxMem) / 2, Tmp: tmp})
		if err != nil {
			return nil, err
		}
		return a.state(ctx, l, set.Manifest.ID), nil
	}, nil
}

// damaging makes Damage of an error that says what could not be read.
func damaging(seq keyspace.Seq) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		for e, err := range seq {
			if err != nil {
				if d := source.AsDamage(err); d != nil {
					yield(d, nil)
					return
				}
			}
			if !yield(e, err) {
				return
			}
		}
	}
}
