package scan

import "bytes"

// luaFamily finds scripts and functions that leave the sandbox: by loading a
// library (CVE-2022-0543), by running bytecode that no compiler made, by
// changing what all scripts share (CVE-2025-46818).
var luaFamily = []rule{
	{id: "lua-sandbox-escape", description: "Lua code that leaves the sandbox", category: Artefact, severity: Critical, confidence: Likely, rank: rankDelivery, technique: "T1059.011",
		keywords: []string{"package.loadlib", "io.popen", "os.execute", "\x1blua", "string.dump", "getmetatable(\"\")", "getmetatable('')", "debug.getregistry", "debug.setmetatable", "debug.getupvalue"}, find: findLua,
		next: "find out which commands ran with the server's rights, and upgrade the server"},
}

var (
	serverLua = newWordSet([]string{"redis.call", "redis.pcall", "server.call", "server.pcall", "redis.register_function", "server.register_function", "keys[", "argv[", "#!lua"})
	libraries = newWordSet([]string{".so", "luaopen_", ".dll"})
	functions = newWordSet([]string{"__index", "__gc", "__newindex"})
)

func findLua(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	text := near(d, from, to, maxLine)
	// In a script that a server runs each of the calls is an attempt; in other
	// text, what else the code says decides.
	server := w.leaf.where == WhereFunction || w.leaf.where == WhereArgument || serverLua.match(text)
	called := to < len(d) && (d[to] == '(' || d[to] == ' ' || d[to] == '"' || d[to] == '\'')
	confidence := Likely
	switch word := d[from:to]; {
	case word[0] == 0x1b:
		if to >= len(d) || d[to] != 0x51 && d[to] != 0x52 && d[to] != 0x53 && d[to] != 0x54 { // version (lundump.h)
			return
		}
		confidence = Confirmed
		w.report(r, f, from, min(len(d), to+8)).confidence = confidence
		return
	case hasFold(word, "loadlib"):
		if !called || !libraries.match(near(d, from, to, 256)) {
			return
		}
		confidence = Confirmed
	case hasFold(word, "metatable(\""), hasFold(word, "metatable('"):
		if !server || !functions.match(near(d, from, to, 256)) {
			return
		}
	case hasFold(word, "string.dump"):
		if !server || !bytes.Contains(text, []byte("loadstring")) {
			return
		}
	default:
		if !server || !called || from > 0 && isWord(d[from-1]) {
			return
		}
	}
	w.reportLine(r, f, from).confidence = confidence
}
