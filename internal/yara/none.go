//go:build !yara

package yara

import "github.com/valkeyfs/valkeyfs/scan"

// Available reports whether this build has the engine.
const Available = false

// Load reports ErrNotBuilt.
func Load([]string) (scan.ValueJudge, error) { return nil, ErrNotBuilt }
