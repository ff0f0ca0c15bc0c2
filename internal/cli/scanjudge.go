package cli

import (
	"github.com/valkeyfs/valkeyfs/internal/sigma"
	"github.com/valkeyfs/valkeyfs/internal/yara"
	"github.com/valkeyfs/valkeyfs/scan"
)

// judges reads rules in the languages of other tools.
func (f *scanFlags) judges(a *app, config *scan.Config) error {
	if len(f.sigma) > 0 {
		if k := &f.keys; k.key != "" || len(k.dbs)+len(k.types) > 0 {
			return usagef("--sigma: --db, --key and --type leave out commands, which belong to no key")
		}
		j, err := sigma.Load(f.sigma)
		if err != nil {
			return usagef("--sigma: %v", err)
		}
		if j.Others > 0 {
			a.stderr.printf("--sigma: left out %d files whose rules are for the logs of something else", j.Others)
		}
		config.Commands = j
	}
	if len(f.yara) > 0 {
		j, err := yara.Load(f.yara)
		if err != nil {
			return usagef("--yara: %v", err)
		}
		config.Values = j
	}
	return nil
}
