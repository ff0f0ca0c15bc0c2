package scan

import "bytes"

// minerFamily finds what miners of cryptocurrencies are started with.
var minerFamily = []rule{
	{id: "mining-pool", description: "Address of a mining pool", category: Artefact, severity: High, confidence: Confirmed, rank: rankCommand, technique: "T1496.001",
		keywords: []string{"stratum+tcp://", "stratum+ssl://", "stratum+tls://", "stratum+udp://", "stratum2+tcp://", "stratum1+tcp://", "stratum+tcps://"}, find: findPool, next: nextMiner},
	{id: "miner", description: "Command line or configuration of a miner", category: Artefact, severity: High, confidence: Likely, rank: rankCommand, technique: "T1496.001",
		keywords: []string{"xmrig", "minerd ", "xmr-stak", "donate-level", "kdevtmpfsi", "kinsing", "cryptonight", "ccminer ", "cpuminer", "rx/0", "autosave"}, find: findMiner, next: nextMiner},
}

const nextMiner = "look for the process on every host that the server's account can reach"

// maxPool bounds the address of a pool.
const maxPool = 256

// findPool reports the URL.
func findPool(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	end := trimURL(d, to, run(d, to, maxPool, isURLByte))
	host := d[to:end]
	colon := bytes.IndexByte(host, ':')
	if colon < 3 || colon+1 >= len(host) || !isDigit(host[colon+1]) || placeholder(host) {
		return
	}
	w.report(r, f, from, end)
}

// What tells a miner's command line and configuration from its name in a text.
var (
	minerOptions = newWordSet([]string{" -o ", " --url", " -u ", " --user", " --coin", " --donate", " -a ", " --algo", "--nicehash", " -c /tmp", ":3333", ":4444", ":5555", ":7777", ":14444", ":443 -u", "/tmp/", "/var/tmp/", "/dev/shm/"})
	minerConfig  = newWordSet([]string{"\"pools\"", "\"url\"", "\"coin\""})
	minerUser    = newWordSet([]string{"\"user\"", "\"wallet\"", "\"rig-id\"", "\"pass\""})
)

func findMiner(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	if f.isName && f.parent != nil { // a member of a configuration
		d = f.parent.data
		d = d[:min(len(d), 16<<10)]
		if string(f.data) == "autosave" && minerConfig.match(d) && minerUser.match(d) && namesMonero(d) {
			w.report(r, f, from, to)
		}
		if string(f.data) == "donate-level" && minerConfig.match(d) && minerUser.match(d) {
			w.report(r, f, from, to)
		}
		return
	}
	begin, end := lineAround(d, from)
	line := d[begin:end]
	switch d[from] {
	case 'a', 'A':
		return // matters as a name alone
	case 'r', 'R': // the algorithm
		if minerOptions.match(line) && namesMonero(line) {
			w.reportLine(r, f, from)
		}
		return
	}
	at := from - begin
	for at > 0 && line[at-1] > ' ' && bytes.IndexByte([]byte(";&|(`\"'"), line[at-1]) < 0 {
		at-- // to the beginning of the path
	}
	if commandAt(line, at) && minerOptions.match(line) && afterCommand(bytes.TrimLeft(d[run(d, to, 64, func(b byte) bool { return b > ' ' }):end], " ")) {
		w.reportLine(r, f, from)
	}
}

// namesMonero reports whether a word of a text has the form of an address of Monero:
// 95 digits of base 58, or 106 of one that is integrated, which begin with 4 or 8.
func namesMonero(text []byte) bool {
	for i := 0; i < len(text); i++ {
		if end := run(text, i, 128, isAlnum); end > i {
			if n := end - i; (n == 95 || n == 106) && (text[i] == '4' || text[i] == '8') && !bytes.ContainsAny(text[i:end], "0OIl") {
				return true
			}
			i = end
		}
	}
	return false
}
