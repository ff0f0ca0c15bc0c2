package scan

import (
	"bytes"
	"strconv"
)

// dataProtectionFamily finds the key ring of ASP.NET Core's data protection: a
// list of XML elements whose master keys are plain unless a certificate or a
// vault encrypts them (Microsoft.AspNetCore.DataProtection, XmlKeyManager). Who
// has one can forge any cookie of the application.
var dataProtectionFamily = []rule{
	{id: "aspnet-data-protection-key", description: "Master key of ASP.NET Core data protection", category: PrivateKey, severity: Critical, confidence: Confirmed, rank: rankProof,
		keywords: []string{"<masterkey"}, find: findMasterKey, next: "revoke the key in the key ring and remove it from the server: all cookies and tokens of the application become invalid"},
}

// minMasterKey is the base64 length of the shortest master key, 256 bits.
const minMasterKey = 44

// findMasterKey: <masterKey …><value>base64</value></masterKey>.
func findMasterKey(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data[to:min(len(f.data), to+maxLine)]
	open, value := []byte("<value>"), 0
	if value = bytes.Index(d, open); value < 0 {
		return
	}
	at := to + value + len(open)
	begin := run(f.data, at, 64, isSpace)
	end := run(f.data, begin, 512, isBase64)
	text := f.data[begin:end]
	if len(text) < minMasterKey || entropy(text) <= 4 {
		return
	}
	m := w.report(r, f, begin, end)
	enc := base64Encoding(text)
	if enc == nil {
		m.confidence = Likely
		return
	}
	m.prove("format", "ASP.NET Core data protection")
	m.prove("encrypted", "no")
	m.prove("bits", strconv.Itoa(8*enc.DecodedLen(len(trimPadding(text)))))
	before := f.data[max(0, from-maxLine):from]
	for name, tag := range map[string]string{"cipher": "<encryption algorithm=\"", "mac": "<validation algorithm=\""} {
		if k := bytes.LastIndex(before, []byte(tag)); k >= 0 {
			at := k + len(tag)
			m.prove(name, string(before[at:run(before, at, 24, isWord)]))
		}
	}
	if k := bytes.LastIndex(before, []byte("<key id=\"")); k >= 0 {
		if at := k + len("<key id=\""); at+36 <= len(before) && isUUID(before[at:at+36]) {
			m.prove("id", string(before[at:at+36]))
		}
	}
}
