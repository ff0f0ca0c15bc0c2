package scan

import "bytes"

// windowsFamily finds the commands by which Windows fetches and runs something with
// what it has on board.
var windowsFamily = []rule{
	{id: "windows-download", description: "Command of Windows that fetches and runs something", category: Artefact, severity: High, confidence: Likely, rank: rankCommand, technique: "T1105",
		keywords: []string{".downloadstring(", ".downloadfile(", ".downloaddata(", "invoke-webrequest ", "certutil ", "certutil.exe ", "bitsadmin ", "mshta ", "mshta.exe ", "regsvr32 ", "rundll32 ", "regsvr32.exe ", "rundll32.exe ", "irm ", "iwr ", "msiexec ", "msiexec.exe ",
			"wmic process call create", "schtasks /create"},
		find: findWindowsDownload, next: nextShell},
}

// windowsRun are words of which one stands beside a cmdlet that fetches, where what
// is fetched is run.
var windowsRun = newWordSet([]string{"iex ", "iex(", "| iex", "|iex", "invoke-expression", "start-process", "-windowstyle hidden", "-w hidden", "-ep bypass", "-executionpolicy bypass", "bypass", "cmd /c", "cmd.exe /c"})

// windowsStealth are words by which a command hides what it does.
var windowsStealth = newWordSet([]string{"hidden", "-enc", "-nop", "-noni", " /q", "$env:temp", "%temp%", `\temp\`, "appdata", "start /b"})

var (
	windowsFetch  = newWordSet([]string{"-urlcache", "/transfer", "-verifyctl", "javascript:", "vbscript:", "/i:http", "/i http", "-hidden", "-w hidden", "iwr ", "iex", "downloadstring"})
	windowsRemote = newWordSet([]string{"http:", "https:", "ftp:", `\\`, "javascript:", "vbscript:"})
)

func findWindowsDownload(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	begin, end := lineAround(d, from)
	line := d[begin:end]
	if !windowsRemote.match(line) {
		return
	}
	switch lower(d[from]) {
	case '.', 'i':
		if !windowsRun.match(line) {
			return
		}
	case 'm':
		if lower(d[from+1]) == 's' && lower(d[from+2]) == 'i' { // msiexec
			if !hasFold(line, "/i http") && !hasFold(line, "/i:http") {
				return
			}
			break
		}
		if rest := bytes.TrimLeft(d[to:end], ` "'`); !foldPrefix(rest, "http") && !windowsFetch.match(rest) {
			return // a sentence
		}
	default:
		if !windowsFetch.match(line) && !bytes.HasPrefix(bytes.TrimLeft(d[to:end], ` "'`), []byte(`\\`)) { // rundll32 of a share
			return
		}
	}
	if from > 0 && d[from] != '.' && isWord(d[from-1]) {
		return
	}
	w.reportInstaller(r, f, from, line, windowsStealth.match(line) || isStealthy(line))
}
