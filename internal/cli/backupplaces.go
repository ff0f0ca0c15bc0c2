package cli

import (
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/source"
)

// keepOut refuses to write into the data directory that is backed up. A service's
// user often has it for a home, and then the state directory lies there.
func (f *backupFlags) keepOut(a *app, dir string) error {
	places := [][2]string{{"--lock", f.lock}, {"--metrics", f.metrics}, {"--tmp", a.global.tmp}, {"--output", a.global.output}}
	if f.to != source.Stdin && !strings.Contains(f.to, "://") {
		places = append(places, [2]string{"--to", f.to})
	}
	for _, p := range places {
		if p[1] != "" && source.Within(dir, p[1]) {
			return usagef("%s %s lies in %s, where nothing is written", p[0], safe(p[1]), safe(dir))
		}
	}
	if state, err := stateDir(); err == nil && source.Within(dir, state) {
		return usagef("%s, where locks and what was done last are kept, lies in %s, where nothing is written: set XDG_STATE_HOME to another directory", safe(state), safe(dir))
	}
	return nil
}
