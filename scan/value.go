package scan

import (
	"bytes"
	"math"
	"math/bits"
	"unicode/utf8"
)

// A reason says why something that looked like a finding is none.
type reason string

// The reasons.
const (
	notExcluded      reason = ""
	placeholderValue reason = "placeholder"        // changeme, <password>, ${TOKEN}, xxxx
	exampleValue     reason = "example"            // a value that documentation uses
	tooShort         reason = "too-short"          // for what its name promises
	tooLong          reason = "too-long"           //
	proseValue       reason = "prose"              // a sentence
	wordValue        reason = "word"               // a word of the language or of programs: true, none, required
	countValue       reason = "number"             // a count, a date, an amount
	notRandom        reason = "not-random"         // too regular for a generated secret
	identifierValue  reason = "identifier"         // UUID, ULID
	hashValue        reason = "hash"               // a digest, where the name does not promise a secret
	locationValue    reason = "location"           // a URL or path without a credential
	publicValue      reason = "public"             // made to be published: a public key, a publishable key
	testValue        reason = "test-mode"          // a key of a provider's test environment, a test card
	badChecksum      reason = "checksum"           // the token's own checksum says that nobody issued it
	badStructure     reason = "structure"          // the parts of the token do not decode
	codeValue        reason = "code"               // an expression of a program
	insideBlob       reason = "inside-binary-text" // a piece of a longer base64 text
	ruleFilter       reason = "rule-filter"        // the filter or allowlist of a rule file
)

// entropy returns the Shannon entropy of the bytes of v, in bits a byte.
func entropy(v []byte) float64 {
	if len(v) == 0 {
		return 0
	}
	if len(v) >= len(timesLog) {
		var count [256]int
		for _, b := range v {
			count[b]++
		}
		sum := 0.0
		for _, c := range count {
			if c > 0 {
				sum += float64(c) * math.Log2(float64(c))
			}
		}
		return math.Log2(float64(len(v))) - sum/float64(len(v))
	}
	var count [256]uint8
	for _, b := range v {
		count[b]++
	}
	sum := 0.0
	for _, b := range v {
		sum += timesLog[count[b]]
		count[b] = 0
	}
	return (timesLog[len(v)] - sum) / float64(len(v))
}

// timesLog holds n times its logarithm to the base of 2.
var timesLog = func() (t [256]float64) {
	for n := 2; n < len(t); n++ {
		t[n] = float64(n) * math.Log2(float64(n))
	}
	return t
}()

// commonPairs are the letter pairs that make up most of written English and of
// the identifiers that programmers write.
var commonPairs = func() (set [26 * 26]bool) {
	const pairs = "th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de hi ri ro ic ne ea ra ce " +
		"li ch ll be ma si om ur ca el ta la ns di fo ho pe ec pr no ct us ac ot il tr ly nc et ut ss so rs un lo wa ge ie wh ee wi em ad ol rt " +
		"po we na ul ni ts mo ow pa im mi ai sh ir su id os iv ia am fi ci vi pl ig tu ev ld ry mp fe bl ab gh ty op wo sa ay ex ke fr oo av ag " +
		"if ap gr od bo sp rd do uc bu ei ov by rm ep tt oc fa ef cu rn sc gi da yo cr cl du ga qu ue ff ba ey ls va um pp ua up lu go ht ru ug " +
		"ds lt pi rc rr eg au ck ew mu br bi pt ak pu ui rg ib tl ny ki rk ys ob mm fu ph og ms ye ud mb ip ub oi rl gu dr hr cc tw ft wn nu af"
	for i := 0; i+1 < len(pairs); i += 3 {
		set[int(pairs[i]-'a')*26+int(pairs[i+1]-'a')] = true
	}
	return set
}()

// wordiness estimates how many characters a piece of v has that a language
// model's vocabulary would know: about 2 for random text, 4 and more for words.
// It stands for the tokenRatio of the betterleaks dialect, whose vocabulary of
// 100,000 pieces is not part of its configuration package: pairs of letters
// that are frequent in English take the place of the vocabulary.
func wordiness(v []byte) float64 {
	if len(v) == 0 {
		return 0
	}
	if len(v) >= 16 && isHexText(v) {
		return hexWordiness
	}
	pieces := 0.0
	for i := 0; i < len(v); {
		j := i
		b := lower(v[i])
		switch {
		case b >= 'a' && b <= 'z':
			common := 0
			for j++; j < len(v) && isLetter(v[j]); j++ {
				if v[j] < 'a' && v[j-1] >= 'a' { // fooBar: two words
					break
				}
				if commonPairs[int(lower(v[j-1])-'a')*26+int(lower(v[j])-'a')] {
					common++
				}
			}
			n := float64(j - i)
			share := 0.0
			if j-i > 1 {
				share = float64(common) / (n - 1)
			}
			if j-i < 3 {
				share = 0 // too short to tell
			}
			// Random letters meet a common pair in a quarter of the cases, words in four fifths.
			pieces += n / (1.5 + 4*max(0, share-0.3))
		case b >= '0' && b <= '9':
			for j++; j < len(v) && v[j] >= '0' && v[j] <= '9' && j-i < 3; j++ {
			}
			pieces++
		default:
			for j++; j < len(v) && v[j] == v[i] && j-i < 8; j++ {
			}
			pieces++
		}
		i = j
	}
	return float64(len(v)) / pieces
}

// hexWordiness is what vocabularies make of hexadecimal digits.
const hexWordiness = 1.9

func isHexText(v []byte) bool {
	for _, b := range v {
		if !isHex(b) {
			return false
		}
	}
	return true
}

// isCode reports whether an unquoted value is an expression of a program: a
// call, an index, a path of names.
func isCode(v []byte) bool {
	if bytes.ContainsAny(v, "()[]{}") || bytes.Contains(v, []byte("::")) || bytes.Contains(v, []byte("->")) || bytes.Contains(v, []byte("||")) {
		return true
	}
	groups, letters := 0, 0
	for i, b := range v {
		switch {
		case isLetter(b) || b == '_':
			letters++
		case isDigit(b):
			if i == 0 || v[i-1] == '.' {
				return false
			}
			if !isDigit(v[i-1]) {
				groups++
			}
		case b != '.' && b != '*' && b != '&':
			return false
		}
	}
	return letters > 0 && groups <= 1 && (wordiness(v) >= 2 || letters == len(v) && bytes.IndexByte(v, '_') < 0 && len(v) < 8 || bytes.IndexByte(v, '.') > 0 && groups == 0)
}

// readable reports whether v reads like words rather than like random text.
func readable(v []byte) bool { return wordiness(v) >= 2.5 }

func isLetter(b byte) bool { b = lower(b); return b >= 'a' && b <= 'z' }
func isDigit(b byte) bool  { return b >= '0' && b <= '9' }
func isAlnum(b byte) bool  { return isLetter(b) || isDigit(b) }
func isHex(b byte) bool    { return isDigit(b) || lower(b) >= 'a' && lower(b) <= 'f' }

// A shape counts what a value is made of.
type shape struct {
	lower, upper, digit, hex, space, dash, other int
	repeat                                       int // longest run of one byte
	distinct                                     int
}

func shapeOf(v []byte) shape {
	var s shape
	var seen [4]uint64
	var count [kindOther + 1]int
	run := 0
	for i, b := range v {
		if i > 0 && b == v[i-1] {
			run++
		} else {
			run = 1
		}
		s.repeat = max(s.repeat, run)
		seen[b>>6] |= 1 << (b & 63)
		count[byteKind[b]]++
	}
	for _, set := range seen {
		s.distinct += bits.OnesCount64(set)
	}
	s.lower, s.upper, s.digit = count[kindLower]+count[kindLowerHex], count[kindUpper]+count[kindUpperHex], count[kindDigit]
	s.hex = count[kindLowerHex] + count[kindUpperHex] + count[kindDigit]
	s.space, s.dash, s.other = count[kindSpace], count[kindDash], count[kindOther]
	return s
}

const (
	kindLower = iota
	kindLowerHex
	kindUpper
	kindUpperHex
	kindDigit
	kindSpace
	kindDash
	kindOther
)

// byteKind is what shapeOf counts a byte as.
var byteKind = func() (t [256]uint8) {
	for i := range t {
		switch b := byte(i); {
		case b >= 'a' && b <= 'f':
			t[i] = kindLowerHex
		case b >= 'a' && b <= 'z':
			t[i] = kindLower
		case b >= 'A' && b <= 'F':
			t[i] = kindUpperHex
		case b >= 'A' && b <= 'Z':
			t[i] = kindUpper
		case isDigit(b):
			t[i] = kindDigit
		case b == ' ' || b == '\t' || b == '\n' || b == '\r':
			t[i] = kindSpace
		case b == '-' || b == '_' || b == '.':
			t[i] = kindDash
		default:
			t[i] = kindOther
		}
	}
	return t
}()

// isUUID reports the 8-4-4-4-12 shape of RFC 9562.
func isUUID(v []byte) bool {
	if len(v) != 36 {
		return false
	}
	for i, b := range v {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if b != '-' {
				return false
			}
		} else if !isHex(b) {
			return false
		}
	}
	return true
}

// isULID reports the shape of a ULID: 26 characters of Crockford's base 32, the
// first below 8.
func isULID(v []byte) bool {
	if len(v) != 26 || v[0] > '7' {
		return false
	}
	for _, b := range v {
		switch {
		case isDigit(b):
		case b >= 'A' && b <= 'Z' && b != 'I' && b != 'L' && b != 'O' && b != 'U':
		default:
			return false
		}
	}
	return true
}

// isNumeric reports whether v is a number, a date, a time or an amount.
func isNumeric(v []byte) bool {
	digit := 0
	for _, b := range v {
		switch {
		case isDigit(b):
			digit++
		case b == '.' || b == '-' || b == ':' || b == '+' || b == ',' || b == 'T' || b == 'Z' || b == ' ' || b == '/':
		default:
			return false
		}
	}
	return digit > 0
}

// placeholderWords stand in values that somebody is meant to replace.
var placeholderWords = newWordSet([]string{
	"changeme", "change_me", "change-me", "changeit", "replaceme", "replace_me", "replace-me", "placeholder", "insert_", "your_", "your-", "yourpass", "yourtoken",
	"yourkey", "yoursecret", "yourapi", "_here", "-here", "<your", "my_secret", "mysecretkey", "redacted", "masked", "filtered", "example", "sample",
	"notset", "not_set", "not-set", "foobar", "****", "....", "…", "deadbeef", "123456789012", "1234567890abcdef", "0123456789", "abcdef123456",
	"abcdefgh", "secret_goes", "password_goes", "goes_here", "goes-here", "removed", "hidden]", "[hidden", "undefined", "supersecret", "test_key", "testkey", "test-key",
})

// plainWords are values that fields named like a credential hold, and that are
// none: switches, methods, states.
var plainWords = func() map[string]bool {
	out := map[string]bool{}
	for _, w := range bytes.Fields([]byte(`true false null nil none undefined nan yes no on off ok and or not the n/a na empty blank unknown default
		required optional mandatory enabled disabled active inactive pending valid invalid incorrect wrong missing expired revoked reset changed updated created deleted
		success failed failure error denied allowed granted pass passed fail
		password passwd pass pwd passphrase secret token key auth apikey api_key credential credentials login user username email admin root guest test testing
		string text number integer int bool boolean object array date hidden redacted masked plain plaintext cleartext encrypted hashed
		bcrypt argon2 argon2id scrypt pbkdf2 sha1 sha256 sha512 md5 basic bearer digest oauth oauth2 oidc ldap saml local sms totp otp jwt hs256 rs256 es256 none
		first second third final last auto dev opaque mismatch strong weak medium low high short long forgot remember change new old current foo bar baz qux abc xyz abcd secret1 example sample demo dummy`)) {
		out[string(w)] = true
	}
	return out
}()

func isPlainWord(v []byte) bool {
	var buf [16]byte
	if len(v) > len(buf) {
		return false
	}
	for i, b := range v {
		buf[i] = lower(b)
	}
	return plainWords[string(buf[:len(v)])]
}

// placeholder reports whether v stands for a value instead of being one.
func placeholder(v []byte) bool {
	if len(v) == 0 {
		return true
	}
	first, last := v[0], v[len(v)-1]
	switch {
	case first == '<' && last == '>', first == '{' && last == '}' && bytes.IndexByte(v, '"') < 0, first == '[' && last == ']' && !bytes.ContainsAny(v, `",`), first == '%' && last == '%' && len(v) > 1,
		first == '@' && last == '@' && len(v) > 1,
		bytes.HasPrefix(v, []byte("${")), bytes.HasPrefix(v, []byte("$(")), bytes.HasPrefix(v, []byte("#{")), bytes.HasPrefix(v, []byte("%{")),
		bytes.Contains(v, []byte("{{")), bytes.Contains(v, []byte("${")), bytes.HasSuffix(v, []byte("...")):
		return true
	case first == '$' && (isName(v[1:]) || isVariable(v)):
		return true
	}
	s := shapeOf(v)
	if s.distinct <= 2 && len(v) > 3 || s.distinct == 1 && !isDigit(first) || s.repeat >= 6 && s.repeat*2 >= len(v) {
		return true
	}
	if len(v) >= longToken && s.distinct >= manyBytes {
		return placeholderWords.match(v)
	}
	return placeholderWords.match(v) || placeholderShort.match(v)
}

// In random text of this length, made of so many different bytes, any four
// letters stand by chance.
const (
	longToken = 32
	manyBytes = 18
)

// placeholderShort are words of values that somebody is meant to replace, too
// short to mean something in a long token.
var placeholderShort = newWordSet([]string{"xxxx", "todo", "fixme", "fake", "dummy", "lorem"})

// isName reports whether v is an identifier in capitals, as environment
// variables are.
func isName(v []byte) bool {
	for _, b := range v {
		if b != '_' && !isDigit(b) && (b < 'A' || b > 'Z') {
			return false
		}
	}
	return len(v) > 0
}

// validRune reports whether v begins with a character in UTF-8.
func validRune(v []byte) bool {
	r, n := utf8.DecodeRune(v)
	return r != utf8.RuneError || n > 1
}
