package audit

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/valkeyfs/valkeyfs/internal/hostfs"
	"github.com/valkeyfs/valkeyfs/internal/sds"
)

// Container is a container that runs a server: a service of a Compose file, or a
// container of a Kubernetes manifest.
type Container struct {
	Place
	Name      string
	Image     string
	Words     []string // program and arguments
	Published []published
	Env       []variable
	Volumes   []string
	Kind      string            // "compose", or a manifest's kind
	Namespace string            // of a pod
	Labels    map[string]string // of a pod; what a Service selects

	NonRoot, ReadOnlyRoot bool
	MemoryLimit           bool
}

type published struct {
	text string
	Place
	everywhere bool // not on a loopback address only
}

type variable struct {
	name, value string
	Place
}

// maxDocuments bounds the documents of a YAML file.
const maxDocuments = 1000

// readContainers returns the containers with servers that a YAML file describes.
// A file that is something else has none.
func readContainers(fs *hostfs.FS, name string) []*Container {
	text, err := fs.ReadFile(name, maxText)
	if err != nil || !strings.Contains(string(text), "valkey") && !strings.Contains(string(text), "redis") {
		return nil
	}
	var cs []*Container
	dec := yaml.NewDecoder(strings.NewReader(string(text)))
	for range maxDocuments {
		var doc yaml.Node
		if err := dec.Decode(&doc); err != nil {
			if !errors.Is(err, io.EOF) {
				return cs
			}
			break
		}
		if len(doc.Content) == 0 {
			continue
		}
		root := doc.Content[0]
		if services := child(root, "services"); services != nil {
			for i := 0; i+1 < len(services.Content); i += 2 {
				if c := composeService(name, services.Content[i].Value, services.Content[i+1]); c != nil {
					cs = append(cs, c)
				}
			}
		}
		if kind := scalar(child(root, "kind")); kind != "" {
			cs = append(cs, manifest(name, kind, root)...)
		}
	}
	return cs
}

// ConfigMap is one file of a ConfigMap in a Kubernetes manifest.
type ConfigMap struct {
	Place  // the line before its first
	Object string
	Key    string
	Text   string
}

// readConfigMaps returns the files that a manifest's ConfigMaps hold.
func readConfigMaps(fs *hostfs.FS, name string) []ConfigMap {
	text, err := fs.ReadFile(name, maxText)
	if err != nil || !strings.Contains(string(text), "ConfigMap") {
		return nil
	}
	var maps []ConfigMap
	dec := yaml.NewDecoder(strings.NewReader(string(text)))
	for range maxDocuments {
		var doc yaml.Node
		if dec.Decode(&doc) != nil {
			break
		}
		if len(doc.Content) == 0 || scalar(child(doc.Content[0], "kind")) != "ConfigMap" {
			continue
		}
		data := child(doc.Content[0], "data")
		for i := 0; data != nil && i+1 < len(data.Content); i += 2 {
			if v := data.Content[i+1]; v.Kind == yaml.ScalarNode {
				maps = append(maps, ConfigMap{Place{name, v.Line}, scalar(child(doc.Content[0], "metadata", "name")), data.Content[i].Value, v.Value})
			}
		}
	}
	return maps
}

// child returns a mapping's value; an alias counts as what it stands for.
func child(n *yaml.Node, path ...string) *yaml.Node {
	for _, key := range path {
		if n != nil && n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		if n == nil || n.Kind != yaml.MappingNode {
			return nil
		}
		var found *yaml.Node
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				found = n.Content[i+1]
			}
		}
		n = found
	}
	return n
}

func scalar(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode {
		return ""
	}
	return n.Value
}

// words returns a command: a list, or a string that a shell would split.
func words(n *yaml.Node) []string {
	if n == nil {
		return nil
	}
	if n.Kind == yaml.ScalarNode {
		w, err := sds.Split(n.Value)
		if err != nil {
			return strings.Fields(n.Value)
		}
		return w
	}
	var ws []string
	for _, c := range n.Content {
		ws = append(ws, c.Value)
	}
	// sh -c "valkey-server …" is what the shell runs.
	if len(ws) == 3 && ws[1] == "-c" {
		if w, err := sds.Split(ws[2]); err == nil {
			return w
		}
	}
	return ws
}

func serverImage(image string, command []string) bool {
	base, _, _ := strings.Cut(image[strings.LastIndexByte(image, '/')+1:], ":")
	base, _, _ = strings.Cut(base, "@")
	switch base {
	case "valkey", "redis", "valkey-server", "redis-server", "redis-stack-server", "valkey-bundle":
		return true
	}
	return len(command) > 0 && isServer(command[0])
}

func composeService(file, name string, n *yaml.Node) *Container {
	c := &Container{Place: Place{file, n.Line}, Name: name, Kind: "compose", Image: scalar(child(n, "image"))}
	c.Words = append(words(child(n, "entrypoint")), words(child(n, "command"))...)
	if !serverImage(c.Image, c.Words) {
		return nil
	}
	user := scalar(child(n, "user"))
	c.NonRoot = user != "" && user != "0" && user != "root" && !strings.HasPrefix(user, "0:")
	c.ReadOnlyRoot = scalar(child(n, "read_only")) == "true"
	c.MemoryLimit = child(n, "mem_limit") != nil || child(n, "deploy", "resources", "limits", "memory") != nil
	if ports := child(n, "ports"); ports != nil {
		for _, p := range ports.Content {
			text := p.Value
			host := text
			if p.Kind == yaml.MappingNode {
				host = scalar(child(p, "host_ip"))
				text = scalar(child(p, "published")) + ":" + scalar(child(p, "target"))
				if host != "" {
					text = host + ":" + text
				}
				host = text
			}
			local := strings.HasPrefix(host, "127.") || strings.HasPrefix(host, "[::1]") || strings.HasPrefix(host, "localhost:")
			c.Published = append(c.Published, published{text, Place{file, p.Line}, !local})
		}
	}
	if scalar(child(n, "network_mode")) == "host" {
		c.Published = append(c.Published, published{"network_mode: host", Place{file, child(n, "network_mode").Line}, true})
	}
	c.environment(file, child(n, "environment"))
	c.probe(file, "healthcheck", child(n, "healthcheck", "test"))
	if vs := child(n, "volumes"); vs != nil {
		for _, v := range vs.Content {
			c.Volumes = append(c.Volumes, v.Value)
		}
	}
	return c
}

func (c *Container) environment(file string, env *yaml.Node) {
	if env == nil {
		return
	}
	if env.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(env.Content); i += 2 {
			c.Env = append(c.Env, variable{env.Content[i].Value, scalar(env.Content[i+1]), Place{file, env.Content[i].Line}})
		}
		return
	}
	for _, e := range env.Content {
		if e.Kind == yaml.MappingNode { // Kubernetes
			if v := child(e, "value"); v != nil {
				c.Env = append(c.Env, variable{scalar(child(e, "name")), scalar(v), Place{file, v.Line}})
			}
			continue
		}
		name, value, _ := strings.Cut(e.Value, "=")
		c.Env = append(c.Env, variable{name, value, Place{file, e.Line}})
	}
}

// probe notes the password in a probe's command, which is shown to everyone who may
// look at the container.
func (c *Container) probe(file, name string, command *yaml.Node) {
	if command == nil {
		return
	}
	ws := words(command)
	for i, w := range ws {
		if (w == "-a" || w == "--pass") && i+1 < len(ws) {
			c.Env = append(c.Env, variable{name + " password", ws[i+1], Place{file, command.Line}})
		}
	}
}

// manifest returns the server containers of one Kubernetes object.
func manifest(file, kind string, root *yaml.Node) []*Container {
	var template *yaml.Node
	switch kind {
	case "Pod":
		template = root
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job":
		template = child(root, "spec", "template")
	case "CronJob":
		template = child(root, "spec", "jobTemplate", "spec", "template")
	case "Service":
		return exposedService(file, root)
	}
	pod := child(template, "spec")
	list := child(pod, "containers")
	if list == nil {
		return nil
	}
	var cs []*Container
	for _, n := range list.Content {
		c := &Container{Place: Place{file, n.Line}, Name: scalar(child(n, "name")), Kind: kind, Image: scalar(child(n, "image")),
			Namespace: scalar(child(root, "metadata", "namespace")), Labels: labels(child(template, "metadata", "labels"))}
		c.Words = append(words(child(n, "command")), words(child(n, "args"))...)
		if !serverImage(c.Image, c.Words) {
			continue
		}
		for _, sc := range []*yaml.Node{child(pod, "securityContext"), child(n, "securityContext")} {
			if v := scalar(child(sc, "runAsNonRoot")); v != "" {
				c.NonRoot = v == "true"
			}
			if v := scalar(child(sc, "runAsUser")); v != "" {
				c.NonRoot = v != "0"
			}
			if v := scalar(child(sc, "readOnlyRootFilesystem")); v != "" {
				c.ReadOnlyRoot = v == "true"
			}
		}
		c.MemoryLimit = child(n, "resources", "limits", "memory") != nil
		if ports := child(n, "ports"); ports != nil {
			for _, p := range ports.Content {
				if hp := child(p, "hostPort"); hp != nil {
					c.Published = append(c.Published, published{"hostPort " + hp.Value, Place{file, hp.Line}, true})
				}
			}
		}
		if scalar(child(pod, "hostNetwork")) == "true" {
			c.Published = append(c.Published, published{"hostNetwork", Place{file, child(pod, "hostNetwork").Line}, true})
		}
		c.environment(file, child(n, "env"))
		for _, probe := range []string{"livenessProbe", "readinessProbe", "startupProbe"} {
			c.probe(file, probe, child(n, probe, "exec", "command"))
		}
		cs = append(cs, c)
	}
	return cs
}

// exposedService is a Service that leads to a server's port from outside.
func exposedService(file string, root *yaml.Node) []*Container {
	kind := scalar(child(root, "spec", "type"))
	ports := child(root, "spec", "ports")
	if kind != "NodePort" && kind != "LoadBalancer" || ports == nil {
		return nil
	}
	var c *Container
	for _, p := range ports.Content {
		port := scalar(child(p, "port"))
		if port != "6379" && port != "6380" && port != "26379" && scalar(child(p, "targetPort")) != "6379" {
			continue
		}
		if c == nil {
			c = &Container{Place: Place{file, root.Line}, Name: scalar(child(root, "metadata", "name")), Kind: "Service",
				Namespace: scalar(child(root, "metadata", "namespace")), Labels: labels(child(root, "spec", "selector"))}
		}
		c.Published = append(c.Published, published{fmt.Sprintf("%s %s", kind, port), Place{file, p.Line}, true})
	}
	if c == nil {
		return nil
	}
	return []*Container{c}
}

// Server returns the configuration file and the options of the command, and
// whether the command starts a server at all: without one, the image does.
func (c *Container) Server() (config string, options []string) {
	ws := c.Words
	if len(ws) > 0 && (isServer(ws[0]) || strings.HasSuffix(ws[0], "entrypoint.sh")) {
		ws = ws[1:]
	}
	if len(ws) > 0 && isServer(ws[0]) {
		ws = ws[1:]
	}
	if len(ws) > 0 && !strings.HasPrefix(ws[0], "-") {
		config, ws = ws[0], ws[1:]
	}
	return config, ws
}
