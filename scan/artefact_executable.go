package scan

import (
	"bytes"
	"encoding/binary"
)

// executableFamily finds programs and libraries that are kept as values: what
// rogue replication leaves, and what is staged to be loaded as a module.
var executableFamily = []rule{
	{id: "module-payload", description: "Library that a server can load as a module", category: Artefact, severity: Critical, confidence: Confirmed, rank: rankDelivery, technique: "T1129",
		keywords: []string{"\x7felf"}, find: findModule, next: "look for the module in MODULE LIST and loadmodule lines, and isolate the host"},
	{id: "executable-payload", description: "Executable program or library", category: Artefact, severity: High, confidence: Likely, rank: rankCommand, technique: "T1105",
		keywords: []string{"\x7felf", "this program cannot be run in dos mode", "this program must be run under win32", "mz\x90", "\xcf\xfa\xed\xfe"}, find: findExecutable, next: nextShell},
}

// elfHeader is the length of what is judged of an ELF file (elf(5)): the
// identification, the type and the machine.
const elfHeader = 20

// isELF reports whether an ELF file begins at a place that only line breaks go
// before.
func isELF(d []byte, from int) bool {
	if len(d)-from < elfHeader || run(d, 0, 64, isSpace) != from || string(d[from:from+4]) != "\x7fELF" {
		return false
	}
	h := d[from:]
	if h[4] != 1 && h[4] != 2 || h[5] != 1 && h[5] != 2 || h[6] != 1 { // class, byte order, version
		return false
	}
	kind := binary.LittleEndian.Uint16(h[16:])
	if h[5] == 2 {
		kind = binary.BigEndian.Uint16(h[16:])
	}
	return kind >= 1 && kind <= 3 // relocatable, executable, shared
}

// moduleSymbols is what a server looks up in a module (module.c, moduleLoad).
var moduleSymbols = [...]string{"RedisModule_OnLoad", "ValkeyModule_OnLoad"}

func findModule(w *worker, r *rule, f *fragment, from, to int) {
	if !isELF(f.data, from) {
		return
	}
	for _, s := range moduleSymbols {
		if k := bytes.Index(f.data[from:], []byte(s)); k >= 0 {
			w.report(r, f, from+k, from+k+len(s))
			return
		}
	}
}

func findExecutable(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	switch d[from] {
	case 0xcf: // Mach-O: the type of the processor follows
		if from == 0 && len(d) > 16 && (d[4] == 7 || d[4] == 12) && d[7] == 1 {
			w.report(r, f, 0, 16)
		}
		return
	case 'M': // of Windows: the header says where the signature stands
		if from > 0 || len(d) < 64 {
			return
		}
		if at := int64(binary.LittleEndian.Uint32(d[60:])); at+4 <= int64(len(d)) && string(d[at:at+4]) == "PE\x00\x00" {
			w.report(r, f, 0, 64)
		}
		return
	case 0x7f:
	default:
		if len(d) < 64 || d[0] != 'M' || d[1] != 'Z' || from > 1<<10 {
			return
		}
		w.report(r, f, from, to)
		return
	}
	if !isELF(d, from) {
		return
	}
	for _, s := range moduleSymbols {
		if bytes.Contains(d[from:], []byte(s)) {
			return
		}
	}
	w.report(r, f, from, from+elfHeader)
}
