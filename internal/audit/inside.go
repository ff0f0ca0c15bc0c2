package audit

import (
	"path"
	"regexp"
	"strings"
)

// ID tells the containers of one file apart.
func (c *Container) ID() string { return c.File + "#" + c.Name }

// reference is a word that stands for a value from elsewhere: $NAME, ${NAME…} as
// Compose and shells have it, $(NAME) as Kubernetes has it.
var reference = regexp.MustCompile(`^\$(?:(\w+)|\{(\w+)[^}]*\}|\(([^)]*)\))$`)

// options returns what the server in the container is started with: the command
// line with the values of its environment, where that gives them, and what
// Bitnami's images make of theirs.
func (c *Container) options() []string {
	_, words := c.Server()
	options := c.bitnami()
	for _, w := range words {
		if m := reference.FindStringSubmatch(w); m != nil {
			if v := c.variable(m[1] + m[2] + m[3]); v != "" {
				w = v
			}
		}
		options = append(options, w)
	}
	return options
}

func (c *Container) variable(name string) string {
	for _, v := range c.Env {
		if v.name == name {
			return v.value
		}
	}
	return ""
}

// bitnami returns the options that Bitnami's images make of their environment
// (libvalkey.sh, valkey_configure_default; libredis.sh is the same).
func (c *Container) bitnami() []string {
	if !strings.Contains(c.Image, "bitnami") {
		return nil
	}
	prefix := "REDIS_"
	if strings.Contains(c.Image, "valkey") {
		prefix = "VALKEY_"
	}
	options := []string{"--save", "", "--appendonly", orWord(c.variable(prefix+"AOF_ENABLED"), "yes")}
	if p := c.variable(prefix + "PASSWORD"); p != "" {
		options = append(options, "--requirepass", p)
	} else if c.variable(prefix+"PASSWORD_FILE") != "" {
		options = append(options, "--requirepass", "$"+prefix+"PASSWORD_FILE")
	}
	if file := c.variable(prefix + "ACLFILE"); file != "" {
		options = append(options, "--aclfile", file)
	}
	if yes := strings.ToLower(c.variable(prefix + "TLS_ENABLED")); yes == "yes" || yes == "true" {
		options = append(options, "--port", orWord(c.variable(prefix+"PORT_NUMBER"), "0"), "--tls-port", orWord(c.variable(prefix+"TLS_PORT_NUMBER"), "6379"),
			"--tls-auth-clients", orWord(c.variable(prefix+"TLS_AUTH_CLIENTS"), "yes"))
	}
	for command := range strings.SplitSeq(c.variable(prefix+"DISABLE_COMMANDS"), ",") {
		if command != "" {
			options = append(options, "--rename-command", command, "")
		}
	}
	return options
}

// outside returns where a file of the container lies on the host, "" if that is
// not known.
func (c *Container) outside(name string) string {
	for _, v := range c.Volumes {
		from, to, _ := strings.Cut(v, ":")
		to, _, _ = strings.Cut(to, ":")
		if to == "" || !strings.HasPrefix(from, "/") && !strings.HasPrefix(from, ".") {
			continue // a volume that Docker keeps
		}
		if !path.IsAbs(from) {
			from = path.Join(path.Dir(c.File), from)
		}
		if name == to {
			return from
		}
		if below, ok := strings.CutPrefix(name, strings.TrimSuffix(to, "/")+"/"); ok {
			return path.Join(from, below)
		}
	}
	return ""
}

// elsewhere reports whether a password is only named here, and kept elsewhere.
func (s *Subject) elsewhere(password string) bool {
	return s.Container != nil && reference.MatchString(password)
}

// exposes reports whether a Service leads to the container.
func (c *Container) exposes(o *Container) bool {
	if c.Kind != "Service" || o.Kind == "Service" || o.Kind == "compose" || c.Namespace != o.Namespace || len(c.Labels) == 0 {
		return false
	}
	for k, v := range c.Labels {
		if o.Labels[k] != v {
			return false
		}
	}
	return true
}

// expose gives containers what Services publish of them, and returns those that
// are left: the containers, and the Services of none.
func expose(all []*Container) []*Container {
	var left []*Container
	for _, c := range all {
		matched := false
		for _, o := range all {
			if c.exposes(o) {
				o.Published = append(o.Published, c.Published...)
				matched = true
			}
		}
		if !matched {
			left = append(left, c)
		}
	}
	return left
}
