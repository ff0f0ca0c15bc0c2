package scan

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestCompoundFamily(t *testing.T) {
	hex := func(name string, n int) string { return random(name, n, hexAlphabet) }
	alnum := func(name string, n int) string { return random(name, n, alnumAlphabet) }
	number := func(name string) string { return "1" + random(name, 15, "0123456789") }
	asana := "2/" + number("as1") + "/" + number("as2") + ":" + hex("as3", 32)
	older := "1/" + number("as4") + ":" + hex("as5", 32)
	adyen := "AQ" + "E" + alnum("ad", 97) + "==-" + alnum("ad2", 43) + "=-"
	unleash := hex("ul", 56)
	svix, composio := "k9Q"+alnum("sv", 29), "k9QWEz"+alnum("co", 14)
	testFamily(t, []familyCase{
		{name: "asana", value: asana, rule: "asana-token"},
		{name: "asana in a header", value: "Authorization: Bearer " + asana + "\r\n", rule: "asana-token", secret: asana},
		{name: "asana's older form", value: `{"x":"` + older + `"}`, rule: "asana-token", secret: older},
		{name: "asana cut", value: asana[:len(asana)-1]},
		{name: "asana and more", value: asana + "0"},
		{name: "path of numbers", value: "2/" + number("as1") + "/" + number("as2")},
		{name: "numbers and a digest of one digit", value: older[:19] + strings.Repeat("0", 32)},
		{name: "adyen", value: adyen + `Lt*nb~m4z(2^<,7K`, rule: "adyen-api-key"},
		{name: "adyen in JSON", value: `{"x": "` + adyen + `Lt*nb~m4z(2^k,7K"}`, rule: "adyen-api-key", secret: adyen + `Lt*nb~m4z(2^k,7K`},
		{name: "adyen cut", value: adyen + `Lt*nb~m4z(2^<,7`},
		{name: "adyen without its middle", value: adyen[:103] + `Lt*nb~m4z(2^<,7K`},
		{name: "unleash", value: "default:production." + unleash, rule: "unleash-token"},
		{name: "unleash, of all projects", value: `{"x":"*:development.` + unleash + `"}`, rule: "unleash-token", secret: "*:development." + unleash},
		{name: "unleash, of several projects", value: "[]:production." + unleash, rule: "unleash-token"},
		{name: "unleash, of an administrator", value: "*:*." + unleash, rule: "unleash-token"},
		{name: "unleash cut", value: "default:production." + unleash[1:]},
		{name: "unleash without a project", value: ":production." + unleash},
		{name: "digest of an image", value: "app:production." + hex("im", 64)},
		{name: "svix", value: "sk" + "_" + svix + ".eu", rule: "svix-token"},
		{name: "svix, older", value: "sk" + "_" + svix[:24] + ".us", rule: "svix-token"},
		{name: "svix, of development", value: "test" + "sk_" + svix, rule: "svix-token"},
		{name: "svix, of development in a region", value: "test" + "sk_" + svix + ".in", rule: "svix-token"},
		{name: "svix without its region", value: "sk" + "_" + svix},
		{name: "svix before a word", value: "sk" + "_" + svix + ".event"},
		{name: "name in a file's name", value: "task_sk_translate_the_whole_page1.in"},
		{name: "composio", value: "ak" + "_" + composio, rule: "composio-api-key"},
		{name: "composio cut", value: "ak" + "_" + composio[1:]},
		{name: "composio of small letters", value: "ak" + "_" + strings.ToLower(composio)},
		{name: "name", value: "ak_" + "user_Account_number1"},
	})
}

func TestAccountIDFamily(t *testing.T) {
	alnum := func(name string, n int) string { return random(name, n, alnumAlphabet) }
	alibaba, older, tencent := "LT"+"AI5t"+alnum("al", 18), "LT"+"AI"+"9x"+alnum("al2", 10), "AK"+"ID"+"9x"+alnum("te", 30)
	volcengine := "AK" + "LT" + base64.RawStdEncoding.EncodeToString([]byte(random("vo", 32, hexAlphabet)))
	razorpay := "rzp" + "_live_" + alnum("rz", 14)
	testFamily(t, []familyCase{
		{name: "alibaba", value: alibaba, rule: "alibaba-cloud-key-id"},
		{name: "alibaba, older", value: `{"x":"` + older + `"}`, rule: "alibaba-cloud-key-id", secret: older},
		{name: "alibaba and more", value: alibaba + "x"},
		{name: "alibaba in small letters", value: strings.ToLower(alibaba)},
		{name: "word", value: "LTAI" + "SomethingElse"},
		{name: "tencent", value: "id " + tencent, rule: "tencent-cloud-key-id", secret: tencent},
		{name: "tencent cut", value: tencent[:35]},
		{name: "words", value: "AKID" + "ThisIsTheNameOfSomeKeyIdentifier"},
		{name: "volcengine", value: volcengine, rule: "volcengine-key-id"},
		{name: "volcengine cut", value: volcengine[:46]},
		{name: "not of digits in hex", value: "AKLT" + alnum("vo2", 43)},
		{name: "razorpay", value: razorpay, rule: "razorpay-key-id"},
		{name: "razorpay, of tests", value: strings.Replace(razorpay, "live", "test", 1)},
		{name: "razorpay cut", value: razorpay[:22]},
		{name: "template", value: "rzp_live_" + "YOUR_LIVE_KEY_ID"},
	})
}
