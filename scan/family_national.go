package scan

import (
	"bytes"
	"strings"
)

// National identity numbers, by the check characters that their issuers define.
// A number of so many digits passes one of them by chance too often: they are
// looked for only under a name that promises one.

// nationalNames are names that promise a number of one of some countries, or of any.
var nationalNames = []struct {
	countries string
	names     []string
}{
	{"", []string{"national_id", "nationalid", "personal_id", "tax_id", "taxid", "tax_number", "id_number", "idnumber", "citizen_id", "id_card", "idcard", "identity_card"}},
	{"US", []string{"ssn"}}, {"US FR", []string{"socialsecurity", "social_security"}},
	{"FR", []string{"securite_sociale", "sécurité_sociale", "numero_secu", "insee", "nir"}},
	{"DE", []string{"steuer_id", "steueridnr", "steueridentifikationsnummer", "steuernummer", "idnr"}},
	{"ES", []string{"dni", "nie", "documento_identidad"}}, {"ES PT", []string{"nif"}}, {"PT", []string{"contribuinte"}},
	{"BR", []string{"cpf"}}, {"NL", []string{"bsn", "burgerservicenummer"}}, {"SE", []string{"pnr"}}, {"SE NO", []string{"personnummer"}},
	{"PL", []string{"pesel"}}, {"IT", []string{"codice_fiscale"}}, {"FI", []string{"hetu"}}, {"CH", []string{"ahv"}}, {"TR", []string{"tckn"}},
	{"NO", []string{"fodselsnummer"}}, {"BE", []string{"rijksregisternummer"}}, {"CN", []string{"身份证", "身份证号"}},
	{"IN", []string{"aadhaar", "aadhar"}}, {"GB", []string{"nhs_number", "nhs_no"}}, {"KR", []string{"rrn", "resident_registration", "주민등록"}},
	{"JP", []string{"my_number", "マイナンバー", "個人番号"}}, {"RU", []string{"snils", "снилс"}}, {"CA", []string{"social_insurance"}}, {"AU", []string{"tax_file_number"}},
	{"AR", []string{"cuil", "cuit"}}, {"CZ", []string{"rodne_cislo", "birth_number"}}, {"RO", []string{"cnp"}}, {"EE", []string{"isikukood"}},
	{"DK", []string{"cpr"}}, {"CL", []string{"rut"}}, {"HK", []string{"hkid"}}, {"SG", []string{"nric"}},
}

// nationalFamily makes a rule of each line.
func nationalFamily() []rule {
	var out []rule
	for _, n := range nationalNames {
		out = append(out, rule{id: "national-id", description: "National identity number", category: PII, severity: Medium, confidence: Confirmed, rank: rankData, find: byName,
			names: n.names, shape: func(v []byte) bool { return isNationalID(v, n.countries) }})
	}
	return out
}

// isNationalID reports whether v is a number of one of some countries, or of any.
func isNationalID(v []byte, countries string) bool {
	if len(v) == 0 || v[0] == '+' || isAddress(v) { // a telephone's
		return false
	}
	if countries == "CL" && !endsAlone(v) {
		return false
	}
	var buf [20]byte
	n := 0
	for _, b := range v {
		switch {
		case b == ' ' || b == '-' || b == '.' || b == '/' || b == '+' || b == '(' || b == ')':
		case !isAlnum(b) || n == len(buf):
			return false
		default:
			buf[n] = upper(b)
			n++
		}
	}
	id := buf[:n]
	for _, c := range nationalIDs {
		if len(id) == c.length && (countries == "" || strings.Contains(countries, c.country)) && c.valid(id) {
			return true
		}
	}
	return false
}

func upper(b byte) byte {
	if b >= 'a' && b <= 'z' {
		return b - ('a' - 'A')
	}
	return b
}

var nationalIDs = []struct {
	country string
	length  int
	valid   func([]byte) bool
}{
	{"ES", 9, spanishID}, {"FI", 10, finnishID}, {"IT", 16, italianID}, {"CN", 18, chineseID}, {"CH", 13, swissID},
	{"FR", 15, frenchID}, {"DE", 11, germanID}, {"PL", 11, weighted(10, "13791379131")}, {"NO", 11, norwegianID},
	{"BE", 11, belgianID}, {"BR", 11, brazilianID}, {"TR", 11, turkishID}, {"NL", 9, dutchID}, {"SE", 10, swedishID}, {"US", 9, americanID},
	{"IN", 12, indianID}, {"GB", 10, weighted(11, ":987654321")}, {"KR", 13, koreanID}, {"JP", 12, japaneseID}, {"RU", 11, russianID},
	{"AR", 11, argentineID}, {"CZ", 10, czechID}, {"DK", 10, danishID}, {"RO", 13, romanianID}, {"EE", 11, estonianID}, {"PT", 9, portugueseID},
	{"CL", 8, chileanID}, {"CL", 9, chileanID}, {"HK", 8, hongKongID}, {"SG", 9, singaporeID},
	{"CA", 9, canadianID}, {"AU", 9, weighted(11, "14375869:")},
}

func number(v []byte) (n uint64, ok bool) {
	for _, b := range v {
		if !isDigit(b) {
			return 0, false
		}
		n = n*10 + uint64(b-'0')
	}
	return n, len(v) > 0 && len(v) < 19
}

// weighted: the sum of digits times weights, of which a colon is ten, is divisible
// by mod.
func weighted(mod int, weights string) func([]byte) bool {
	return func(v []byte) bool {
		sum := 0
		for i, b := range v {
			if !isDigit(b) {
				return false
			}
			sum += int(b-'0') * int(weights[i]-'0')
		}
		return sum%mod == 0 && shapeOf(v).distinct > 2
	}
}

// spanishID: DNI and NIE, eight digits modulo 23 choose the letter.
func spanishID(v []byte) bool {
	d := bytes.Clone(v)
	if k := bytes.IndexByte([]byte("XYZ"), d[0]); k >= 0 {
		d[0] = byte('0' + k)
	}
	n, ok := number(d[:8])
	return ok && "TRWAGMYFPDXBNJZSQVHLCKE"[n%23] == v[8]
}

// finnishID: the date and three digits modulo 31. The sign of the century has
// gone with the separators, or is a letter.
func finnishID(v []byte) bool {
	n, ok := number(v[:9])
	return ok && "0123456789ABCDEFHJKLMNPRSTUVWXY"[n%31] == v[9] && isDayMonth(v[0:2], v[2:4])
}

func isDayMonth(day, month []byte) bool {
	d, ok1 := number(day)
	m, ok2 := number(month)
	return ok1 && ok2 && d >= 1 && d <= 31 && m >= 1 && m <= 12
}

// italianID: codice fiscale, odd and even places weigh differently (decree of
// 23 December 1976).
func italianID(v []byte) bool {
	odd := [...]int{1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23}
	for i, b := range v {
		if letter := i < 6 || i == 8 || i == 11 || i == 15; letter == isDigit(b) {
			return false
		}
	}
	sum := 0
	for i, b := range v[:15] {
		k := int(b - '0')
		if !isDigit(b) {
			k = int(b - 'A')
		}
		if i%2 == 0 {
			k = odd[k]
		}
		sum += k
	}
	return byte('A'+sum%26) == v[15]
}

// chineseID: GB 11643, ISO 7064 MOD 11-2.
func chineseID(v []byte) bool {
	sum := 0
	for _, b := range v[:17] {
		if !isDigit(b) {
			return false
		}
		sum = (sum + int(b-'0')) * 2 % 11
	}
	return "0123456789X"[(12-sum)%11] == v[17] && isDayMonth(v[12:14], v[10:12])
}

// swissID: AHV number, 756 and the check digit of EAN-13.
func swissID(v []byte) bool {
	return bytes.HasPrefix(v, []byte("756")) && weighted(10, "1313131313131")(v)
}

// frenchID: NIR, 97 minus the number modulo 97; Corsica's departments count as
// 19 and 18.
func frenchID(v []byte) bool {
	d := bytes.Clone(v)
	if d[5] == '2' && (d[6] == 'A' || d[6] == 'B') {
		d[5], d[6] = '1', '9'-(d[6]-'A')
	}
	n, ok := number(d[:13])
	key, ok2 := number(d[13:])
	return ok && ok2 && (d[0] == '1' || d[0] == '2') && key == 97-n%97
}

// germanID: tax identification number, ISO 7064 MOD 11,10.
func germanID(v []byte) bool {
	p := 10
	for _, b := range v[:10] {
		if !isDigit(b) {
			return false
		}
		if p = (p + int(b-'0')) % 10; p == 0 {
			p = 10
		}
		p = p * 2 % 11
	}
	return v[0] != '0' && isDigit(v[10]) && (11-p)%10 == int(v[10]-'0')
}

// norwegianID: two check digits, modulo 11.
func norwegianID(v []byte) bool {
	return isDayMonth(v[0:2], v[2:4]) && weighted(11, "3761894521")(v[:10]) && weighted(11, "54327654321")(v)
}

// belgianID: 97 minus nine digits modulo 97; from 2000 on with a 2 before them.
func belgianID(v []byte) bool {
	n, ok := number(v[:9])
	key, ok2 := number(v[9:])
	return ok && ok2 && (key == 97-n%97 || key == 97-(2e9+n)%97) && isDayMonth(v[4:6], v[2:4])
}

// brazilianID: CPF, two check digits.
func brazilianID(v []byte) bool {
	if !isDigits(v) || shapeOf(v).distinct < 3 {
		return false
	}
	for k := 9; k <= 10; k++ {
		sum := 0
		for i := range k {
			sum += int(v[i]-'0') * (k + 1 - i)
		}
		if sum*10%11%10 != int(v[k]-'0') {
			return false
		}
	}
	return true
}

// turkishID: T.C. kimlik numarası.
func turkishID(v []byte) bool {
	if !isDigits(v) || v[0] == '0' {
		return false
	}
	odd, even, all := 0, 0, 0
	for i, b := range v[:10] {
		d := int(b - '0')
		all += d
		if i < 9 && i%2 == 0 {
			odd += d
		} else if i < 9 {
			even += d
		}
	}
	return ((odd*7-even)%10+10)%10 == int(v[9]-'0') && all%10 == int(v[10]-'0')
}

// dutchID: BSN, the last digit weighs minus one, which modulo 11 is ten.
func dutchID(v []byte) bool {
	n, ok := number(v)
	last := int(n % 10)
	sum := 0
	for i := range 8 {
		sum += int(v[i]-'0') * (9 - i)
	}
	return ok && n > 0 && (sum-last)%11 == 0 && shapeOf(v).distinct > 2
}

// swedishID: personnummer, Luhn's check digit behind a date.
func swedishID(v []byte) bool {
	if !isDigits(v) || !isDayMonth(v[4:6], v[2:4]) {
		return false
	}
	d := bytes.Clone(v)
	for i := range d {
		d[i] -= '0'
	}
	return luhn(d)
}

// americanID: a social security number has no check digit, but ranges that were
// never issued.
func americanID(v []byte) bool {
	area, ok := number(v[:3])
	group, ok2 := number(v[3:5])
	serial, ok3 := number(v[5:])
	return ok && ok2 && ok3 && area > 0 && area != 666 && area < 900 && group > 0 && serial > 0 && shapeOf(v).distinct > 3
}

// sumOf adds up digits times weights, of which there may be fewer.
func sumOf(v []byte, weights string) (sum int) {
	for i := range weights {
		sum += int(v[i]-'0') * int(weights[i]-'0')
	}
	return sum
}

// indianID: Aadhaar, Verhoeff's check digit, which turns the digits in the dihedral
// group of ten elements.
func indianID(v []byte) bool {
	if !isDigits(v) || v[0] < '2' {
		return false
	}
	turns := [8]string{"0123456789"}
	for i := 1; i < len(turns); i++ {
		var turned [10]byte
		for k := range turned {
			turned[k] = "1576283094"[turns[i-1][k]-'0']
		}
		turns[i] = string(turned[:])
	}
	sum := 0
	for i := range v {
		next := int(turns[i%8][v[len(v)-1-i]-'0'] - '0')
		switch {
		case sum < 5 && next < 5:
			sum = (sum + next) % 5
		case sum < 5:
			sum = (sum+next)%5 + 5
		case next < 5:
			sum = (sum-next+5)%5 + 5
		default:
			sum = (sum - next + 5) % 5
		}
	}
	return sum == 0
}

// koreanID: resident registration number, as issued to October 2020.
func koreanID(v []byte) bool {
	return isDigits(v) && isDayMonth(v[4:6], v[2:4]) && (11-sumOf(v, "234567892345")%11)%10 == int(v[12]-'0')
}

// japaneseID: individual number of twelve digits.
func japaneseID(v []byte) bool {
	if !isDigits(v) || shapeOf(v).distinct < 3 {
		return false
	}
	rest, want := sumOf(v, "65432765432")%11, 0
	if rest > 1 {
		want = 11 - rest
	}
	return want == int(v[11]-'0')
}

// russianID: SNILS, nine digits weigh nine to one.
func russianID(v []byte) bool {
	if !isDigits(v) || shapeOf(v).distinct < 3 {
		return false
	}
	check, _ := number(v[9:])
	return sumOf(v, "987654321")%101%100 == int(check)
}

// argentineID: CUIT and CUIL, which begin with who they are for.
func argentineID(v []byte) bool {
	switch string(v[:2]) {
	case "20", "23", "24", "27", "30", "33", "34":
		return weighted(11, "54327654321")(v)
	}
	return false
}

// czechID: of Czechia and Slovakia, a date and four digits that eleven divides. The
// months of women are 50 higher, and 20 where the numbers of a day ran out.
func czechID(v []byte) bool {
	n, ok := number(v)
	month, _ := number(v[2:4])
	month = month % 50 % 20
	return ok && n%11 == 0 && month >= 1 && month <= 12 && isDayMonth(v[4:6], []byte("01"))
}

// danishID: CPR, a date and four digits; its check digit was given up in 2007.
func danishID(v []byte) bool {
	return isDigits(v) && isDayMonth(v[0:2], v[2:4]) && shapeOf(v).distinct > 3
}

// romanianID: CNP.
func romanianID(v []byte) bool {
	if !isDigits(v) || v[0] == '0' || !isDayMonth(v[5:7], v[3:5]) {
		return false
	}
	rest := sumOf(v, "279146358279") % 11
	return rest%10+rest/10 == int(v[12]-'0')
}

// estonianID: isikukood, and Lithuania's asmens kodas; a second sum decides where the
// first leaves ten.
func estonianID(v []byte) bool {
	if !isDigits(v) || v[0] == '0' || v[0] > '8' || !isDayMonth(v[5:7], v[3:5]) {
		return false
	}
	rest := sumOf(v, "1234567891") % 11
	if rest == 10 {
		rest = sumOf(v, "3456789123") % 11 % 10
	}
	return rest == int(v[10]-'0')
}

// portugueseID: NIF.
func portugueseID(v []byte) bool {
	return isDigits(v) && v[0] != '0' && (11-sumOf(v, "98765432")%11)%11%10 == int(v[8]-'0') && shapeOf(v).distinct > 2
}

// endsAlone reports whether a dash goes before the last character, as a RUT is
// written: of numbers of nine digits, one in eleven has its check digit, and rut may
// be short for anything.
func endsAlone(v []byte) bool { return len(v) > 2 && v[len(v)-2] == '-' }

// chileanID: RUT, weights two to seven from the right; K stands for ten.
func chileanID(v []byte) bool {
	last := len(v) - 1
	if !isDigits(v[:last]) || shapeOf(v).distinct < 3 {
		return false
	}
	sum := 0
	for i := range last {
		sum += int(v[last-1-i]-'0') * (2 + i%6)
	}
	return "0K987654321"[sum%11] == v[last]
}

// hongKongID: a letter, six digits and one that checks, with A for ten.
func hongKongID(v []byte) bool {
	if !isUpper(v[0]) || !isDigits(v[1:7]) {
		return false
	}
	sum := 36*9 + int(v[0]-'A'+10)*8 + sumOf(v[1:], "765432")
	return "0A987654321"[sum%11] == v[7]
}

// singaporeID: NRIC and FIN, a letter of the century, seven digits and a letter.
func singaporeID(v []byte) bool {
	if !isDigits(v[1:8]) {
		return false
	}
	sum, letters := sumOf(v[1:], "2765432"), "JZIHGFEDCBA"
	switch v[0] {
	case 'S':
	case 'T':
		sum += 4
	case 'F':
		letters = "XWUTRQPNMLK"
	case 'G':
		sum, letters = sum+4, "XWUTRQPNMLK"
	default:
		return false
	}
	return letters[sum%11] == v[8]
}

// canadianID: SIN, Luhn's check digit.
func canadianID(v []byte) bool {
	if !isDigits(v) || v[0] == '0' || v[0] == '8' || shapeOf(v).distinct < 3 {
		return false
	}
	d := bytes.Clone(v)
	for i := range d {
		d[i] -= '0'
	}
	return luhn(d)
}
