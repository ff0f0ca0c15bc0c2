// Package yara judges values by YARA rules. The engine is libyara, which needs
// cgo: it is in builds with the tag yara alone. Without it Load says so.
package yara

import "errors"

// ErrNotBuilt is the error of a build without the engine.
var ErrNotBuilt = errors.New("this build has no YARA engine: build it with cgo, libyara 4.2 and -tags yara (make yara)")
