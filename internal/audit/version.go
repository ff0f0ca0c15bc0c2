package audit

import (
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/conf"
)

// How the version of a server is known, where that is not told by its files.
const (
	basisGiven   = "given"
	basisAssumed = "assumed: the newest that is known"
)

// version returns the version of a subject's server, and how it is known, as far as
// that needs none of its configuration.
func (f *finder) version(s *Subject) (v conf.Version, basis string) {
	if f.o.Version != (conf.Version{}) {
		return f.o.Version, basisGiven
	}
	v = f.guess(s)
	if s.Container != nil {
		if tag, err := conf.ParseVersion(imageVersion(s.Container.Image)); err == nil {
			return tag, "the image's tag"
		}
	} else if installed, ok := f.installed(v.Valkey); ok {
		return installed, "the package that is installed"
	}
	return v, basisAssumed
}

// maxStatus bounds dpkg's list of packages.
const maxStatus = 32 << 20

// installed returns the version of the server's package, as dpkg has it.
func (f *finder) installed(valkey bool) (conf.Version, bool) {
	name := "redis"
	if valkey {
		name = "valkey"
	}
	text, err := f.fs.ReadFile("/var/lib/dpkg/status", maxStatus)
	if err != nil {
		return conf.Version{}, false
	}
	_, entry, ok := strings.Cut("\n"+string(text), "\nPackage: "+name+"-server\n")
	if !ok {
		return conf.Version{}, false
	}
	entry, _, _ = strings.Cut(entry, "\n\n")
	_, number, _ := strings.Cut(entry, "\nVersion: ")
	number = number[strings.IndexByte(number, ':')+1:] // an epoch
	number = number[:len(number)-len(strings.TrimLeft(number, "0123456789."))]
	v, err := conf.ParseVersion(name + "-" + number)
	return v, err == nil
}

// guess returns the newest version of the server whose name is about.
func (f *finder) guess(s *Subject) conf.Version {
	valkey := strings.Contains(s.Name, "valkey") || s.Unit != nil && strings.Contains(s.Unit.Name, "valkey")
	if !valkey && strings.Contains(s.Name, "redis") || s.Container != nil && strings.Contains(s.Container.Image, "redis") {
		return conf.Version{Major: 8}
	}
	return conf.Newest
}

// imageVersion turns "valkey/valkey:8.1-alpine" into "valkey 8.1".
func imageVersion(image string) string {
	name, tag, _ := strings.Cut(image[strings.LastIndexByte(image, '/')+1:], ":")
	tag, _, _ = strings.Cut(tag, "-")
	tag, _, _ = strings.Cut(tag, "@")
	return name + " " + tag
}
