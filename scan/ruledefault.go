package scan

import (
	"strings"
	"sync"

	"github.com/betterleaks/betterleaks/config"
)

// defaultRules returns betterleaks' rule set, less what families of this
// package do better.
func defaultRules() (*ruleSet, error) {
	defaults.once.Do(func() { defaults.set, defaults.err = loadDefaultRules() })
	return defaults.set, defaults.err
}

var defaults struct {
	once sync.Once
	set  *ruleSet
	err  error
}

func loadDefaultRules() (*ruleSet, error) {
	text := strings.ReplaceAll(config.DefaultConfig, codeEnds, valueEnds)
	for _, a := range amendments {
		text = strings.Replace(text, a.old, a.new, 1)
	}
	set, err := parseRuleText(RuleFile{"default rules", []byte(text)}, nil, 0)
	if err != nil {
		return nil, err
	}
	// The prefilter skips images, lock files and vendored trees by their path.
	// A key says nothing like that about its value.
	set.prefilter = nil
	kept := set.rules[:0]
	for _, r := range set.rules {
		if !superseded[r.id] {
			kept = append(kept, r)
		}
	}
	set.rules = kept
	return set, nil
}

// What most regexes of the set want behind a secret is what ends a literal in
// source code. In the values of a keyspace it may as well be the next pair of a
// form, the next element of a list, or the bytes of a format.
const (
	codeEnds  = `(?:\\?['"\x60]|[\s;]|\\[nr]|$)`
	valueEnds = `(?:\\?['"\x60]|[\x00-\x20;&,|)\]}<>#\\]|$)`
)

// amendments are to single rules.
var amendments = []struct{ old, new string }{
	// A token that ends in a dash has no word boundary at its end.
	{`|[A-Za-z0-9_-]{20})\b|sk-[a-zA-Z0-9]{20}T3BlbkFJ`, `|[A-Za-z0-9_-]{20})|sk-[a-zA-Z0-9]{20}T3BlbkFJ`},
	// Boxes are everywhere, and 32 letters and digits, too.
	{`(?i)(?:box)(?:[ \t\w.-]{0,20})[\s'"]`, `(?i)(?:\bbox|_box)[ \t\w.-]{0,20}?(?:token|secret|key|auth|api)[ \t\w.-]{0,10}[\s'"]`},
	// A token of Square is longer than a UUID that begins like one.
	{`\b((?:EAAA|sq0atp-)[\w-]{22,60})`, `\b((?:EAAA[\w-]{14}|sq0atp-)[\w-]{22,60})`},
	// Ids of records, bases, tables, views and fields are of the same length.
	{`(?i)(?:airtable)(?:[ \t\w.-]{0,20})[\s'"]{0,3}(?:=|>|:{1,3}=|\|\||:|=>|\?=|,)[\x60'"\s=]{0,5}([a-z0-9]{17})`, `(?i)(?:airtable)(?:[ \t\w.-]{0,20})[\s'"]{0,3}(?:=|>|:{1,3}=|\|\||:|=>|\?=|,)[\x60'"\s=]{0,5}(key[a-z0-9]{14})`},
}

// superseded are default rules whose kind a family of this package finds with
// more knowledge: of the name that bears a value, of a checksum, of a structure.
var superseded = map[string]bool{
	"generic-api-key":           true, // family_name.go
	"generic-password":          true,
	"generic-credential-uri":    true, // family_connection.go
	"azure-storage-account-key": true,
	"jwt":                       true, // family_jwt.go
	"jwt-base64":                true,
	"private-key":               true, // family_privatekey.go
	"aws-access-token":          true, // family_aws.go
	"github-pat":                true, // family_github.go
	"github-oauth":              true,
	"github-app-token":          true,
	"github-refresh-token":      true,
	"npm-access-token":          true,
	"stripe-access-token":       true, // family_token.go
	"slack-webhook-url":         true,
	"twilio-api-key":            true,
	"gcp-api-key":               true,
}

// genericKeywords are words that ordinary data is full of. A rule that has one
// of them as its keyword is asked only for a value whose name is credential-like.
var genericKeywords = map[string]bool{
	"access": true, "api": true, "auth": true, "key": true, "credential": true, "creds": true, "secret": true, "token": true,
	"user": true, "login": true, "email": true, "uid": true, "account": true, "client": true, "storage": true, "tenant": true,
}

// classify derives what a rule file does not say from a rule's id.
func (r *rule) classify() {
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(r.id, w) {
				return true
			}
		}
		return false
	}
	r.category, r.severity = Credential, High
	switch {
	case has("private-key", "age-secret-key", "pkcs12"):
		r.category, r.severity = PrivateKey, Critical
	case has("password"):
		r.category = Password
	case has("jwt", "token", "-pat"):
		r.category = Token
	}
	if has("client-id", "-username", "application-id", "-host", "-url", "account-name", "tenant-id", "-key-id", "access-id", "cloud-name", "-pub-", "-public-", "posthog-project", "browser-api", "mobile-sdk") && r.id != "slack-webhook-url" {
		r.severity = Info
	}
}
