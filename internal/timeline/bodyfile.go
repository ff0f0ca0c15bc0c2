package timeline

import (
	"fmt"
	"io"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/report"
)

// bodyfile is version 3.x of the Sleuth Kit's format, in seconds:
//
//	MD5|name|inode|mode_as_string|UID|GID|size|atime|mtime|ctime|crtime
//
// A file has one line with all its times; any other event has a line that is
// named by what happened, with its time in all four places: mactime(1) shows one
// that is 0 as a date.
type bodyfile struct{ w io.Writer }

func (b bodyfile) Event(e *Event) error {
	if e.File != nil {
		f := e.File
		if !f.Whole {
			return nil
		}
		_, err := fmt.Fprintf(b.w, "0|%s|0|%s|%d|%d|%d|%d|%d|%d|%d\n", field(e.Source), f.Mode, f.UID, f.GID, f.Size, f.Times[0], f.Times[1], f.Times[2], f.Times[3])
		return err
	}
	name := fmt.Sprintf("[%s, %s] %s", e.Kind, e.Basis, e.Message)
	if n := e.name(); n != "" {
		name += fmt.Sprintf("; db %d, key %s", e.DB, n)
	}
	_, err := fmt.Fprintf(b.w, "0|%s (%s:%d)|0|----------|0|0|0|%[4]d|%[4]d|%[4]d|%[4]d\n", field(name), field(e.Source), e.Offset, e.Time.Unix())
	return err
}

func (b bodyfile) End(*Summary) error { return nil }

// field is text between bars.
func field(s string) string { return strings.ReplaceAll(report.Escape(s), "|", "%7C") }
