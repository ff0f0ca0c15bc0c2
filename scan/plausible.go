package scan

import "bytes"

// Lengths of values that names give away.
const (
	minPassword = 4
	minSecret   = 8
	minKey      = 12
	maxPassword = 128
	maxSecret   = 4 << 10
)

// plausible judges a value by what its name promises.
func plausible(v []byte, class nameClass, strong bool) (Confidence, reason) {
	switch {
	case placeholder(v):
		return 0, placeholderValue
	case isPlainWord(v), isTypeName(v):
		return 0, wordValue
	case isConstraint(v):
		return 0, codeValue
	case bytes.Contains(v, []byte("://")), v[0] == '/' && bytes.Count(v, []byte("/")) > 1 && (readable(v) || shapeOf(v).upper == 0), bytes.HasPrefix(v, []byte("./")):
		return 0, locationValue
	}
	switch class {
	case namePassword:
		return plausiblePassword(v, strong)
	case nameHash:
		return plausibleHash(v)
	case nameSeed:
		return plausibleSeed(v)
	}
	return plausibleSecret(v, class, strong)
}

func plausiblePassword(v []byte, strong bool) (Confidence, reason) {
	s := shapeOf(v)
	confidence := Likely
	if !strong {
		confidence = Possible
	}
	switch {
	case len(v) > maxPassword:
		return 0, tooLong
	case isDigits(v) && len(v) <= 12 && strong:
		return Possible, notExcluded // a PIN, or the worst of passwords
	case isNumeric(v):
		return 0, countValue
	case isUUID(v):
		return 0, identifierValue
	case !strong && s.hex == len(v) && len(v) >= 32:
		return 0, hashValue
	case s.space > 0 && (!strong || !isPassphrase(v)):
		return 0, proseValue
	case !isText(v):
		return 0, notRandom
	case !strong && len(v) < 8, !strong && s.digit == 0 && s.other == 0:
		return 0, notRandom
	case s.lower+s.upper == len(v) && !strong, isLabel(v):
		return 0, wordValue
	}
	if s.lower == len(v) && len(v) < 8 {
		confidence = Possible
	}
	return confidence, notExcluded
}

// isPassphrase tells a passphrase from a sentence about passwords.
func isPassphrase(v []byte) bool {
	words := bytes.Fields(v)
	if len(words) > 8 || bytes.HasSuffix(v, []byte(".")) {
		return false
	}
	for _, word := range words {
		switch string(bytes.ToLower(bytes.Trim(word, ".,;:!?"))) {
		case "must", "should", "please", "characters", "the", "is", "was", "has", "have", "your", "you", "a", "an", "at", "be", "for", "to", "of", "and", "or",
			"not", "with", "password", "passwords", "token", "enter", "login", "reset", "invalid", "required", "user", "see", "in", "on", "no":
			return false
		}
	}
	return true
}

// isHiddenPassphrase recognises a passphrase of dice words with a number at its
// end, correct-horse-battery42, that nobody encodes in base64 but to hide it. A
// slug has a dash before its number.
func isHiddenPassphrase(v []byte) bool {
	n := len(v)
	for n > 0 && isDigit(v[n-1]) {
		n--
	}
	if tail := len(v) - n; tail < 2 || tail > 4 || n < 12 {
		return false
	}
	words, letters := 1, 0
	for _, b := range v[:n] {
		switch {
		case b >= 'a' && b <= 'z':
			letters++
			continue
		case b != '-' && b != '_' && b != '.' && b != ' ', letters < 3:
			return false
		}
		words, letters = words+1, 0
	}
	return words >= 3 && letters >= 3
}

// plausibleHash accepts digests of the usual lengths, in hex or base64; the
// formats that name their function are hashFamily's.
func plausibleHash(v []byte) (Confidence, reason) {
	s := shapeOf(v)
	if s.hex == len(v) {
		switch len(v) {
		case 32, 40, 56, 64, 96, 128:
			return Likely, notExcluded
		}
		return 0, tooShort
	}
	if len(v) >= 24 && s.space == 0 && base64Encoding(v) != nil && entropy(v) > 3.5 && !readable(v) {
		return Possible, notExcluded
	}
	return 0, notRandom
}

func plausibleSecret(v []byte, class nameClass, strong bool) (Confidence, reason) {
	s := shapeOf(v)
	least := minKey
	if class == nameSecret {
		least = minSecret
	}
	switch {
	case len(v) < least:
		return 0, tooShort
	case len(v) > maxSecret:
		return 0, tooLong
	case s.space > 0:
		return 0, proseValue
	case isNumeric(v):
		return 0, countValue
	case isLabelledDigest(v):
		return 0, hashValue
	case isChainAddress(v):
		return 0, publicValue
	case isLabelledCount(v):
		return 0, identifierValue
	case !isText(v), bytes.ContainsAny(v, "<>{}\"'"):
		return 0, notRandom
	case class == nameToken && !strong && isIdentifierValue(v):
		return 0, identifierValue
	case isUUID(v):
		if !strong || class == nameKey {
			return 0, identifierValue
		}
		return Possible, notExcluded
	case isULID(v) && !strong:
		return 0, identifierValue
	case s.hex == len(v) && !strong && (len(v) == 32 || len(v) == 40 || len(v) == 64):
		return 0, hashValue
	case s.digit == 0 && (s.upper == 0 || s.lower == 0 || len(v) < 20):
		return 0, wordValue
	}
	need := 3.0
	if len(v) < 16 {
		need = 2.7
	}
	if entropy(v) < need {
		return 0, notRandom
	}
	if s.hex < len(v) && readable(v) {
		// Words with a few digits: a weak secret, or the name of one.
		if !strong || s.digit < 2 || s.dash > 1 || class != nameSecret {
			return 0, notRandom
		}
		return Possible, notExcluded
	}
	if !strong {
		return Possible, notExcluded
	}
	return Likely, notExcluded
}

// isLabelledDigest recognises sha512-… of Subresource Integrity and sha256:… of
// container images.
func isLabelledDigest(v []byte) bool {
	return foldPrefix(v, "sha") && len(v) > 40 && isDigit(v[3]) && (v[4] == '-' || v[4] == ':' || v[6] == '-' || v[6] == ':')
}
