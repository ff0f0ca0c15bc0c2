package scan

import (
	"bytes"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// personalFamily finds what its name says is personal data: the rule's keyword
// stands as a word in the name of the field, the member or the key, and the
// value has the shape of it. Names of people in running text are not sought.
var personalFamily = append([]rule{
	{id: "phone-number", description: "Telephone number", category: PII, severity: Low, confidence: Likely, rank: rankData, find: byName,
		names: []string{"phone", "telephone", "mobile", "msisdn", "cellphone", "cell", "fax", "phonenumber", "tel", "telefon", "telefono", "telefone", "telefoon", "telefonnummer",
			"handy", "handynummer", "celular", "movil", "mobil", "whatsapp", "contact_number", "contactnumber", "sms_number", "mobilnummer", "mobilfunknummer", "rufnummer", "festnetz",
			"téléphone", "telephone_portable", "teléfono", "móvil", "telemovel", "telemóvel", "cellulare", "telefoonnummer", "mobiel", "telefonu", "komorka", "telefon_numarasi", "cep_telefonu",
			"手机", "手机号", "电话", "電話", "携帯", "携帯電話", "телефон", "телефона", "мобильный", "전화", "휴대폰"}, shape: phoneShape},
	{id: "ip-address", description: "IP address of a person's device", category: PII, severity: Low, confidence: Likely, rank: rankData, find: byName,
		names: []string{"remoteaddr", "remote_addr", "remoteaddress", "client_ip", "clientip", "ipaddress", "ip_address", "last_ip", "user_ip", "login_ip", "remote_ip", "visitor_ip", "signup_ip", "registration_ip", "x-forwarded-for", "x-real-ip", "ip_addr", "ipaddr", "remoteip", "loginip", "sign_in_ip", "source_ip", "cf-connecting-ip",
			"ip_adresse", "adresse_ip", "direccion_ip", "endereco_ip", "indirizzo_ip", "ip地址", "登录ip"}, shape: addressShape},
	{id: "birth-date", description: "Date of birth", category: PII, severity: Low, confidence: Likely, rank: rankData, find: byName,
		names: []string{"birthdate", "birth_date", "birthday", "dateofbirth", "date_of_birth", "dob", "born", "geburtsdatum", "geburtstag", "date_naissance", "fecha_nacimiento", "data_nascita", "data_nascimento", "geboortedatum", "geb_datum", "naissance", "datenaissance", "nacimiento", "fecha_nac", "nascimento", "data_nasc", "nascita", "urodzenia", "dogum_tarihi",
			"出生日期", "出生年月", "生日", "生年月日", "誕生日", "рождения", "생년월일"}, shape: dateShape},
	{id: "passport-number", description: "Passport number", category: PII, severity: Medium, confidence: Likely, rank: rankData, find: byName,
		names: []string{"passport", "passport_no", "passportnumber", "passnummer", "reisepass", "reisepassnummer", "passeport", "pasaporte", "passaporte", "passaporto", "paspoort", "paspoortnummer", "travel_document", "护照", "パスポート", "паспорт", "여권"}, shape: passportShape},
	{id: "postal-address", description: "Street of a postal address", category: PII, severity: Low, confidence: Likely, rank: rankData, find: byName,
		names: []string{"street", "street_address", "streetaddress", "address_line", "address_line1", "addressline1", "address1", "line1", "address", "adresse", "anschrift", "strasse", "direccion", "indirizzo", "endereco", "straße", "wohnadresse", "rechnungsadresse", "lieferadresse", "domicile", "dirección", "calle", "domicilio", "endereço", "rua", "morada", "logradouro", "ulica", "sokak",
			"地址", "住所", "住址", "адрес", "улица", "주소"}, shape: streetShape},
}, nationalFamily()...)

// maxPersonal is the length of the longest value that is looked at.
const maxPersonal = 128

// personal judges a value by the name that it bears.
func (w *worker) personal(f *fragment) {
	if len(w.scopes) == 0 || len(f.data) > maxPersonal {
		return
	}
	r := w.scopes[len(w.scopes)-1].personal
	if r == nil {
		return
	}
	from, to := trimmed(f.data, 0, len(f.data))
	switch v := f.data[from:to]; {
	case len(v) < 6 || !r.shape(v):
	case placeholder(v):
		w.exclude(placeholderValue)
	default:
		w.report(r, f, from, to)
	}
}

// assigned judges what a text assigns to a name that contains d[from:to]: a line of a
// file, a pair of a form or of a log.
func (r *rule) assigned(w *worker, f *fragment, from, to int) {
	d := f.data
	begin, end := runBack(d, from, maxNameBefore, isNameByte), run(d, to, maxNameAfter, isNameByte)
	if f.inName || !r.namesWord(d[begin:end]) {
		return
	}
	at := run(d, end, 3, func(b byte) bool { return b == ' ' || b == '"' || b == '\'' })
	if at >= len(d) || d[at] != ':' && d[at] != '=' {
		return
	}
	at = run(d, at+1, 8, func(b byte) bool { return b == ' ' || b == '\t' || b == '>' })
	from, to = valueAt(d, at, false)
	if line, last := lineAround(d, begin); from == at && len(bytes.TrimLeft(d[line:begin], " \t-")) == 0 {
		from, to = trimmed(d, at, min(last, at+maxPersonal)) // all of the line
	}
	switch v := d[from:to]; {
	case len(v) < 6 || len(v) > maxPersonal || !r.shape(v) || v[0] > 'f' && v[0] <= 'z': // a sentence goes on with a small letter
	case placeholder(v):
		w.exclude(placeholderValue)
	default:
		w.report(r, f, from, to)
	}
}

// names reports whether a rule's keyword is a whole word, or words, of a name:
// home_phone, phoneNumber, client.ip_address.
func (r *rule) namesWord(name []byte) bool {
	for _, k := range r.names {
		for at := 0; at+len(k) <= len(name); at++ {
			if !foldPrefix(name[at:], k) {
				continue
			}
			end := at + len(k)
			before := at == 0 || !isLetter(name[at-1]) || name[at] < 'a' && name[at-1] >= 'a'
			after := end == len(name) || name[end] < 'a' || name[end] > 'z'
			if before && after && (end == len(name) || isNumberWord(name[end:])) {
				return true
			}
		}
	}
	return false
}

// isNumberWord accepts what may follow: phone_number, phone1, passportNo.
func isNumberWord(rest []byte) bool {
	rest = bytes.TrimLeft(rest, "_-. 0123456789")
	switch string(bytes.ToLower(rest)) {
	case "", "number", "no", "num", "nr", "value", "e164", "home", "work", "main", "name", "postale", "livraison", "facturation", "envio", "envío", "entrega", "spedizione", "cliente", "号", "号码", "番号", "번호":
		return true
	}
	return false
}

// phoneShape: 8 to 15 digits (ITU-T E.164) with the separators that people use.
func phoneShape(v []byte) bool {
	n := 0
	for i, b := range v {
		switch {
		case isDigit(b):
			n++
		case b == '+' && i == 0, b == ' ' || b == '-' || b == '.' || b == '(' || b == ')' || b == '/':
		default:
			return false
		}
	}
	return n >= 8 && n <= 15 && shapeOf(v).distinct > 3 && !dateShape(v) && !isAddress(v)
}

// isAddress reports whether v is an address of the Internet.
func isAddress(v []byte) bool {
	_, err := netip.ParseAddr(string(v))
	return err == nil
}

// addressShape: an address of the public Internet.
func addressShape(v []byte) bool {
	a, err := netip.ParseAddr(string(v))
	if err != nil {
		p, err := netip.ParseAddrPort(string(v))
		if err != nil {
			return false
		}
		a = p.Addr()
	}
	return a.IsGlobalUnicast() && !a.IsPrivate()
}

// dateShape: year, month and day in the usual orders, perhaps with midnight behind
// them: what has another time of day is an object of a program.
func dateShape(v []byte) bool {
	if len(v) > 10 && (v[10] == 'T' || v[10] == ' ') {
		if !isMidnight(v[11:]) {
			return false
		}
		v = v[:10]
	}
	var part [3][]byte
	i := 0
	for _, p := range bytes.FieldsFunc(v, func(r rune) bool { return r == '-' || r == '/' || r == '.' }) {
		if i == len(part) || !isDigits(p) {
			return false
		}
		part[i] = p
		i++
	}
	if i != len(part) {
		return false
	}
	year, a, b := part[0], part[1], part[2]
	if len(year) != 4 {
		year, a, b = part[2], part[0], part[1]
	}
	y, _ := number(year)
	return len(year) == 4 && y >= 1900 && y < 2100 && (isDayMonth(a, b) || isDayMonth(b, a))
}

// isMidnight reports whether a time may be midnight in some zone: 00:00:00Z,
// 22:00:00.000Z, 18:30:00+00:00.
func isMidnight(v []byte) bool {
	if zone := bytes.IndexAny(v, "Z+-"); zone >= 0 {
		v = v[:zone]
	}
	if len(v) < len("00:00") || v[2] != ':' || v[3] != '0' && v[3] != '3' {
		return false
	}
	return len(bytes.Trim(v[4:], "0:. ")) == 0
}

// passportShape: 6 to 9 letters and digits (ICAO Doc 9303), most of them digits.
func passportShape(v []byte) bool {
	s := shapeOf(v)
	return len(v) >= 6 && len(v) <= 9 && s.digit >= 5 && s.digit+s.upper == len(v)
}

// streetShape: words with a house number, or signs that end the names of places.
func streetShape(v []byte) bool {
	letters, digits, spaces, others, places := 0, 0, 0, 0, 0
	for _, c := range string(v) {
		switch {
		case c < utf8.RuneSelf && isDigit(byte(c)):
			digits++
		case c == ' ':
			spaces++
		case strings.ContainsRune(placeSigns, c):
			places++
		case unicode.IsLetter(c):
			letters++
		case strings.ContainsRune("{}<>=\":", c):
			return false
		default:
			others++
		}
	}
	return digits > 0 && digits <= 6 && others <= 4 && (letters >= 4 && spaces > 0 || places >= 2)
}

// placeSigns end the parts of an address in Chinese, Japanese and Korean: province,
// city, district, street, number.
const placeSigns = "省市区县區縣路街号號村镇都道府県町丁目番地도시구동로길"
