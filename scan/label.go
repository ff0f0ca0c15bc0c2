package scan

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// What stands under the name of a password or token and is none: the label of a
// form and its translations, the message that goes with it, the constraint that
// it must meet, the type of its column.

// isLabel reports whether a value is a word for what should stand there, or words
// about it: {"password": "Neues Passwort"}, {"password": "too_short"}.
func isLabel(v []byte) bool {
	if len(v) > maxLabel {
		return false
	}
	words, about, numbers := 0, false, 0
	joined := make([]byte, 0, maxLabel+8)
	from := len(joined)
	flush := func() {
		if word := joined[from:]; len(word) > 0 {
			words++
			about = about || labelWords[string(word)] || nameWords[string(word)] == rolePassword || holdsNoun(word)
		}
		from = len(joined)
	}
	prev := rune(0)
	for i := 0; i < len(v); {
		r, n := utf8.DecodeRune(v[i:])
		if r == utf8.RuneError && n <= 1 {
			return false
		}
		i += n
		switch {
		case unicode.IsLetter(r) || unicode.IsMark(r):
			if isDigitRune(prev) {
				return false
			}
			if unicode.IsUpper(r) && unicode.IsLower(prev) {
				flush()
			}
			joined = utf8.AppendRune(joined, unicode.ToLower(r))
		case isDigitRune(r):
			if unicode.IsLetter(prev) {
				return false // Passwort2, which somebody may have chosen
			}
			numbers++
		case r == ' ' || r == '-' || r == '_' || r == '.' || r == ':' || r == '*' || r == '?' || r == '!' || r == ',' || r == '(' || r == ')' || r == '\'' || r == '’' || r == '…' || r == '\u00a0':
			flush()
		default:
			return false
		}
		prev = r
	}
	flush()
	if words == 1 {
		return numbers == 0 && (about || nameWords[string(joined)] == rolePassword)
	}
	return words > 1 && numbers <= 2 && (about || nameWords[string(joined)] == rolePassword)
}

const maxLabel = 96

func isDigitRune(r rune) bool { return r >= '0' && r <= '9' }

// holdsNoun reports whether a word is put together with one that means password
// in a language that writes such words in one: Wachtwoordzin. The English ones are
// parts of passwords, too.
func holdsNoun(word []byte) bool {
	for _, noun := range [...]string{"passwort", "wachtwoord", "kennwort", "lösenord", "losenord", "salasana", "adgangskode", "contraseñ", "密码", "密碼", "口令", "パスワード", "비밀번호"} {
		if bytes.Contains(word, []byte(noun)) {
			return true
		}
	}
	return false
}

// labelWords are words of what programs say about a password, and the words for
// one that no name bears.
var labelWords = setOf("must mismatch mustmatch match matches missing required requirement invalid incorrect wrong weak strength short mismatched forbidden unauthorized " +
	"uppercase lowercase minimum maximum characters chars expired confirm confirmation confirmed repeat retype forgot forgotten placeholder label enter choose " +
	"phrase frase passphrase kennphrase geheimnis geheim segredo schlüssel jeton clé jelszava bestätigen eingeben " +
	"geslo zaporka lozinka fjalëkalimi sandi laluan nenosiri palavra lykilorð pasahitza contrasenya contrasinal slaptažodis parole salasõna parolă пароля паролі парола " +
	"κωδικός סיסמה รหัสผ่าน")

// isConstraint reports whether a value says what another must be like: a rule of
// a form's validation, a regex, the type of a column.
func isConstraint(v []byte) bool {
	if len(v) > 2 && v[0] == '^' && v[len(v)-1] == '$' && bytes.ContainsAny(v, "[(.\\") {
		return true
	}
	if n := run(v, 0, 32, isLetter); n > 2 && n+2 < len(v) && v[n] == '(' && v[len(v)-1] == ')' && isNumeric(v[n+1:len(v)-1]) {
		return true // varchar(60)
	}
	sign := byte('|')
	if bytes.IndexByte(v, sign) < 0 {
		sign = ','
	}
	parts := 0
	for rest, more := v, true; more; parts++ {
		var part []byte
		if part, rest, more = bytes.Cut(rest, []byte{sign}); parts == 4 {
			break
		}
		n := run(part, 0, 16, func(b byte) bool { return isLetter(b) || b == '_' })
		bound := n+1 < len(part) && (part[n] == ':' || part[n] == '=')
		if known := constraintWords[string(bytes.ToLower(part[:n]))]; !known && (parts == 0 || !bound) || n < len(part) && !bound {
			return false
		}
	}
	return parts > 1 || bytes.ContainsAny(v, ":=")
}

var constraintWords = setOf("required nullable string sometimes confirmed min max size between len gte lte gt lt eq alpha alpha_num alpha_dash ascii bail filled present " +
	"regex omitempty eqfield uuid uuid4 email numeric integer different same current_password bcrypt argon2 argon2id scrypt pbkdf2 sha256 sha512 md5 length minlength maxlength")

// isTypeName recognises the scalars of GraphQL where a value must be: String!
func isTypeName(v []byte) bool {
	switch string(v) {
	case "String!", "ID!", "Int!", "Boolean!", "Float!":
		return true
	}
	return false
}

// isVariable recognises a variable of shells, PHP, Perl and GraphQL by its name:
// $password.
func isVariable(v []byte) bool {
	if len(v) < 2 || v[0] != '$' || !isLetter(v[1]) && v[1] != '_' {
		return false
	}
	name := v[1:]
	n := run(name, 0, len(name), func(b byte) bool { return isLetter(b) || b == '_' })
	return n == len(name) && (len(name) <= 3 || bytes.IndexByte(name, '_') > 0 || classifyName(name) > nameNeutral)
}

// isChainAddress recognises the address of an account of Ethereum and its kin,
// which is public.
func isChainAddress(v []byte) bool {
	return len(v) == 42 && v[0] == '0' && v[1] == 'x' && run(v, 2, 40, isHex) == 42
}

// isLabelledCount recognises the name of a counter with its number: token_count:17.
func isLabelledCount(v []byte) bool {
	n := run(v, 0, len(v), func(b byte) bool { return isLetter(b) || b == '_' || b == '-' || b == '.' })
	return n > 2 && n+1 < len(v) && v[n] == ':' && isDigits(v[n+1:])
}

// messageWords are in the names around translations, messages of validation and
// descriptions of forms and tables.
var messageWords = newWordSet([]string{"i18n", "l10n", "locale", "translation", "lang:", "labels", "validation", "errors", "messages.", "placeholder", "hints", "tooltips"})

// amongMessages reports whether the names in scope are of texts that are shown to
// people. What is a password there must look like nothing else.
func (w *worker) amongMessages() bool {
	return w.namedLike(messageWords) || messageWords.match(w.b.bytes(w.key.name))
}

// isChosen reports whether a value among messages can be a password: no words.
func isChosen(v []byte) bool {
	s := shapeOf(v)
	return len(v) >= minSecret && s.space == 0 && s.digit > 0 && s.lower+s.upper > 0 && s.dash == 0 && !readable(v) && isASCII(v)
}

// isProductCode reports whether a value may be the code of a product or the number
// of a record: letters of one case or digits, and what joins them.
func isProductCode(v []byte) bool {
	for _, b := range v {
		if !isAlnum(b) && bytes.IndexByte([]byte("-_/.:"), b) < 0 {
			return false
		}
	}
	s := shapeOf(v)
	return s.lower == 0 || s.upper == 0 || s.digit == 0
}
