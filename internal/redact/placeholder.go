package redact

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"hash/maphash"
	"math/bits"
	"sync"
	"unicode/utf8"
)

// placeholders makes what stands in the place of secrets: as long as they are, of
// the same kinds of characters, the same for the same secret, and another for
// another. Which it is depends on a key, and says nothing about the secret but that.
//
// Its first four letters are x, which detectors of secrets know for a gap to be
// filled in, and so are those of each long word in it, such as the password of a URL;
// the others come from few as far as these suffice, so that what is made is hardly ever
// random enough to be taken for a token, and digits begin with zeros, which no card and
// no telephone number does. None holds one of the secrets itself: among many are some
// that a placeholder would have by chance.
type placeholders struct {
	mac     hash.Hash
	seed    maphash.Seed
	sum     []byte
	secrets *secrets

	mu    sync.Mutex
	taken table // placeholders that may come twice,
	pairs table // and each with what it stands for
}

// Long placeholders that bear a mark do not come twice and are known by it; of others no
// more are told apart than fit in 32 MiB.
const (
	longPlaceholder = 32
	maxTaken        = 7 << 18
)

const (
	markLetters = 4
	longWord    = 8
)

// alphabet is what letters and digits come from.
type alphabet struct {
	lower, upper, digits string
	foreign              [5]string // by the bytes of a character in UTF-8; 1: for what is none
}

// few are used first, many where all that they make is taken.
var (
	few = alphabet{"qvwxz", "QVWXZ", "02468", [5]string{1: "qvwxz", 2: "ξφχψω", 3: "ｑｖｗｘｚ",
		4: "𝓆𝓋𝓌𝓍𝓏"}}
	many = alphabet{lower, upper, digits, [5]string{1: lower, 2: runesFrom('α', 25), 3: runesFrom('ａ', 26), 4: runesFrom('𝓪', 26)}}
)

// runesFrom is first and those behind it, n in all.
func runesFrom(first rune, n int) string {
	out := make([]rune, n)
	for i := range out {
		out[i] = first + rune(i)
	}
	return string(out)
}

func newPlaceholders(key []byte, secrets *secrets) *placeholders {
	return &placeholders{mac: hmac.New(sha256.New, key), seed: maphash.MakeSeed(), secrets: secrets}
}

// kinds of characters that a secret has.
type charset struct{ lower, upper bool }

func charsetOf(p []byte) (c charset) {
	for _, b := range p {
		c.lower = c.lower || b >= 'a' && b <= 'z'
		c.upper = c.upper || b >= 'A' && b <= 'Z'
	}
	return c
}

// appendFor appends the placeholder of p. Blunt ones have no punctuation: they are
// letters, or digits where p has none.
func (m *placeholders) appendFor(dst, p []byte, blunt bool) []byte {
	from := len(dst)
	of := maphash.Bytes(m.seed, p)
	for attempt := uint32(0); ; attempt++ {
		dst = m.attempt(dst[:from], p, attempt, blunt)
		if attempt == maxAttempts || !m.secrets.in(dst[from:]) && m.take(dst[from:], of) {
			return dst
		}
	}
}

// take reports whether a placeholder may stand for the text of a hash: it does not for
// another.
func (m *placeholders) take(made []byte, of uint64) bool {
	if len(made) >= longPlaceholder && marked(made) {
		return true
	}
	h := maphash.Bytes(m.seed, made)
	pair := h ^ bits.RotateLeft64(of, 32)
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.taken.get(h); ok {
		_, same := m.pairs.get(pair)
		return same
	}
	if m.taken.n < maxTaken {
		m.taken.put(h, 0)
		m.pairs.put(pair, 0)
	}
	return true
}

// maxAttempts ends the search for a placeholder that is fit, fewAttempts that among those
// of few characters, markedAttempts that among those with a whole mark: short ones run
// out.
const (
	fewAttempts    = 20
	markedAttempts = 60
	maxAttempts    = 120
)

// markAt is where the mark begins: at the first place that has room for all of it.
func markAt(p []byte) int {
	n := 0
	for i, b := range p {
		if n++; !isAlnum(b) {
			n = 0
		}
		if n == markLetters {
			return i + 1 - n
		}
	}
	return 0
}

// wordAt reports whether p begins with a long word.
func wordAt(p []byte) bool {
	for i := range longWord {
		if i >= len(p) || !isAlnum(p[i]) {
			return false
		}
	}
	return true
}

// made reports whether text is a placeholder, or bears the mark of one.
func (m *placeholders) made(text []byte) bool {
	if marked(text) {
		return true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.taken.get(maphash.Bytes(m.seed, text))
	return ok
}

// marked reports whether text bears the mark of a placeholder.
func marked(text []byte) bool {
	return bytes.Contains(bytes.ToLower(text), []byte("xxxx")) || bytes.Contains(text, []byte("0000"))
}

func (m *placeholders) attempt(dst, p []byte, attempt uint32, blunt bool) []byte {
	set, marks, begin := charsetOf(p), 0, markAt(p)
	letter := set.lower || set.upper
	s, from := stream{m: m, p: m.short(p), attempt: attempt}, &few
	if attempt >= fewAttempts {
		from = &many
	}
	if attempt >= markedAttempts {
		marks = 1
	}
	for i := 0; i < len(p); {
		b := p[i]
		if i > begin && isAlnum(b) && !isAlnum(p[i-1]) && wordAt(p[i:]) {
			marks = 0
		}
		switch {
		case b >= utf8.RuneSelf:
			_, n := utf8.DecodeRune(p[i:])
			dst = append(dst, s.pick(from.foreign[n], n)...)
			i += n
			continue
		case letter && isAlnum(b) && i >= begin && marks < markLetters:
			marks++
			dst = append(dst, mark(b, set))
		case b >= 'a' && b <= 'z':
			dst = append(dst, s.pick(from.lower, 1)...)
		case b >= 'A' && b <= 'Z':
			dst = append(dst, s.pick(from.upper, 1)...)
		case b >= '0' && b <= '9' && !letter && marks < markLetters:
			marks++
			dst = append(dst, '0')
		case b >= '0' && b <= '9':
			dst = append(dst, s.pick(from.digits, 1)...)
		case blunt && b > ' ' && letter:
			dst = append(dst, 'x')
		case blunt && b > ' ':
			dst = append(dst, '0')
		default:
			dst = append(dst, b)
		}
		i++
	}
	return dst
}

func isAlnum(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9'
}

// mark is an x of a kind that the secret has: of b's, if that is a letter.
func mark(b byte, set charset) byte {
	if b >= 'A' && b <= 'Z' || !set.lower {
		return 'X'
	}
	return 'x'
}

// stream yields bytes that depend on the key and the secret.
type stream struct {
	m       *placeholders
	p       []byte
	attempt uint32
	block   uint32
	left    []byte
}

// short is what stands for p in the stream: of what is long its hash, since all of it
// is hashed for every few characters.
func (m *placeholders) short(p []byte) []byte {
	if len(p) <= sha256.BlockSize {
		return p
	}
	m.mac.Reset()
	m.mac.Write(p)
	return m.mac.Sum(nil)
}

// pick is one of the characters of from, all of which have size bytes.
func (s *stream) pick(from string, size int) string {
	if len(s.left) == 0 {
		s.m.mac.Reset()
		var head [8]byte
		binary.LittleEndian.PutUint32(head[:], s.attempt)
		binary.LittleEndian.PutUint32(head[4:], s.block)
		s.m.mac.Write(head[:])
		s.m.mac.Write(s.p)
		s.m.sum = s.m.mac.Sum(s.m.sum[:0])
		s.left = s.m.sum
		s.block++
	}
	b := s.left[0]
	s.left = s.left[1:]
	at := int(b) % (len(from) / size) * size
	return from[at : at+size]
}
