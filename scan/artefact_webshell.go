package scan

import "bytes"

// webShellFamily finds pages that run what a request tells them to.
var webShellFamily = []rule{
	{id: "web-shell", description: "Web page that runs what a request tells it to", category: Artefact, severity: Critical, confidence: Confirmed, rank: rankCommand, technique: "T1505.003",
		keywords: []string{"$_post[", "$_get[", "$_request[", "$_cookie[", "$_server[", "$_files[", "$_post{", "$_request{", "php://input",
			"getruntime().exec(", "processbuilder(", "process.start(", "defineclass(", "eval(request", "execute(request", "eval request", "execute request", "wscript.shell", "fileoutputstream(request",
			"eval(base64_decode(", "eval(gzinflate(", "eval(gzuncompress(", "eval(str_rot13(", "assert(base64_decode("}, find: findWebShell,
		next: nextWebShell},
	{id: "web-shell", description: "Program that runs what a request tells it to", category: Artefact, severity: Critical, confidence: Likely, rank: rankCommand, technique: "T1505.003",
		keywords: []string{"os.popen(", "os.system(", "subprocess.", "child_process", "system($", "<cfexecute"}, find: findScriptShell, next: nextWebShell},
}

const nextWebShell = "look for a snapshot in the directories of the web server, and in its log for requests to it"

// scriptInput is where programs of Python, Node, Perl and ColdFusion have what a
// request says.
var scriptInput = newWordSet([]string{"fieldstorage(", "request.args", "request.form", "request.values", "request.query", "req.query", "req.body", "req.params", ".query.", "->param(", "#url.", "#form."})

// aroundCall is how far behind the name of a call its arguments are looked for.
const aroundCall = 160

var scriptCalls = [...]string{"exec(", "execsync(", "spawn(", "spawnsync("}

// findScriptShell: os.popen(request.args.get("c")).
func findScriptShell(w *worker, r *rule, f *fragment, from, to int) {
	rest := f.data[to:min(len(f.data), to+aroundCall)]
	switch name := f.data[from:to]; {
	case name[len(name)-1] == '(' || name[len(name)-1] == '$':
		rest = arguments(rest)
	case name[0] == '<':
	case lower(name[0]) == 'c': // the module; its calls follow
		at, small := -1, bytes.ToLower(rest)
		for _, call := range scriptCalls {
			if k := bytes.Index(small, []byte(call)); k >= 0 && (at < 0 || k+len(call) < at) {
				at = k + len(call)
			}
		}
		if at < 0 {
			return
		}
		rest = arguments(rest[at:])
	default: // subprocess.run(
		rest = arguments(rest[bytes.IndexByte(rest, '(')+1:])
		if program := bytes.TrimLeft(rest, " "); len(program) > 1 && program[0] == '[' && (program[1] == '"' || program[1] == '\'') {
			return // it has a name, and only gets what a request says
		}
	}
	if scriptInput.match(rest) {
		w.reportLine(r, f, from)
	}
}

// arguments returns what stands before the bracket that closes a call.
func arguments(rest []byte) []byte {
	for depth, i := 1, 0; i < len(rest); i++ {
		switch rest[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return rest[:i]
			}
		}
	}
	return rest
}

var (
	phpDecoders = newWordSet([]string{"base64_decode(", "openssl_decrypt(", "gzinflate(", "gzuncompress(", "str_rot13(", "mcrypt_decrypt("})
	phpRuns     = newWordSet([]string{"eval($", "assert($", "create_function(", "eval(openssl_decrypt($", "eval(base64_decode($", "eval(gzinflate(", "eval(mcrypt_decrypt("})
)

// runsDecoded reports whether a page unpacks something and runs a variable.
func runsDecoded(page []byte) bool {
	if k := bytes.Index(page, []byte("?>")); k >= 0 {
		page = page[:k]
	}
	return phpDecoders.match(page) && phpRuns.match(page)
}

// callsVariable: $f($_POST['x']): a variable names the function.
func callsVariable(before []byte) bool {
	before = bytes.TrimRight(before, " (@")
	name := runBack(before, len(before), 64, isWord)
	return name > 0 && name < len(before) && before[name-1] == '$'
}

// phpSinks run or write what they are given.
var phpSinks = []string{"eval", "assert", "system", "exec", "passthru", "shell_exec", "popen", "proc_open", "copy", "pcntl_exec", "create_function", "call_user_func", "call_user_func_array",
	"preg_replace", "include", "include_once", "require", "require_once", "file_put_contents", "move_uploaded_file", "fwrite", "fputs", "array_map", "usort", "unserialize"}

const aroundPage = 2 << 10 // a web shell is short

func findWebShell(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	php, other := d[from] == '$' || hasFold(d[from:to], "base64_decode") || hasFold(d[from:to], "gz") || hasFold(d[from:to], "rot13") || hasFold(d[from:to], "php:"), false
	open := bytes.LastIndex(d[max(0, from-aroundPage):from], []byte("<?"))
	if !php {
		open = bytes.LastIndex(d[max(0, from-aroundPage):from], []byte("<%"))
		other = requests.match(near(d, from, to, aroundPage))
	}
	if open < 0 {
		open = bytes.LastIndex(bytes.ToLower(d[max(0, from-aroundPage):from]), []byte("<script"))
		if open < 0 || php && !hasFold(near(d, from, from, aroundPage), "language=\"php\"") {
			return
		}
	}
	open += max(0, from-aroundPage)
	if php && d[from] == '$' && !reachesSink(d[open:from]) && !callsInput(d[to:min(len(d), to+128)]) && !flowsToSink(d[open:from], d[to:min(len(d), to+aroundPage)]) && !callsVariable(d[open:from]) && !runsDecoded(d[open:min(len(d), to+aroundPage)]) || php && hasFold(d[from:to], "php:") && !reachesSink(d[open:from]) && !runsDecoded(d[open:min(len(d), to+aroundPage)]) || !php && !other {
		return
	}
	closing := "?>"
	if !php {
		closing = "%>"
	}
	end := len(d)
	if k := bytes.Index(d[to:min(len(d), to+2*aroundPage)], []byte(closing)); k >= 0 {
		end = to + k + len(closing)
	}
	// Directives before the page's code belong to it.
	for {
		k := bytes.LastIndex(d[max(0, open-256):open], []byte("<%@"))
		if k < 0 || php {
			break
		}
		open = max(0, open-256) + k
	}
	_, end = trimmed(d, open, min(end, open+2*aroundPage))
	w.report(r, f, open, end)
}

var requests = newWordSet([]string{"request.", "request[", "getparameter", "getheader", "request(", "request.item", "request.form"})

// reachesSink reports whether the text before a request's value ends in a call
// that takes it: eval(, system(base64_decode(.
func reachesSink(before []byte) bool {
	before = before[bytes.LastIndexAny(before, ";{}")+1:]
	before = before[max(0, len(before)-160):]
	for _, s := range phpSinks {
		for at := 0; ; {
			k := bytes.Index(before[at:], []byte(s))
			if k < 0 {
				break
			}
			at += k + len(s)
			begin := at - len(s)
			if begin > 0 && (isWord(before[begin-1]) || before[begin-1] == '>' || before[begin-1] == '$' || before[begin-1] == ':') {
				continue
			}
			if rest := bytes.TrimLeft(before[at:], " "); len(rest) > 0 && rest[0] == '(' || len(rest) == 0 || s[0] == 'i' || s[0] == 'r' && s != "rot13" {
				return true
			}
		}
	}
	return bytes.HasSuffix(bytes.TrimRight(before, " "), []byte("`"))
}

// flowsToSink: $x = $_POST['a']; eval($x): the request's value is kept in a
// variable that a later call takes.
func flowsToSink(before, after []byte) bool {
	statement := bytes.TrimLeft(before[bytes.LastIndexAny(before, ";{}")+1:], " \t\r\n")
	if bytes.HasPrefix(statement, []byte("<?")) {
		k := bytes.IndexByte(statement, '$')
		if k < 0 {
			return false
		}
		statement = statement[k:]
	}
	n := run(statement, 1, 64, isWord)
	if len(statement) < 3 || statement[0] != '$' || n == 1 || !bytes.HasPrefix(bytes.TrimLeft(statement[n:], " "), []byte("=")) {
		return false
	}
	name := statement[:n]
	for at := 0; ; {
		k := bytes.Index(after[at:], name)
		if k < 0 {
			return false
		}
		at += k + n
		if (at == len(after) || !isWord(after[at])) && reachesSink(after[:at-n]) {
			return true
		}
	}
}

// callsInput: $_GET['f']($_POST['x']): the request names the function.
func callsInput(rest []byte) bool {
	k := bytes.IndexAny(rest, "]}")
	return k >= 0 && k+1 < len(rest) && rest[k+1] == '('
}
