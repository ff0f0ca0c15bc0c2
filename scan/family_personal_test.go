package scan

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// checked completes a number of digits so that valid holds, and it is none that
// stands for another, as 11111160830 does.
func checked(r *rand.Rand, length int, prefix string, valid func([]byte) bool) string {
	for range 1 << 20 {
		v := []byte(prefix)
		for len(v) < length {
			v = append(v, byte('0'+r.IntN(10)))
		}
		if valid(v) && !placeholder(v) {
			return string(v)
		}
	}
	panic("no such number")
}

// Personal data made anew at each run are found under a name that promises them;
// under names that do not, and with one digit changed, identity numbers are not.
func TestPersonalDataGenerated(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	s := newTestScanner(t)
	digit := func(n int) string { return checked(r, n, "", func([]byte) bool { return true }) }
	kinds := []struct {
		rule, field string
		make        func() string
	}{
		{"phone-number", "home_phone", func() string { return "+49 30 " + "901" + digit(6) }},
		{"phone-number", "mobileNumber", func() string { return "+1 (415) 5" + digit(2) + "-0" + digit(3) }},
		{"ip-address", "client_ip", func() string { return fmt.Sprintf("8%d.%d.%d.%d", r.IntN(10), r.IntN(256), r.IntN(256), r.IntN(256)) }},
		{"ip-address", "remoteAddress", func() string { return fmt.Sprintf("2a01:4f8:%x:%x::%x", r.IntN(65536), r.IntN(65536), 1+r.IntN(65535)) }},
		{"birth-date", "date_of_birth", func() string { return fmt.Sprintf("19%02d-%02d-%02d", r.IntN(100), 1+r.IntN(12), 1+r.IntN(28)) }},
		{"birth-date", "dob", func() string { return fmt.Sprintf("%02d.%02d.19%02d", 1+r.IntN(28), 1+r.IntN(12), r.IntN(100)) }},
		{"passport-number", "passport_no", func() string { return "C" + "7" + digit(7) }},
		{"postal-address", "street", func() string { return fmt.Sprintf("Lindenweg %d", 1+r.IntN(200)) }},
	}
	prefixes := map[string]string{"CN": "11010519870412", "FI": "1204871", "CH": "756", "NO": "120487", "BE": "870412", "SE": "870412", "FR": "1870475116",
		"KR": "870412", "AR": "20", "CZ": "870412", "DK": "120487", "RO": "1870412", "EE": "3870412"}
	for _, c := range nationalIDs {
		if c.country == "IT" || c.country == "ES" || c.country == "FI" || c.country == "US" || c.country == "HK" || c.country == "SG" {
			continue // letters; no check digit
		}
		kinds = append(kinds, struct {
			rule, field string
			make        func() string
		}{"national-id", "national_id", func() string { return checked(r, c.length, prefixes[c.country], c.valid) }})
	}
	for _, k := range kinds {
		found, wrong := 0, 0
		const n = 40
		for range n {
			v := k.make()
			fs, _ := scanAll(t, s, hashKey("person:1", k.field, v))
			if len(fs) == 1 && fs[0].Rule == k.rule && fs[0].Secret == v {
				found++
			}
			fs, _ = scanAll(t, s, hashKey("thing:1", "quantity", v))
			for _, f := range fs {
				if f.Rule == k.rule {
					wrong++
				}
			}
		}
		if found < n || wrong > 0 {
			t.Errorf("%s in %s: found %d of %d, and %d under a name that promises nothing", k.rule, k.field, found, n, wrong)
		}
	}
}

func TestPersonalFamily(t *testing.T) {
	testFamily(t, []familyCase{
		{name: "dni", field: "dni", value: "12345678" + "Z", rule: "national-id"},
		{name: "dni with the wrong letter", field: "dni", value: "12345678" + "A"},
		{name: "codice fiscale", field: "codice_fiscale", value: "RSSMRA85T10A562" + "S", rule: "national-id"},
		{name: "hetu", field: "hetu", value: "131052-308" + "T", rule: "national-id"},
		{name: "ssn", field: "ssn", value: "219-09-" + "8734", rule: "national-id"},
		{name: "ssn that is none", field: "ssn", value: "900-12-3456"},
		{name: "in JSON", value: `{"user":{"phoneNumber":"+44 20 7946 ` + `1385"}}`, rule: "phone-number", secret: "+44 20 7946 " + "1385"},
		{name: "telephone in German", field: "handynummer", value: "0171/" + "3189772", rule: "phone-number"},
		{name: "nif", field: "nif", value: "12345678" + "Z", rule: "national-id"},
		{name: "birthday in French", field: "date_naissance", value: "11/09/1991", rule: "birth-date"},
		{name: "address", field: "shipping_address", value: "14 Maple Street", rule: "postal-address"},
		{name: "address of a host", field: "address", value: "10.0.0.7:6379"},
		{name: "address of a wallet", field: "address", value: "0x52908400098527886E0F7030069857D2E4169EE7"},
		{name: "cell of a table", field: "cell", value: "B12"},
		{name: "user of a DSN", field: "dsn", value: "https://" + random("dsn", 32, hexAlphabet) + "@o12.ingest.sentry.test/7"},
		{name: "line of a file", value: "name: Ivy\nphone: +49 151 " + "31868193\nlang: de", rule: "phone-number", secret: "+49 151 " + "31868193"},
		{name: "pair of a log", value: "level=info client_ip=80.172.116.115 ms=3", rule: "ip-address", secret: "80.172.116.115"},
		{name: "pair of a form", value: "a=1&dob=1984-03-12&b=2", rule: "birth-date", secret: "1984-03-12"},
		{name: "quoted", value: "User(ssn='219-09-" + "8734', id=7)", rule: "national-id", secret: "219-09-" + "8734"},
		{name: "sentence", value: "street: unknown to all 3 of us"},
		{name: "prose", value: "born: see 3 of those"},
		{name: "a count in a log", value: "mobile=12 phone: 4"},
		{name: "private address", field: "client_ip", value: "10.0.0.7"},
		{name: "version", field: "client_ip", value: "1.2.3"},
		{name: "telephony", field: "telephone_model", value: "4917012345678"},
		{name: "street of a URL", field: "street", value: "https://a/b 12"},
		{name: "no date", field: "dob", value: "1987-14-33"},
		{name: "aadhaar", field: "aadhaar_number", value: "2341 2341 " + "2346", rule: "national-id"},
		{name: "aadhaar with a digit changed", field: "aadhaar_number", value: "2341 2341 " + "2347"},
		{name: "NHS number", field: "nhs_number", value: "943 476 " + "5919", rule: "national-id"},
		{name: "NRIC", field: "nric", value: "S1234567" + "D", rule: "national-id"},
		{name: "NRIC with the wrong letter", field: "nric", value: "S1234567" + "E"},
		{name: "HKID", field: "hkid", value: "A123456(" + "3)", rule: "national-id"},
		{name: "RUT", field: "rut", value: "12.345.678-" + "5", rule: "national-id"},
		{name: "RUT without a dash", field: "rut", value: "123456785"},
		{name: "address that has a check digit", field: "pesel", value: "186.166.217." + "55"},
		{name: "telephone that has a check digit", field: "nir", value: "+77743306353"},
		{name: "date of a cell", field: "cell", value: "2021-06-19"},
		{name: "midnight", field: "born", value: "1984-03-12T00:00:00Z", rule: "birth-date"},
		{name: "midnight elsewhere", field: "born", value: "1984-03-11T22:00:00.000Z", rule: "birth-date"},
		{name: "birth of a file", field: "born", value: "2026-03-12T14:22:07.5Z"},
		{name: "birth of a process", field: "born", value: "2026-03-12 14:22:00"},
		{name: "SIN", field: "social_insurance_number", value: "130 692 " + "544", rule: "national-id"},
		{name: "Chinese names", value: `{"手机号":"138` + `00138123"}`, rule: "phone-number", secret: "138" + "00138123"},
		{name: "Chinese address", field: "收货地址", value: "北京市朝阳区建国路88号", rule: "postal-address"},
		{name: "Japanese birthday", field: "生年月日", value: "1987/04/12", rule: "birth-date"},
		{name: "street with an umlaut", field: "straße", value: "Grüner Weg 12", rule: "postal-address"},
		{name: "fecha de nacimiento", field: "fechaNacimiento", value: "12/04/1987", rule: "birth-date"},
		{name: "where somebody was born", field: "lieu_naissance", value: "Lyon 3e"},
		{name: "label in Chinese", field: "手机号", value: "请输入手机号码"},
		{name: "label of an address", field: "adresse_livraison", value: "Adresse de livraison"},
		{name: "passport in Spanish", field: "pasaporte", value: "XDB" + "123456", rule: "passport-number"},
		{name: "number of an order", field: "order_number", value: "55318525" + "87650459"},
		{name: "number of an order in French", field: "numero_commande", value: "55318525" + "87650459"},
		{name: "number of an order in Chinese", field: "订单号", value: "55318525" + "87650459"},
		{name: "number of a card", field: "card_number", value: "55318525" + "87650459", rule: "card-number"},
		{name: "passport in German", field: "reisepass", value: "C01X" + "00T47", rule: "passport-number"},
		{name: "passport in German, of digits", field: "reisepass", value: "C7" + "1234567", rule: "passport-number"},
		{name: "passport state", field: "passport", value: "enabled"},
	})
}
