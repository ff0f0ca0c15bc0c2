package scan

// families lists the rule families of this package. Each is a file of its own,
// with a table test beside it of what it finds and what it leaves alone.
func families() [][]rule {
	return [][]rule{
		nameFamily,
		connectionFamily,
		hashFamily,
		hashDumpFamily,
		privateKeyFamily,
		keyFileFamily,
		jwkFamily,
		jwtFamily,
		githubFamily,
		awsFamily,
		tokenFamily,
		vendorFamily,
		compoundFamily,
		accountIDFamily,
		credentialFileFamily,
		cookieFamily,
		webhookFamily,
		valkeyFamily,
		cliFamily,
		cardFamily,
		ibanFamily,
		emailFamily,
		personalFamily,
	}
}

// token reports data[from:to] for r if nothing that could belong to it stands
// right beside it. word says which bytes could.
func (w *worker) token(r *rule, f *fragment, from, to int, word func(byte) bool) *match {
	d := f.data
	if from > 0 && word(d[from-1]) || to < len(d) && word(d[to]) {
		return new(match)
	}
	if placeholder(d[from:to]) {
		w.exclude(placeholderValue)
		return new(match)
	}
	if insideBase64(d, from, to) {
		w.exclude(insideBlob)
		return new(match)
	}
	return w.report(r, f, from, to)
}

// run returns the end of the bytes at i that are of a kind, at most n of them.
func run(d []byte, i, n int, of func(byte) bool) int {
	end := min(len(d), i+n)
	for i < end && of(d[i]) {
		i++
	}
	return i
}

// runBack returns where the bytes before i that are of a kind begin.
func runBack(d []byte, i, n int, of func(byte) bool) int {
	end := max(0, i-n)
	for i > end && of(d[i-1]) {
		i--
	}
	return i
}

func isURL64(b byte) bool { return base64Class[b]&inURL != 0 }
func isStd64(b byte) bool { return base64Class[b]&inStd != 0 }
func isWord(b byte) bool  { return isAlnum(b) || b == '_' }
func isDigits(b []byte) bool {
	for _, c := range b {
		if !isDigit(c) {
			return false
		}
	}
	return len(b) > 0
}
