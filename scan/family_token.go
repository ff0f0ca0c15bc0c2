package scan

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"strings"
)

// tokenFamily finds tokens of a known format that the default rules leave out,
// or find only beside their issuer's name.
var tokenFamily = []rule{
	{id: "stripe-access-token", description: "Stripe live secret or restricted key", category: Credential, severity: Critical, confidence: Likely, rank: rankFormat,
		keywords: []string{"sk_live_", "rk_live_", "sk_prod_", "rk_prod_"}, find: prefixed(10, 247, isAlnum), next: "roll the key in the Stripe dashboard (Developers, API keys)"},
	{id: "stripe-test-key", description: "Stripe test key", category: Credential, severity: Info, confidence: Likely, rank: rankFormat,
		keywords: []string{"sk_test_", "rk_test_"}, find: harmless(testValue)},
	{id: "stripe-webhook-secret", description: "Webhook signing secret (Stripe, Svix)", category: Credential, severity: High, confidence: Likely, rank: rankFormat,
		keywords: []string{"whsec_"}, find: prefixed(24, 64, isBase64), next: "roll the secret of the webhook endpoint at the service that calls it"},
	{id: "telegram-bot-api-token", description: "Telegram bot token", category: Token, severity: High, confidence: Likely, rank: rankFormat,
		keywords: []string{":aa"}, find: findTelegram, next: "revoke the token with @BotFather (/revoke)"},
	{id: "twilio-api-key", description: "Twilio API key or account SID", category: Credential, severity: High, confidence: Likely, rank: rankFormat,
		keywords: twilioKeywords(), find: findTwilio, next: "delete the API key in the Twilio console"},
	{id: "gcp-api-key", description: "Google API key", category: Credential, severity: High, confidence: Likely, rank: rankFormat,
		keywords: []string{"aiza"}, find: prefixedExact("AIza", 35, isURL64), next: "restrict or delete the key in the Google Cloud console (APIs & Services, Credentials)"},
	{id: "google-oauth-token", description: "Google OAuth access token", category: Token, severity: High, confidence: Likely, rank: rankFormat,
		keywords: []string{"ya29."}, find: prefixed(40, 512, func(b byte) bool { return isURL64(b) || b == '.' }), next: "revoke the grant in the account's security settings"},
	{id: "google-oauth-client-secret", description: "Google OAuth client secret", category: Credential, severity: High, confidence: Likely, rank: rankFormat,
		keywords: []string{"gocspx-"}, find: prefixedExact("GOCSPX-", 28, isURL64), next: "reset the secret of the OAuth client in the Google Cloud console"},
	{id: "google-oauth-refresh-token", description: "Google OAuth refresh token", category: Token, severity: High, confidence: Likely, rank: rankFormat,
		keywords: []string{"1//0"}, find: prefixed(40, 250, isURL64), next: "revoke the grant in the account's security settings"},
	{id: "square-secret", description: "Square application secret or access token", category: Credential, severity: High, confidence: Likely, rank: rankFormat,
		keywords: []string{"sq0csp-", "sq0atp-"}, find: prefixed(22, 64, isURL64), next: "replace the secret in the Square developer dashboard"},
	{id: "new-relic-user-key", description: "New Relic user or licence key", category: Credential, severity: High, confidence: Likely, rank: rankFormat,
		keywords: []string{"nrak-"}, find: prefixedExact("NRAK-", 27, isAlnum), next: "delete the key in New Relic (API keys)"},
	{id: "tailscale-key", description: "Tailscale authentication key", category: Credential, severity: High, confidence: Likely, rank: rankFormat,
		keywords: []string{"tskey-auth-", "tskey-api-", "tskey-client-", "tskey-scim-", "tskey-webhook-"}, find: prefixed(20, 80, isURL64), next: "revoke the key in the admin console (Settings, Keys)"},
	{id: "fly-access-token", description: "Fly.io access token", category: Token, severity: High, confidence: Likely, rank: rankFormat,
		keywords: []string{"fo1_"}, find: prefixed(43, 43, isURL64), next: "revoke the token with fly tokens revoke"},
	{id: "facebook-access-token", description: "Facebook access token", category: Token, severity: High, confidence: Likely, rank: rankFormat,
		keywords: []string{"eaa"}, find: findFacebook, next: "revoke the token in the app's settings, or have the user log out"},
	{id: "discord-bot-token", description: "Discord bot token", category: Token, severity: High, confidence: Confirmed, rank: rankProof,
		keywords: discordKeywords(), find: findDiscord, next: "reset the token in the developer portal (Bot)"},
	{id: "paypal-braintree-access-token", description: "PayPal Braintree access token", category: Token, severity: High, confidence: Likely, rank: rankFormat,
		keywords: []string{"access_token$production$"}, find: findBraintree, next: "revoke the token in the Braintree control panel"},
	{id: "wallet-private-key", description: "Extended private key of a wallet (BIP 32)", category: PrivateKey, severity: Critical, confidence: Confirmed, rank: rankProof,
		keywords: []string{"xprv", "yprv", "zprv", "tprv"}, find: findExtendedKey, next: "move what the wallet holds to a new one"},
	{id: "authorization-header", description: "Credential of an HTTP Authorization header", category: Credential, severity: High, confidence: Likely, rank: rankName,
		keywords: []string{"basic ", "_auth=", "_auth = "}, find: findBasic, next: "change the password"},
}

func isBase64(b byte) bool { return isStd64(b) || b == '=' }

// prefixed finds a keyword and least to most characters of a kind behind it.
func prefixed(least, most int, of func(byte) bool) finder {
	return func(w *worker, r *rule, f *fragment, from, to int) {
		end := run(f.data, to, most+1, of)
		if n := end - to; n < least || n > most || !foldless(f.data[from:to], r) {
			return
		}
		v := f.data[to:end]
		if entropy(v) < 2.5 || readable(v) {
			w.exclude(notRandom)
			return
		}
		w.token(r, f, from, end, isWord)
	}
}

// prefixedExact finds a prefix in its own case and exactly n characters.
func prefixedExact(prefix string, n int, of func(byte) bool) finder {
	return func(w *worker, r *rule, f *fragment, from, to int) {
		end := run(f.data, to, n+1, of)
		if end-to != n || string(f.data[from:to]) != prefix || entropy(f.data[to:end]) < 3 {
			return
		}
		w.token(r, f, from, end, isURL64)
	}
}

// harmless counts what is found as excluded.
func harmless(why reason) finder {
	return func(w *worker, r *rule, f *fragment, from, to int) { w.exclude(why) }
}

// findTelegram: the bot's id, a colon, and 35 characters that begin with AA.
func findTelegram(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	begin := runBack(d, from, 12, isDigit)
	end := run(d, from+1, 36, isURL64)
	if from-begin < 8 || from-begin > 10 || end-from-1 != 35 || d[from+1] != 'A' || d[from+2] != 'A' || entropy(d[from+1:end]) < 3.5 {
		return
	}
	if begin >= 4 && string(d[begin-4:begin]) == "/bot" { // as in the API's URLs
		w.report(r, f, begin, end)
		return
	}
	w.token(r, f, begin, end, isWord)
}

// findFacebook: EAA and a hundred letters and digits or more, standing alone.
func findFacebook(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	end := run(d, to, 401, isAlnum)
	if n := end - to; n < 97 || n > 400 || string(d[from:to]) != "EAA" || from > 0 && isBase64(d[from-1]) || end < len(d) && isBase64(d[end]) {
		return
	}
	if s := shapeOf(d[to:end]); s.upper < 8 || s.lower < 8 || s.digit < 4 {
		return
	}
	w.token(r, f, from, end, isWord)
}

// discordKeywords are how three digits, of an account's number, begin in base64.
func discordKeywords() []string {
	var out []string
	for _, first := range "mno" {
		for _, second := range "tdzj" {
			for _, third := range "aeimquycgk" {
				out = append(out, string(first)+string(second)+string(third))
			}
		}
	}
	return out
}

// findDiscord: the account's number in base64, six characters of time and 27 to
// 38 of signature.
func findDiscord(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	id := run(d, from, 29, isURL64)
	if n := id - from; n < 23 || n > 28 || id+8 > len(d) || d[id] != '.' || d[id+7] != '.' || run(d, id+1, 6, isURL64) != id+7 {
		return
	}
	end := run(d, id+8, 39, isURL64)
	if n := end - id - 8; n < 27 || n > 38 || entropy(d[id+8:end]) < 3.5 {
		return
	}
	var number [21]byte
	n, err := base64.RawURLEncoding.Decode(number[:], d[from:id])
	if err != nil || n < 17 || !isDigits(number[:n]) {
		return
	}
	w.token(r, f, from, end, isURL64)
}

// twilioKeywords are SK and the first digit.
func twilioKeywords() []string {
	var out []string
	for _, b := range "0123456789abcdef" {
		out = append(out, "sk"+string(b))
	}
	return out
}

// findTwilio: SK and 32 hexadecimal digits. An account's SID, AC…, is no secret.
func findTwilio(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	if d[from] != 'S' || d[from+1] != 'K' {
		return
	}
	end := run(d, from+2, 33, isHex)
	s := shapeOf(d[from+2 : end])
	if end-from-2 != 32 || s.upper > 0 || s.distinct < 8 {
		return
	}
	w.token(r, f, from, end, isWord)
}

// findBraintree: 16 letters and digits, a dollar sign and 32 hexadecimal digits.
func findBraintree(w *worker, r *rule, f *fragment, from, to int) {
	id := run(f.data, to, 17, isAlnum)
	if id-to != 16 || id == len(f.data) || f.data[id] != '$' {
		return
	}
	if end := run(f.data, id+1, 33, isHex); end-id-1 == 32 {
		w.token(r, f, from, end, isWord)
	}
}

// lenExtendedKey is the length of an extended key of BIP 32: 78 bytes and four of
// checksum in base 58.
const lenExtendedKey = 111

func findExtendedKey(w *worker, r *rule, f *fragment, from, to int) {
	end := run(f.data, from, lenExtendedKey+1, isAlnum)
	if end-from != lenExtendedKey {
		return
	}
	if !checksBase58(f.data[from:end]) {
		w.exclude(badChecksum)
		return
	}
	w.token(r, f, from, end, isWord)
}

// checksBase58 reports whether text in base 58 ends in the first four bytes of
// its double SHA-256, as all of Bitcoin's formats do.
func checksBase58(v []byte) bool {
	n, digit, base := new(big.Int), new(big.Int), big.NewInt(58)
	for _, b := range v {
		k := strings.IndexByte("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", b)
		if k < 0 {
			return false
		}
		n.Add(n.Mul(n, base), digit.SetInt64(int64(k)))
	}
	data := n.Bytes()
	if len(data) < 8 {
		return false
	}
	sum := sha256.Sum256(data[:len(data)-4])
	sum = sha256.Sum256(sum[:])
	return bytes.Equal(sum[:4], data[len(data)-4:])
}

// findBasic: Basic and base64 of user:password (RFC 7617).
func findBasic(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	if from > 0 && isWord(d[from-1]) {
		return
	}
	end := run(d, to, 512, isBase64)
	enc := base64Encoding(d[to:end])
	if end-to < 8 || enc == nil {
		return
	}
	var buf [512]byte
	n, err := enc.Decode(buf[:], trimPadding(d[to:end]))
	if err != nil || !isText(buf[:n]) {
		return
	}
	for i, b := range buf[:n] {
		if b == ':' {
			if password := buf[i+1 : n]; len(password) >= minPassword && !placeholder(password) && !isPlainWord(password) {
				w.report(r, f, to, end)
			}
			return
		}
	}
}
