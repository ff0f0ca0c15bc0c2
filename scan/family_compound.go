package scan

import "bytes"

// compoundFamily finds tokens of several parts, whose lengths and kinds together are
// the mark that a short prefix is not.
var compoundFamily = []rule{
	{id: "asana-token", description: "Asana personal access token", category: Token, severity: High, confidence: Likely, rank: rankFormat,
		keywords: []string{"1/" + digits(13), "2/" + digits(13)}, find: findAsana, next: nextVendor},
	{id: "adyen-api-key", description: "Adyen API key", category: Credential, severity: Critical, confidence: Likely, rank: rankFormat,
		keywords: []string{"aqe"}, find: findAdyen, next: nextVendor},
	{id: "unleash-token", description: "Unleash API token", category: Token, severity: High, confidence: Likely, rank: rankFormat,
		keywords: []string{":*.", ":default.", ":production.", ":prod.", ":staging.", ":development.", ":dev.", ":test."}, find: findUnleash, next: nextVendor},
	{id: "svix-token", description: "Svix API token", category: Token, severity: High, confidence: Likely, rank: rankFormat,
		keywords: []string{"sk_"}, find: findSvix, next: nextVendor},
	{id: "composio-api-key", description: "Composio API key", category: Credential, severity: High, confidence: Likely, rank: rankFormat,
		keywords: []string{"ak_"}, find: findComposio, next: nextVendor},
}

// findAsana: 1/ and the number of a user, or 2/ and those of a user and a token with
// a slash between; a colon; 32 digits in hex.
func findAsana(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	colon := run(d, to, 6, isDigit)
	if d[from] == '2' {
		if colon >= len(d) || d[colon] != '/' {
			return
		}
		number := colon + 1
		if colon = run(d, number, 20, isDigit); colon-number < 13 {
			return
		}
	}
	if colon >= len(d) || d[colon] != ':' {
		return
	}
	end := run(d, colon+1, 33, isLowerHex)
	if s := shapeOf(d[colon+1 : end]); end-colon-1 != 32 || s.distinct < 8 {
		return
	}
	w.token(r, f, from, end, isURL64)
}

// findAdyen: base64, a dash, base64 of 32 bytes, a dash, and 16 characters of any kind.
func findAdyen(w *worker, r *rule, f *fragment, from, to int) {
	const (
		lenKey, lenTail = 44, 16
	)
	d := f.data
	key := run(d, to, 200, isBase64) + 1
	if key-to < 40 || string(d[from:to]) != "AQE" || key > len(d) || d[key-1] != '-' {
		return
	}
	tail := run(d, key, lenKey+1, isBase64) + 1
	if tail-key-1 != lenKey || tail > len(d) || d[tail-1] != '-' || d[tail-2] != '=' {
		return
	}
	end := run(d, tail, lenTail, func(b byte) bool { return b > ' ' && b <= '~' && b != '"' })
	if end-tail != lenTail || entropy(d[key:tail]) < 4 {
		return
	}
	w.token(r, f, from, end, isBase64)
}

// findUnleash: a project, * or [] for more than one, a colon, an environment, a dot,
// and 28 bytes in hex, which no digest in use is long.
func findUnleash(w *worker, r *rule, f *fragment, from, to int) {
	const lenSecret = 56
	d := f.data
	end := run(d, to, lenSecret+1, isLowerHex)
	if s := shapeOf(d[to:end]); end-to != lenSecret || s.distinct < 10 {
		return
	}
	begin := runBack(d, from, 100, func(b byte) bool { return isURL64(b) || b == '.' || b == '~' })
	if begin == from {
		switch {
		case bytes.HasSuffix(d[:from], []byte("*")):
			begin = from - 1
		case bytes.HasSuffix(d[:from], []byte("[]")):
			begin = from - 2
		default:
			return
		}
	}
	w.token(r, f, begin, end, isURL64)
}

// findSvix: sk_ and 24 or 32 characters before the region, or testsk_ and them.
func findSvix(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	end := run(d, to, 33, isURL64)
	secret := d[to:end]
	if s := shapeOf(secret); len(secret) != 24 && len(secret) != 32 || s.digit == 0 || s.upper == 0 || s.lower == 0 || readable(secret) {
		return
	}
	region := run(d, end, 4, func(b byte) bool { return b == '.' || b >= 'a' && b <= 'z' })
	switch string(d[end:region]) {
	case ".eu", ".us", ".in", ".ca", ".au":
		end = region
	default:
		if !bytes.HasSuffix(d[:from], []byte("test")) {
			return
		}
	}
	if bytes.HasSuffix(d[:from], []byte("test")) {
		from -= len("test")
	}
	w.token(r, f, from, end, isURL64)
}

// findComposio: ak_ and 20 characters of all kinds.
func findComposio(w *worker, r *rule, f *fragment, from, to int) {
	end := run(f.data, to, 21, isURL64)
	secret := f.data[to:end]
	if s := shapeOf(secret); len(secret) != 20 || s.digit == 0 || s.upper < 3 || s.lower < 3 || entropy(secret) < 3.5 || readable(secret) || string(f.data[from:to]) != "ak_" {
		return
	}
	w.token(r, f, from, end, isURL64)
}
