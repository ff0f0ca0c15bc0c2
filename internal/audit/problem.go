package audit

import (
	"fmt"

	"github.com/valkeyfs/valkeyfs/internal/conf"
)

func newProblem(d conf.Directive, fatal bool, format string, args ...any) conf.Problem {
	return conf.Problem{File: d.File, Line: d.Line, What: fmt.Sprintf(format, args...), Fatal: fatal}
}
