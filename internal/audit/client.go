package audit

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/hostfs"
)

var (
	clientURL = regexp.MustCompile(`\b(rediss?|valkeys?)://([^\s"'@/]*@)?[^\s"']+`)
	noVerify  = regexp.MustCompile(`(?i)ssl_cert_reqs=none|--insecure\b|rejectUnauthorized\s*[:=]\s*false|skip_?verify\s*[:=]\s*true`)
	// What is typed at the client's prompt, or a script says to a library.
	typed   = regexp.MustCompile(`(?i)^(?:\+?:? ?\d+:\d+;)?\s*(?:auth\s+\S|hello\s+\d\s+auth\s+\S|config\s+set\s+(?:requirepass|masterauth|primaryauth)\s+\S|acl\s+setuser\s.*>\S|migrate\s.*\sauth2?\s+\S)`)
	coded   = regexp.MustCompile(`(?i)(?:redis|valkey)\w*\s*\(.*\bpassword\s*=\s*['"][^'"]`)
	envPass = regexp.MustCompile(`\b(?:REDISCLI_AUTH|VALKEYCLI_AUTH)=["']?[^\s"'$]`)
	cliPass = regexp.MustCompile(`\b(?:redis|valkey)-cli\b.*\s(?:-a|--pass)\s+["']?[^\s"'$]`)
	cliHost = regexp.MustCompile(`\s-[hu]\s`) // without it the client connects to its own host
	ownHost = regexp.MustCompile(`://(?:[^\s"'@/]*@)?(?:localhost|127\.[\d.]+|\[::1\])(?:[:/?]|$)`)
)

// maxClients bounds the settings that are kept of a file.
const maxClients = 1000

// readClients returns how clients connect, as manifests, environment files and
// shell histories tell.
func readClients(fs *hostfs.FS, name string) []clientSetting {
	text, err := fs.ReadFile(name, maxText)
	if err != nil {
		return nil
	}
	history := isHistory(name)
	var cs []clientSetting
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		if len(cs) == maxClients {
			break
		}
		if m := clientURL.FindStringSubmatch(line); m != nil {
			tls := m[1] == "rediss" || m[1] == "valkeys"
			_, secret, _ := strings.Cut(m[2], ":")
			secret = strings.TrimSuffix(secret, "@")
			placeholder := strings.HasPrefix(secret, "$") || strings.HasPrefix(secret, "{") || secret == ""
			cs = append(cs, clientSetting{Place: Place{name, n}, tls: tls, verify: !noVerify.MatchString(line), password: !placeholder, only: ownHost.MatchString(m[0])})
		} else if envPass.MatchString(line) || history && (typed.MatchString(line) || coded.MatchString(line)) {
			cs = append(cs, clientSetting{Place: Place{name, n}, password: true, only: true})
		} else if cliPass.MatchString(line) {
			cs = append(cs, clientSetting{Place: Place{name, n}, tls: strings.Contains(line, "--tls"), verify: !noVerify.MatchString(line), password: true, only: !cliHost.MatchString(line)})
		}
	}
	return cs
}

// histories are the files in which shells, clients and interpreters keep what
// was typed.
var histories = []string{".bash_history", ".sh_history", ".ash_history", ".ksh_history", ".zsh_history", ".zhistory", ".histfile", "fish_history",
	".rediscli_history", ".valkeycli_history", ".python_history", ".node_repl_history", ".irb_history", ".pry_history"}

func isHistory(name string) bool { return slices.Contains(histories, path.Base(name)) }
