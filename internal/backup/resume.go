package backup

import (
	"context"
	"encoding/json"
	"errors"
	"path"
	"slices"
	"time"
)

// Begun is a set that is being made, and those of its members that are whole at
// the destination. The host keeps it: what the destination alone says of a set
// without a manifest is not to be signed.
type Begun struct {
	ID      string   `json:"id"`
	Label   string   `json:"label"`
	Members []Member `json:"members"`
}

// resumable is how long a set may lie unfinished and still be gone on with: pruning
// takes it for given up later (garbageAge), and not while it is being completed.
const resumable = garbageAge / 2

// ParseBegun reads what a host kept. Nothing in it can name a file outside its set.
func ParseBegun(data []byte) (*Begun, error) {
	b := &Begun{}
	if len(data) > maxManifest || json.Unmarshal(data, b) != nil || !idForm.MatchString(b.ID) || CheckLabel(b.Label) != nil {
		return nil, ErrManifest
	}
	for i := range b.Members {
		if e := &b.Members[i]; !memberForm.MatchString(e.Name) || !e.valid(e.Name) || e.Set != "" || e.Stamp == "" {
			return nil, ErrManifest
		}
	}
	return b, nil
}

// age is how long ago the set was begun, as its name says.
func (b *Begun) age(now time.Time) time.Duration {
	stamp, err := time.Parse(idTime, b.ID[:len(idTime)])
	if err != nil {
		return resumable
	}
	return now.Sub(stamp)
}

// resume goes on with the set that was being made when the run before was
// interrupted. A set that was complete once is not touched.
func (cr *creator) resume(ctx context.Context) error {
	b := cr.o.Begun
	if b == nil || b.Label != cr.o.Label || b.age(cr.m.Started) >= resumable || b.ID >= cr.m.ID || cr.previous != nil && cr.previous.ID >= b.ID {
		return nil
	}
	objects, err := cr.store.List(ctx, path.Join(b.Label, b.ID)+"/")
	if errors.Is(err, ErrWriteOnly) {
		return nil
	}
	if err != nil {
		return err
	}
	there := map[string]int64{}
	for _, o := range objects {
		there[path.Base(o.Name)] = o.Size
	}
	for _, name := range []string{manifestName, prunedName} {
		if _, ok := there[name]; ok {
			return nil
		}
	}
	for _, m := range b.Members {
		if there[m.Name] == m.Size {
			cr.begun.Members = append(cr.begun.Members, m)
		}
	}
	if len(cr.begun.Members) > 0 {
		cr.m.ID, cr.in.ID = b.ID, b.ID
	}
	return nil
}

// left returns the member of that name if the interrupted run wrote it of the same
// file, for the same recipients.
func (cr *creator) left(it *item, name string) (Member, bool) {
	stamp := it.stamp(cr.o.Recipients)
	for _, m := range cr.begun.Members {
		if m.Name == name && m.Stamp == stamp && stamp != "" {
			cr.result.Resumed++
			return m, true
		}
	}
	return Member{}, false
}

// sent tells of a member that is whole at the destination. Without a stamp it
// could not be told from another.
func (cr *creator) sent(m Member) {
	if m.Stamp == "" || cr.o.Sent == nil {
		return
	}
	cr.begun.ID, cr.begun.Label = cr.m.ID, cr.m.Label
	cr.begun.Members = append(slices.DeleteFunc(cr.begun.Members, func(e Member) bool { return e.Name == m.Name }), m)
	cr.o.Sent(&cr.begun)
}
