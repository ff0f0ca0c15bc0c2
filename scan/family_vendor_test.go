package scan

import (
	"strings"
	"testing"
)

// Every vendor's token is found under a name that says nothing, alone and in a log
// line; cut short, or as a part of something longer, it is not.
func TestVendors(t *testing.T) {
	s := newTestScanner(t)
	for _, v := range vendors {
		for _, prefix := range v.prefixes {
			n, secret := max(v.least, min(v.most, v.least+8)), ""
			switch h := random(v.id, 32, hexAlphabet); {
			case v.of == nil:
				secret = h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:]
			default:
				secret = random(v.id, n, alphabetOf(v.of))
			}
			token := prefix + secret
			for _, value := range []string{token, `{"note": "` + token + `"}`, "level=info arg=" + token + " took=3ms"} {
				found, _ := scanAll(t, s, stringKey("obj:17", value))
				if len(found) != 1 || found[0].Rule != v.id || found[0].Secret != token {
					t.Errorf("%s: found %s", v.id, brief(found))
				}
			}
			for _, value := range []string{token[:len(prefix)+v.least-1], "x" + token, prefix + strings.Repeat("ab", v.least/2+1)} {
				found, _ := scanAll(t, s, stringKey("obj:17", value))
				for _, f := range found {
					if f.Rule == v.id {
						t.Errorf("%s: found in what is none", v.id)
					}
				}
			}
		}
	}
}

// alphabetOf returns the letters and digits of a kind.
func alphabetOf(of func(byte) bool) string {
	return strings.Map(func(r rune) rune {
		if of(byte(r)) {
			return r
		}
		return -1
	}, alnumAlphabet)
}

func TestVendorFamily(t *testing.T) {
	alnum := func(name string, n int) string { return random(name, n, alnumAlphabet) }
	airtable := "pat" + alnum("at", 14) + "." + random("at2", 64, hexAlphabet)
	mailchimp := random("mc", 32, hexAlphabet) + "-us" + "14"
	resend := "re" + "_" + "aB3" + alnum("rs", 5) + "_" + "Zk9" + alnum("rs2", 21)
	jetbrains := "perm" + ":" + "cm9vdA==." + "NDItMQ==." + alnum("jb", 32)
	salesforce := "00D" + alnum("sf", 12) + "!AQ" + alnum("sf2", 94)
	firebase := alnum("fb", 7) + ":APA" + "91b" + alnum("fb2", 134)
	storage := alnum("az", 76) + "+A" + "St" + alnum("az2", 6) + "=="
	cache := alnum("ac", 33) + "Az" + "Ca" + alnum("ac2", 6) + "="
	testFamily(t, []familyCase{
		{name: "airtable", value: airtable, rule: "airtable-token"},
		{name: "airtable cut", value: airtable[:70]},
		{name: "mailchimp", value: "key " + mailchimp + ",", rule: "mailchimp-api-key", secret: mailchimp},
		{name: "digest in a region", value: "backup-" + mailchimp},
		{name: "clickup", value: "pk" + "_62721664_" + random("cu", 32, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"), rule: "clickup-token"},
		{name: "resend", value: resend, rule: "resend-api-key"},
		{name: "name in snake case", value: "re_" + "evaluate_configuration_of_the_server"},
		{name: "jetbrains", value: jetbrains, rule: "jetbrains-token"},
		{name: "permission", value: "perm:admin.users.read"},
		{name: "salesforce", value: salesforce, rule: "salesforce-session"},
		{name: "server of firebase", value: "AA" + "AA" + firebase, rule: "firebase-server-key"},
		{name: "device of firebase", value: "cXw9" + firebase},
		{name: "azure storage", value: storage, rule: "azure-service-key"},
		{name: "azure cache in a connection string", value: "cache:6380,x=" + cache + ",ssl=True", rule: "azure-service-key", secret: cache},
		{name: "mark in another place", value: alnum("az3", 70) + "ACDb" + alnum("az4", 14)},
		{name: "mark in longer base64", value: alnum("az5", 60) + storage},
		{name: "zapier", value: "https://hooks.zapier." + "com/hooks/catch/4719025/b3k9x2q/", rule: "zapier-webhook"},
	})
}

// A token without a digit is rare, and one; a name in a program is none.
func TestVendorTokenWithoutDigit(t *testing.T) {
	for _, c := range []struct{ prefix, secret, rule string }{
		{"nfp" + "_", "bdBiSGnjGxmVqOmxzZaDmxeJDmTGPKKGRePy", "netlify-token"},
		{"AVN" + "S_", "tKqWzRbXhPdLyVcMgNs", "aiven-service-password"},
		{"fw" + "_", "QhTzbLXwkVpRdYcJmNGsxFqW", "fireworks-api-key"},
	} {
		if found := findingsIn(t, "k", c.prefix+c.secret); len(found) != 1 || found[0].Rule != c.rule {
			t.Errorf("%s: found %s", c.rule, brief(found))
		}
	}
	for _, name := range []string{
		"nfp_fetchPreviousDeploymentsFromRegistry", "nfp_netlifyfunctionpreviewdeploymentname", "fw_XMLHttpRequestURLParser", "fw_getUserAccountByEMailID",
		"AVNS_SERVICE_PASSWORD_NAME", "AVNS_iOSAppSDKAPIKeyForURL", "fw_tKqWzRbXhPdLyVcM",
	} {
		if found := findingsIn(t, "k", name); len(found) > 0 {
			t.Errorf("%s: found %s", name, brief(found))
		}
	}
}
