package scan

import "strings"

// A vendor issues tokens behind a prefix that nothing else has. The default rules
// lack these, or want the vendor's name beside them, which a value in a keyspace
// rarely has.
type vendor struct {
	id, name    string
	prefixes    []string        // in the vendor's own case
	least, most int             // characters behind the prefix
	of          func(byte) bool // nil: a UUID
}

var vendors = []vendor{
	{"contentful-personal-token", "Contentful personal access token", []string{"CFPAT-"}, 43, 43, isURL64},
	{"typeform-token", "Typeform personal access token", []string{"tfp_"}, 40, 80, func(b byte) bool { return isURL64(b) || b == '.' || b == '=' }},
	{"dropbox-token", "Dropbox access token", []string{"sl.u.", "sl."}, 120, 1400, isURL64},
	{"crates-io-token", "crates.io API token", []string{"cio"}, 32, 32, isAlnum},
	{"nuget-api-key", "NuGet API key", []string{"oy2"}, 43, 43, isAlnum},
	{"elevenlabs-api-key", "ElevenLabs API key", []string{"sk_"}, 48, 48, isHex},
	{"jina-api-key", "Jina API key", []string{"jina_"}, 60, 60, isURL64},
	{"tavily-api-key", "Tavily API key", []string{"tvly-"}, 32, 48, isURL64},
	{"netlify-token", "Netlify personal access token", []string{"nfp_"}, 36, 36, isAlnum},
	{"sonarqube-token", "SonarQube token", []string{"squ_", "sqp_", "sqa_"}, 40, 40, isHex},
	{"vk-token", "VK access token", []string{"vk1.a."}, 80, 400, isURL64},
	{"yandex-cloud-api-key", "Yandex Cloud API key", []string{"AQVN"}, 35, 38, isURL64},
	{"yandex-oauth-token", "Yandex OAuth token", []string{"y0_"}, 50, 70, isURL64},
	{"pubnub-secret-key", "PubNub secret key", []string{"sec-c-"}, 36, 64, isBase64},
	{"live-payment-key", "Live key of a payment or mail provider (Mollie, Lob, GoCardless)", []string{"live_"}, 30, 43, isURL64},
	{"xendit-secret-key", "Xendit secret key", []string{"xnd_production_"}, 40, 80, isAlnum},
	{"flutterwave-secret-key", "Flutterwave secret key", []string{"FLWSECK-"}, 32, 64, isURL64},
	{"doppler-token", "Doppler service or account token", []string{"dp.st.", "dp.sa.", "dp.ct.", "dp.scim.", "dp.audit."}, 40, 84, func(b byte) bool { return isWord(b) || b == '.' || b == '-' }},
	{"dbt-token", "dbt Cloud token", []string{"dbtc_", "dbtu_"}, 36, 80, isURL64},
	{"vercel-blob-token", "Vercel Blob store token", []string{"vercel_blob_rw_"}, 40, 64, isWord},
	{"bitbucket-app-password", "Bitbucket app password", []string{"ATBB"}, 32, 32, isAlnum},
	{"woocommerce-secret", "WooCommerce consumer secret", []string{"cs_"}, 40, 40, isHex},
	{"elastic-cloud-key", "Elastic Cloud API key", []string{"essu_"}, 40, 120, isBase64},
	{"hubspot-private-app-token", "HubSpot private app token", []string{"pat-na1-", "pat-na2-", "pat-eu1-", "pat-ap1-"}, lenUUID, lenUUID, nil},
	{"launchdarkly-sdk-key", "LaunchDarkly SDK key", []string{"sdk-"}, lenUUID, lenUUID, nil},
	{"wakatime-api-key", "WakaTime API key", []string{"waka_"}, lenUUID, lenUUID, nil},
	{"plaid-access-token", "Plaid access token", []string{"access-production-"}, lenUUID, lenUUID, nil},
	{"anthropic-token", "Token of an Anthropic account or session", []string{"sk-ant-oat01-", "sk-ant-ort01-", "sk-ant-sid01-"}, 80, 120, isURL64},
	{"langfuse-secret-key", "Langfuse secret key", []string{"sk-lf-"}, lenUUID, lenUUID, nil},
	{"fireworks-api-key", "Fireworks AI API key", []string{"fw_"}, 22, 24, isAlnum},
	{"voyage-api-key", "Voyage AI API key", []string{"pa-"}, 43, 43, isURL64},
	{"firecrawl-api-key", "Firecrawl API key", []string{"fc-"}, 32, 32, isLowerHex},
	{"llm-api-key", "API key of a language model's provider (DeepSeek, DashScope, Moonshot)", []string{"sk-"}, 32, 32, isLowerHex},
	{"llm-gateway-key", "API key of a language model's provider or gateway (Moonshot, Braintrust, One API)", []string{"sk-"}, 48, 48, isAlnum},
	{"helicone-api-key", "Helicone API key", []string{"sk-helicone-"}, 31, 31, isURL64},
	{"runway-api-key", "Runway API key", []string{"key_"}, 128, 128, isLowerHex},
	{"e2b-api-key", "E2B API key", []string{"e2b_"}, 40, 40, isLowerHex},
	{"daytona-api-key", "Daytona API key", []string{"dtn_"}, 64, 64, isLowerHex},
	{"modal-token-secret", "Modal token secret", []string{"as-"}, 22, 22, isAlnum},
	{"cursor-api-key", "Cursor API key", []string{"crsr_"}, 64, 64, isLowerHex},
	{"cartesia-api-key", "Cartesia API key", []string{"sk_car_"}, 20, 40, isAlnum},
	{"llamacloud-api-key", "LlamaCloud API key", []string{"llx-"}, 48, 48, isAlnum},
	{"nomic-api-key", "Nomic API key", []string{"nk-"}, 43, 43, isURL64},
	{"cloudflare-token", "Cloudflare API token or global key", []string{"cfut_", "cfat_", "cfk_"}, 46, 56, isAlnum},
	{"trigger-secret-key", "Trigger.dev secret key or token", []string{"tr_prod_", "tr_dev_", "tr_stg_", "tr_pat_"}, 20, 44, isAlnum},
	{"inngest-signing-key", "Inngest signing key", []string{"signkey-prod-", "signkey-branch-"}, 32, 64, isLowerHex},
	{"axiom-token", "Axiom API or personal token", []string{"xaat-", "xapt-"}, lenUUID, lenUUID, nil},
	{"honeycomb-key", "Honeycomb ingest or management key", []string{"hcaik_", "hcaic_", "hcamk_", "hcxik_", "hcxmk_"}, 56, 72, isAlnum},
	{"aiven-service-password", "Password of an Aiven service", []string{"AVNS_"}, 17, 24, isURL64},
	{"circleci-project-token", "CircleCI project token", []string{"CCIPRJ_"}, 60, 70, isWord},
	{"alchemy-api-key", "Alchemy API key", []string{"alcht_"}, 30, 40, isAlnum},
	{"baidu-api-key", "Baidu AI Cloud API key", []string{"bce-v3/ALTAK-"}, 60, 64, func(b byte) bool { return isAlnum(b) || b == '/' }},
	{"atlassian-access-token", "Atlassian access token", []string{"ATCTT3xFf"}, 100, 260, isBase64URL},
	{"jumpcloud-api-key", "JumpCloud API key", []string{"jca_"}, 30, 44, isAlnum},
	{"stytch-secret", "Stytch project secret", []string{"secret-live-"}, 37, 48, isBase64URL},
	{"infisical-token", "Infisical service token", []string{"st."}, 90, 110, func(b byte) bool { return isHex(b) || b == '.' || b == '-' }},
	{"ory-token", "Ory access, refresh or personal token", []string{"ory_at_", "ory_rt_", "ory_pat_", "ory_st_"}, 32, 100, func(b byte) bool { return isURL64(b) || b == '.' }},
	{"nylas-api-key", "Nylas API key", []string{"nyk_v0_"}, 40, 80, isAlnum},
	{"depot-token", "Depot token", []string{"depot_org_", "depot_project_", "depot_user_"}, 64, 64, isLowerHex},
	{"checkly-api-key", "Checkly API key", []string{"cu_"}, 32, 32, isLowerHex},
	{"firehydrant-token", "FireHydrant bot token", []string{"fhb-"}, 32, 32, isLowerHex},
	{"tinybird-token", "Tinybird token", []string{"p.eyJ1Ijog"}, 60, 300, func(b byte) bool { return isURL64(b) || b == '.' }},
	{"telnyx-api-key", "Telnyx API key", []string{"KEY01"}, 53, 53, isWord},
	{"mem0-api-key", "Mem0 API key", []string{"m0-"}, 40, 40, isAlnum},
	{"yandex-static-key", "Yandex Cloud static secret key", []string{"YCP"}, 37, 37, isURL64},
	{"figma-token", "Figma OAuth or refresh token", []string{"figu_", "figur_"}, 40, 44, isURL64},
	{"paseto", "Encrypted PASETO", []string{"v1.local.", "v2.local.", "v3.local.", "v4.local."}, 60, 4000, func(b byte) bool { return isURL64(b) || b == '.' }},
	{"mapbox-secret-token", "Mapbox secret token", []string{"sk.eyJ1Ijoi"}, 60, 300, func(b byte) bool { return isURL64(b) || b == '.' }},
	{"pagerduty-oauth-token", "PagerDuty OAuth access or refresh token", []string{"pdus+_", "pdeu+_"}, 40, 64, isURL64},
	{"statsig-secret-key", "Statsig server or console key", []string{"secret-", "console-"}, 40, 44, isAlnum},
	{"courier-api-key", "Courier API key", []string{"pk_prod_"}, 28, 28, isUpperAlnum},
}

const lenUUID = 36

func isLowerHex(b byte) bool   { return isDigit(b) || b >= 'a' && b <= 'f' }
func isUpperAlnum(b byte) bool { return isDigit(b) || b >= 'A' && b <= 'Z' }
func isBase64URL(b byte) bool  { return isURL64(b) || b == '=' }

// vendorFamily makes rules of the vendors, and has those whose mark stands within.
var vendorFamily = func() []rule {
	out := []rule{
		{id: "airtable-token", description: "Airtable personal access token", category: Token, severity: High, confidence: Likely, rank: rankFormat,
			keywords: []string{"pat"}, find: findAirtable, next: nextVendor},
		{id: "mailchimp-api-key", description: "Mailchimp API key", category: Credential, severity: High, confidence: Likely, rank: rankFormat,
			keywords: []string{"-us" + digits(1)}, find: findMailchimp, next: nextVendor},
		{id: "clickup-token", description: "ClickUp API token", category: Token, severity: High, confidence: Likely, rank: rankFormat,
			keywords: []string{"pk_" + digits(7)}, find: findClickUp, next: nextVendor},
		{id: "resend-api-key", description: "Resend API key", category: Credential, severity: High, confidence: Likely, rank: rankFormat,
			keywords: []string{"re_"}, find: findResend, next: nextVendor},
		{id: "jetbrains-token", description: "JetBrains permanent token", category: Token, severity: High, confidence: Likely, rank: rankFormat,
			keywords: []string{"perm:", "perm-"}, find: findJetBrains, next: nextVendor},
		{id: "salesforce-session", description: "Salesforce access token", category: Token, severity: High, confidence: Likely, rank: rankFormat,
			keywords: []string{"!a"}, find: findSalesforce, next: nextVendor},
		{id: "firebase-server-key", description: "Firebase Cloud Messaging server key", category: Credential, severity: High, confidence: Likely, rank: rankFormat,
			keywords: []string{":apa91b"}, find: findFirebase, next: nextVendor},
		{id: "azure-service-key", description: "Key of an Azure service", category: Credential, severity: Critical, confidence: Likely, rank: rankFormat,
			keywords: azureKeywords(), find: findAzureKey, next: "regenerate the key of the resource in the Azure portal"},
	}
	for _, v := range vendors {
		out = append(out, rule{id: v.id, description: v.name, category: Credential, severity: High, confidence: Likely, rank: rankFormat,
			keywords: v.keywords(), find: v.find, next: nextVendor})
	}
	return out
}()

const nextVendor = "revoke the token at the service that issued it"

func (v vendor) keywords() []string {
	out := make([]string, len(v.prefixes))
	for i, p := range v.prefixes {
		out[i] = strings.ToLower(p)
	}
	return out
}

// find reports a token that begins with one of the prefixes and stands alone.
func (v vendor) find(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	of := v.of
	if of == nil {
		of = isURL64
	}
	end := run(d, to, v.most+1, of)
	if n := end - to; n < v.least || n > v.most || !v.hasPrefix(d[from:to]) {
		return
	}
	secret := d[to:end]
	switch s := shapeOf(secret); {
	case v.of == nil:
		if !isUUID(secret) {
			return
		}
	case s.digit == 0 && !isLetterSoup(secret, s), entropy(secret) < 3, s.hex < len(secret) && readable(secret):
		w.exclude(notRandom)
		return
	}
	w.token(r, f, from, end, isURL64)
}

// isLetterSoup reports whether a word without digits is random: of 36 letters and
// digits one in six hundred has none, of 22 one in fifty. In names capitals are few.
func isLetterSoup(v []byte, s shape) bool {
	if len(v) >= 32 {
		return s.lower >= 8 && s.upper >= 8 && entropy(v) > 4
	}
	return len(v) >= 16 && min(s.lower, s.upper) >= len(v)/3 && entropy(v) > 3.5 && !readable(v)
}

func (v vendor) hasPrefix(text []byte) bool {
	for _, p := range v.prefixes {
		if string(text) == p {
			return true
		}
	}
	return false
}

// findAirtable: pat, 14 letters and digits, a dot, 64 digits in hex.
func findAirtable(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	dot := to + 14
	if dot >= len(d) || d[dot] != '.' || run(d, to, 14, isAlnum) != dot {
		return
	}
	if end := run(d, dot+1, 65, isHex); end-dot-1 == 64 {
		w.token(r, f, from, end, isWord)
	}
}

// findMailchimp: 32 digits in hex before the data centre.
func findMailchimp(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	begin := runBack(d, from, 33, isHex)
	if s := shapeOf(d[begin:from]); from-begin != 32 || s.upper > 0 || s.distinct < 8 {
		return
	}
	w.token(r, f, begin, run(d, to, 1, isDigit), isURL64)
}

// findClickUp: pk_, the number of a user, an underline, 32 letters and digits.
func findClickUp(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	mid := run(d, to, 3, isDigit)
	if mid >= len(d) || d[mid] != '_' {
		return
	}
	end := run(d, mid+1, 33, isAlnum)
	if s := shapeOf(d[mid+1 : end]); end-mid-1 != 32 || s.lower > 0 || s.digit == 0 {
		return
	}
	w.token(r, f, from, end, isURL64)
}

// findResend: re_, eight letters and digits, an underline, 24 more.
func findResend(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	mid := to + 8
	if mid >= len(d) || d[mid] != '_' || run(d, to, 8, isAlnum) != mid {
		return
	}
	end := run(d, mid+1, 25, isAlnum)
	if s := shapeOf(d[to:end]); end-mid-1 != 24 || s.digit == 0 || s.upper == 0 || s.lower == 0 {
		return
	}
	w.token(r, f, from, end, isURL64)
}

// findJetBrains: perm:, two parts of base64 and one of letters and digits.
func findJetBrains(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	end := to
	for range 2 {
		part := run(d, end, 64, isBase64)
		if part-end < 4 || part >= len(d) || d[part] != '.' {
			return
		}
		end = part + 1
	}
	last := end
	if end = run(d, end, 65, isAlnum); end-last < 30 || entropy(d[last:end]) < 3 {
		return
	}
	w.token(r, f, from, end, isWord)
}

// findSalesforce: the organisation's id of 15 characters, an exclamation mark, and
// what is signed.
func findSalesforce(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	begin := runBack(d, from, 19, isAlnum)
	if n := from - begin; n != 15 && n != 18 || string(d[begin:begin+3]) != "00D" {
		return
	}
	end := run(d, from+1, 160, func(b byte) bool { return isWord(b) || b == '.' })
	if v := d[from+1 : end]; len(v) < 80 || entropy(v) < 3.5 {
		return
	}
	w.token(r, f, begin, end, isWord)
}

// findFirebase: a server's key begins with four As, a device's address does not.
func findFirebase(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	begin := runBack(d, from, 12, isURL64)
	end := run(d, to, 200, isURL64)
	if from-begin != 11 || string(d[begin:begin+4]) != "AAAA" || end-to < 100 {
		return
	}
	w.token(r, f, begin, end, isURL64)
}

// azureMarks are what Microsoft puts at a fixed place of the keys of its services, so
// that they can be told from other base64: where, and how long the key is.
var azureMarks = []struct {
	mark       string
	at, length int
}{
	{"+ASt", 76, 88}, {"ACDb", 76, 88}, {"+ABa", 76, 88}, {"+AMC", 76, 88}, // storage, Cosmos DB, batch, media
	{"+ASb", 33, 44}, {"+AEh", 33, 44}, {"+ARm", 33, 44}, {"AIoT", 33, 44}, {"AzCa", 33, 44}, {"AZEG", 33, 44}, // service bus, event hubs, relay, IoT, cache, event grid
	{"AzFu", 44, 56}, {"AzSe", 42, 52}, {"+ACR", 42, 52}, {"AZDO", 76, 84}, // functions, search, registry, DevOps
}

func azureKeywords() []string {
	var out []string
	for _, m := range azureMarks {
		out = append(out, strings.ToLower(m.mark))
	}
	return out
}

func findAzureKey(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	for _, m := range azureMarks {
		if string(d[from:to]) != m.mark || from < m.at {
			continue
		}
		begin := from - m.at
		end := run(d, begin, m.length, isBase64)
		if end-begin != m.length || entropy(d[begin:end]) < 4 {
			continue
		}
		if begin > 0 && isBase64(d[begin-1]) && d[begin-1] != '=' || end < len(d) && isBase64(d[end]) {
			continue
		}
		w.report(r, f, begin, end)
	}
}
