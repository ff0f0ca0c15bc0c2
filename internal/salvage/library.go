package salvage

import (
	"bytes"

	"github.com/valkeyfs/valkeyfs/internal/sds"
)

// refusedLibrary reports whether a server refuses a function library, and the whole
// file with it: its first line must name it, and the rest be Lua
// (functionExtractLibMetaData of src/functions.c). It is not run: what fails only then is
// not seen.
func refusedLibrary(code []byte) bool {
	if !bytes.HasPrefix(bytes.ToLower(code[:min(len(code), 5)]), []byte("#!lua")) {
		return false // of another engine, say
	}
	line, body, ok := bytes.Cut(code, []byte("\n"))
	if !ok || bytes.IndexByte(line, 0) >= 0 || !namesLibrary(line) {
		return true
	}
	return !isLua(body)
}

// namesLibrary reports whether a first line gives a library of Lua one name.
func namesLibrary(line []byte) bool {
	words, err := sds.Words(line)
	if err != nil || len(words) != 2 || len(words[0].Text) != len("#!lua") {
		return false
	}
	key, name, _ := bytes.Cut(words[1].Text, []byte("="))
	for _, c := range name {
		if !isAlnum(c) && c != '_' {
			return false
		}
	}
	return bytes.EqualFold(key, []byte("name")) && len(name) > 0
}
