package scan

import "bytes"

// Seeds of one-time passwords and of wallets stand under names that name other
// things, too: what decides is the shape of the value.

// sureSeed is the length from which on base 32 is no chance: of random letters and
// digits one text in fifty is so by then.
const sureSeed = 32

// plausibleSeed accepts a seed of one-time passwords (RFC 6238, in base 32), the
// words of a wallet (BIP 39), and an AWS secret, which some call skey.
func plausibleSeed(v []byte) (Confidence, reason) {
	if len(v) == awsSecretLen && isAWSSecret(v) || isBase32Seed(v) || isMnemonic(v) {
		return Possible, notExcluded
	}
	return 0, notRandom
}

func isBase32Seed(v []byte) bool {
	if len(v) < 16 || len(v) > 64 || len(v)%8 != 0 {
		return false
	}
	s := shapeOf(v)
	return run(v, 0, len(v), func(b byte) bool { return isUpper(b) || b >= '2' && b <= '7' }) == len(v) && s.digit > 0 && s.upper > 0 && s.distinct > 6
}

// isMnemonic reports whether v is words of BIP 39, by their number and lengths:
// its list has neither articles nor prepositions.
func isMnemonic(v []byte) bool {
	words := 0
	for word := range bytes.SplitSeq(v, []byte(" ")) {
		if len(word) < 3 || len(word) > 8 || run(word, 0, len(word), func(b byte) bool { return b >= 'a' && b <= 'z' }) < len(word) {
			return false
		}
		switch string(word) {
		case "the", "and", "for", "with", "from", "your", "are", "was", "not", "has", "have":
			return false
		}
		words++
	}
	return words >= 12 && words <= 24 && words%3 == 0
}

// factorWords are in names around the second factor of a login.
var factorWords = newWordSet([]string{"otp", "2fa", "mfa", "twofactor", "two_factor", "two-factor", "authenticator"})

// amongFactors reports whether the names in scope are about one.
func (w *worker) amongFactors() bool {
	return w.namedLike(factorWords) || factorWords.match(w.b.bytes(w.key.name))
}
