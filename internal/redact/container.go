package redact

// maxLayers is how deep containers are opened.
const maxLayers = 8

// maxWork bounds what the layers of an event's strings amount to: what would
// take more is replaced as a whole.
const maxWork = 512 << 20

// inner replaces all that stands in p, which stands in so many containers itself, as
// it is or behind an encoding. It returns p itself where there is nothing. What is
// compressed is opened first: a secret can stand in it as it is, under a checksum.
func (t *texts) inner(p []byte, depth int) []byte {
	if t.work += len(p); t.work > maxWork {
		return t.whole(p)
	}
	if depth >= maxLayers || len(p) < anywhere {
		return t.plain(p)
	}
	k := traitsOf(p)
	if !k.text(p) {
		if q := t.compressed(p, depth, true); q != nil {
			return t.plain(q)
		}
	}
	p, k = k.of(p, t.plain(p))
	for i := range radixes {
		if k.run < radixes[i].least {
			continue // the alphabets of the others are parts of that of the first
		}
		p, k = k.of(p, t.radixRuns(p, &radixes[i], depth))
	}
	if depth > 0 && noise(p) {
		return p
	}
	p = t.jsonStrings(p, depth)
	if k.foreign {
		p = t.bytesAsText(p, depth)
	}
	p = t.percentRuns(p, depth)
	if k.rare >= leastRare {
		for i := range base85s {
			p = t.base85(p, &base85s[i], depth)
		}
	}
	for i := range escapes {
		p = t.unescaped(p, &escapes[i], depth)
	}
	return t.utf16(p, depth)
}

// guessed is inner for what was decoded although nothing said that it is encoded: it
// is opened if it looks like something.
func (t *texts) guessed(p []byte, depth int) []byte {
	if promising(p) || isLatin1(p) {
		return t.inner(p, depth)
	}
	if !isText(p) {
		if q := t.compressed(p, depth, false); q != nil {
			return q
		}
	}
	return t.plain(p)
}

// whole stands for p, in which something lies that cannot be replaced alone.
func (t *texts) whole(p []byte) []byte {
	t.covered = true
	return t.r.places.appendFor(nil, p, true)
}

// noise reports whether p, which came out of a container, is neither text nor holds much
// of it: what is encrypted, an image, or what was no encoding at all.
func noise(p []byte) bool {
	const least, samples, size = 256, 8, 128
	if len(p) < least {
		return false
	}
	text, of := 0, 0
	for i := range samples {
		from := (len(p) - size) / (samples - 1) * i
		for _, b := range p[from : from+size] {
			if b >= ' ' && b < 0x7f || b == 0 {
				text++
			}
		}
		of += size
	}
	return text*2 < of // of random bytes 38 in 100
}

// promising reports whether p, which was decoded although nothing said that it is
// encoded, may be worth to be opened further: one in ten thousand random texts is.
func promising(p []byte) bool {
	if compressor(p) != nil {
		return true
	}
	head := p[:min(len(p), 24)]
	text := 0
	for _, b := range head {
		if b >= ' ' && b < 0x7f || b == '\n' || b == '\t' || b == '\r' || b == 0 {
			text++
		}
	}
	return text*4 >= len(head)*3
}

// eachRun replaces the longest runs of bytes that belong, of least bytes or more, by
// what to makes of them and of what follows; it says how much of that it took. nil
// keeps a run.
func eachRun(p []byte, belongs *[256]bool, least int, to func(run, rest []byte) ([]byte, int)) []byte {
	var out []byte
	done := 0
	for i := 0; i < len(p); {
		if !belongs[p[i]] {
			i++
			continue
		}
		from := i
		for i < len(p) && belongs[p[i]] {
			i++
		}
		if i-from < least {
			continue
		}
		if q, more := to(p[from:i:i], p[i:]); q != nil {
			out = append(append(out, p[done:from]...), q...)
			i += more
			done = i
		}
	}
	if out == nil {
		return p
	}
	return append(out, p[done:]...)
}

func bytesOf(s string) (set [256]bool) {
	for i := range len(s) {
		set[s[i]] = true
	}
	return set
}
