package scan

import "hash/crc32"

// githubFamily finds the tokens of GitHub and npm, which end in a checksum:
// whoever invents one has one chance in four thousand million to pass.
var githubFamily = []rule{
	{id: "github-pat", description: "GitHub personal access token", category: Token, severity: Critical, confidence: Confirmed, rank: rankProof,
		keywords: []string{"ghp_"}, find: findChecked, next: nextGitHub},
	{id: "github-oauth", description: "GitHub OAuth access token", category: Token, severity: Critical, confidence: Confirmed, rank: rankProof,
		keywords: []string{"gho_"}, find: findChecked, next: nextGitHub},
	{id: "github-app-token", description: "GitHub App token", category: Token, severity: Critical, confidence: Confirmed, rank: rankProof,
		keywords: []string{"ghu_", "ghs_"}, find: findChecked, next: nextGitHub},
	{id: "github-refresh-token", description: "GitHub refresh token", category: Token, severity: Critical, confidence: Confirmed, rank: rankProof,
		keywords: []string{"ghr_"}, find: findChecked, next: nextGitHub},
	{id: "npm-access-token", description: "npm access token", category: Token, severity: Critical, confidence: Confirmed, rank: rankProof,
		keywords: []string{"npm_"}, find: findChecked, next: "revoke the token: npm token revoke, or npmjs.com, Access Tokens"},
}

const nextGitHub = "revoke the token at github.com/settings (Developer settings), and look through the audit log"

// Lengths behind the prefix: github.blog, "Behind GitHub's new authentication
// token formats", 2021: 30 random characters and 6 of the checksum.
const (
	checkedRandom = 30
	checkedSum    = 6
)

func findChecked(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	end := run(d, to, checkedRandom+checkedSum+1, isAlnum)
	if end-to != checkedRandom+checkedSum || !foldless(d[from:to], r) {
		return
	}
	if base62(crc32.ChecksumIEEE(d[to:to+checkedRandom])) != string(d[end-checkedSum:end]) {
		w.exclude(badChecksum)
		return
	}
	w.token(r, f, from, end, func(b byte) bool { return false })
}

// foldless reports whether a prefix stands there in its own case.
func foldless(prefix []byte, r *rule) bool {
	for _, k := range r.keywords {
		if string(prefix) == k {
			return true
		}
	}
	return false
}

// base62 writes a checksum as these tokens do: six digits, letters after
// digits, upper case before lower.
func base62(n uint32) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	var out [checkedSum]byte
	for i := checkedSum - 1; i >= 0; i-- {
		out[i] = alphabet[n%62]
		n /= 62
	}
	return string(out[:])
}
