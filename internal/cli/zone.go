package cli

import (
	"fmt"
	"time"
	_ "time/tzdata" // zones, on hosts that have none

	"github.com/spf13/pflag"
)

// zone is a time zone as a flag.
type zone struct{ *time.Location }

func (z *zone) Type() string { return "ZONE" }

func (z *zone) Set(name string) (err error) {
	if z.Location, err = time.LoadLocation(name); err != nil {
		return fmt.Errorf("no zone is known by the name %q", name)
	}
	return nil
}

// flag makes the flag --log-zone of z.
func (z *zone) flag(f *pflag.FlagSet) {
	z.Location = time.UTC
	f.Var(z, "log-zone", "the `ZONE` of servers' logs that do not say it, such as Europe/Berlin")
}
