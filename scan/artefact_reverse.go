package scan

import "bytes"

// reverseShellFamily finds one-liners that connect an interpreter to a socket.
var reverseShellFamily = []rule{
	{id: "reverse-shell", description: "Command that connects a shell to a remote host", category: Artefact, severity: Critical, confidence: Likely, rank: rankCommand, technique: "T1059.004",
		keywords: reverseKeywords(), find: findReverse, next: nextShell},
}

// A reverseShell is a call that matters where each of the groups of words
// occurs around it.
type reverseShell struct {
	keyword string
	with    []*wordSet
}

var (
	shells  = newWordSet([]string{"/bin/sh", "/bin/bash", "/bin/zsh", "sh -i", "bash -i", "|sh", "| sh", "|bash", "| bash", "cmd.exe", "powershell", "exec(", "popen(", "system(", "proc_open", "exec %"})
	connect = newWordSet([]string{"connect(", "connect ", "peeraddr", "create_connection"})
	socket  = newWordSet([]string{"socket"})
	netcat  = newWordSet([]string{"nc ", "ncat ", "netcat ", "nc.traditional ", "telnet ", "s_client", "/nc"})
)

var reverseShells = []reverseShell{
	{"os.dup2(", []*wordSet{socket, connect}},
	{"pty.spawn(", []*wordSet{socket, connect}},
	{"fsockopen(", []*wordSet{shells}},
	{"mkfifo ", []*wordSet{netcat, shells}},
	{"mknod ", []*wordSet{netcat, shells}},
	{"tcpsocket.", []*wordSet{shells, newWordSet([]string{".new(", ".open("})}},
	{"sockets.tcpclient(", []*wordSet{newWordSet([]string{"getstream"})}},
	{"open(stdin,", []*wordSet{socket, newWordSet([]string{"exec"})}},
	{"socat ", []*wordSet{newWordSet([]string{"exec:", "system:"}), newWordSet([]string{"tcp:", "tcp4:", "tcp-connect:", "openssl:", "openssl-connect:"})}},
	{" -e /bin/", []*wordSet{netcat}},
	{" -c /bin/", []*wordSet{netcat}},
	{" -e sh", []*wordSet{netcat}},
	{" -e bash", []*wordSet{netcat}},
	{"nc -e ", []*wordSet{newWordSet([]string{"/sh", "bash", " sh", "cmd"})}},
	{"ncat -e ", []*wordSet{newWordSet([]string{"/sh", "bash", " sh", "cmd"})}},
	{"socket.tcp(", []*wordSet{connect, newWordSet([]string{"os.execute(", "io.popen("})}},
	{"zsh/net/tcp", []*wordSet{newWordSet([]string{"ztcp "})}},
	{"net.dial(", []*wordSet{newWordSet([]string{"exec.command("})}},
	{"net.socket(", []*wordSet{newWordSet([]string{"child_process"}), connect}},
	{"new socket(", []*wordSet{newWordSet([]string{"processbuilder(", "runtime().exec("}), newWordSet([]string{"getinputstream"})}},
	{"curl -ns telnet://", []*wordSet{shells}},
	{"xterm -display ", nil},
	{"/inet/tcp/", []*wordSet{newWordSet([]string{"getline", "|&"})}},
}

var reverseWith = func() map[string][]*wordSet {
	out := map[string][]*wordSet{}
	for _, s := range reverseShells {
		out[s.keyword] = s.with
	}
	return out
}()

func reverseKeywords() []string {
	out := []string{"/dev/tcp/", "/dev/udp/"}
	for _, s := range reverseShells {
		out = append(out, s.keyword)
	}
	return out
}

// aroundReverse is how far the parts of a one-liner lie from each other.
const aroundReverse = 768

func findReverse(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	if d[from] == '/' && d[from+1] == 'd' {
		findDevTCP(w, r, f, from, to)
		return
	}
	var folded [32]byte
	keyword := folded[:copy(folded[:], d[from:to])]
	for i := range keyword {
		keyword[i] = lower(keyword[i])
	}
	if from > 0 && isWord(d[from]) && isWord(d[from-1]) {
		return
	}
	text := near(d, from, to, aroundReverse)
	for _, words := range reverseWith[string(keyword)] {
		if !words.match(text) {
			return
		}
	}
	if !bytes.ContainsAny(text, "0123456789") {
		return // no port
	}
	w.reportLine(r, f, from)
}

// findDevTCP: bash -i >& /dev/tcp/host/port 0>&1, exec 5<>/dev/tcp/host/port.
func findDevTCP(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	begin, end := lineAround(d, from)
	host := run(d, to, 256, func(b byte) bool {
		return isAlnum(b) || b == '.' || b == '-' || b == ':' || b == '$' || b == '{' || b == '}' || b == '_'
	})
	if host == to || host >= end || d[host] != '/' {
		return
	}
	if port := run(d, host+1, 6, isDigit); port == host+1 {
		return
	}
	before := bytes.TrimRight(d[begin:from], " \t")
	if len(before) > 0 && bytes.IndexByte([]byte("&><"), before[len(before)-1]) >= 0 {
		w.reportLine(r, f, from)
	}
}
