package scan

import "bytes"

// connectionFamily finds URLs and connection strings that carry a password or
// a key. The secret is the whole of it: it is what one connects with.
var connectionFamily = []rule{
	{id: "connection-string", description: "Database, queue or mail URL with a password", category: Credential, severity: High, confidence: Likely, rank: rankSyntax,
		keywords: []string{"://"}, find: findURL, next: "change the password at the server that the URL names"},
	{id: "basic-auth-url", description: "Web URL with a password", category: Credential, severity: High, confidence: Likely, rank: rankSyntax,
		keywords: []string{"://"}, find: findURL, next: "change the password at the server that the URL names"},
	{id: "azure-storage-account-key", description: "Azure connection string with an account key", category: Credential, severity: Critical, confidence: Likely, rank: rankFormat,
		keywords: []string{"accountkey=", "sharedaccesskey="}, find: findAccountKey, next: "regenerate the key in the Azure portal (Storage account, Access keys)"},
	{id: "connection-string", description: "Database address with a password", category: Credential, severity: High, confidence: Likely, rank: rankSyntax,
		keywords: []string{"@tcp(", "@tcp6(", "@unix("}, find: findGoDSN, next: "change the password at the server that the address names"},
	{id: "connection-string", description: "Oracle address with a password", category: Credential, severity: High, confidence: Likely, rank: rankSyntax,
		keywords: []string{"jdbc:oracle:thin:", "jdbc:oracle:oci:"}, find: findOracle, next: "change the password at the server that the address names"},
	{id: "azure-sas-signature", description: "Azure URL with a shared access signature", category: Token, severity: High, confidence: Likely, rank: rankFormat,
		keywords: []string{"sig="}, find: findSAS, next: "rotate the key that signed it, or remove its stored access policy"},
}

// maxURL bounds a URL on either side of its "://".
const (
	maxScheme = 24
	maxURL    = 2 << 10
)

func findURL(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	begin := runBack(d, from, maxScheme, func(b byte) bool { return isAlnum(b) || b == '+' || b == '.' || b == '-' })
	for begin < from && !isLetter(d[begin]) {
		begin++
	}
	scheme := d[begin:from]
	if len(scheme) < 2 || isWebScheme(scheme) != (r.id == "basic-auth-url") {
		return
	}
	if bytes.IndexByte(d[to:min(len(d), to+maxURL)], '@') < 0 {
		return
	}
	end := run(d, to, maxURL, isURLByte)
	// user:password@ before any slash.
	authority := d[to:end]
	if i := bytes.IndexAny(authority, "/?#"); i >= 0 {
		// A password may hold them unescaped; then the last @ is behind.
		if at := bytes.IndexByte(authority[:i], '@'); at >= 0 {
			authority = authority[:i]
		} else if j := bytes.IndexByte(authority, '@'); j < 0 || !bytes.Contains(authority[:i], []byte(":")) || isWebScheme(scheme) || isDigits(afterColon(authority[:i])) {
			return
		}
	}
	at := bytes.LastIndexByte(authority, '@')
	colon := bytes.IndexByte(authority, ':')
	if at < 0 || colon < 0 || colon > at || at+1 == len(authority) && end-to == at+1 {
		return
	}
	user, password := authority[:colon], authority[colon+1:at]
	host := authority[at+1:]
	switch {
	case len(password) == 0, bytes.IndexByte(user, '[') >= 0, bytes.IndexByte(host, ']') == 0:
		return
	case placeholder(password) || isPlainWord(password) && (isPlainWord(user) || len(user) == 0) || isExampleHost(host) && isPlainWord(password):
		w.exclude(placeholderValue)
		return
	case bytes.IndexByte(password, '@') >= 0 && bytes.IndexByte(password, '/') >= 0:
		return
	}
	end = trimURL(d, to+at, end)
	w.report(r, f, begin, end)
}

func afterColon(b []byte) []byte { return b[bytes.LastIndexByte(b, ':')+1:] }

func isWebScheme(s []byte) bool {
	for _, web := range [...]string{"http", "https", "ws", "wss", "git", "git+https", "git+http", "svn", "hg", "ftp", "ftps", "sftp", "ssh", "git+ssh", "socks5", "socks", "proxy", "webdav", "dav", "davs"} {
		if len(s) == len(web) && foldPrefix(s, web) {
			return true
		}
	}
	return false
}

func isURLByte(b byte) bool {
	switch b {
	case '"', '\'', '`', '<', '>', '\\', '{', '}', '|':
		return false
	}
	return b > ' ' && b < 0x7f || b >= 0x80
}

// trimURL drops what follows a URL in a sentence or a list.
func trimURL(d []byte, least, end int) int {
	for end > least+1 {
		switch d[end-1] {
		case '.', ',', ';', ':', ')', ']', '!', '?':
			end--
			continue
		}
		break
	}
	return end
}

// isExampleHost recognises the hosts that documentation uses (RFC 2606).
func isExampleHost(host []byte) bool {
	if i := bytes.IndexAny(host, ":/?"); i >= 0 {
		host = host[:i]
	}
	for _, h := range [...]string{"example.com", "example.org", "example.net", "localhost", "127.0.0.1", "host", "hostname", "example"} {
		if bytes.EqualFold(host, []byte(h)) || len(host) > len(h) && foldPrefix(host[len(host)-len(h):], h) && host[len(host)-len(h)-1] == '.' {
			return true
		}
	}
	return false
}

// findAccountKey reports the key=value; string around the key.
func findAccountKey(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	end := run(d, to, 128, func(b byte) bool { return isStd64(b) || b == '=' })
	if n := end - to; n < 40 || placeholder(d[to:end]) { // 64 bytes are 88 characters, SAS keys 32 bytes
		return
	}
	part := func(b byte) bool {
		return b > ' ' && b < 0x7f && b != '"' && b != '\'' && b != '<' && b != '>' && b != '\\'
	}
	begin := runBack(d, from, 512, part)
	last := run(d, end, 512, part)
	if end < len(d) && d[end] != ';' {
		last = end
	}
	for last > end && (d[last-1] == ',' || d[last-1] == '}' || d[last-1] == ')') {
		last--
	}
	// A variable's name before the string is not part of it: CONN=Default…
	for _, start := range [...]string{"DefaultEndpointsProtocol=", "BlobEndpoint=", "Endpoint=sb://", "AccountName="} {
		if i := bytes.Index(d[begin:from], []byte(start)); i >= 0 {
			begin += i
			break
		}
	}
	w.report(r, f, begin, last)
}

// findGoDSN: user:password@tcp(host:port)/name, as Go's MySQL driver reads it.
func findGoDSN(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	begin := runBack(d, from, 256, func(b byte) bool { return isURLByte(b) && b != '=' && b != ',' })
	colon := bytes.IndexByte(d[begin:from], ':')
	end := run(d, to, maxURL, isURLByte)
	if colon <= 0 || bytes.IndexByte(d[to:end], ')') < 0 {
		return
	}
	w.reportAddress(r, f, begin, trimURL(d, to, end), d[begin:begin+colon], d[begin+colon+1:from])
}

// findOracle: jdbc:oracle:thin:user/password@host.
func findOracle(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	end := run(d, to, maxURL, isURLByte)
	at, slash := bytes.IndexByte(d[to:end], '@'), bytes.IndexByte(d[to:end], '/')
	if slash <= 0 || at < slash+2 {
		return
	}
	w.reportAddress(r, f, from, trimURL(d, to+at, end), d[to:to+slash], d[to+slash+1:to+at])
}

// reportAddress reports an address unless its password is but an example of one.
func (w *worker) reportAddress(r *rule, f *fragment, from, to int, user, password []byte) {
	if placeholder(password) || isPlainWord(password) && isPlainWord(user) {
		w.exclude(placeholderValue)
		return
	}
	w.report(r, f, from, to)
}

// findSAS: the signature among the parameters of a shared access signature: its
// version, its permissions or policy, its expiry.
func findSAS(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	if from == 0 || d[from-1] != '&' && d[from-1] != '?' {
		return
	}
	end := run(d, to, 128, func(b byte) bool { return isBase64(b) || b == '%' })
	begin := runBack(d, from, maxURL, isURLByte)
	query := d[begin:min(len(d), end+maxURL)]
	query = query[:run(query, 0, len(query), isURLByte)]
	if end-to < 40 || !bytes.Contains(query, []byte("se=")) || !bytes.Contains(query, []byte("sv=")) && !bytes.Contains(query, []byte("sr=")) {
		return
	}
	w.report(r, f, to, end)
}
