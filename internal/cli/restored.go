package cli

import (
	"fmt"

	"github.com/valkeyfs/valkeyfs/internal/backup"
)

// restored is what became of a restore, as JSON.
type restored struct {
	Type       string    `json:"type"`     // "restore"
	Restored   bool      `json:"restored"` // it is in place, and was compared with the sealed manifest
	Label      string    `json:"label"`
	ID         string    `json:"id"`
	Directory  string    `json:"directory"`
	AsLog      bool      `json:"as_log,omitempty"` // the snapshot is the base of a log now
	Signatures bool      `json:"signatures"`       // they were looked at
	Bytes      int64     `json:"bytes"`
	Files      []setFile `json:"files"`           // of the set
	Aside      string    `json:"aside,omitempty"` // where what was there is now
	Advice     []string  `json:"advice"`          // what the server has to be told
	Warnings   []string  `json:"warnings"`
	Problems   []problem `json:"problems,omitempty"` // why it was not restored
}

// take says what was restored of a set.
func (r *restored) take(a *app, set *backup.Set, done *backup.Restored) {
	r.Restored = true
	r.Files = setFiles(set.Manifest, done.Inner, a.names)
	for _, f := range r.Files {
		r.Bytes += f.Size
	}
	if done.Aside != "" {
		r.Aside = a.names.Mask(done.Aside)
	}
	r.Advice = masked(done.Advice, a.names)
	for _, c := range done.Strange {
		r.Warnings = append(r.Warnings, a.names.Mask(fmt.Sprintf("%s: a command that no server writes, and that replay would run", c)))
	}
}
