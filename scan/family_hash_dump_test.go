package scan

import "testing"

func TestHashDumpFamily(t *testing.T) {
	hex := func(name string, n int) string { return random(name, n, hexAlphabet) }
	pwdump := "kim:1001:" + hex("lm", 32) + ":" + hex("nt", 32)
	netntlm := "kim::CORP:" + hex("c", 16) + ":" + hex("r", 32) + ":" + hex("b", 120)
	kerberos := "$krb5" + "tgs$23$*svc$CORP$http/a*$" + hex("k", 32) + "$" + hex("k2", 400)
	mssql := "0x0200" + hex("ms", 136)
	grub := "grub.pbkdf2" + ".sha512.10000." + hex("gs", 128) + "." + hex("gh", 128)
	cisco := "$9" + "$" + random("cs", 14, cryptAlphabet) + "$" + random("ch", 43, cryptAlphabet)
	netbsd := "$sha1" + "$24680$" + random("ns", 8, alnumAlphabet) + "$" + random("nh", 28, cryptAlphabet)
	testFamily(t, []familyCase{
		{name: "windows", value: "dump\n" + pwdump + ":::\n", rule: "password-hash-windows", secret: pwdump},
		{name: "ntlm", value: netntlm, rule: "password-hash-ntlm"},
		{name: "kerberos", value: kerberos, rule: "password-hash-kerberos"},
		{name: "sql server", value: mssql, rule: "password-hash-mssql"},
		{name: "grub", value: "password_pbkdf2 root " + grub + "\n", rule: "password-hash-grub", secret: grub},
		{name: "router", value: "enable secret 9 " + cisco + "\n", rule: "password-hash-crypt", secret: cisco},
		{name: "netbsd", value: netbsd, rule: "password-hash-crypt"},

		{name: "colons", value: "a:1001:b:c:::"},
		{name: "key of two digests", value: "blob::" + hex("d", 32) + ":" + hex("e", 64)},
		{name: "address of a chain", value: "0x0200" + hex("eth", 36)},
		{name: "transaction", value: "0x0100" + hex("tx", 60)},
		{name: "price", value: "costs $8$ or $9$ each"},
	})
}
