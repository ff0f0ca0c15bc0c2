package scan

// cookieFamily finds the cookies of sessions in headers that were kept: whoever
// has one is logged in.
var cookieFamily = []rule{
	{id: "session-cookie", description: "Session cookie", category: Session, severity: High, confidence: Likely, rank: rankFormat,
		keywords: []string{"phpsessid=", "jsessionid=", "connect.sid=", "asp.net_sessionid=", "aspxauth=", "aspnetcore.session=", "laravel_session=", "remember_web_"}, find: findCookie, next: "end the session"},
	{id: "session-cookie", description: "Session cookie", category: Session, severity: High, confidence: Likely, rank: rankFormat,
		keywords: []string{"sessionid=", "session_id=", "_session=", "session=", "sid=", "auth_token="}, find: findHeaderCookie, next: "end the session"},
}

const (
	minCookie = 20
	maxCookie = 4 << 10
)

// findCookie reports the value of a cookie whose name is a framework's.
func findCookie(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	if d[to-1] != '=' { // remember_web_ and a digest
		if to = run(d, to, 41, isHex); to >= len(d) || d[to] != '=' {
			return
		}
		to++
	}
	end := run(d, to, maxCookie, isCookieByte)
	v := d[to:end]
	if len(v) < minCookie || entropy(v) < 3 || placeholder(v) || readable(v) {
		return
	}
	w.report(r, f, to, end)
}

// findHeaderCookie does so for names that other things bear, too, in the lines of
// a header.
func findHeaderCookie(w *worker, r *rule, f *fragment, from, to int) {
	begin, _ := lineAround(f.data, from)
	if hasFold(f.data[max(begin, from-maxLine):from], "cookie: ") {
		findCookie(w, r, f, from, to)
	}
}

// isCookieByte: cookie-octet of RFC 6265, without what stands around cookies in
// other texts.
func isCookieByte(b byte) bool {
	return b > ' ' && b < 0x7f && b != ';' && b != ',' && b != '"' && b != '\'' && b != '\\' && b != '<' && b != '>' && b != '&'
}
