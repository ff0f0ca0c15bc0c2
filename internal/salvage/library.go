package salvage

import (
	"bytes"
	"regexp"

	"github.com/yuin/gopher-lua/parse"
)

// maxLibrary is the longest function library that is judged, in bytes.
const maxLibrary = 4 << 20

var shebang = regexp.MustCompile(`(?i)^#!lua[ \t]+name=["']?[a-z0-9_]+["']?[ \t\r]*$`)

// refusedLibrary reports whether a server refuses a function library, and the whole
// file with it: its first line must name it, and the rest be Lua (functionsCreateWithLibraryCtx
// of src/functions.c). It is not run: what fails only then is not seen.
func refusedLibrary(code []byte) bool {
	if !bytes.HasPrefix(bytes.ToLower(code[:min(len(code), 5)]), []byte("#!lua")) || len(code) > maxLibrary {
		return false // of another engine, say
	}
	line, body, _ := bytes.Cut(code, []byte("\n"))
	if !shebang.Match(line) {
		return true
	}
	_, err := parse.Parse(bytes.NewReader(body), "")
	return err != nil
}
