package redact

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"hash/maphash"
	"math/bits"
	"slices"
	"sync"
	"unicode/utf8"
)

// placeholders makes what stands in the place of secrets: as long as they are, of
// the same kinds of characters, the same for the same secret, and another for
// another. Which it is depends on a key, and says nothing about the secret but that.
//
// Its first four letters are x, which detectors of secrets know for a gap to be
// filled in, and so are those of each long word in it, such as the password of a URL.
// A few characters tell it from others; all that follow are x, X or 0, so that what is
// made is never random enough to be taken for a token or for the id of a session. A
// number begins with zeros, which no card and no telephone number does. None holds one
// of the secrets itself: among many are some that a placeholder would have by chance.
type placeholders struct {
	mac     hash.Hash
	seed    maphash.Seed
	sum     []byte
	secrets *secrets

	mu     sync.Mutex
	taken  table // placeholders
	chosen table // of each text the attempt that made its own
	floors table // and the first that is fit for all places where it stands, if that is another
	noting bool
	used   []uint64 // hashes of the texts of which placeholders were made, while they are noted

	// The first attempt that is worth one, of texts with so many characters to be
	// replaced, and of numbers.
	crowded, crowdedNumbers [maxCrowded]uint16
}

// No more placeholders are told apart than fit in 32 MiB.
const maxTaken = 7 << 18

// maxCrowded is from how many characters on texts have room for as many placeholders.
const maxCrowded = 64

const (
	markLetters = 4
	markDigits  = 6 // of a number of up to 12: what begins like that is no password
	longWord    = 8
	freeLetters = 8 // that tell a placeholder from others
)

// alphabet is what letters and digits come from. The first of each kind is what all are
// once enough were picked.
type alphabet struct {
	lower, upper, digits string
	foreign              [5]string // by the bytes of a character in UTF-8; 1: for what is none
}

// few are used first, many where all that they make is taken.
var (
	few = alphabet{"xqvwz", "XQVWZ", "02468", [5]string{1: "xqvwz", 2: "χξφψω", 3: "ｘｑｖｗｚ",
		4: "𝓍𝓆𝓋𝓌𝓏"}}
	many = alphabet{"x" + lower[:'x'-'a'] + "yz", "X" + upper[:'x'-'a'] + "YZ", digits,
		[5]string{1: lower, 2: runesFrom('α', 25), 3: runesFrom('ａ', 26), 4: runesFrom('𝓪', 26)}}
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

// charset is the kinds of characters that a secret has, and how many are replaced.
type charset struct {
	lower, upper bool
	n            int
}

func (c charset) letter() bool { return c.lower || c.upper }

func charsetOf(p []byte) (c charset) {
	for _, b := range p {
		c.lower = c.lower || b >= 'a' && b <= 'z'
		c.upper = c.upper || b >= 'A' && b <= 'Z'
		if isAlnum(b) || b >= utf8.RuneSelf {
			c.n++
		}
	}
	return c
}

// appendFor appends the placeholder of p. Blunt ones have no punctuation: they are
// letters, or digits where p has none.
func (m *placeholders) appendFor(dst, p []byte, blunt bool) []byte {
	set := charsetOf(p)
	blunt = blunt && slices.ContainsFunc(p, isPunctuation)
	of := maphash.Bytes(m.seed, p)
	if blunt {
		of = bits.RotateLeft64(of, 32)
	}
	if m.noting {
		m.used = append(m.used, of)
	}
	from := len(dst)
	floor, _ := m.floors.get(of)
	attempt, known := m.chosen.get(of)
	if known && attempt >= floor {
		if dst = m.attempt(dst, p, set, attempt, blunt); !m.secrets.in(dst[from:]) {
			return dst
		}
		attempt++ // a secret that was found since is in it
	}
	crowded := &m.crowded[min(set.n, maxCrowded-1)]
	if !set.letter() {
		crowded = &m.crowdedNumbers[min(set.n, maxCrowded-1)]
	}
	for attempt = max(attempt, floor, *crowded); ; attempt++ {
		switch attempt {
		case fewAttempts, freeAttempts, markedAttempts:
			*crowded = max(*crowded, attempt)
		}
		dst = m.attempt(dst[:from], p, set, attempt, blunt)
		if attempt >= maxAttempts || !m.secrets.in(dst[from:]) && m.take(dst[from:], of, attempt) {
			return dst
		}
	}
}

// renew has other placeholders made of the texts that were noted.
func (m *placeholders) renew() {
	for _, of := range m.used {
		attempt, _ := m.chosen.get(of)
		floor, _ := m.floors.get(of)
		m.floors.put(of, min(max(attempt, floor)+1, maxAttempts))
	}
	m.used = m.used[:0]
}

// take reports whether a placeholder may stand for the text of a hash: it does not for
// another, unless it is of one that is looked for in one key only.
func (m *placeholders) take(made []byte, of uint64, attempt uint16) bool {
	if len(made) < anywhere {
		return true
	}
	h := maphash.Bytes(m.seed, made)
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.taken.get(h); ok {
		return false
	}
	if m.taken.n < maxTaken {
		m.taken.put(h, 0)
		m.chosen.put(of, attempt)
	}
	return true
}

// maxAttempts ends the search for a placeholder that is fit: fewAttempts that among those
// of few characters, freeAttempts that among those that end in the same, and
// markedAttempts that among those with a whole mark. Short ones run out.
const (
	fewAttempts    = 20
	freeAttempts   = 40
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

func (m *placeholders) attempt(dst, p []byte, set charset, attempt uint16, blunt bool) []byte {
	begin, letter, marks := markAt(p), set.letter(), markLetters
	s, from := stream{m: m, p: m.short(p), attempt: uint32(attempt), free: freeLetters}, &few
	switch {
	case attempt >= markedAttempts:
		from, s.free, marks = &many, len(p), 1
	case attempt >= freeAttempts:
		from, s.free = &many, len(p)
	case attempt >= fewAttempts:
		from = &many
	case !letter && len(p) < distinctNumber:
		marks = min(markDigits, len(p)-1)
	}
	left := marks
	for i := 0; i < len(p); {
		b := p[i]
		if i > begin && isAlnum(b) && !isAlnum(p[i-1]) && wordAt(p[i:]) {
			left = markLetters
		}
		switch {
		case b >= utf8.RuneSelf:
			_, n := utf8.DecodeRune(p[i:])
			dst = append(dst, s.pick(from.foreign[n], n)...)
			i += n
			continue
		case letter && isAlnum(b) && i >= begin && left > 0:
			left--
			dst = append(dst, mark(b, set))
		case b >= 'a' && b <= 'z':
			dst = append(dst, s.pick(from.lower, 1)...)
		case b >= 'A' && b <= 'Z':
			dst = append(dst, s.pick(from.upper, 1)...)
		case b >= '0' && b <= '9' && !letter && left > 0:
			left--
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

func isPunctuation(b byte) bool { return b > ' ' && b < utf8.RuneSelf && !isAlnum(b) }

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
	free    int // characters that are picked yet
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

// pick is one of the characters of from, all of which have size bytes; once enough were
// picked, the first.
func (s *stream) pick(from string, size int) string {
	if s.free == 0 {
		return from[:size]
	}
	s.free--
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
