package scan

import (
	"crypto/sha256"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/betterleaks/betterleaks/config"
)

func TestTokenFamily(t *testing.T) {
	live, test := stripeKey("live", "s1"), stripeKey("test", "s2")
	hook := "wh" + "sec_" + random("w", 32, alnumAlphabet)
	telegram := "48" + random("t", 8, digitAlphabet) + ":" + "AA" + random("t2", 33, urlAlphabet)
	twilio := "S" + "K" + random("tw", 32, hexAlphabet)
	google := "AI" + "za" + random("g", 35, urlAlphabet)
	braintree := "access_token$" + "production$" + random("bt", 16, lowerAlphabet) + "$" + random("bt2", 32, hexAlphabet)
	openAI := "sk-" + "proj-" + random("oa", 74, alnumAlphabet) + "T3" + "BlbkFJ" + random("oa2", 73, alnumAlphabet) + "-"
	wallet := extendedKey(random("xp", 74, alnumAlphabet))
	basic := base64Std([]byte("deploy:" + random("b", 12, alnumAlphabet)))
	testFamily(t, []familyCase{
		{name: "stripe live key", value: live, rule: "stripe-access-token"},
		{name: "stripe live key in text", value: "key is " + live + ".", rule: "stripe-access-token", secret: live},
		{name: "stripe test key", value: test},
		{name: "stripe publishable key", value: "pk" + "_live_" + random("p", 24, alnumAlphabet)},
		{name: "stripe placeholder", value: "sk" + "_live_" + "xxxxxxxxxxxxxxxxxxxxxxxx"},
		{name: "stripe prefix of a word", value: "sk" + "_live_" + "migration_table_of_2024"},
		{name: "stripe webhook secret", value: hook, rule: "stripe-webhook-secret"},
		{name: "telegram bot", value: telegram, rule: "telegram-bot-api-token"},
		{name: "telegram bot in a URL", value: "https://api.telegram.org/bot" + telegram + "/getMe", rule: "telegram-bot-api-token", secret: telegram},
		{name: "telegram too long", value: telegram + "x"},
		{name: "twilio key", value: twilio, rule: "twilio-api-key"},
		{name: "twilio account", value: "A" + "C" + random("ac", 32, hexAlphabet)},
		{name: "SK in a longer word", value: "TA" + twilio},
		{name: "google key", value: google, rule: "gcp-api-key"},
		{name: "google key too long", value: google + "zz"},
		{name: "basic authorization", value: "Authorization: Basic " + basic, rule: "authorization-header", secret: basic},
		{name: "braintree", value: "key " + braintree + ";", rule: "paypal-braintree-access-token", secret: braintree},
		{name: "braintree too short", value: braintree[:len(braintree)-1]},
		{name: "ends in a dash", value: "key " + openAI + " of", rule: "openai-api-key", secret: openAI},
		{name: "wallet", value: wallet, rule: "wallet-private-key"},
		{name: "wallet with a wrong checksum", value: wallet[:110] + string(wallet[110]^1)},
		{name: "box", field: "box_api_key", value: random("bx", 32, lowerAlphabet+digitAlphabet), rule: "box-api-access-token"},
		{name: "a box of something", field: "tool-box-id", value: random("bx", 32, lowerAlphabet+digitAlphabet)},
		{name: "UUID that begins like a token", field: "idfa", value: "EA" + "AA9963-DEEE-47A2-AC69-47B70CB9E8E2"},
		{name: "record of airtable", field: "airtable", value: "rec" + random("at", 14, alnumAlphabet)},
		{name: "basic without a password", value: "Basic training starts at eight"},
	})
}

// extendedKey is an extended private key with 74 bytes of data.
func extendedKey(data string) string {
	b := append([]byte{0x04, 0x88, 0xAD, 0xE4}, data...)
	sum := sha256.Sum256(b)
	sum = sha256.Sum256(sum[:])
	n, digit := new(big.Int).SetBytes(append(b, sum[:4]...)), new(big.Int)
	var out []byte
	for n.Sign() > 0 {
		n.DivMod(n, big.NewInt(58), digit)
		out = append(out, "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[digit.Int64()])
	}
	slices.Reverse(out)
	return string(out)
}

// Rules that are amended stand in the default set as they were.
func TestAmendments(t *testing.T) {
	for _, a := range amendments {
		if text := strings.ReplaceAll(config.DefaultConfig, codeEnds, valueEnds); !strings.Contains(text, a.old) {
			t.Errorf("no rule has %s", a.old)
		}
	}
}

func TestGitHubFamily(t *testing.T) {
	for _, prefix := range []string{"ghp", "gho", "ghu", "ghs", "ghr", "npm"} {
		good := githubToken(prefix, prefix)
		rule := map[string]string{"ghp": "github-pat", "gho": "github-oauth", "ghu": "github-app-token", "ghs": "github-app-token", "ghr": "github-refresh-token", "npm": "npm-access-token"}[prefix]
		bad := good[:len(good)-1] + string(good[len(good)-1]^1)
		testFamily(t, []familyCase{
			{name: prefix, value: good, rule: rule},
			{name: prefix + " in text", value: "clone https://example.net with " + good + " today", rule: rule, secret: good},
			{name: prefix + " with a wrong checksum", value: bad},
			{name: prefix + " cut short", value: good[:len(good)-2]},
			{name: prefix + " in capitals", value: "GH" + good[2:]},
		})
	}
}

func TestAWSFamily(t *testing.T) {
	id, secret := awsKeyID("a"), awsSecretKey("b")
	testFamily(t, []familyCase{
		{name: "id", value: id, rule: awsID},
		{name: "id in lower case", value: "ak" + "ia" + random("x", 16, lowerAlphabet)},
		{name: "id in a word", value: "X" + id},
		{name: "example id", value: "AK" + "IAIOSFODNN7" + "EXAMPLE"},
		{name: "secret by its field", field: "aws_secret_access_key", value: secret, rule: awsSecret},
		{name: "secret by its name in text", value: "AWS_SECRET_ACCESS_KEY=" + secret, rule: awsSecret, secret: secret},
		{name: "secret without a name", value: secret},
		{name: "both in one value", value: id + " " + secret, rule: awsSecret, secret: secret},
	})
}

// An id in one field and a secret under a name that says nothing in another
// belong together.
func TestAWSPairInHash(t *testing.T) {
	id, secret := awsKeyID("a"), awsSecretKey("b")
	found, _ := scanAll(t, newTestScanner(t), hashKey("svc:7", "one", id, "note", "nothing", "two", secret))
	if len(found) != 2 || found[0].Rule != awsID || found[1].Rule != awsSecret {
		t.Fatalf("found %s", brief(found))
	}
	if len(found[0].Also) != 1 || found[0].Also[0] != found[1].ID || len(found[1].Also) != 1 || found[1].Also[0] != found[0].ID {
		t.Error("the pair does not name its partners")
	}
	if found[0].Confidence != Confirmed || found[1].Field != "two" {
		t.Error("wrong confidence or field")
	}
	alone, _ := scanAll(t, newTestScanner(t), hashKey("svc:8", "two", secret))
	if len(alone) != 0 {
		t.Errorf("without an id found %s", brief(alone))
	}
}

func TestWebhookFamily(t *testing.T) {
	slack := "https://hooks." + "slack.com/services/T" + random("1", 10, digitAlphabet) + "/B" + random("2", 10, digitAlphabet) + "/" + random("3", 24, alnumAlphabet)
	discord := "https://discord.com/api/" + "webhooks/" + random("4", 18, digitAlphabet) + "/" + random("5", 68, urlAlphabet)
	testFamily(t, []familyCase{
		{name: "slack", value: slack, rule: "slack-webhook-url"},
		{name: "slack in a sentence", value: "post to " + slack + ".", rule: "slack-webhook-url", secret: slack},
		{name: "discord", value: discord, rule: "discord-webhook-url"},
		{name: "slack documentation", value: "https://hooks." + "slack.com/services/T00000000/B00000000/" + "XXXXXXXXXXXXXXXXXXXXXXXX"},
		{name: "slack channel", value: "https://team.slack.com/archives/C0123ABCD"},
	})
}
