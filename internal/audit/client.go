package audit

import (
	"regexp"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/hostfs"
)

var (
	clientURL = regexp.MustCompile(`\b(rediss?|valkeys?)://([^\s"'@/]*@)?[^\s"']+`)
	noVerify  = regexp.MustCompile(`(?i)ssl_cert_reqs=none|--insecure\b|rejectUnauthorized\s*[:=]\s*false|skip_?verify\s*[:=]\s*true`)
	cliPass   = regexp.MustCompile(`\b(?:redis|valkey)-cli\b.*\s(?:-a|--pass)\s+\S`)
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
			cs = append(cs, clientSetting{Place{name, n}, tls, !noVerify.MatchString(line), !placeholder})
		} else if cliPass.MatchString(line) {
			cs = append(cs, clientSetting{Place{name, n}, strings.Contains(line, "--tls"), !noVerify.MatchString(line), true})
		}
	}
	return cs
}
