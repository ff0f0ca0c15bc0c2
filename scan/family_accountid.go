package scan

import (
	"encoding/base64"
)

// accountIDFamily finds the public half of key pairs: it says which account, and the
// secret, which has no mark, is rarely far.
var accountIDFamily = []rule{
	{id: "alibaba-cloud-key-id", description: "Alibaba Cloud AccessKey id", category: Credential, severity: Medium, confidence: Likely, rank: rankFormat, public: true,
		keywords: []string{"ltai"}, find: vendor{prefixes: []string{"LTAI"}, least: 12, most: 20, of: isAlnum}.find, next: "disable the AccessKey in RAM, then look through ActionTrail for its use"},
	{id: "tencent-cloud-key-id", description: "Tencent Cloud SecretId", category: Credential, severity: Medium, confidence: Likely, rank: rankFormat, public: true,
		keywords: []string{"akid"}, find: vendor{prefixes: []string{"AKID"}, least: 32, most: 32, of: isAlnum}.find, next: "disable the key in CAM, then look through CloudAudit for its use"},
	{id: "volcengine-key-id", description: "Volcengine access key id", category: Credential, severity: Medium, confidence: Confirmed, rank: rankProof, public: true,
		keywords: []string{"aklt"}, find: findVolcengine, next: "disable the access key in IAM of the Volcengine console"},
	{id: "razorpay-key-id", description: "Razorpay live key id", category: Credential, severity: Info, confidence: Likely, rank: rankFormat, public: true,
		keywords: []string{"rzp_live_"}, find: prefixed(14, 14, isAlnum), next: "regenerate the key in the Razorpay dashboard if its secret is here, too"},
}

// lenVolcengine is the length of 32 digits in hex that are written in base64.
const lenVolcengine = 43

// findVolcengine: AKLT, and an identifier of 32 digits in hex that base64 hides.
func findVolcengine(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	end := run(d, to, lenVolcengine+1, isAlnum)
	if end-to != lenVolcengine || string(d[from:to]) != "AKLT" {
		return
	}
	var id [lenVolcengine]byte
	if n, err := base64.RawStdEncoding.Decode(id[:], d[to:end]); err != nil || run(id[:n], 0, n, isLowerHex) != n {
		return
	}
	w.token(r, f, from, end, isURL64)
}
