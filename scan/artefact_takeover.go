package scan

import "bytes"

// takeoverFamily finds what an intruder told the server itself, in its
// configuration, its log, the history of its client, and its log of commands.
var takeoverFamily = []rule{
	{id: "config-takeover", description: "Setting that makes snapshots land where a host runs or trusts them", category: Artefact, severity: Critical, confidence: Likely, rank: rankCommand, technique: "T1565.001",
		keywords: []string{"dir /", "dir \"/", "dir '/", "dir ~", "dir c:", "dir \"c:", "dbfilename "}, find: findSetting, next: "look at the file that it names, and restore dir and dbfilename"},
	{id: "module-load", description: "Module loaded from where no package puts one", category: Artefact, severity: Critical, confidence: Likely, rank: rankCommand, technique: "T1129",
		keywords: []string{"loaded from /", "loadmodule ", "module load ", "module loadex "}, find: findModuleLoad, next: "look for the file, unload the module, and isolate the host"},
	{id: "rogue-replication", description: "Trace of a rogue primary", category: Artefact, severity: Critical, confidence: Confirmed, rank: rankCommand, technique: "T1129",
		keywords: []string{rogueID, "system.exec ", "system.rev ", "shell.exec "}, find: findRogue, next: "isolate the host: the server loaded a module from a host that posed as its primary"},
	{id: "rogue-replication", description: "Server told to copy a host of the public network", category: Artefact, severity: High, confidence: Possible, rank: rankCommand, technique: "T1129",
		keywords: []string{"slaveof ", "replicaof "}, find: findPrimary, next: "find out whose the address is"},
	{id: unloggedCommand, description: "Command that no server writes to its log", category: Artefact, severity: Critical, confidence: Likely, rank: rankDelivery, technique: "T1565.001",
		find: findUnlogged, next: "do not replay the log: it runs without access control"},
	{id: misplacedSnapshot, description: "Snapshot in the place of a file that a host runs or trusts", category: Artefact, severity: Critical, confidence: Confirmed, rank: rankDelivery, technique: "T1053.003",
		find: findMisplaced, next: "read the keys of the snapshot for what was to be run, and isolate the host"},
}

const (
	unloggedCommand   = "unlogged-command"
	misplacedSnapshot = "misplaced-snapshot"
)

// places are directories and files that a snapshot is not written to.
var places = []struct{ part, technique string }{
	{"/var/spool/cron", "T1053.003"}, {"/etc/cron", "T1053.003"}, {"/.ssh", "T1098.004"}, {"authorized_keys", "T1098.004"},
	{"/var/www", "T1505.003"}, {"/usr/share/nginx", "T1505.003"}, {"/srv/www", "T1505.003"}, {"/htdocs", "T1505.003"}, {"public_html", "T1505.003"}, {"/webapps/", "T1505.003"},
	{"/etc/init.d", "T1037.004"}, {"/etc/rc", "T1037.004"}, {"/etc/systemd", "T1543.002"}, {"/etc/profile.d", "T1546.004"}, {"/etc/ld.so", "T1574.006"},
	{".php", "T1505.003"}, {".phtml", "T1505.003"}, {".jsp", "T1505.003"}, {".jspx", "T1505.003"}, {".asp", "T1505.003"}, {".aspx", "T1505.003"},
	{".so", "T1129"}, {"crontab", "T1053.003"}, {"/StartUp", "T1547.001"}, {`\StartUp`, "T1547.001"}, {"/Startup", "T1547.001"}, {`\Startup`, "T1547.001"}, {`\inetpub\`, "T1505.003"},
}

// placeTechnique says what a snapshot at a path is for; "" if nothing is wrong
// with the path.
func placeTechnique(path []byte) string {
	for _, p := range places {
		switch k := bytes.Index(path, []byte(p.part)); {
		case k < 0:
		case p.part[0] == '.' && k+len(p.part) != len(path): // of another suffix
		default:
			return p.technique
		}
	}
	return ""
}

// findSetting: "dir /etc/cron.d", "config set dbfilename authorized_keys".
func findSetting(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	begin, end := lineAround(d, from)
	before := bytes.ToLower(bytes.Trim(d[begin:from], " \t\""))
	set := bytes.HasSuffix(before, []byte("config set"))
	if len(before) > 0 && !set {
		return
	}
	if !set && bytes.IndexByte(d[to:end], '\\') >= 0 && hasFold(d[from:to], "dir") {
		return // a command of Windows that lists a directory
	}
	at := from + run(d[from:], 0, 16, isWord)
	value := bytes.TrimSpace(d[at:end])
	quoted := len(value) > 0 && (value[0] == '"' || value[0] == '\'')
	value = bytes.Trim(value, `"'`)
	if k := bytes.IndexAny(value, " \t"); k >= 0 && !quoted {
		if !set {
			return // a sentence
		}
		value = value[:k]
	}
	name := hasFold(d[from:at], "dbfilename")
	technique := placeTechnique(value)
	if technique == "" && name && string(value) == "root" {
		technique = "T1053.003" // the table of root
	}
	if technique != "" {
		w.reportLine(r, f, from).technique = technique
	}
}

var moduleFiles = newWordSet([]string{"/tmp/", "/dev/shm/", "/var/tmp/", "exp.so", "red2.so", "exp_lin.so", "/home/", "/root/"})

// findModuleLoad: "Module 'system' loaded from /tmp/exp.so" (module.c), and the
// directive and command that ask for it.
func findModuleLoad(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	begin, end := lineAround(d, from)
	before := bytes.TrimSpace(d[begin:from])
	if d[to-1] == '/' {
		if !bytes.Contains(before, []byte("Module '")) {
			return
		}
		to--
	} else if len(before) > 0 && !isPrompt(before) && !isClient(before) {
		return
	}
	path := bytes.TrimLeft(d[to:end], " \t\"'")
	path = path[:run(path, 0, maxLine, func(b byte) bool { return b > ' ' && b != '"' && b != '\'' })]
	if len(path) > 1 && path[0] == '/' && moduleFiles.match(path) {
		w.reportLine(r, f, from)
	}
}

// isPrompt: 127.0.0.1:6379>.
func isPrompt(v []byte) bool { return v[len(v)-1] == '>' && bytes.IndexByte(v, ' ') < 0 }

// isClient: redis-cli -h host.
func isClient(v []byte) bool {
	return bytes.HasPrefix(v, []byte("redis-cli")) || bytes.HasPrefix(v, []byte("valkey-cli"))
}

// isUsualPort reports whether servers listen at a port: the default and those after
// it, those of clusters and Sentinel.
func isUsualPort(port []byte) bool {
	n, ok := number(port)
	return ok && (n >= 6300 && n < 6400 || n >= 7000 && n < 7100 || n == 16379 || n == 26379)
}

// findPrimary: REPLICAOF 203.0.113.7 21000, a public address and a port that no
// server listens at.
func findPrimary(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	begin, end := lineAround(d, from)
	if before := bytes.TrimSpace(d[begin:from]); len(before) > 0 && !isPrompt(before) && !isClient(before) {
		return
	}
	words := bytes.Fields(d[to:end])
	if len(words) != 2 || !isDigits(words[1]) || isUsualPort(words[1]) || !addressShape(words[0]) {
		return
	}
	w.reportLine(r, f, from)
}

// rogueID is what the common script sends as its replication id.
const rogueID = "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"

func findRogue(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	if d[to-1] != ' ' {
		if (from == 0 || lower(d[from-1]) != 'z') && (to == len(d) || lower(d[to]) != 'z') && string(d[from:to]) == string(bytes.ToUpper([]byte(rogueID))) {
			w.report(r, f, from, to)
		}
		return
	}
	begin, end := lineAround(d, from)
	if before := bytes.TrimSpace(d[begin:from]); (len(before) == 0 || isPrompt(before)) && afterModuleCommand(d[to:end]) {
		w.reportLine(r, f, from).confidence = Likely
	}
}

// afterModuleCommand: what a shell is to run is quoted, or a single word.
func afterModuleCommand(rest []byte) bool {
	rest = bytes.TrimSpace(rest)
	return len(rest) > 0 && (rest[0] == '"' || rest[0] == '\'' || bytes.IndexByte(rest, ' ') < 0 || isDigit(rest[0]))
}

// commandTechniques say what the commands are for with which a log is laced.
var commandTechniques = map[string]string{
	"MODULE": "T1129", "ACL": "T1098", "AUTH": "T1078", "EVAL": "T1059.011", "EVALSHA": "T1059.011", "FCALL": "T1059.011", "SCRIPT": "T1059.011", "EVAL_RO": "T1059.011", "FCALL_RO": "T1059.011",
	"REPLICAOF": "T1129", "SLAVEOF": "T1129", "MIGRATE": "T1020", "CONFIG": "T1562.001", "SHUTDOWN": "T1489", "DEBUG": "T1499.004", "CLUSTER": "T1565.001", "FAILOVER": "T1565.001",
	"SYSTEM.EXEC": "T1059.004", "SYSTEM.REV": "T1059.004", "SHELL.EXEC": "T1059.004",
}

// findUnlogged takes a command of a log, its arguments joined by spaces.
func findUnlogged(w *worker, r *rule, f *fragment, from, to int) {
	m := w.report(r, f, 0, len(f.data))
	name := bytes.ToUpper(f.data[:run(f.data, 0, 64, func(b byte) bool { return b > ' ' })])
	technique, known := commandTechniques[string(name)]
	if !known {
		m.severity, m.confidence = Medium, Possible // a command that reads does no harm: something else wrote the log
		return
	}
	if place := placeTechnique(f.data); place != "" { // CONFIG SET dir /etc/cron.d
		technique = place
	}
	m.technique = technique
}

// findMisplaced takes the path of a snapshot.
func findMisplaced(w *worker, r *rule, f *fragment, from, to int) {
	if technique := misplaced(f.data); technique != "" {
		w.report(r, f, 0, len(f.data)).technique = technique
	}
}

// misplaced says what a snapshot at a path is for. Below the pages of a web
// server one that is called what snapshots are called can be an application's.
func misplaced(path []byte) string {
	technique := placeTechnique(path)
	if technique == "T1505.003" && bytes.HasSuffix(path, []byte(".rdb")) {
		return ""
	}
	return technique
}
