package scan

// webhookFamily finds URLs that are their own credential: whoever knows them
// may post.
var webhookFamily = []rule{
	{id: "slack-webhook-url", description: "Slack incoming webhook", category: Credential, severity: High, confidence: Likely, rank: rankFormat,
		keywords: []string{"hooks.slack.com/"}, find: webhook([]string{"services/", "workflows/", "triggers/"}, 40), next: "remove the webhook in the Slack app's settings"},
	{id: "discord-webhook-url", description: "Discord webhook", category: Credential, severity: High, confidence: Likely, rank: rankFormat,
		keywords: []string{"discord.com/api/webhooks/", "discordapp.com/api/webhooks/"}, find: webhook([]string{""}, 60), next: "delete the webhook in the channel's settings"},
	{id: "microsoft-teams-webhook", description: "Microsoft Teams webhook", category: Credential, severity: High, confidence: Likely, rank: rankFormat,
		keywords: []string{".webhook.office.com/webhookb2/"}, find: webhook([]string{""}, 60), next: "remove the connector from the channel"},
	{id: "zapier-webhook", description: "Zapier webhook", category: Credential, severity: Medium, confidence: Likely, rank: rankFormat,
		keywords: []string{"hooks.zapier.com/hooks/"}, find: webhook([]string{"catch/", "standard/"}, 20), next: "turn the Zap off, or give it a new webhook"},
	{id: "lark-webhook", description: "Lark or Feishu webhook of a bot", category: Credential, severity: Medium, confidence: Likely, rank: rankFormat,
		keywords: []string{"open.feishu.cn/open-apis/bot/", "open.larksuite.com/open-apis/bot/"}, find: webhook([]string{"v2/hook/", "hook/"}, 40), next: nextBot},
	{id: "dingtalk-webhook", description: "DingTalk webhook of a bot", category: Credential, severity: Medium, confidence: Likely, rank: rankFormat,
		keywords: []string{"oapi.dingtalk.com/robot/"}, find: webhook([]string{"send?access_token="}, 80), next: nextBot},
	{id: "wecom-webhook", description: "WeCom webhook of a bot", category: Credential, severity: Medium, confidence: Likely, rank: rankFormat,
		keywords: []string{"qyapi.weixin.qq.com/cgi-bin/webhook/"}, find: webhook([]string{"send?key="}, 40), next: nextBot},
	{id: "google-chat-webhook", description: "Google Chat webhook", category: Credential, severity: Medium, confidence: Likely, rank: rankProof,
		keywords: []string{"chat.googleapis.com/v1/spaces/"}, find: webhook([]string{""}, 80), next: "delete the webhook in the space's settings"},
}

const nextBot = "remove the bot from the group, or give it a new webhook"

// maxWebhook bounds what follows the host.
const maxWebhook = 512

// webhook reports the whole URL if what follows the host is one of the paths
// and at least least bytes long.
func webhook(paths []string, least int) finder {
	return func(w *worker, r *rule, f *fragment, from, to int) {
		d := f.data
		ok := false
		for _, p := range paths {
			ok = ok || foldPrefix(d[to:], p)
		}
		end := trimURL(d, to, run(d, to, maxWebhook, isURLByte))
		if !ok || end-to < least || placeholder(d[to:end]) || readable(d[to:end]) {
			return
		}
		begin := runBack(d, from, 64, func(b byte) bool { return isAlnum(b) || b == '-' || b == '.' || b == ':' || b == '/' })
		for begin < from && !foldPrefix(d[begin:], "http") {
			begin++
		}
		w.report(r, f, begin, end)
	}
}
