package scan

import (
	"bytes"
	"slices"
	"strings"
)

// Personal data, each kind a rule: what a checksum or a syntax can tell.

var cardFamily = []rule{
	{id: "card-number", description: "Payment card number", category: PII, severity: Medium, confidence: Likely, rank: rankData,
		keywords: []string{digits(13), digits(4) + " " + digits(4) + " " + digits(4), digits(4) + "-" + digits(4) + "-" + digits(4), digits(4) + " " + digits(6) + " " + digits(4)}, find: findCard},
}

var ibanFamily = []rule{
	{id: "iban", description: "International bank account number", category: PII, severity: Medium, confidence: Confirmed, rank: rankData, keywords: ibanKeywords(), find: findIBAN},
}

var emailFamily = []rule{
	{id: "email", description: "E-mail address", category: PII, severity: Low, confidence: Likely, rank: rankData, keywords: []string{"@"}, find: findEmail},
}

// findCard takes the run of digits around the keyword, with single spaces or
// dashes between groups.
func findCard(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	part := func(i int) bool {
		return i >= 0 && i < len(d) && (isDigit(d[i]) || (d[i] == ' ' || d[i] == '-') && i > 0 && i+1 < len(d) && isDigit(d[i-1]) && isDigit(d[i+1]) && to-from != 13)
	}
	begin, end := from, to
	for from-begin < 24 && part(begin-1) {
		begin--
	}
	for end-to < 24 && part(end) {
		end++
	}
	if begin > 0 && (isWord(d[begin-1]) || d[begin-1] == '.' && begin > 1 && isDigit(d[begin-2])) || end < len(d) && (isWord(d[end]) || d[end] == '.' && end+1 < len(d) && isDigit(d[end+1])) {
		return
	}
	if begin > 0 && d[begin-1] == '-' && end < len(d) && d[end] == '-' {
		return // a part of a token
	}
	var number [24]byte
	n := 0
	for _, b := range d[begin:end] {
		if isDigit(b) && n < len(number) {
			number[n] = b - '0'
			n++
		}
	}
	switch {
	case !isIssuer(number[:n]):
		return
	case !luhn(number[:n]):
		w.exclude(badChecksum)
		return
	case isTestCard(number[:n]):
		w.exclude(testValue)
		return
	}
	named := w.namedLike(cardWords)
	if (n == 13 || n > 16) && !named {
		return // hardly a card has as many digits; milliseconds and identifiers have
	}
	if end-begin == n && !named && w.namedNumber() && !cardWords.match(w.b.bytes(w.key.name)) {
		w.exclude(identifierValue)
		return
	}
	m := w.report(r, f, begin, end)
	switch {
	case named:
		m.confidence = Confirmed
	case end-begin == n:
		m.confidence = Possible // one number in fifty passes
	}
}

// namedNumber reports whether the name right at the value says that it counts,
// identifies or dates something: one in fifty of such numbers passes for a card.
func (w *worker) namedNumber() bool {
	if len(w.scopes) == 0 {
		return false
	}
	name := w.scopes[len(w.scopes)-1].text
	for _, end := range [...]string{"单号", "编号", "注文番号", "주문번호", "заказа"} {
		if bytes.HasSuffix(name, []byte(end)) {
			return true
		}
	}
	word, before := lastWord(name)
	if word == "number" || word == "nummer" || word == "num" { // of an order, of a card
		word, _ = lastWord(before)
	}
	return numberWords[word]
}

// lastWord splits the last word off a name, in small letters: order_id, orderId.
func lastWord(name []byte) (word string, before []byte) {
	name = bytes.TrimRight(name, "_-. ")
	from := len(name)
	for from > 0 && isAlnum(name[from-1]) {
		from--
		if isUpper(name[from]) && from > 0 && !isUpper(name[from-1]) {
			break
		}
	}
	return string(bytes.ToLower(name[from:])), name[:from]
}

// numberWords end names of numbers that are no card's.
var numberWords = setOf("id ids uuid key keys count counts total sum size length len offset index idx position pos cursor seq sequence version revision time at timestamp ts date " +
	"no nr commande bestellung bestellnummer auftrag auftragsnummer rechnungsnummer pedido ordine factura fatura facture invoice order orders tracking sku serial imei iccid barcode ean gtin pixel " +
	"geo geohash location locations position positions nearby " +
	"hash checksum digest etag nonce epoch generation ttl expires expiry score rank bytes ms ns")

// setOf makes a set of the words of a list.
func setOf(list string) map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		out[w] = true
	}
	return out
}

func isUpper(b byte) bool { return b >= 'A' && b <= 'Z' }

// namedLike reports whether a name in scope holds one of the words.
func (w *worker) namedLike(words *wordSet) bool {
	for i := range w.scopes {
		if words.match(w.scopes[i].text) {
			return true
		}
	}
	return false
}

var cardWords = newWordSet([]string{"card", "pan", "ccnum", "cc_num", "credit", "payment"})

// luhn is the check digit of ISO/IEC 7812-1.
func luhn(n []byte) bool {
	sum := 0
	for i := range n {
		v := int(n[len(n)-1-i])
		if i%2 == 1 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return sum%10 == 0
}

// isIssuer reports whether a network issues numbers of this beginning and
// length (ISO/IEC 7812 issuer identification numbers).
func isIssuer(n []byte) bool {
	if len(n) < 13 || len(n) > 19 {
		return false
	}
	num := func(k int) int {
		v := 0
		for _, d := range n[:k] {
			v = v*10 + int(d)
		}
		return v
	}
	two, three, four, six := num(2), num(3), num(4), num(6)
	switch {
	case n[0] == 4: // Visa
		return len(n) == 13 || len(n) == 16 || len(n) == 19
	case two >= 51 && two <= 55, four >= 2221 && four <= 2720: // Mastercard
		return len(n) == 16
	case two == 34, two == 37: // American Express
		return len(n) == 15
	case two == 36, two == 38, two == 39, three >= 300 && three <= 305: // Diners Club
		return len(n) == 14 || len(n) == 16
	case four == 6011, two == 65, three >= 644 && three <= 649, six >= 622126 && six <= 622925: // Discover
		return len(n) == 16 || len(n) == 19
	case four >= 3528 && four <= 3589: // JCB
		return len(n) == 16
	case two == 62: // UnionPay
		return len(n) >= 16
	case four == 5018, four == 5020, four == 5038, four == 6304, four == 6759, four >= 6761 && four <= 6763: // Maestro
		return len(n) == 16
	case four >= 2200 && four <= 2204: // Mir
		return len(n) == 16
	}
	return false
}

// isTestCard recognises the numbers that payment providers document for tests.
func isTestCard(n []byte) bool {
	distinct := map[byte]bool{}
	for _, d := range n {
		distinct[d] = true
	}
	if len(distinct) <= 3 {
		return true // 4111 1111 1111 1111, 4242 4242 4242 4242, 5555 5555 5555 4444
	}
	var s [24]byte
	for i, d := range n {
		s[i] = d + '0'
	}
	switch string(s[:len(n)]) {
	case "378282246310005", "371449635398431", "378734493671000", "5105105105105100", "5200828282828210", "6011111111111117", "6011000990139424",
		"30569309025904", "38520000023237", "3530111333300000", "3566002020360505", "4012888888881881", "4000056655665556", "2223003122003222", "4000002500003155":
		return true
	}
	return false
}

// ibanLength is the length of an IBAN by country (SWIFT IBAN registry).
var ibanLength = map[string]int{
	"AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24,
	"DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27,
	"GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20,
	"LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24,
	"PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "SO": 23, "ST": 25,
	"SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}

func ibanKeywords() []string {
	out := make([]string, 0, len(ibanLength))
	for c := range ibanLength {
		out = append(out, c+digits(2))
	}
	slices.Sort(out)
	return out
}

// findIBAN: country, two check digits, and the account in groups of four or
// without spaces (ISO 13616).
func findIBAN(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	if from > 0 && isWord(d[from-1]) || d[from] < 'A' || d[from] > 'Z' || d[from+1] < 'A' || d[from+1] > 'Z' {
		return
	}
	var number [34]byte
	n, i := 0, from
	want := ibanLength[string(d[from:from+2])]
	for i < len(d) && n < want {
		switch b := d[i]; {
		case isDigit(b) || b >= 'A' && b <= 'Z':
			number[n] = b
			n++
		case b == ' ' && n%4 == 0:
		default:
			return
		}
		i++
	}
	if n != want || i < len(d) && isWord(d[i]) {
		return
	}
	if !mod97(number[:n]) {
		w.exclude(badChecksum)
		return
	}
	w.report(r, f, from, i)
}

// mod97 is the check of ISO 7064 that ISO 13616 prescribes: the first four
// characters go to the end, letters count from 10.
func mod97(n []byte) bool {
	sum := 0
	for i := range n {
		b := n[(i+4)%len(n)]
		if isDigit(b) {
			sum = (sum*10 + int(b-'0')) % 97
		} else {
			sum = (sum*100 + int(b-'A') + 10) % 97
		}
	}
	return sum == 1
}

// findEmail: local part, @, and a domain with a dot.
func findEmail(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	begin := runBack(d, from, 64, func(b byte) bool { return isAlnum(b) || b == '.' || b == '_' || b == '%' || b == '+' || b == '-' })
	for begin < from && !isAlnum(d[begin]) && d[begin] != '_' {
		begin++
	}
	end := run(d, to, 253, func(b byte) bool { return isAlnum(b) || b == '.' || b == '-' })
	for end > to && !isAlnum(d[end-1]) {
		end--
	}
	domain := d[to:end]
	dot := bytes.LastIndexByte(domain, '.')
	if begin == from || dot <= 0 || !isTopLevel(domain[dot+1:]) || bytes.Contains(domain, []byte("..")) || bytes.Contains(domain, []byte(".-")) || domain[0] == '-' {
		return
	}
	if end < len(d) && d[end] == '@' || begin > 0 && d[begin-1] == '@' || begin > 1 && d[begin-1] == '/' && d[begin-2] == '/' {
		return // or who a URL says is to log in
	}
	if isPackage(domain[dot+1:]) || begin > 1 && d[begin-1] == ':' && bytes.Contains(around(d, begin, begin, 128), []byte("://")) {
		return // user:password@host, or name@2x.png
	}
	switch local := d[begin:from]; {
	case isExampleHost(domain), placeholder(local), foldPrefix(local, "noreply"), foldPrefix(local, "no-reply"), foldPrefix(local, "donotreply"), bytes.EqualFold(local, []byte("git")):
		w.exclude(exampleValue)
		return
	}
	w.report(r, f, begin, end)
}

// isTopLevel reports whether a label can be a top-level domain: letters of one
// case, or the ASCII form of an international one (RFC 5890).
func isTopLevel(label []byte) bool {
	if foldPrefix(label, "xn--") {
		return len(label) > 6
	}
	s := shapeOf(label)
	return len(label) >= 2 && len(label) <= 18 && (s.lower == len(label) || s.upper == len(label))
}

// isPackage reports endings of file names that stand where a domain's would.
func isPackage(tld []byte) bool {
	switch string(bytes.ToLower(tld)) {
	case "png", "jpg", "jpeg", "gif", "svg", "webp", "js", "css", "html", "json", "local", "internal", "so", "dll", "py", "rb", "php", "lan":
		return true
	}
	return false
}
